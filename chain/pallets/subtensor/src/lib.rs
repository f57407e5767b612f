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

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use frame_support::pallet_macros::import_section;
use polkadot_sdk::*;

mod balances;
mod beacon;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod calls;
mod coinbase;
mod commit_reveal;
pub mod defaults;
mod distribution;
mod epoch;
mod errors;
mod events;
mod genesis;
mod guards;
mod identities;
mod invariants;
mod mechanisms;
pub mod owner;
mod pool;
mod records;
mod registration;
mod root;
mod serving;
mod setters;
mod shares;
mod staking;
mod storage;
mod storage_accounts;
mod subnets;
mod takes;
mod timelocked;
mod types;
mod unstaking;
mod weighing;
pub mod weight_info;
mod weights;

#[cfg(test)]
mod tests;

pub use balances::RecycleImbalance;
pub use beacon::Beacon;
pub use genesis::GenesisSubnet;
pub use pallet::*;
pub use records::*;
pub use types::*;

#[import_section(calls::calls)]
#[import_section(errors::errors)]
#[import_section(events::events)]
#[import_section(storage::storage)]
#[import_section(storage_accounts::storage_accounts)]
#[frame_support::pallet]
pub mod pallet {
    use super::{
        staking::PriceLimit, timelocked::TimelockedCommit, weighing::*, weight_info::WeightInfo,
        weights::WeightRow, *,
    };
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
        /// What calls and hooks cost.
        type WeightInfo: weight_info::WeightInfo;

        /// Whose signatures open timelocked weights.
        type Beacon: Beacon;

        /// Timelocked commits that a block may try to open; the others wait for the next block.
        type MaxOpenedPerBlock: Get<u32>;
    }

    #[pallet::extra_constants]
    impl<T: Config> Pallet<T> {
        /// Lowest tempo that an owner may set, in blocks.
        #[pallet::constant_name(MinTempo)]
        fn min_tempo() -> u16 {
            defaults::MIN_TEMPO
        }
        /// Blocks after which an epoch runs whatever the tempo.
        #[pallet::constant_name(MaxTempo)]
        fn max_tempo() -> u16 {
            defaults::MAX_TEMPO
        }
        /// Blocks between the registration of a subnet and `start_call`.
        #[pallet::constant_name(InitialStartCallDelay)]
        fn initial_start_call_delay() -> u64 {
            0
        }
        /// Epochs that run in one block unless root says otherwise.
        #[pallet::constant_name(InitialMaxEpochsPerBlock)]
        fn initial_max_epochs_per_block() -> u8 {
            2
        }
        /// Price of a hotkey swap on subtensor, in rao; there are none here.
        #[pallet::constant_name(KeySwapCost)]
        fn key_swap_cost() -> u64 {
            100_000_000 // 0.1 TAO
        }
        /// Blocks between the announcement of a coldkey swap and the swap on subtensor.
        #[pallet::constant_name(InitialColdkeySwapAnnouncementDelay)]
        fn initial_coldkey_swap_announcement_delay() -> BlockNumberFor<T> {
            defaults::ColdkeySwapAnnouncementDelay::get()
        }
        /// Blocks before a coldkey swap may be announced again on subtensor.
        #[pallet::constant_name(InitialColdkeySwapReannouncementDelay)]
        fn initial_coldkey_swap_reannouncement_delay() -> BlockNumberFor<T> {
            defaults::ColdkeySwapReannouncementDelay::get()
        }
        /// Lowest activity cutoff factor, in thousandths of a tempo.
        #[pallet::constant_name(MinActivityCutoffFactorMilli)]
        fn min_activity_cutoff_factor_milli() -> u32 {
            defaults::ACTIVITY_CUTOFF_FACTOR_BOUNDS.0
        }
        /// Highest activity cutoff factor, in thousandths of a tempo.
        #[pallet::constant_name(MaxActivityCutoffFactorMilli)]
        fn max_activity_cutoff_factor_milli() -> u32 {
            defaults::ACTIVITY_CUTOFF_FACTOR_BOUNDS.1
        }
    }

    /// What a chain starts with; the root network is always there.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Subnets beside root.
        #[serde(default)]
        pub subnets: Vec<GenesisSubnet<T::AccountId>>,
        /// Blocks between two subnet registrations; 7 200.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub network_rate_limit: Option<u64>,
        /// Lowest price of a subnet, in rao; 1 000 TAO.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub network_min_lock: Option<u64>,
        /// Epochs that may run in one block; 2.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub max_epochs_per_block: Option<u8>,
        /// Blocks before an epoch in which owners change no rules; 10.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub admin_freeze_window: Option<u16>,
        /// Weight of root stake, as a share of `u64::MAX`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub tao_weight: Option<u64>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            Pallet::<T>::genesis_root();
            self.network_rate_limit
                .into_iter()
                .for_each(NetworkRateLimit::<T>::put);
            self.max_epochs_per_block
                .into_iter()
                .for_each(MaxEpochsPerBlock::<T>::put);
            self.admin_freeze_window
                .into_iter()
                .for_each(AdminFreezeWindow::<T>::put);
            self.tao_weight.into_iter().for_each(TaoWeight::<T>::put);
            if let Some(rao) = self.network_min_lock {
                NetworkMinLockCost::<T>::put(rao);
                NetworkLastLockCost::<T>::put(rao);
            }
            self.subnets.iter().for_each(Pallet::<T>::genesis_subnet);
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_now: BlockNumberFor<T>) -> Weight {
            Self::begin_block()
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Returns the number of the block being made.
    pub fn current_block() -> u64 {
        use sp_runtime::SaturatedConversion;
        frame_system::Pallet::<T>::block_number().saturated_into()
    }
}
