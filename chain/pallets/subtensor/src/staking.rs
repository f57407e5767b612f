//! Adding and removing stake.

use super::*;
use frame_support::ensure;
use sp_runtime::DispatchResult;

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

    /// Refuses a subnet that does not exist or was not started.
    fn ensure_stakeable(netuid: NetUid) -> DispatchResult {
        Self::ensure_subnet(netuid)?;
        ensure!(SubtokenEnabled::<T>::get(netuid), Error::<T>::SubtokenDisabled);
        Ok(())
    }
}
