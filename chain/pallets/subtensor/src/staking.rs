//! Adding and removing stake.

use super::*;
use frame_support::ensure;
use sp_runtime::DispatchResult;

/// The worst price that a trade may reach, and whether it may stop there.
#[derive(Clone, Copy)]
pub(crate) struct PriceLimit {
    /// In rao per alpha.
    pub price: u64,
    pub allow_partial: bool,
}

impl PriceLimit {
    /// Cuts an amount to what the price allows, or refuses it.
    fn apply<T: Config>(&self, amount: u64, allowed: u64) -> Result<u64, Error<T>> {
        let within = amount <= allowed || (self.allow_partial && allowed > 0);
        within
            .then_some(amount.min(allowed))
            .ok_or(Error::<T>::SlippageTooHigh)
    }
}

impl<T: Config> Pallet<T> {
    /// Buys alpha for a coldkey's rao and stakes it to a hotkey.
    pub(crate) fn do_add_stake(
        coldkey: T::AccountId,
        hotkey: T::AccountId,
        netuid: NetUid,
        rao: u64,
    ) -> DispatchResult {
        Self::ensure_stakeable(netuid)?;
        ensure!(rao >= defaults::MIN_STAKE, Error::<T>::AmountTooLow);
        ensure!(
            Self::spendable(&coldkey) >= rao,
            Error::<T>::NotEnoughBalanceToStake
        );
        ensure!(
            Owner::<T>::contains_key(&hotkey),
            Error::<T>::HotKeyAccountNotExists
        );
        Self::ensure_room_to_stake(&coldkey, &hotkey)?;

        Self::withdraw(&coldkey, rao, Error::<T>::NotEnoughBalanceToStake)?;
        let alpha = Self::swap_tao_for_alpha(netuid, rao)?;
        ensure!(alpha > 0, Error::<T>::AmountTooLow);
        Self::issue_alpha(netuid, alpha);
        Self::increase_stake(&hotkey, &coldkey, netuid, alpha);
        Self::deposit_event(Event::StakeAdded(coldkey, hotkey, rao, alpha, netuid, 0));
        Ok(())
    }

    /// Sells a coldkey's alpha that is staked to a hotkey and pays the rao out.
    pub(crate) fn do_remove_stake(
        coldkey: T::AccountId,
        hotkey: T::AccountId,
        netuid: NetUid,
        alpha: u64,
    ) -> DispatchResult {
        Self::ensure_stakeable(netuid)?;
        ensure!(
            Owner::<T>::contains_key(&hotkey),
            Error::<T>::HotKeyAccountNotExists
        );
        let held = Self::stake_of(&hotkey, &coldkey, netuid);
        ensure!(alpha > 0, Error::<T>::AmountTooLow);
        ensure!(held >= alpha, Error::<T>::NotEnoughStakeToWithdraw);
        let worth = Self::sim_swap_alpha_for_tao(netuid, alpha).ok_or(Error::<T>::InsufficientLiquidity)?;
        // The last of a stake may be as small as it is, or it could never leave.
        ensure!(
            worth >= defaults::MIN_STAKE || (alpha == held && worth > 0),
            Error::<T>::AmountTooLow
        );

        let taken = Self::decrease_stake(&hotkey, &coldkey, netuid, alpha);
        Self::recycle_alpha(netuid, taken);
        let rao = Self::swap_alpha_for_tao(netuid, taken)?;
        Self::deposit(&coldkey, rao)?;
        Self::deposit_event(Event::StakeRemoved(coldkey, hotkey, rao, taken, netuid, 0));
        Ok(())
    }

    /// Buys alpha as [`Self::do_add_stake`] does, but only up to a price in rao per alpha (10^9 units).
    pub(crate) fn do_add_stake_limit(
        coldkey: T::AccountId,
        hotkey: T::AccountId,
        netuid: NetUid,
        rao: u64,
        limit: PriceLimit,
    ) -> DispatchResult {
        Self::ensure_stakeable(netuid)?;
        ensure!(rao >= defaults::MIN_STAKE, Error::<T>::AmountTooLow);
        let rao = limit.apply::<T>(rao, Self::rao_until_price(netuid, limit.price))?;
        Self::do_add_stake(coldkey, hotkey, netuid, rao)
    }

    /// Sells alpha as [`Self::do_remove_stake`] does, but only down to a price in rao per alpha (10^9 units).
    pub(crate) fn do_remove_stake_limit(
        coldkey: T::AccountId,
        hotkey: T::AccountId,
        netuid: NetUid,
        alpha: u64,
        limit: PriceLimit,
    ) -> DispatchResult {
        Self::ensure_stakeable(netuid)?;
        ensure!(alpha > 0, Error::<T>::AmountTooLow);
        let alpha = limit.apply::<T>(alpha, Self::alpha_until_price(netuid, limit.price))?;
        Self::do_remove_stake(coldkey, hotkey, netuid, alpha)
    }

    /// Refuses another hotkey to a coldkey that has stake with [`defaults::MAX_STAKING_HOTKEYS`] of them.
    ///
    /// Hotkeys whose stake is gone leave the list here: one look for each, and only when the list is full.
    pub(crate) fn ensure_room_to_stake(coldkey: &T::AccountId, hotkey: &T::AccountId) -> DispatchResult {
        let mut hotkeys = StakingHotkeys::<T>::get(coldkey);
        if hotkeys.len() < defaults::MAX_STAKING_HOTKEYS || hotkeys.contains(hotkey) {
            return Ok(());
        }
        hotkeys.retain(|hotkey| Alpha::<T>::iter_key_prefix((hotkey, coldkey)).next().is_some());
        ensure!(
            hotkeys.len() < defaults::MAX_STAKING_HOTKEYS,
            Error::<T>::TooManyStakingHotkeys
        );
        StakingHotkeys::<T>::insert(coldkey, hotkeys);
        Ok(())
    }

    /// Refuses a subnet that does not exist or was not started.
    fn ensure_stakeable(netuid: NetUid) -> DispatchResult {
        Self::ensure_subnet(netuid)?;
        ensure!(SubtokenEnabled::<T>::get(netuid), Error::<T>::SubtokenDisabled);
        Ok(())
    }
}
