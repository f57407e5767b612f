//! Removing all stake of a coldkey with a hotkey.
//!
//! The loops run over subnets, which `SubnetLimit` bounds.

use super::*;
use crate::staking::PriceLimit;
use frame_support::ensure;
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    /// Sells a coldkey's whole stake with a hotkey on one subnet, down to a price in rao per alpha if given.
    pub(crate) fn do_remove_stake_full_limit(
        coldkey: T::AccountId,
        hotkey: T::AccountId,
        netuid: NetUid,
        price: Option<u64>,
    ) -> DispatchResult {
        let alpha = Self::stake_of(&hotkey, &coldkey, netuid);
        match price {
            None => Self::do_remove_stake(coldkey, hotkey, netuid, alpha),
            Some(price) => {
                let limit = PriceLimit {
                    price,
                    allow_partial: false,
                };
                Self::do_remove_stake_limit(coldkey, hotkey, netuid, alpha, limit)
            }
        }
    }

    /// Sells a coldkey's stake with a hotkey on every open subnet, root included.
    pub(crate) fn do_unstake_all(coldkey: T::AccountId, hotkey: T::AccountId) -> DispatchResult {
        ensure!(
            Owner::<T>::contains_key(&hotkey),
            Error::<T>::HotKeyAccountNotExists
        );
        let subnets = Self::pool_subnets();
        for netuid in core::iter::once(NetUid::ROOT).chain(subnets) {
            if let Some(rao) = Self::sell_all(&coldkey, &hotkey, netuid)? {
                Self::deposit(&coldkey, rao)?;
            }
        }
        Ok(())
    }

    /// Sells a coldkey's alpha with a hotkey on every open subnet and stakes the TAO to the hotkey on root.
    pub(crate) fn do_unstake_all_alpha(coldkey: T::AccountId, hotkey: T::AccountId) -> DispatchResult {
        ensure!(
            Owner::<T>::contains_key(&hotkey),
            Error::<T>::HotKeyAccountNotExists
        );
        let mut total = 0u64;
        for netuid in Self::pool_subnets() {
            let rao = Self::sell_all(&coldkey, &hotkey, netuid)?.unwrap_or(0);
            total = total.saturating_add(rao);
        }
        ensure!(total >= defaults::MIN_STAKE, Error::<T>::AmountTooLow);
        Self::ensure_room_to_stake(&coldkey, &hotkey)?;
        let alpha = Self::swap_tao_for_alpha(NetUid::ROOT, total)?;
        Self::issue_alpha(NetUid::ROOT, alpha);
        Self::increase_stake(&hotkey, &coldkey, NetUid::ROOT, alpha);
        Self::deposit_event(Event::StakeAdded(coldkey, hotkey, total, alpha, NetUid::ROOT, 0));
        Ok(())
    }

    /// Sells what a coldkey has with a hotkey on a subnet; `None` where there is nothing, or no open pool for it.
    /// The caller must book the rao.
    fn sell_all(
        coldkey: &T::AccountId,
        hotkey: &T::AccountId,
        netuid: NetUid,
    ) -> Result<Option<u64>, DispatchError> {
        let alpha = Self::stake_of(hotkey, coldkey, netuid);
        let worth = Self::sim_swap_alpha_for_tao(netuid, alpha).unwrap_or(0);
        if alpha == 0 || worth == 0 || !SubtokenEnabled::<T>::get(netuid) {
            return Ok(None);
        }
        let taken = Self::decrease_stake(hotkey, coldkey, netuid, alpha);
        Self::recycle_alpha(netuid, taken);
        let rao = Self::swap_alpha_for_tao(netuid, taken)?;
        Self::deposit_event(Event::StakeRemoved(
            coldkey.clone(),
            hotkey.clone(),
            rao,
            taken,
            netuid,
            0,
        ));
        Ok(Some(rao))
    }
}
