//! TAO that comes from and goes back to balances.

use super::*;
use core::marker::PhantomData;
use frame_support::traits::{
    fungible::{Credit, Inspect, Mutate},
    tokens::{Fortitude, Precision, Preservation},
    Imbalance, OnUnbalanced,
};
use sp_runtime::DispatchError;

/// Takes fees and account dust out of the issuance, so that the books of TAO stay closed.
pub struct RecycleImbalance<T>(PhantomData<T>);

impl<T: Config> OnUnbalanced<Credit<T::AccountId, T::Currency>> for RecycleImbalance<T> {
    fn on_nonzero_unbalanced(credit: Credit<T::AccountId, T::Currency>) {
        TotalIssuance::<T>::mutate(|total| *total = total.saturating_sub(credit.peek()));
        drop(credit); // dropping it takes the same amount out of the balances' own total
    }
}

impl<T: Config> Pallet<T> {
    /// Returns the rao that a coldkey can spend without dying.
    pub fn spendable(coldkey: &T::AccountId) -> u64 {
        T::Currency::reducible_balance(coldkey, Preservation::Preserve, Fortitude::Polite)
    }

    /// Takes rao out of a coldkey's balance; the caller must put them into a pool.
    pub(crate) fn withdraw(coldkey: &T::AccountId, rao: u64, refusal: Error<T>) -> Result<(), DispatchError> {
        T::Currency::burn_from(
            coldkey,
            rao,
            Preservation::Preserve,
            Precision::Exact,
            Fortitude::Polite,
        )
        .map_err(|_| DispatchError::from(refusal))?;
        Ok(())
    }

    /// Puts rao that left a pool into a coldkey's balance.
    pub(crate) fn deposit(coldkey: &T::AccountId, rao: u64) -> Result<(), DispatchError> {
        T::Currency::mint_into(coldkey, rao)?;
        Ok(())
    }

    /// Returns the rao in all balances.
    pub(crate) fn balances_issuance() -> u64 {
        <T::Currency as Inspect<T::AccountId>>::total_issuance()
    }
}
