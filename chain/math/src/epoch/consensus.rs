//! The stake-weighted median that no minority can move.

use alloc::{vec, vec::Vec};

use crate::fixed::{normalize, I32F32};
use crate::sparse::{at, collect_up_to, Sparse, SparseRow};

/// Computes C: per column the score v with `stake(score < v) <= 1 - kappa < stake(score <= v)`, over the rows
/// with stake, whose missing entries score 0. If kappa lies outside the stake, v is the highest or the lowest
/// score.
pub fn weighted_median(stake: &[I32F32], scores: &[SparseRow], columns: usize, kappa: I32F32) -> Vec<I32F32> {
    let rows: Vec<usize> = (0..stake.len())
        .filter(|row| at(stake, *row) > I32F32::ZERO)
        .collect();
    let mut weight: Vec<I32F32> = rows.iter().map(|row| at(stake, *row)).collect();
    normalize(&mut weight);
    let total: I32F32 = weight.iter().sum();
    let minority = total.sub(kappa);

    // Gather the columns: (score, stake) of every entry.
    let mut lengths = vec![0usize; columns];
    for (column, _) in rows.iter().filter_map(|row| scores.get(*row)).flatten() {
        if let Some(length) = lengths.get_mut(usize::from(*column)) {
            *length += 1;
        }
    }
    let mut by_column: Vec<Vec<(I32F32, I32F32)>> = lengths.into_iter().map(Vec::with_capacity).collect();
    for (row, stake) in rows.iter().zip(&weight) {
        for (column, score) in scores.get(*row).into_iter().flatten() {
            if let Some(entries) = by_column.get_mut(usize::from(*column)) {
                entries.push((*score, *stake));
            }
        }
    }
    by_column
        .iter_mut()
        .map(|entries| column_median(entries, rows.len(), total, minority))
        .collect()
}

/// Finds the score at which one column's stake, counted from the lowest score up, exceeds the minority; the highest if
/// it never does. Halves the scores instead of sorting them: what lies on the other side of the middle counts as a sum.
fn column_median(entries: &mut [(I32F32, I32F32)], rows: usize, total: I32F32, minority: I32F32) -> I32F32 {
    let entered: I32F32 = entries.iter().map(|(_, stake)| stake).sum();
    let mut below = I32F32::ZERO;
    if entries.len() < rows {
        below = total.sub(entered); // the stake of the rows that score 0 by absence
        if minority < below {
            return I32F32::ZERO;
        }
    }
    let mut rest = entries;
    while rest.len() > 1 {
        let middle = rest.len() / 2;
        rest.select_nth_unstable_by_key(middle, |(score, _)| *score);
        let (lower, upper) = rest.split_at_mut(middle);
        let with_lower = below.add(lower.iter().map(|(_, stake)| stake).sum());
        if minority < with_lower {
            rest = lower;
        } else {
            below = with_lower;
            rest = upper;
        }
    }
    rest.first().map_or(I32F32::ZERO, |(score, _)| *score)
}

/// Clips W to consensus: `w'_ij = min(w_ij, c_j)`; an entry above a consensus of zero goes.
pub fn clip(weights: &[SparseRow], consensus: &[I32F32]) -> Sparse {
    let clipped = |(column, weight): &(u16, I32F32)| {
        let limit = at(consensus, usize::from(*column));
        let kept = *weight <= limit || limit > I32F32::ZERO;
        kept.then_some((*column, *weight.min(&limit)))
    };
    weights
        .iter()
        .map(|row| collect_up_to(row.len(), row.iter().filter_map(clipped)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The median as its definition has it: scores in order, stake added up from the lowest.
    fn by_sorting(entries: &[(I32F32, I32F32)], minority: I32F32) -> I32F32 {
        let mut sorted = entries.to_vec();
        sorted.sort_unstable();
        let mut below = I32F32::ZERO;
        let median = sorted.iter().find(|(_, stake)| {
            below = below.add(*stake);
            minority < below
        });
        median.or(sorted.last()).map_or(I32F32::ZERO, |(score, _)| *score)
    }

    #[test]
    fn median_equals_the_sorted_walk_when_scores_repeat_and_stakes_vanish() {
        let mut state = 7u64;
        let mut below = |bound: i64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as i64 % bound
        };
        for _ in 0..2_000 {
            let (scores, count) = (1 + below(20), below(40));
            let column: Vec<(I32F32, I32F32)> = (0..count)
                .map(|_| (I32F32::from_bits(below(scores)), I32F32::from_bits(below(4))))
                .collect();
            let total = column.iter().map(|(_, stake)| stake).sum();
            let minority = I32F32::from_bits(below(90) - 5);
            let halved = column_median(&mut column.clone(), column.len(), total, minority);
            assert_eq!(halved, by_sorting(&column, minority));
        }
    }
}
