//! Which weights count.

use super::EpochInput;
use crate::fixed::I32F32;
use crate::sparse::{at, collect_up_to, normalize_rows, Sparse, SparseRow};

/// Reads the weight rows and drops those without a permit, weights on oneself (but the owner's), weights on a
/// uid registered at or after the row's last update and, with commit-reveal, after the row's open commit;
/// then normalises each row. Entries of weight zero stay entries.
pub fn masked(input: &EpochInput, permits: &[bool]) -> Sparse {
    let row = |uid: u16| -> SparseRow {
        let entries = input
            .weights
            .get(usize::from(uid))
            .filter(|_| at(permits, uid.into()))
            .map_or(&[][..], |row| row.as_slice());
        let updated = at(&input.last_update, uid.into());
        let committed = input
            .commit_blocks
            .as_ref()
            .map(|blocks| at_or_never(blocks, uid));
        let counts = |target: u16| {
            let registered = at(&input.block_at_registration, target.into());
            target < input.n
                && (target != uid || input.owner_uid == Some(uid))
                && updated > registered
                && committed.is_none_or(|block| block >= registered)
        };
        let kept = entries.iter().filter(|(target, _)| counts(*target));
        collect_up_to(
            entries.len(),
            kept.map(|(target, weight)| (*target, I32F32::from_int((*weight).into()))),
        )
    };
    let mut rows: Sparse = (0..input.n).map(row).collect();
    normalize_rows(&mut rows);
    rows
}

fn at_or_never(blocks: &[u64], uid: u16) -> u64 {
    blocks.get(usize::from(uid)).copied().unwrap_or(u64::MAX)
}
