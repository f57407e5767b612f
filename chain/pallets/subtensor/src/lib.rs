//! # SubtensorModule
//!
//! Subnets, neurons, stake, weights, epochs and emission, under the names and layouts of subtensor (spec 425).
//!
//! ## Overview
//! A *subnet* has a token, *alpha*, and a pool that trades it for TAO. *Neurons* register on it and hold a uid.
//! Validators set *weights* on miners; every tempo an *epoch* turns weights and stake into incentive and dividends,
//! and the alpha that was issued since the last epoch is paid out as stake.
//!
//! ## Books
//! [`Pallet::check_invariants`] states them: every rao is in a balance or a pool, and all alpha outside of a pool is
//! staked, pending, burned or dust. They hold to the last unit after every block.
//!
//! ## Integration
//! Transaction fees and account dust must reach [`RecycleImbalance`], or the books of TAO do not close.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

use alloc::{collections::VecDeque, vec::Vec};
use frame_support::pallet_macros::import_section;
use polkadot_sdk::*;

pub mod defaults;
mod errors;
mod events;
mod setters;
mod storage;
mod types;

pub use pallet::*;
pub use types::*;

#[import_section(errors::errors)]
#[import_section(events::events)]
#[import_section(storage::storage)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{Balanced, Mutate},
            ConstBool, ConstI16, ConstU16, ConstU32, ConstU64, ConstU8,
        },
    };
    use frame_system::pallet_prelude::*;

    #[pallet::pallet]
    #[pallet::without_storage_info]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// TAO balances, in rao.
        type Currency: Balanced<Self::AccountId, Balance = u64> + Mutate<Self::AccountId, Balance = u64>;
    }
}

impl<T: Config> Pallet<T> {
    /// Returns the number of the block being made.
    pub fn current_block() -> u64 {
        use sp_runtime::SaturatedConversion;
        frame_system::Pallet::<T>::block_number().saturated_into()
    }
}
