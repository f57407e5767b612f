//! Prices and simulated swaps.

use super::*;

use arbor_runtime_api::{SimSwapResult, SubnetPrice};
use pallet_subtensor::*;

/// Reserves of a subnet's pool in rao; none where stake is TAO itself or the pool is empty.
fn reserves(netuid: NetUid) -> Option<(u128, u128)> {
    if SubnetMechanism::<Runtime>::get(netuid) == 0 {
        return None;
    }
    let (tao, alpha) = (
        SubnetTAO::<Runtime>::get(netuid),
        SubnetAlphaIn::<Runtime>::get(netuid),
    );
    (tao > 0 && alpha > 0).then_some((tao.into(), alpha.into()))
}

/// Returns the price of one alpha in rao; one TAO where stake is TAO itself, 0 where there is no such subnet.
pub fn price(netuid: u16) -> u64 {
    let Some(id) = existing(netuid) else { return 0 };
    match reserves(id) {
        Some((tao, alpha)) => (tao * u128::from(TAO) / alpha).try_into().unwrap_or(u64::MAX),
        None => TAO,
    }
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

/// Returns what a constant-product pool pays out for `paid`, and what the old price would have paid.
fn swap(reserve_in: u128, reserve_out: u128, paid: u64) -> (u64, u64) {
    let paid = u128::from(paid);
    let got = reserve_out * paid / (reserve_in + paid);
    let fair = reserve_out * paid / reserve_in;
    let narrow = |value: u128| value.try_into().unwrap_or(u64::MAX);
    (narrow(got), narrow(fair.saturating_sub(got)))
}

/// Simulates buying alpha for `tao` rao.
pub fn tao_for_alpha(netuid: u16, tao: u64) -> SimSwapResult {
    let Some(id) = existing(netuid) else {
        return SimSwapResult::default();
    };
    let (alpha, slippage) = reserves(id).map_or((tao, 0), |(tao_in, alpha_in)| swap(tao_in, alpha_in, tao));
    SimSwapResult {
        tao_amount: tao,
        alpha_amount: alpha,
        alpha_slippage: slippage,
        ..Default::default()
    }
}

/// Simulates selling `alpha` rao of alpha.
pub fn alpha_for_tao(netuid: u16, alpha: u64) -> SimSwapResult {
    let Some(id) = existing(netuid) else {
        return SimSwapResult::default();
    };
    let (tao, slippage) = reserves(id).map_or((alpha, 0), |(tao_in, alpha_in)| swap(alpha_in, tao_in, alpha));
    SimSwapResult {
        tao_amount: tao,
        alpha_amount: alpha,
        tao_slippage: slippage,
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
