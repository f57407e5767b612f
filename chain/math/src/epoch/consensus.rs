//! The stake-weighted median that no minority can move.

use alloc::{vec, vec::Vec};

use crate::fixed::{normalize, I32F32};
use crate::sparse::{at, Sparse, SparseRow};

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
    let mut by_column: Vec<Vec<(I32F32, I32F32)>> = vec![Vec::new(); columns];
    for (row, stake) in rows.iter().zip(&weight) {
        for (column, score) in scores.get(*row).into_iter().flatten() {
            if let Some(entries) = by_column.get_mut(usize::from(*column)) {
                entries.push((*score, *stake));
            }
        }
    }
    by_column
        .into_iter()
        .map(|entries| column_median(entries, rows.len(), total, minority))
        .collect()
}

/// Walks one column's scores upward until their stake exceeds the minority; the highest if it never does.
fn column_median(mut entries: Vec<(I32F32, I32F32)>, rows: usize, total: I32F32, minority: I32F32) -> I32F32 {
    let entered: I32F32 = entries.iter().map(|(_, stake)| stake).sum();
    let mut below = I32F32::ZERO;
    if entries.len() < rows {
        below = total.sub(entered); // the stake of the rows that score 0 by absence
        if minority < below {
            return I32F32::ZERO;
        }
    }
    entries.sort_unstable();
    let highest = entries.last().map_or(I32F32::ZERO, |(score, _)| *score);
    let median = entries.iter().find(|(_, stake)| {
        below = below.add(*stake);
        minority < below
    });
    median.map_or(highest, |(score, _)| *score)
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
        .map(|row| row.iter().filter_map(clipped).collect())
        .collect()
}
