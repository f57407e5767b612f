//! Liquid alpha: the averaging speed of each bond follows how far its weight is from consensus.

use alloc::{vec, vec::Vec};
use core::iter::Peekable;
use core::slice::Iter;

use super::EpochInput;
use crate::exp::exp;
use crate::fixed::I32F32;
use crate::sparse::{at, Sparse, SparseRow};

/// Averages each bond with its own speed: `e_ij = min(1, (1-a_ij)*b_ij + max(0, a_ij*w_ij))`, for the entries
/// of the new weights alone: a bond without one is gone at once.
pub fn average(
    input: &EpochInput,
    weights: &[SparseRow],
    bonds: &[SparseRow],
    consensus: &[I32F32],
) -> Sparse {
    let sigmoid = Sigmoid {
        low: I32F32::from_u16_proportion(input.alpha_low),
        high: I32F32::from_u16_proportion(input.alpha_high),
        slope: I32F32::from_int(input.alpha_sigmoid_steepness.into()).div(I32F32::from_int(-100)),
    };
    let mut scratch = Scratch {
        alphas: vec![I32F32::ZERO; consensus.len()],
        kept: vec![I32F32::ZERO; consensus.len()],
    };
    let row = |(weights, bonds): (&SparseRow, &SparseRow)| {
        if weights.is_empty() {
            return Vec::new();
        }
        scratch.average_row(weights, bonds, consensus, &sigmoid)
    };
    weights.iter().zip(bonds).map(row).collect()
}

struct Sigmoid {
    low: I32F32,
    high: I32F32,
    /// Steepness with its sign turned.
    slope: I32F32,
}

impl Sigmoid {
    /// Computes `low + (high-low) / (1 + exp(-steepness*(d - 1/2)))`, where d in `[0, 1]` is how far the weight
    /// is above consensus, or for a shrinking bond how far it is above the weight.
    fn alpha(&self, consensus: I32F32, weight: I32F32, bond: I32F32) -> I32F32 {
        let distance = if weight >= bond {
            weight.sub(consensus)
        } else {
            bond.sub(weight)
        };
        let distance = distance.max(I32F32::ZERO).min(I32F32::ONE);
        let power = exp(self.slope.mul(distance.sub(I32F32::HALF)));
        let share = I32F32::ONE.div(I32F32::ONE.add(power));
        let alpha = self.low.add(share.mul(self.high.sub(self.low)));
        alpha.min(self.high).max(self.low)
    }
}

/// Dense rows that are used again for every validator.
struct Scratch {
    alphas: Vec<I32F32>,
    kept: Vec<I32F32>,
}

impl Scratch {
    fn average_row(
        &mut self,
        weights: &SparseRow,
        bonds: &SparseRow,
        consensus: &[I32F32],
        sigmoid: &Sigmoid,
    ) -> SparseRow {
        let (mut weight_walk, mut bond_walk) = (weights.iter().peekable(), bonds.iter().peekable());
        for ((alpha, consensus), column) in self.alphas.iter_mut().zip(consensus).zip(0..=u16::MAX) {
            let weight = walk_to(&mut weight_walk, column);
            let bond = walk_to(&mut bond_walk, column);
            *alpha = sigmoid.alpha(*consensus, weight, bond);
        }
        self.kept.fill(I32F32::ZERO);
        for (column, bond) in bonds {
            if let Some(cell) = self.kept.get_mut(usize::from(*column)) {
                *cell = I32F32::ONE.sub(at(&self.alphas, usize::from(*column))).mul(*bond);
            }
        }
        let average = |(column, weight): &(u16, I32F32)| {
            let bought = at(&self.alphas, usize::from(*column))
                .mul(*weight)
                .max(I32F32::ZERO);
            let bond = at(&self.kept, usize::from(*column)).add(bought).min(I32F32::ONE);
            (bond > I32F32::ZERO).then_some((*column, bond))
        };
        weights.iter().filter_map(average).collect()
    }
}

/// Advances to a column and reads it. As in the reference, an entry that stands behind one of a higher column
/// is passed by and reads as zero.
fn walk_to(walk: &mut Peekable<Iter<(u16, I32F32)>>, column: u16) -> I32F32 {
    while walk.next_if(|(other, _)| *other < column).is_some() {}
    walk.peek()
        .filter(|(other, _)| *other == column)
        .map_or(I32F32::ZERO, |(_, value)| *value)
}
