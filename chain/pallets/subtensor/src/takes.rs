//! What a hotkey keeps of its stakers' dividends.

use super::*;
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    /// Raises a take, at most once in `TxDelegateTakeRateLimit` blocks of its coldkey.
    pub(crate) fn do_increase_take(coldkey: T::AccountId, hotkey: T::AccountId, take: u16) -> DispatchResult {
        Self::ensure_owns(&coldkey, &hotkey)?;
        if let Ok(present) = Delegates::<T>::try_get(&hotkey) {
            ensure!(take > present, Error::<T>::DelegateTakeTooLow);
        }
        Self::check_take(&coldkey, &hotkey, take)?;
        let now = Self::current_block();
        let key = RateLimitKey::LastTxBlockDelegateTake(coldkey.clone());
        let last = LastRateLimitedBlock::<T>::get(&key);
        let limit = TxDelegateTakeRateLimit::<T>::get();
        let waited = now.saturating_sub(last) > limit;
        ensure!(
            last == 0 || limit == 0 || waited,
            Error::<T>::DelegateTxRateLimitExceeded
        );
        LastRateLimitedBlock::<T>::insert(key, now);
        Delegates::<T>::insert(&hotkey, take);
        Self::deposit_event(Event::TakeIncreased(coldkey, hotkey, take));
        Ok(())
    }

    /// Lowers a take, whenever its coldkey wants; a raise must then wait.
    pub(crate) fn do_decrease_take(coldkey: T::AccountId, hotkey: T::AccountId, take: u16) -> DispatchResult {
        Self::ensure_owns(&coldkey, &hotkey)?;
        if let Ok(present) = Delegates::<T>::try_get(&hotkey) {
            ensure!(take < present, Error::<T>::DelegateTakeTooLow);
        }
        Self::check_take(&coldkey, &hotkey, take)?;
        let key = RateLimitKey::LastTxBlockDelegateTake(coldkey.clone());
        LastRateLimitedBlock::<T>::insert(key, Self::current_block());
        Delegates::<T>::insert(&hotkey, take);
        Self::deposit_event(Event::TakeDecreased(coldkey, hotkey, take));
        Ok(())
    }

    /// Refuses a take out of its bounds, and one that is not the coldkey's to set.
    pub(crate) fn check_take(
        coldkey: &T::AccountId,
        hotkey: &T::AccountId,
        take: u16,
    ) -> Result<(), Error<T>> {
        ensure!(
            take >= MinDelegateTake::<T>::get(),
            Error::<T>::DelegateTakeTooLow
        );
        ensure!(
            take <= MaxDelegateTake::<T>::get(),
            Error::<T>::DelegateTakeTooHigh
        );
        Self::ensure_owns(coldkey, hotkey)
    }

    /// Refuses a hotkey that is unknown or another coldkey's.
    pub(crate) fn ensure_owns(coldkey: &T::AccountId, hotkey: &T::AccountId) -> Result<(), Error<T>> {
        let owner = Owner::<T>::try_get(hotkey).map_err(|()| Error::<T>::HotKeyAccountNotExists)?;
        ensure!(owner == *coldkey, Error::<T>::NonAssociatedColdKey);
        Ok(())
    }
}
