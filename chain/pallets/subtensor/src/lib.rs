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

mod balances;
mod coinbase;
pub mod defaults;
mod distribution;
mod epoch;
mod errors;
mod events;
mod genesis;
mod invariants;
mod pool;
mod registration;
mod serving;
mod setters;
mod shares;
mod staking;
mod storage;
mod subnets;
mod types;
mod weights;

#[cfg(test)]
mod tests;

pub use balances::RecycleImbalance;
pub use genesis::GenesisSubnet;
pub use pallet::*;
pub use types::*;

#[import_section(errors::errors)]
#[import_section(events::events)]
#[import_section(storage::storage)]
#[frame_support::pallet]
pub mod pallet {
    use super::{staking::PriceLimit, weights::WeightRow, *};
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

    // Weights are (reads, writes) of the worst usual case plus processor time; benchmarks will replace them.
    // Calls of hotkeys are free, because hotkeys hold no TAO; their rate limits keep them from flooding.
    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Sets the weights of the signing hotkey's neuron on the main mechanism of a subnet.
        ///
        /// `dests` are uids, `weights` their relative weights (the largest is stored as 65 535), `version_key`
        /// the version of the validator's software.
        ///
        /// Errors, in the order of the checks: `CommitRevealEnabled`, `CanNotSetRootNetworkWeights`,
        /// `WeightVecNotEqualSize`, `MechanismDoesNotExist`, `UidsLengthExceedUidsInSubNet`,
        /// `HotKeyNotRegisteredInSubNet`, `NotEnoughStakeToSetWeights`, `IncorrectWeightVersionKey`,
        /// `SettingWeightsTooFast`, `NeuronNoValidatorPermit`, `DuplicateUids`, `UidVecContainInvalidOne`,
        /// `WeightVecLengthIsLow`, `MaxWeightExceeded`. Event: `WeightsSet`.
        #[pallet::call_index(0)]
        #[pallet::weight((call_weight::<T>(16, 2, dests.len()), DispatchClass::Normal, Pays::No))]
        pub fn set_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            dests: Vec<u16>,
            weights: Vec<u16>,
            version_key: u64,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let mechanism = MechId::MAIN;
            Self::do_set_weights(
                hotkey,
                WeightRow {
                    netuid,
                    mechanism,
                    uids: dests,
                    values: weights,
                    version_key,
                },
            )
        }

        /// Buys alpha for `amount_staked` rao of the signing coldkey and stakes it to a hotkey; on root one to one.
        ///
        /// Errors: `SubnetNotExists`, `SubtokenDisabled`, `AmountTooLow`, `NotEnoughBalanceToStake`,
        /// `HotKeyAccountNotExists`, `InsufficientLiquidity`. Event: `StakeAdded`.
        #[pallet::call_index(2)]
        #[pallet::weight(call_weight::<T>(14, 9, 0))]
        pub fn add_stake(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            netuid: NetUid,
            amount_staked: u64,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_add_stake(coldkey, hotkey, netuid, amount_staked)
        }

        /// Sells `amount_unstaked` alpha that the signing coldkey has staked to a hotkey.
        ///
        /// Errors: `SubnetNotExists`, `SubtokenDisabled`, `HotKeyAccountNotExists`, `AmountTooLow`,
        /// `NotEnoughStakeToWithdraw`, `InsufficientLiquidity`. Event: `StakeRemoved`.
        #[pallet::call_index(3)]
        #[pallet::weight(call_weight::<T>(14, 9, 0))]
        pub fn remove_stake(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            netuid: NetUid,
            amount_unstaked: u64,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_remove_stake(coldkey, hotkey, netuid, amount_unstaked)
        }

        /// Says where the signing hotkey's axon listens on a subnet.
        ///
        /// `ip` holds an IPv4 address in its low 32 bits when `ip_type` is 4; `protocol` and the placeholders are
        /// the neuron's own.
        ///
        /// Errors: `HotKeyNotRegisteredInNetwork`, `InvalidIpType`, `InvalidIpAddress`,
        /// `ServingRateLimitExceeded`, `InvalidPort`. Event: `AxonServed`.
        #[pallet::call_index(4)]
        #[pallet::weight((call_weight::<T>(4, 1, 0), DispatchClass::Normal, Pays::No))]
        pub fn serve_axon(
            origin: OriginFor<T>,
            netuid: NetUid,
            version: u32,
            ip: u128,
            port: u16,
            ip_type: u8,
            protocol: u8,
            placeholder1: u8,
            placeholder2: u8,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let axon = AxonInfo {
                block: 0,
                version,
                ip,
                port,
                ip_type,
                protocol,
                placeholder1,
                placeholder2,
            };
            Self::do_serve_axon(hotkey, netuid, axon)
        }

        /// Registers a hotkey on a subnet for the current price, which buys alpha that is destroyed.
        ///
        /// Errors: `RegistrationNotPermittedOnRootSubnet`, `SubnetNotExists`, `SubNetRegistrationDisabled`,
        /// `TooManyRegistrationsThisBlock`, `HotKeyAlreadyRegisteredInSubNet`, `NotEnoughBalanceToStake`,
        /// `NonAssociatedColdKey`, `InsufficientLiquidity`, `NoNeuronIdAvailable`. Event: `NeuronRegistered`.
        #[pallet::call_index(7)]
        #[pallet::weight(call_weight::<T>(40, 25, 256))]
        pub fn burned_register(origin: OriginFor<T>, netuid: NetUid, hotkey: T::AccountId) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_burned_register(coldkey, netuid, hotkey, None)
        }

        /// Makes a subnet for the current price, which becomes the TAO of its pool; `hotkey` becomes uid 0.
        ///
        /// Errors: `NetworkTxRateLimitExceeded`, `CannotAffordLockCost`, `SubnetLimitReached`,
        /// `NonAssociatedColdKey`. Event: `NetworkAdded`.
        #[pallet::call_index(59)]
        #[pallet::weight(call_weight::<T>(150, 40, 0))]
        pub fn register_network(origin: OriginFor<T>, hotkey: T::AccountId) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_register_network(coldkey, hotkey)
        }

        /// Buys alpha as `add_stake` does, while the price is at most `limit_price` rao per alpha.
        ///
        /// If the whole amount would pass the limit, `allow_partial` stakes what does not. Errors are those of
        /// `add_stake` and `SlippageTooHigh`. Event: `StakeAdded`.
        #[pallet::call_index(88)]
        #[pallet::weight(call_weight::<T>(16, 9, 0))]
        pub fn add_stake_limit(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            netuid: NetUid,
            amount_staked: u64,
            limit_price: u64,
            allow_partial: bool,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            let limit = PriceLimit {
                price: limit_price,
                allow_partial,
            };
            Self::do_add_stake_limit(coldkey, hotkey, netuid, amount_staked, limit)
        }

        /// Sells alpha as `remove_stake` does, while the price is at least `limit_price` rao per alpha.
        ///
        /// If the whole amount would pass the limit, `allow_partial` sells what does not. Errors are those of
        /// `remove_stake` and `SlippageTooHigh`. Event: `StakeRemoved`.
        #[pallet::call_index(89)]
        #[pallet::weight(call_weight::<T>(16, 9, 0))]
        pub fn remove_stake_limit(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            netuid: NetUid,
            amount_unstaked: u64,
            limit_price: u64,
            allow_partial: bool,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            let limit = PriceLimit {
                price: limit_price,
                allow_partial,
            };
            Self::do_remove_stake_limit(coldkey, hotkey, netuid, amount_unstaked, limit)
        }

        /// Starts a subnet, signed by its owner: stake opens now, emission with the next block.
        ///
        /// Errors: `SubnetNotExists`, `NotSubnetOwner`, `FirstEmissionBlockNumberAlreadySet`,
        /// `NeedWaitingMoreBlocksToStarCall`. Event: `FirstEmissionBlockNumberSet`.
        #[pallet::call_index(92)]
        #[pallet::weight(call_weight::<T>(5, 2, 0))]
        pub fn start_call(origin: OriginFor<T>, netuid: NetUid) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_start_call(coldkey, netuid)
        }

        /// Sets the weights of the signing hotkey's neuron on one mechanism of a subnet.
        ///
        /// Parameters, errors and event are those of `set_weights`; `mecid` 0 is the main mechanism.
        #[pallet::call_index(119)]
        #[pallet::weight((call_weight::<T>(16, 2, dests.len()), DispatchClass::Normal, Pays::No))]
        pub fn set_mechanism_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            mecid: MechId,
            dests: Vec<u16>,
            weights: Vec<u16>,
            version_key: u64,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let row = WeightRow {
                netuid,
                mechanism: mecid,
                uids: dests,
                values: weights,
                version_key,
            };
            Self::do_set_weights(hotkey, row)
        }

        /// Registers a hotkey on a subnet if that costs at most `limit_price` rao.
        ///
        /// Errors are those of `burned_register` and `RegistrationPriceLimitExceeded`. Event: `NeuronRegistered`.
        #[pallet::call_index(134)]
        #[pallet::weight(call_weight::<T>(40, 25, 256))]
        pub fn register_limit(
            origin: OriginFor<T>,
            netuid: NetUid,
            hotkey: T::AccountId,
            limit_price: u64,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_burned_register(coldkey, netuid, hotkey, Some(limit_price))
        }
    }
}

/// Weighs a call: reads, writes, 20 µs of processor time and 0.1 µs for each item of its lists.
fn call_weight<T: Config>(reads: u64, writes: u64, items: usize) -> frame_support::weights::Weight {
    use frame_support::{traits::Get, weights::Weight};
    let processor = 20_000_000u64.saturating_add((items as u64).saturating_mul(100_000));
    T::DbWeight::get()
        .reads_writes(reads, writes)
        .saturating_add(Weight::from_parts(processor, 0))
}

impl<T: Config> Pallet<T> {
    /// Returns the number of the block being made.
    pub fn current_block() -> u64 {
        use sp_runtime::SaturatedConversion;
        frame_system::Pallet::<T>::block_number().saturated_into()
    }
}
