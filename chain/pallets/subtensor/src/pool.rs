//! The pool of a subnet: a constant product of TAO and alpha with equal weights and no fee.
//!
//! On the root network alpha is TAO itself, one to one.

use super::*;
use arbor_math::wide::mul_div;
use sp_arithmetic::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};
use sp_runtime::DispatchError;

/// One in 32 fractional bits.
const ONE_Q32: u64 = 1 << 32;

/// One TAO in rao and one alpha in its smallest unit.
const UNIT: u64 = 1_000_000_000;

/// Computes `floor(sqrt(a * b * numerator / denominator))`, saturating; also if the denominator is 0.
fn sqrt_of_product(a: u64, b: u64, numerator: u64, denominator: u64) -> u64 {
    let product = u128::from(a).saturating_mul(b.into());
    let scaled =
        multiply_by_rational_with_rounding(product, numerator.into(), denominator.into(), Rounding::Down);
    u64::try_from(scaled.unwrap_or(u128::MAX).isqrt()).unwrap_or(u64::MAX)
}

impl<T: Config> Pallet<T> {
    /// Tells whether a subnet's alpha is TAO itself.
    fn is_stable(netuid: NetUid) -> bool {
        netuid.is_root() || SubnetMechanism::<T>::get(netuid) == 0
    }

    /// Returns the alpha price in TAO, 32 fractional bits; 0 for an empty pool, 1 on the root network.
    pub fn alpha_price_q32(netuid: NetUid) -> u64 {
        if Self::is_stable(netuid) {
            return ONE_Q32;
        }
        let (tao, alpha) = (SubnetTAO::<T>::get(netuid), SubnetAlphaIn::<T>::get(netuid));
        (u128::from(tao) << 32)
            .checked_div(u128::from(alpha))
            .map_or(0, |price| u64::try_from(price).unwrap_or(u64::MAX))
    }

    /// Computes the alpha that an amount of rao buys now; `None` if the pool cannot sell any.
    pub fn sim_swap_tao_for_alpha(netuid: NetUid, rao: u64) -> Option<u64> {
        if Self::is_stable(netuid) {
            return Some(rao);
        }
        Self::swapped(rao, SubnetTAO::<T>::get(netuid), SubnetAlphaIn::<T>::get(netuid))
    }

    /// Computes the rao that an amount of alpha sells for now; `None` if the pool cannot buy any.
    pub fn sim_swap_alpha_for_tao(netuid: NetUid, alpha: u64) -> Option<u64> {
        if Self::is_stable(netuid) {
            return (alpha <= SubnetTAO::<T>::get(netuid)).then_some(alpha);
        }
        Self::swapped(
            alpha,
            SubnetAlphaIn::<T>::get(netuid),
            SubnetTAO::<T>::get(netuid),
        )
    }

    /// Computes `floor(reserve_out * amount / (reserve_in + amount))`, which never empties the pool.
    fn swapped(amount: u64, reserve_in: u64, reserve_out: u64) -> Option<u64> {
        if reserve_in == 0 || reserve_out == 0 {
            return None;
        }
        Some(mul_div(reserve_out, amount, reserve_in.checked_add(amount)?))
    }

    /// Computes how many rao buy alpha until the price is at a limit, in rao per alpha.
    pub(crate) fn rao_until_price(netuid: NetUid, limit: u64) -> u64 {
        if Self::is_stable(netuid) {
            return if limit >= UNIT { u64::MAX } else { 0 };
        }
        // With T * A = k the price is T^2 / k, so T may grow to sqrt(k * limit).
        let (tao, alpha) = (SubnetTAO::<T>::get(netuid), SubnetAlphaIn::<T>::get(netuid));
        sqrt_of_product(tao, alpha, limit, UNIT).saturating_sub(tao)
    }

    /// Computes how much alpha can be sold until the price is at a limit, in rao per alpha.
    pub(crate) fn alpha_until_price(netuid: NetUid, limit: u64) -> u64 {
        if Self::is_stable(netuid) {
            return if limit <= UNIT { u64::MAX } else { 0 };
        }
        // The price is k / A^2 as well, so A may grow to sqrt(k / limit).
        let (tao, alpha) = (SubnetTAO::<T>::get(netuid), SubnetAlphaIn::<T>::get(netuid));
        sqrt_of_product(tao, alpha, UNIT, limit).saturating_sub(alpha)
    }

    /// Puts rao into a pool and takes alpha out of it, which the caller must book; returns the alpha.
    pub(crate) fn swap_tao_for_alpha(netuid: NetUid, rao: u64) -> Result<u64, DispatchError> {
        let alpha = Self::sim_swap_tao_for_alpha(netuid, rao).ok_or(Error::<T>::InsufficientLiquidity)?;
        let in_pool = SubnetTAO::<T>::get(netuid)
            .checked_add(rao)
            .ok_or(Error::<T>::Overflow)?;
        SubnetTAO::<T>::insert(netuid, in_pool);
        TotalStake::<T>::mutate(|total| *total = total.saturating_add(rao));
        if !Self::is_stable(netuid) {
            SubnetAlphaIn::<T>::mutate(netuid, |reserve| *reserve = reserve.saturating_sub(alpha));
        }
        SubnetVolume::<T>::mutate(netuid, |volume| *volume = volume.saturating_add(rao.into()));
        Ok(alpha)
    }

    /// Takes rao out of a pool for alpha, which the caller must have taken off the books; returns the rao.
    pub(crate) fn swap_alpha_for_tao(netuid: NetUid, alpha: u64) -> Result<u64, DispatchError> {
        let rao = Self::sim_swap_alpha_for_tao(netuid, alpha).ok_or(Error::<T>::InsufficientLiquidity)?;
        if !Self::is_stable(netuid) {
            let reserve = SubnetAlphaIn::<T>::get(netuid);
            SubnetAlphaIn::<T>::insert(netuid, reserve.checked_add(alpha).ok_or(Error::<T>::Overflow)?);
        }
        SubnetTAO::<T>::mutate(netuid, |reserve| *reserve = reserve.saturating_sub(rao));
        TotalStake::<T>::mutate(|total| *total = total.saturating_sub(rao));
        SubnetVolume::<T>::mutate(netuid, |volume| *volume = volume.saturating_add(rao.into()));
        Ok(rao)
    }

    /// Counts alpha as issued outside of the pool.
    pub(crate) fn issue_alpha(netuid: NetUid, alpha: u64) {
        SubnetAlphaOut::<T>::mutate(netuid, |out| *out = out.saturating_add(alpha));
    }

    /// Takes alpha out of the issuance, so that it can be emitted again.
    pub(crate) fn recycle_alpha(netuid: NetUid, alpha: u64) {
        SubnetAlphaOut::<T>::mutate(netuid, |out| *out = out.saturating_sub(alpha));
    }

    /// Books alpha that stays issued and belongs to nobody.
    pub(crate) fn burn_alpha(netuid: NetUid, alpha: u64) {
        SubnetAlphaBurned::<T>::mutate(netuid, |burned| *burned = burned.saturating_add(alpha));
    }

    /// Books alpha that truncation left to nobody.
    pub(crate) fn add_dust(netuid: NetUid, alpha: u64) {
        if alpha > 0 {
            SubnetAlphaDust::<T>::mutate(netuid, |dust| *dust = dust.saturating_add(alpha));
        }
    }
}
