//! Bonds: the moving average of where each validator's weight went, and what it earns.

use alloc::{borrow::Cow, vec, vec::Vec};

use super::{liquid, EpochInput, Row};
use crate::fixed::{normalize, I32F32};
use crate::sparse::{
    at, collect_up_to, fill, max_upscale_columns, normalize_columns, positive_entries, scale_rows,
    weighted_row_sums, weighted_shares, Sparse, SparseRow,
};

/// What the earlier steps found.
pub struct View<'a> {
    pub active_stake: &'a [I32F32],
    pub weights: &'a [SparseRow],
    pub clipped: &'a [SparseRow],
    pub consensus: &'a [I32F32],
    pub incentive: &'a [I32F32],
}

/// Computes the bonds to store and the dividends D.
pub fn bonds_and_dividends(input: &EpochInput, view: &View) -> (Sparse, Vec<I32F32>) {
    if input.yuma3 {
        yuma3(input, view)
    } else {
        classic(input, view)
    }
}

/// Yuma3: bonds are an average of weights, `D_i = A_i * sum_j colnorm(E)_ij I_j`.
fn yuma3(input: &EpochInput, view: &View) -> (Sparse, Vec<I32F32>) {
    let n = usize::from(input.n);
    let weights = weights_for_bonds(input, view);
    let old = old_bonds(input, I32F32::from_u16_proportion);
    let ema = if input.liquid_alpha && view.consensus.iter().any(|value| *value != I32F32::ZERO) {
        liquid::average(input, &weights, &old, view.consensus)
    } else {
        average(&weights, &old, alpha(input), n)
    };
    let earned = weighted_shares(&ema, view.incentive);
    let mut dividends: Vec<I32F32> = earned
        .iter()
        .zip(view.active_stake)
        .map(|(earned, stake)| earned.mul(*stake))
        .collect();
    normalize(&mut dividends);
    (ema, dividends)
}

/// Classic: bonds are an average of stake-weighted purchases, `D_i = sum_j E_ij I_j`; they are stored with
/// each column's largest at 1.
fn classic(input: &EpochInput, view: &View) -> (Sparse, Vec<I32F32>) {
    let n = usize::from(input.n);
    let mut old = old_bonds(input, |bond| I32F32::from_int(bond.into()));
    normalize_columns(&mut old, n);
    let mut bought = scale_rows(&weights_for_bonds(input, view), view.active_stake);
    normalize_columns(&mut bought, n);
    let mut ema = average(&bought, &old, alpha(input), n);
    normalize_columns(&mut ema, n);
    let mut dividends = weighted_row_sums(&ema, view.incentive);
    normalize(&mut dividends);
    max_upscale_columns(&mut ema, n);
    (ema, dividends)
}

/// Mixes the weights that bonds follow: `W + penalty * (W' - W)`; zeros are kept only where nothing is mixed.
fn weights_for_bonds<'a>(input: &EpochInput, view: &View<'a>) -> Cow<'a, [SparseRow]> {
    match input.bonds_penalty {
        0 => Cow::Borrowed(view.weights),
        u16::MAX => Cow::Borrowed(view.clipped),
        penalty => {
            let penalty = I32F32::from_u16_proportion(penalty);
            let mut dense = [
                vec![I32F32::ZERO; input.n.into()],
                vec![I32F32::ZERO; input.n.into()],
            ];
            let mix = |(row, clipped): (&SparseRow, &SparseRow)| mix_row(&mut dense, row, clipped, penalty);
            Cow::Owned(view.weights.iter().zip(view.clipped).map(mix).collect())
        }
    }
}

fn mix_row(dense: &mut [Vec<I32F32>; 2], row: &SparseRow, clipped: &SparseRow, penalty: I32F32) -> SparseRow {
    if row.is_empty() {
        return Vec::new();
    }
    let [mixed, target] = dense;
    mixed.fill(I32F32::ZERO);
    target.fill(I32F32::ZERO);
    fill(mixed, row);
    fill(target, clipped);
    for (weight, clipped) in mixed.iter_mut().zip(target.iter()) {
        *weight = weight.add(penalty.mul(clipped.sub(*weight)));
    }
    positive_entries(mixed)
}

/// Reads the stored bonds without those to neurons registered since the last epoch.
fn old_bonds(input: &EpochInput, read: fn(u16) -> I32F32) -> Sparse {
    let last_epoch = match input.last_mechanism_step_block {
        0 => input.current_block.saturating_sub(input.tempo.into()),
        block => block.saturating_add(1),
    };
    let counts =
        |target: u16| target < input.n && last_epoch > at(&input.block_at_registration, target.into());
    let row = |uid: usize| {
        let stored = input.bonds.get(uid).map_or(&[][..], |row| row.as_slice());
        let kept = stored.iter().filter(|(target, _)| counts(*target));
        collect_up_to(stored.len(), kept.map(|(target, bond)| (*target, read(*bond))))
    };
    (0..usize::from(input.n)).map(row).collect()
}

/// Computes the weight of the new: `1 - bonds_moving_average / 1e6`, divided with 64 fractional bits; at
/// least 0.
fn alpha(input: &EpochInput) -> I32F32 {
    let millionths = input.bonds_moving_average.min(1_000_000) as i64;
    I32F32::ONE.sub(I32F32::from_bits((millionths << 32) / 1_000_000))
}

/// Averages element by element: `alpha * new + (1 - alpha) * old`, positive results only.
fn average(new: &[SparseRow], old: &[SparseRow], alpha: I32F32, n: usize) -> Sparse {
    let mut dense = vec![I32F32::ZERO; n];
    let mut average_row = |(new, old): (&SparseRow, &SparseRow)| {
        if new.is_empty() && old.is_empty() {
            return Vec::new();
        }
        dense.fill(I32F32::ZERO);
        for (row, factor) in [(new, alpha), (old, I32F32::ONE.sub(alpha))] {
            for (column, value) in row {
                if let Some(cell) = dense.get_mut(usize::from(*column)) {
                    *cell = cell.add(factor.mul(*value));
                }
            }
        }
        positive_entries(&dense)
    };
    new.iter().zip(old).map(&mut average_row).collect()
}

/// Rounds the bonds for storage: new rows for new permits, none for lost ones, the old row for the rest.
pub fn stored(input: &EpochInput, permits: &[bool], new_permits: &[bool], ema: &[SparseRow]) -> Vec<Row> {
    let row = |uid: usize| match (at(new_permits, uid), at(permits, uid)) {
        (true, _) => {
            let entries = ema.get(uid).into_iter().flatten();
            entries
                .map(|(target, bond)| (*target, bond.to_u16_proportion()))
                .collect()
        }
        (false, true) => Vec::new(),
        (false, false) => input.bonds.get(uid).cloned().unwrap_or_default(),
    };
    (0..usize::from(input.n)).map(row).collect()
}
