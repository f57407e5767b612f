//! What the epoch pays.

use alloc::vec::Vec;

use crate::fixed::{normalize_by, I32F32};

/// Amounts per uid, in rao.
pub struct Paid {
    pub server: Vec<u64>,
    pub validator: Vec<u64>,
    pub combined: Vec<u64>,
}

/// Divides the emission by `I_i / sum(I+D)` for mining and `D_i / sum(I+D)` for validating; if both are
/// zero, by active stake, or by stake if that is zero too, all of it for validating. Rounds down.
pub fn emission(
    rao: u64,
    incentive: &[I32F32],
    dividends: &[I32F32],
    active_stake: &[I32F32],
    stake: &[I32F32],
) -> Paid {
    let mut server = incentive.to_vec();
    let mut validator = dividends.to_vec();
    let mut combined: Vec<I32F32> = incentive.iter().zip(dividends).map(|(i, d)| i.add(*d)).collect();
    let sum: I32F32 = combined.iter().sum();
    for values in [&mut server, &mut validator, &mut combined] {
        normalize_by(values, sum);
    }
    if sum == I32F32::ZERO {
        let idle = active_stake.iter().sum::<I32F32>() == I32F32::ZERO;
        validator = if idle { stake } else { active_stake }.to_vec();
        combined.clone_from(&validator);
    }
    let amounts = |shares: &[I32F32]| shares.iter().map(|share| share.of_amount(rao)).collect();
    Paid {
        server: amounts(&server),
        validator: amounts(&validator),
        combined: amounts(&combined),
    }
}
