//! Prices and simulated swaps.

use super::*;

use arbor_runtime_api::{SimSwapResult, SubnetPrice};
/// Returns the price of one alpha in rao; one TAO where stake is TAO itself, 0 where there is no such subnet.
pub fn price(netuid: u16) -> u64 {
    existing(netuid).map_or(0, |id| at_price(TAO, Subtensor::alpha_price_q32(id)))
}

/// Multiplies an amount by a price with 32 fractional bits.
fn at_price(amount: u64, price_q32: u64) -> u64 {
    let product = (u128::from(amount) * u128::from(price_q32)) >> 32;
    product.try_into().unwrap_or(u64::MAX)
}

/// Lists the prices of all subnets.
pub fn prices() -> Vec<SubnetPrice> {
    netuids()
        .into_iter()
        .map(|netuid| SubnetPrice {
            netuid,
            price: price(netuid),
        })
        .collect()
}

/// Simulates buying alpha for `tao` rao; all zero where the pool cannot sell.
pub fn tao_for_alpha(netuid: u16, tao: u64) -> SimSwapResult {
    let Some(id) = existing(netuid) else {
        return SimSwapResult::default();
    };
    let Some(alpha) = Subtensor::sim_swap_tao_for_alpha(id, tao) else {
        return SimSwapResult::default();
    };
    let price = u128::from(Subtensor::alpha_price_q32(id)).max(1);
    let fair = ((u128::from(tao) << 32) / price).try_into().unwrap_or(u64::MAX);
    SimSwapResult {
        tao_amount: tao,
        alpha_amount: alpha,
        alpha_slippage: fair.saturating_sub(alpha),
        ..Default::default()
    }
}

/// Simulates selling `alpha` rao of alpha; all zero where the pool cannot buy.
pub fn alpha_for_tao(netuid: u16, alpha: u64) -> SimSwapResult {
    let Some(id) = existing(netuid) else {
        return SimSwapResult::default();
    };
    let Some(tao) = Subtensor::sim_swap_alpha_for_tao(id, alpha) else {
        return SimSwapResult::default();
    };
    let fair = at_price(alpha, Subtensor::alpha_price_q32(id));
    SimSwapResult {
        tao_amount: tao,
        alpha_amount: alpha,
        tao_slippage: fair.saturating_sub(tao),
        ..Default::default()
    }
}

/// Fee in rao of moving `amount` of stake from one subnet to another; None stands for free TAO.
pub fn stake_fee(origin: Option<u16>, destination: Option<u16>, amount: u64) -> u64 {
    match (origin, destination) {
        (Some(from), Some(to)) if from == to => 0,
        (Some(from), _) => alpha_for_tao(from, amount).alpha_fee,
        (None, Some(to)) => tao_for_alpha(to, amount).tao_fee,
        (None, None) => 0,
    }
}
