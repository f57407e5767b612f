//! Who is active, what stake counts, and who may validate.

use alloc::vec::Vec;

use super::EpochInput;
use crate::fixed::{normalize, I32F32};
use crate::sparse::at;

fn is_owner(input: &EpochInput, uid: u16) -> bool {
    input.owner_uid == Some(uid)
}

/// Tells who updated recently enough: `last_update + cutoff >= now`.
pub fn active(input: &EpochInput) -> Vec<bool> {
    let active = |uid: u16| {
        let updated = at(&input.last_update, uid.into());
        updated.saturating_add(input.activity_cutoff) >= input.current_block
    };
    (0..input.n).map(active).collect()
}

/// Normalises the stake that reaches the threshold (the owner's always does): `s_i / sum(s)`, divided with 64
/// fractional bits and cut to 32.
pub fn stake(input: &EpochInput) -> Vec<I32F32> {
    let counted = |uid: u16| {
        let stake = at(&input.stake, uid.into());
        if stake >= input.min_stake || is_owner(input, uid) {
            stake
        } else {
            0
        }
    };
    let stakes: Vec<u64> = (0..input.n).map(counted).collect();
    let sum: u128 = stakes.iter().map(|stake| u128::from(*stake)).sum();
    // s < 2^64, so the shift fits; s <= sum, so the share is at most 1.
    let share = |stake: &u64| (u128::from(*stake) << 64).checked_div(sum).unwrap_or(0) >> 32;
    stakes
        .iter()
        .map(|stake| I32F32::from_bits(share(stake) as i64))
        .collect()
}

/// Reads the permits that hold now; the owner always has one.
pub fn permits(input: &EpochInput) -> Vec<bool> {
    (0..input.n)
        .map(|uid| at(&input.validator_permits, uid.into()) || is_owner(input, uid))
        .collect()
}

/// Chooses who may validate next: the `max_allowed_validators` largest non-zero stakes, among equals the
/// higher uid; and the owner.
pub fn new_permits(input: &EpochInput, stake: &[I32F32]) -> Vec<bool> {
    let mut permits: Vec<bool> = stake.iter().map(|stake| *stake != I32F32::ZERO).collect();
    let places = usize::from(input.max_allowed_validators);
    let mut by_stake: Vec<(I32F32, usize)> = stake.iter().copied().zip(0..).collect();
    by_stake.sort_unstable();
    for (_, uid) in by_stake.iter().take(stake.len().saturating_sub(places)) {
        if let Some(permit) = permits.get_mut(*uid) {
            *permit = false;
        }
    }
    if let Some(permit) = input.owner_uid.and_then(|uid| permits.get_mut(usize::from(uid))) {
        *permit = true;
    }
    permits
}

/// Normalises the stake of active holders of a permit.
pub fn active_stake(stake: &[I32F32], active: &[bool], permits: &[bool]) -> Vec<I32F32> {
    let counts = |uid: usize| at(active, uid) && at(permits, uid);
    let masked = stake
        .iter()
        .zip(0..)
        .map(|(stake, uid)| if counts(uid) { *stake } else { I32F32::ZERO });
    let mut result: Vec<I32F32> = masked.collect();
    normalize(&mut result);
    result
}
