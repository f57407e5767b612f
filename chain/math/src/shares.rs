//! How the block's TAO is divided among subnets, in U64F64.

use alloc::vec::Vec;

use codec::{Decode, Encode};
use scale_info::TypeInfo;

use crate::wide::{div_u64f64, mul_u64f64, ONE_U64F64};

/// What one eligible subnet's share depends on; fractions have 64 fractional bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SubnetPrice {
    /// Moving average of the alpha price in TAO.
    pub moving_price: u128,
    /// Part of the last miner emission that went to the owner and was burned.
    pub miner_burned: u128,
    pub emission_enabled: bool,
}

/// Divides each number by their sum, in U64F64; zeros if that is zero. Numbers so large that they could not be
/// added are cut.
fn normalized(values: &[u128]) -> Vec<u128> {
    let limit = u128::MAX / values.len().max(1) as u128;
    let cut = |value: &u128| (*value).min(limit);
    let sum = values.iter().map(cut).sum();
    values.iter().map(|value| div_u64f64(cut(value), sum)).collect()
}

/// Computes every subnet's share: `p_i/sum(p)`, times `1 - burned_i` and normalised again (unless that leaves
/// nothing), then what disabled subnets would get goes to the enabled ones in proportion.
pub fn subnet_shares(subnets: &[SubnetPrice]) -> Vec<u128> {
    let prices: Vec<u128> = subnets.iter().map(|subnet| subnet.moving_price).collect();
    let by_price = normalized(&prices);
    let kept = |subnet: &SubnetPrice| ONE_U64F64.saturating_sub(subnet.miner_burned);
    let unburned: Vec<u128> = by_price
        .iter()
        .zip(subnets)
        .map(|(share, subnet)| mul_u64f64(*share, kept(subnet)))
        .collect();
    let shares = if unburned.iter().all(|share| *share == 0) {
        by_price
    } else {
        normalized(&unburned)
    };
    let enabled: Vec<u128> = shares
        .iter()
        .zip(subnets)
        .map(|(share, subnet)| if subnet.emission_enabled { *share } else { 0 })
        .collect();
    if subnets.iter().all(|subnet| subnet.emission_enabled) {
        enabled
    } else {
        normalized(&enabled)
    }
}

/// Moves the average price by one block: `a*min(price, 1) + (1-a)*old` with
/// `a = alpha * age/(age + half_life)`; all fractions U64F64, `age` in blocks since the subnet started.
pub fn moving_price(old: u128, price: u128, alpha: u128, age: u64, half_life: u64) -> u128 {
    let ramp = div_u64f64(age.into(), u128::from(age) + u128::from(half_life));
    let a = mul_u64f64(alpha, ramp).min(ONE_U64F64);
    mul_u64f64(a, price.min(ONE_U64F64)).saturating_add(mul_u64f64(ONE_U64F64 - a, old))
}
