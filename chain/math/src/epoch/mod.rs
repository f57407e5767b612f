//! The Yuma epoch: from stake, weights and bonds to consensus, dividends and emission.
//!
//! Symbols: S stake, A active stake, W weights, C consensus, W' clipped weights, I incentive, B bonds,
//! D dividends; i runs over validators (rows), j over miners (columns). Arithmetic is I32F32 throughout.

mod active;
mod bonds;
mod consensus;
mod emission;
mod liquid;
mod types;
mod weights;

use alloc::vec::Vec;

pub use types::{EpochBits, EpochInput, EpochOutput, Row};

use crate::fixed::{normalize, I32F32};
use crate::sparse::{row_sums, weighted_column_sums, Sparse};

/// Runs one epoch of one mechanism. Total: any input gives an answer, whose vectors all have length `n`.
pub fn run_epoch(input: &EpochInput) -> EpochOutput {
    let n = usize::from(input.n);
    let active = active::active(input);
    let stake = active::stake(input);
    let permits = active::permits(input);
    let new_permits = active::new_permits(input, &stake);
    let active_stake = active::active_stake(&stake, &active, &permits);

    let weights = weights::masked(input, &permits);
    let kappa = I32F32::from_u16_proportion(input.kappa);
    let consensus = consensus::weighted_median(&active_stake, &weights, n, kappa);
    let clipped = consensus::clip(&weights, &consensus);
    let validator_trust = row_sums(&clipped);
    let mut incentive = weighted_column_sums(&clipped, &active_stake, n);
    normalize(&mut incentive);

    let view = bonds::View {
        active_stake: &active_stake,
        weights: &weights,
        clipped: &clipped,
        consensus: &consensus,
        incentive: &incentive,
    };
    let (ema_bonds, dividends) = bonds::bonds_and_dividends(input, &view);
    let paid = emission::emission(input.rao_emission, &incentive, &dividends, &active_stake, &stake);

    EpochOutput {
        active,
        stake_weight: proportions(&stake),
        consensus: proportions(&consensus),
        validator_trust: proportions(&validator_trust),
        incentive: proportions(&incentive),
        dividends: proportions(&dividends),
        bonds: bonds::stored(input, &permits, &new_permits, &ema_bonds),
        new_validator_permits: new_permits,
        server_emission: paid.server,
        validator_emission: paid.validator,
        emission: paid.combined,
        bits: EpochBits {
            stake: bits(&stake),
            active_stake: bits(&active_stake),
            consensus: bits(&consensus),
            validator_trust: bits(&validator_trust),
            incentive: bits(&incentive),
            dividends: bits(&dividends),
            weights: row_bits(weights),
            ema_bonds: row_bits(ema_bonds),
        },
    }
}

fn proportions(values: &[I32F32]) -> Vec<u16> {
    values.iter().map(|value| value.to_u16_proportion()).collect()
}

fn bits(values: &[I32F32]) -> Vec<i64> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn row_bits(matrix: Sparse) -> Vec<Vec<(u16, i64)>> {
    let row = |row: Vec<(u16, I32F32)>| {
        row.into_iter()
            .map(|(uid, value)| (uid, value.to_bits()))
            .collect()
    };
    matrix.into_iter().map(row).collect()
}
