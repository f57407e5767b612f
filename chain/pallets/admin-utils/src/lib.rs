//! Sets the rules that subnets run by.
//!
//! Calls, indices and arguments are those of subtensor, and so is who may set what (its metadata's docs say so).
//! Some may be set by the subnet's owner too, within the limits of [`pallet_subtensor::owner`]. Root is bound by
//! none of them: on subtensor the freeze before an epoch binds root as well.
//!
//! One file, above the house's length: FRAME wants the calls of a pallet in one block, and each is a few lines.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;

pub mod weight_info;

pub use pallet::*;
#[cfg(feature = "runtime-benchmarks")]
use polkadot_sdk::frame_benchmarking;
use polkadot_sdk::{frame_support, frame_system, sp_runtime};

#[frame_support::pallet]
pub mod pallet {
    use super::{weight_info::WeightInfo, *};
    use alloc::vec::Vec;
    use frame_support::{dispatch::DispatchClass, pallet_prelude::*};
    use frame_system::pallet_prelude::*;
    use pallet_subtensor::{
        self as subtensor, owner::OwnerChange, FixedI128, FixedU128, MechId, NetUid, RecycleOrBurnEnum,
    };
    use sp_runtime::DispatchError;

    /// Greatest share, in millionths, of a bond that may be carried from epoch to epoch.
    const MAX_BONDS_MOVING_AVERAGE: u64 = 975_000;
    /// The floor of the registration price stays below 1 TAO, in rao.
    const MIN_BURN_UPPER_BOUND: u64 = 1_000_000_000;
    /// The ceiling of the registration price stays above 0.1 TAO, in rao.
    const MAX_BURN_LOWER_BOUND: u64 = 100_000_000;
    /// Most uids that a subnet may have.
    const MAX_UIDS: u16 = 256;
    /// Most epochs between commit and reveal.
    const MAX_REVEAL_PERIOD_EPOCHS: u64 = 100;
    /// Least end of the liquid alpha range: 65 535 / 40, that is 0.025.
    const MIN_ALPHA: u16 = 1_638;
    /// Longest half-life of the registration price: 36 100 × 12 s = 5 days.
    const MAX_BURN_HALF_LIFE: u16 = 36_100;
    /// Most neurons of the owner's that are never replaced.
    const MAX_IMMUNE_OWNER_UIDS: u16 = 10;

    #[pallet::config]
    pub trait Config:
        polkadot_sdk::frame_system::Config<RuntimeEvent: From<Event<Self>>> + pallet_subtensor::Config
    {
        /// What calls cost.
        type WeightInfo: WeightInfo;
    }

    #[pallet::pallet]
    #[pallet::without_storage_info]
    pub struct Pallet<T>(_);

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Yuma3 was switched on or off.
        #[codec(index = 1)]
        Yuma3EnableToggled { netuid: NetUid, enabled: bool },
        /// Bond resets by commitment were allowed or forbidden.
        #[codec(index = 2)]
        BondsResetToggled { netuid: NetUid, enabled: bool },
        /// The rule that the call with this index sets was set, on one subnet or on all.
        #[codec(index = 128)]
        RuleSet { call_index: u8, netuid: Option<NetUid> },
    }

    // Errors 0 to 13 stand where subtensor has them.
    #[pallet::error]
    pub enum Error<T> {
        /// No subnet has this netuid.
        SubnetDoesNotExist,
        /// There would be more validators than uids.
        MaxValidatorsLargerThanMaxUIds,
        /// The subnet already has more uids.
        MaxAllowedUIdsLessThanCurrentUIds,
        /// The bonds moving average is above 975 000 millionths.
        BondsMovingAverageMaxReached,
        /// The steepness is negative.
        NegativeSigmoidSteepness,
        /// The value is out of the bounds of this rule.
        ValueNotInBounds,
        /// The least number of uids is above the present one.
        MinAllowedUidsGreaterThanCurrentUids,
        /// The least number of uids is above the greatest.
        MinAllowedUidsGreaterThanMaxAllowedUids,
        /// The greatest number of uids is below the least.
        MaxAllowedUidsLessThanMinAllowedUids,
        /// The greatest number of uids is above 256.
        MaxAllowedUidsGreaterThanDefaultMaxAllowedUids,
        /// The value makes no sense.
        InvalidValue,
        /// The root subnet has no such rule.
        NotPermittedOnRootSubnet,
        /// Registration by proof of work does not exist any more.
        POWRegistrationDisabled,
        /// The call does nothing any more.
        Deprecated,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Sets the share of dividends, of 65 535, that a delegate takes at most. Root only.
        #[pallet::call_index(1)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_default_take(), DispatchClass::Operational))]
        pub fn sudo_set_default_take(origin: OriginFor<T>, default_take: u16) -> DispatchResult {
            ensure_root(origin)?;
            subtensor::Pallet::<T>::set_max_delegate_take(default_take);
            Ok(())
        }

        /// Sets the blocks between two limited transactions of an account. Root only.
        #[pallet::call_index(2)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_tx_rate_limit(), DispatchClass::Operational))]
        pub fn sudo_set_tx_rate_limit(origin: OriginFor<T>, tx_rate_limit: u64) -> DispatchResult {
            ensure_root(origin)?;
            subtensor::Pallet::<T>::set_tx_rate_limit(tx_rate_limit);
            Ok(())
        }

        /// Sets the blocks between two endpoint announcements of a hotkey. Owner or root.
        #[pallet::call_index(3)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_serving_rate_limit(), DispatchClass::Operational))]
        pub fn sudo_set_serving_rate_limit(
            origin: OriginFor<T>,
            netuid: NetUid,
            serving_rate_limit: u64,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 3)?;
            subtensor::Pallet::<T>::set_serving_rate_limit(netuid, serving_rate_limit);
            Ok(())
        }

        /// Sets the least version key of weights. Owner or root.
        #[pallet::call_index(6)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_weights_version_key(), DispatchClass::Operational))]
        pub fn sudo_set_weights_version_key(
            origin: OriginFor<T>,
            netuid: NetUid,
            weights_version_key: u64,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 6)?;
            subtensor::Pallet::<T>::set_weights_version_key(netuid, weights_version_key);
            Ok(())
        }

        /// Sets the blocks between two weight rows of a validator. Root only.
        #[pallet::call_index(7)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_weights_set_rate_limit(), DispatchClass::Operational))]
        pub fn sudo_set_weights_set_rate_limit(
            origin: OriginFor<T>,
            netuid: NetUid,
            weights_set_rate_limit: u64,
        ) -> DispatchResult {
            Self::ensure_root_on(origin, netuid)?;
            subtensor::Pallet::<T>::set_weights_set_rate_limit(netuid, weights_set_rate_limit);
            Ok(())
        }

        /// Sets for how many blocks a new uid cannot be replaced. Owner or root.
        #[pallet::call_index(13)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_immunity_period(), DispatchClass::Operational))]
        pub fn sudo_set_immunity_period(
            origin: OriginFor<T>,
            netuid: NetUid,
            immunity_period: u16,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 13)?;
            subtensor::Pallet::<T>::set_immunity_period(netuid, immunity_period);
            Ok(())
        }

        /// Sets the least length of a weight row. Owner or root.
        #[pallet::call_index(14)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_min_allowed_weights(), DispatchClass::Operational))]
        pub fn sudo_set_min_allowed_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            min_allowed_weights: u16,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 14)?;
            subtensor::Pallet::<T>::set_min_allowed_weights(netuid, min_allowed_weights);
            Ok(())
        }

        /// Sets how many uids a subnet may have. Owner or root. Fails with `MaxAllowedUidsLessThanMinAllowedUids`, `MaxAllowedUIdsLessThanCurrentUIds`, `MaxAllowedUidsGreaterThanDefaultMaxAllowedUids` or, where mechanisms share the 256 uids, `TooManyUIDsPerMechanism` of SubtensorModule.
        #[pallet::call_index(15)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_max_allowed_uids(), DispatchClass::Operational))]
        pub fn sudo_set_max_allowed_uids(
            origin: OriginFor<T>,
            netuid: NetUid,
            max_allowed_uids: u16,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 15)?;
            ensure!(
                max_allowed_uids >= subtensor::MinAllowedUids::<T>::get(netuid),
                Error::<T>::MaxAllowedUidsLessThanMinAllowedUids
            );
            ensure!(
                max_allowed_uids >= subtensor::SubnetworkN::<T>::get(netuid),
                Error::<T>::MaxAllowedUIdsLessThanCurrentUIds
            );
            ensure!(
                max_allowed_uids <= MAX_UIDS,
                Error::<T>::MaxAllowedUidsGreaterThanDefaultMaxAllowedUids
            );
            let mechanisms = subtensor::MechanismCountCurrent::<T>::get(netuid);
            subtensor::Pallet::<T>::ensure_uid_budget(max_allowed_uids, mechanisms)?;
            subtensor::Pallet::<T>::set_max_allowed_uids(netuid, max_allowed_uids);
            subtensor::MaxAllowedValidators::<T>::mutate(netuid, |most| {
                *most = (*most).min(max_allowed_uids)
            });
            Ok(())
        }

        /// Sets the share of stake, of 65 535, that must support a weight. Root only.
        #[pallet::call_index(16)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_kappa(), DispatchClass::Operational))]
        pub fn sudo_set_kappa(origin: OriginFor<T>, netuid: NetUid, kappa: u16) -> DispatchResult {
            Self::ensure_root_on(origin, netuid)?;
            subtensor::Pallet::<T>::set_kappa(netuid, kappa);
            Ok(())
        }

        /// Sets rho; the epoch does not use it any more. Owner or root.
        #[pallet::call_index(17)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_rho(), DispatchClass::Operational))]
        pub fn sudo_set_rho(origin: OriginFor<T>, netuid: NetUid, rho: u16) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 17)?;
            subtensor::Pallet::<T>::set_rho(netuid, rho);
            Ok(())
        }

        /// Opens or closes registration. Root only.
        #[pallet::call_index(19)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_network_registration_allowed(), DispatchClass::Operational))]
        pub fn sudo_set_network_registration_allowed(
            origin: OriginFor<T>,
            netuid: NetUid,
            registration_allowed: bool,
        ) -> DispatchResult {
            Self::ensure_root_on(origin, netuid)?;
            subtensor::Pallet::<T>::set_registration_allowed(netuid, registration_allowed);
            Ok(())
        }

        /// Sets how many registrations an interval should see. Root only.
        #[pallet::call_index(21)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_target_registrations_per_interval(), DispatchClass::Operational))]
        pub fn sudo_set_target_registrations_per_interval(
            origin: OriginFor<T>,
            netuid: NetUid,
            target_registrations_per_interval: u16,
        ) -> DispatchResult {
            Self::ensure_root_on(origin, netuid)?;
            subtensor::Pallet::<T>::set_target_registrations_per_interval(
                netuid,
                target_registrations_per_interval,
            );
            Ok(())
        }

        /// Sets the floor of the registration price in rao. Owner or root. Fails with `ValueNotInBounds`.
        #[pallet::call_index(22)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_min_burn(), DispatchClass::Operational))]
        pub fn sudo_set_min_burn(origin: OriginFor<T>, netuid: NetUid, min_burn: u64) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 22)?;
            Self::ensure_in_bounds(
                min_burn < MIN_BURN_UPPER_BOUND && min_burn < subtensor::MaxBurn::<T>::get(netuid),
            )?;
            subtensor::Pallet::<T>::set_min_burn(netuid, min_burn);
            Ok(())
        }

        /// Sets the ceiling of the registration price in rao. Owner or root. Fails with `ValueNotInBounds`.
        #[pallet::call_index(23)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_max_burn(), DispatchClass::Operational))]
        pub fn sudo_set_max_burn(origin: OriginFor<T>, netuid: NetUid, max_burn: u64) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 23)?;
            Self::ensure_in_bounds(
                max_burn > MAX_BURN_LOWER_BOUND && max_burn > subtensor::MinBurn::<T>::get(netuid),
            )?;
            subtensor::Pallet::<T>::set_max_burn(netuid, max_burn);
            Ok(())
        }

        /// Sets how many uids may hold a validator permit. Root only. Fails with `MaxValidatorsLargerThanMaxUIds`.
        #[pallet::call_index(25)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_max_allowed_validators(), DispatchClass::Operational))]
        pub fn sudo_set_max_allowed_validators(
            origin: OriginFor<T>,
            netuid: NetUid,
            max_allowed_validators: u16,
        ) -> DispatchResult {
            Self::ensure_root_on(origin, netuid)?;
            ensure!(
                max_allowed_validators <= subtensor::MaxAllowedUids::<T>::get(netuid),
                Error::<T>::MaxValidatorsLargerThanMaxUIds
            );
            subtensor::Pallet::<T>::set_max_allowed_validators(netuid, max_allowed_validators);
            Ok(())
        }

        /// Sets the share, in millionths, of a bond that is carried from epoch to epoch. Owner, who stays below 975 000, or root. Fails with `BondsMovingAverageMaxReached`.
        #[pallet::call_index(26)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_bonds_moving_average(), DispatchClass::Operational))]
        pub fn sudo_set_bonds_moving_average(
            origin: OriginFor<T>,
            netuid: NetUid,
            bonds_moving_average: u64,
        ) -> DispatchResult {
            let is_owner = Self::ensure_owner_or_root(origin, netuid, 26)?;
            ensure!(
                !is_owner || bonds_moving_average <= MAX_BONDS_MOVING_AVERAGE,
                Error::<T>::BondsMovingAverageMaxReached
            );
            subtensor::Pallet::<T>::set_bonds_moving_average(netuid, bonds_moving_average);
            Ok(())
        }

        /// Sets how many hotkeys may register in one block. Root only.
        #[pallet::call_index(27)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_max_registrations_per_block(), DispatchClass::Operational))]
        pub fn sudo_set_max_registrations_per_block(
            origin: OriginFor<T>,
            netuid: NetUid,
            max_registrations_per_block: u16,
        ) -> DispatchResult {
            Self::ensure_root_on(origin, netuid)?;
            subtensor::Pallet::<T>::set_max_registrations_per_block(netuid, max_registrations_per_block);
            Ok(())
        }

        /// Sets the share of emission, of 65 535, that subnet owners get. Root only.
        #[pallet::call_index(28)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_subnet_owner_cut(), DispatchClass::Operational))]
        pub fn sudo_set_subnet_owner_cut(origin: OriginFor<T>, subnet_owner_cut: u16) -> DispatchResult {
            ensure_root(origin)?;
            subtensor::Pallet::<T>::set_subnet_owner_cut(subnet_owner_cut);
            Ok(())
        }

        /// Sets the blocks between two new subnets of a coldkey. Root only.
        #[pallet::call_index(29)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_network_rate_limit(), DispatchClass::Operational))]
        pub fn sudo_set_network_rate_limit(origin: OriginFor<T>, rate_limit: u64) -> DispatchResult {
            ensure_root(origin)?;
            subtensor::Pallet::<T>::set_network_rate_limit(rate_limit);
            Ok(())
        }

        /// Sets the blocks between epochs and starts a new interval; 0 stops epochs. Root only.
        #[pallet::call_index(30)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_tempo(), DispatchClass::Operational))]
        pub fn sudo_set_tempo(origin: OriginFor<T>, netuid: NetUid, tempo: u16) -> DispatchResult {
            Self::ensure_root_on(origin, netuid)?;
            subtensor::Pallet::<T>::restart_with_tempo(netuid, tempo);
            Ok(())
        }

        /// Sets for how many blocks a new subnet cannot be removed. Root only.
        #[pallet::call_index(35)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_network_immunity_period(), DispatchClass::Operational))]
        pub fn sudo_set_network_immunity_period(
            origin: OriginFor<T>,
            immunity_period: u64,
        ) -> DispatchResult {
            ensure_root(origin)?;
            subtensor::Pallet::<T>::set_network_immunity_period(immunity_period);
            Ok(())
        }

        /// Sets the least price of a subnet in rao. Root only.
        #[pallet::call_index(36)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_network_min_lock_cost(), DispatchClass::Operational))]
        pub fn sudo_set_network_min_lock_cost(origin: OriginFor<T>, lock_cost: u64) -> DispatchResult {
            ensure_root(origin)?;
            subtensor::Pallet::<T>::set_network_min_lock(lock_cost);
            Ok(())
        }

        /// Sets how many subnets there may be. Root only.
        #[pallet::call_index(37)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_subnet_limit(), DispatchClass::Operational))]
        pub fn sudo_set_subnet_limit(origin: OriginFor<T>, max_subnets: u16) -> DispatchResult {
            ensure_root(origin)?;
            subtensor::Pallet::<T>::set_subnet_limit(max_subnets);
            Ok(())
        }

        /// Sets in how many blocks the price of a subnet falls to its floor. Root only. Fails with `InvalidValue`.
        #[pallet::call_index(38)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_lock_reduction_interval(), DispatchClass::Operational))]
        pub fn sudo_set_lock_reduction_interval(origin: OriginFor<T>, interval: u64) -> DispatchResult {
            ensure_root(origin)?;
            ensure!(interval > 0, Error::<T>::InvalidValue);
            subtensor::Pallet::<T>::set_lock_reduction_interval(interval);
            Ok(())
        }

        /// Sets the stake weight in rao below which a uid sets no weights. Root only.
        #[pallet::call_index(42)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_stake_threshold(), DispatchClass::Operational))]
        pub fn sudo_set_stake_threshold(origin: OriginFor<T>, min_stake: u64) -> DispatchResult {
            ensure_root(origin)?;
            subtensor::Pallet::<T>::set_stake_threshold(min_stake);
            Ok(())
        }

        /// Sets the least stake of a nominator in rao. Root only.
        #[pallet::call_index(43)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_nominator_min_required_stake(), DispatchClass::Operational))]
        pub fn sudo_set_nominator_min_required_stake(origin: OriginFor<T>, min_stake: u64) -> DispatchResult {
            ensure_root(origin)?;
            subtensor::NominatorMinRequiredStake::<T>::put(min_stake);
            Self::deposit_event(Event::RuleSet {
                call_index: 43,
                netuid: None,
            });
            Ok(())
        }

        /// Sets the blocks between two raises of a delegate take. Root only.
        #[pallet::call_index(45)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_tx_delegate_take_rate_limit(), DispatchClass::Operational))]
        pub fn sudo_set_tx_delegate_take_rate_limit(
            origin: OriginFor<T>,
            tx_rate_limit: u64,
        ) -> DispatchResult {
            ensure_root(origin)?;
            subtensor::Pallet::<T>::set_tx_delegate_take_rate_limit(tx_rate_limit);
            Ok(())
        }

        /// Sets the least take of a delegate, of 65 535. Root only.
        #[pallet::call_index(46)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_min_delegate_take(), DispatchClass::Operational))]
        pub fn sudo_set_min_delegate_take(origin: OriginFor<T>, take: u16) -> DispatchResult {
            ensure_root(origin)?;
            subtensor::Pallet::<T>::set_min_delegate_take(take);
            Ok(())
        }

        /// Switches commit-reveal on or off. Owner or root.
        #[pallet::call_index(49)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_commit_reveal_weights_enabled(), DispatchClass::Operational))]
        pub fn sudo_set_commit_reveal_weights_enabled(
            origin: OriginFor<T>,
            netuid: NetUid,
            enabled: bool,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 49)?;
            subtensor::Pallet::<T>::set_commit_reveal_enabled(netuid, enabled);
            Ok(())
        }

        /// Switches liquid alpha on or off. Owner or root.
        #[pallet::call_index(50)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_liquid_alpha_enabled(), DispatchClass::Operational))]
        pub fn sudo_set_liquid_alpha_enabled(
            origin: OriginFor<T>,
            netuid: NetUid,
            enabled: bool,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 50)?;
            subtensor::LiquidAlphaOn::<T>::insert(netuid, enabled);
            Self::deposit_event(Event::RuleSet {
                call_index: 50,
                netuid: Some(netuid),
            });
            Ok(())
        }

        /// Sets the range of liquid alpha in parts of 65 535. Owner or root. Fails with `LiquidAlphaDisabled`, `AlphaHighTooLow` or `AlphaLowOutOfRange` of SubtensorModule.
        #[pallet::call_index(51)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_alpha_values(), DispatchClass::Operational))]
        pub fn sudo_set_alpha_values(
            origin: OriginFor<T>,
            netuid: NetUid,
            alpha_low: u16,
            alpha_high: u16,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 51)?;
            ensure!(
                subtensor::LiquidAlphaOn::<T>::get(netuid),
                subtensor::Error::<T>::LiquidAlphaDisabled
            );
            ensure!(alpha_high >= MIN_ALPHA, subtensor::Error::<T>::AlphaHighTooLow);
            ensure!(
                (MIN_ALPHA..=alpha_high).contains(&alpha_low),
                subtensor::Error::<T>::AlphaLowOutOfRange
            );
            subtensor::AlphaValues::<T>::insert(netuid, (alpha_low, alpha_high));
            Self::deposit_event(Event::RuleSet {
                call_index: 51,
                netuid: Some(netuid),
            });
            Ok(())
        }

        /// Sets how many epochs pass between commit and reveal, 1 to 100. Owner or root. Fails with `RevealPeriodTooSmall` or `RevealPeriodTooLarge` of SubtensorModule.
        #[pallet::call_index(57)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_commit_reveal_weights_interval(), DispatchClass::Operational))]
        pub fn sudo_set_commit_reveal_weights_interval(
            origin: OriginFor<T>,
            netuid: NetUid,
            interval: u64,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 57)?;
            ensure!(interval >= 1, subtensor::Error::<T>::RevealPeriodTooSmall);
            ensure!(
                interval <= MAX_REVEAL_PERIOD_EPOCHS,
                subtensor::Error::<T>::RevealPeriodTooLarge
            );
            subtensor::Pallet::<T>::set_reveal_period(netuid, interval);
            Ok(())
        }

        /// Sets how much of the clipping, of 65 535, enters bonds. Owner or root.
        #[pallet::call_index(60)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_bonds_penalty(), DispatchClass::Operational))]
        pub fn sudo_set_bonds_penalty(
            origin: OriginFor<T>,
            netuid: NetUid,
            bonds_penalty: u16,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 60)?;
            subtensor::Pallet::<T>::set_bonds_penalty(netuid, bonds_penalty);
            Ok(())
        }

        /// Allows or forbids moving stake between coldkeys. Owner or root.
        #[pallet::call_index(61)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_toggle_transfer(), DispatchClass::Operational))]
        pub fn sudo_set_toggle_transfer(
            origin: OriginFor<T>,
            netuid: NetUid,
            toggle: bool,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 61)?;
            subtensor::Pallet::<T>::set_transfer_toggle(netuid, toggle);
            Ok(())
        }

        /// Sets the speed of the moving price, 32 fractional bits. Root only. Fails with `ValueNotInBounds` outside of 0 to 1.
        #[pallet::call_index(63)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_subnet_moving_alpha(), DispatchClass::Operational))]
        pub fn sudo_set_subnet_moving_alpha(origin: OriginFor<T>, alpha: FixedI128) -> DispatchResult {
            ensure_root(origin)?;
            Self::ensure_in_bounds((0..=1i128 << 32).contains(&alpha.bits))?;
            subtensor::SubnetMovingAlpha::<T>::put(alpha);
            Self::deposit_event(Event::RuleSet {
                call_index: 63,
                netuid: None,
            });
            Ok(())
        }

        /// Sets the blocks after which the moving price has half its full speed. Root only.
        #[pallet::call_index(65)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_ema_price_halving_period(), DispatchClass::Operational))]
        pub fn sudo_set_ema_price_halving_period(
            origin: OriginFor<T>,
            netuid: NetUid,
            ema_halving: u64,
        ) -> DispatchResult {
            Self::ensure_root_on(origin, netuid)?;
            subtensor::EMAPriceHalvingBlocks::<T>::insert(netuid, ema_halving);
            Self::deposit_event(Event::RuleSet {
                call_index: 65,
                netuid: Some(netuid),
            });
            Ok(())
        }

        /// Allows or forbids trading the subnet token. Root only.
        #[pallet::call_index(66)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_subtoken_enabled(), DispatchClass::Operational))]
        pub fn sudo_set_subtoken_enabled(
            origin: OriginFor<T>,
            netuid: NetUid,
            subtoken_enabled: bool,
        ) -> DispatchResult {
            Self::ensure_root_on(origin, netuid)?;
            subtensor::SubtokenEnabled::<T>::insert(netuid, subtoken_enabled);
            Self::deposit_event(Event::RuleSet {
                call_index: 66,
                netuid: Some(netuid),
            });
            Ok(())
        }

        /// Names the hotkey of the subnet owner. Owner or root.
        #[pallet::call_index(67)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_sn_owner_hotkey(), DispatchClass::Operational))]
        pub fn sudo_set_sn_owner_hotkey(
            origin: OriginFor<T>,
            netuid: NetUid,
            hotkey: T::AccountId,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 67)?;
            subtensor::Pallet::<T>::set_subnet_owner_hotkey(netuid, hotkey);
            Ok(())
        }

        /// Sets the steepness of liquid alpha in hundredths. Owner or root. Fails with `NegativeSigmoidSteepness`.
        #[pallet::call_index(68)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_alpha_sigmoid_steepness(), DispatchClass::Operational))]
        pub fn sudo_set_alpha_sigmoid_steepness(
            origin: OriginFor<T>,
            netuid: NetUid,
            steepness: i16,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 68)?;
            ensure!(steepness >= 0, Error::<T>::NegativeSigmoidSteepness);
            subtensor::Pallet::<T>::set_alpha_sigmoid_steepness(netuid, steepness);
            Ok(())
        }

        /// Switches Yuma3 on or off. Emits `Yuma3EnableToggled`. Owner or root.
        #[pallet::call_index(69)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_yuma3_enabled(), DispatchClass::Operational))]
        pub fn sudo_set_yuma3_enabled(origin: OriginFor<T>, netuid: NetUid, enabled: bool) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 69)?;
            subtensor::Yuma3On::<T>::insert(netuid, enabled);
            Self::deposit_event(Event::Yuma3EnableToggled { netuid, enabled });
            Ok(())
        }

        /// Allows or forbids bond resets by commitment. Emits `BondsResetToggled`. Owner or root.
        #[pallet::call_index(70)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_bonds_reset_enabled(), DispatchClass::Operational))]
        pub fn sudo_set_bonds_reset_enabled(
            origin: OriginFor<T>,
            netuid: NetUid,
            enabled: bool,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 70)?;
            subtensor::Pallet::<T>::set_bonds_reset(netuid, enabled);
            Self::deposit_event(Event::BondsResetToggled { netuid, enabled });
            Ok(())
        }

        /// Sets the version that timelocked commits must carry. Root only.
        #[pallet::call_index(71)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_commit_reveal_version(), DispatchClass::Operational))]
        pub fn sudo_set_commit_reveal_version(origin: OriginFor<T>, version: u16) -> DispatchResult {
            ensure_root(origin)?;
            subtensor::Pallet::<T>::set_commit_reveal_version(version);
            Ok(())
        }

        /// Sets how many of the owner's neurons are never replaced, 1 to 10. Owner or root. Fails with `InvalidValue` of SubtensorModule.
        #[pallet::call_index(72)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_owner_immune_neuron_limit(), DispatchClass::Operational))]
        pub fn sudo_set_owner_immune_neuron_limit(
            origin: OriginFor<T>,
            netuid: NetUid,
            immune_neurons: u16,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 72)?;
            ensure!(
                (1..=MAX_IMMUNE_OWNER_UIDS).contains(&immune_neurons),
                subtensor::Error::<T>::InvalidValue
            );
            subtensor::ImmuneOwnerUidsLimit::<T>::insert(netuid, immune_neurons);
            Self::deposit_event(Event::RuleSet {
                call_index: 72,
                netuid: Some(netuid),
            });
            Ok(())
        }

        /// Sets within how many blocks of an epoch owners change no rules. Root only.
        #[pallet::call_index(74)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_admin_freeze_window(), DispatchClass::Operational))]
        pub fn sudo_set_admin_freeze_window(origin: OriginFor<T>, window: u16) -> DispatchResult {
            ensure_root(origin)?;
            subtensor::Pallet::<T>::set_admin_freeze_window(window);
            Ok(())
        }

        /// Sets how many tempos pass before an owner changes the same rule again. Root only.
        #[pallet::call_index(75)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_owner_hparam_rate_limit(), DispatchClass::Operational))]
        pub fn sudo_set_owner_hparam_rate_limit(origin: OriginFor<T>, epochs: u16) -> DispatchResult {
            ensure_root(origin)?;
            subtensor::Pallet::<T>::set_owner_hyperparam_rate_limit(epochs);
            Ok(())
        }

        /// Sets the number of incentive mechanisms; what a dropped one held goes. Owner or root. Fails with `InvalidValue` or `TooManyUIDsPerMechanism` of SubtensorModule.
        #[pallet::call_index(76)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_mechanism_count(), DispatchClass::Operational))]
        pub fn sudo_set_mechanism_count(
            origin: OriginFor<T>,
            netuid: NetUid,
            mechanism_count: MechId,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 76)?;
            subtensor::Pallet::<T>::do_set_mechanism_count(netuid, mechanism_count.0)?;
            Self::deposit_event(Event::RuleSet {
                call_index: 76,
                netuid: Some(netuid),
            });
            Ok(())
        }

        /// Sets the mechanisms' shares of emission, which add up to 65 535; none makes them even. Owner or root. Fails with `InvalidValue` of SubtensorModule.
        #[pallet::call_index(77)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_mechanism_emission_split(), DispatchClass::Operational))]
        pub fn sudo_set_mechanism_emission_split(
            origin: OriginFor<T>,
            netuid: NetUid,
            maybe_split: Option<Vec<u16>>,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 77)?;
            subtensor::Pallet::<T>::do_set_mechanism_emission_split(netuid, maybe_split)?;
            Self::deposit_event(Event::RuleSet {
                call_index: 77,
                netuid: Some(netuid),
            });
            Ok(())
        }

        /// Sets the least that `MaxAllowedUids` may be. Root only. Fails with `MinAllowedUidsGreaterThanMaxAllowedUids` or `MinAllowedUidsGreaterThanCurrentUids`.
        #[pallet::call_index(79)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_min_allowed_uids(), DispatchClass::Operational))]
        pub fn sudo_set_min_allowed_uids(
            origin: OriginFor<T>,
            netuid: NetUid,
            min_allowed_uids: u16,
        ) -> DispatchResult {
            Self::ensure_root_on(origin, netuid)?;
            ensure!(
                min_allowed_uids < subtensor::MaxAllowedUids::<T>::get(netuid),
                Error::<T>::MinAllowedUidsGreaterThanMaxAllowedUids
            );
            ensure!(
                min_allowed_uids < subtensor::SubnetworkN::<T>::get(netuid),
                Error::<T>::MinAllowedUidsGreaterThanCurrentUids
            );
            subtensor::Pallet::<T>::set_min_allowed_uids(netuid, min_allowed_uids);
            Ok(())
        }

        /// Chooses what happens to incentive of the owner's hotkeys. Owner or root.
        #[pallet::call_index(80)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_recycle_or_burn(), DispatchClass::Operational))]
        pub fn sudo_set_recycle_or_burn(
            origin: OriginFor<T>,
            netuid: NetUid,
            recycle_or_burn: RecycleOrBurnEnum,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 80)?;
            subtensor::RecycleOrBurn::<T>::insert(netuid, recycle_or_burn);
            Self::deposit_event(Event::RuleSet {
                call_index: 80,
                netuid: Some(netuid),
            });
            Ok(())
        }

        /// Sets how many replaceable uids a full subnet keeps. Root only.
        #[pallet::call_index(84)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_min_non_immune_uids(), DispatchClass::Operational))]
        pub fn sudo_set_min_non_immune_uids(
            origin: OriginFor<T>,
            netuid: NetUid,
            min: u16,
        ) -> DispatchResult {
            Self::ensure_root_on(origin, netuid)?;
            subtensor::Pallet::<T>::set_min_non_immune_uids(netuid, min);
            Ok(())
        }

        /// Sets how many blocks a new subnet waits before it may start. Root only.
        #[pallet::call_index(85)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_start_call_delay(), DispatchClass::Operational))]
        pub fn sudo_set_start_call_delay(origin: OriginFor<T>, delay: u64) -> DispatchResult {
            ensure_root(origin)?;
            subtensor::Pallet::<T>::set_start_call_delay(delay);
            Ok(())
        }

        /// Sets how many mechanisms a subnet may have, 1 to 16. Root only. Fails with `ValueNotInBounds`.
        #[pallet::call_index(88)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_max_mechanism_count(), DispatchClass::Operational))]
        pub fn sudo_set_max_mechanism_count(
            origin: OriginFor<T>,
            max_mechanism_count: MechId,
        ) -> DispatchResult {
            ensure_root(origin)?;
            Self::ensure_in_bounds(
                (1..=subtensor::defaults::MAX_MECHANISMS).contains(&max_mechanism_count.0),
            )?;
            subtensor::MaxMechanismCount::<T>::put(max_mechanism_count.0);
            Self::deposit_event(Event::RuleSet {
                call_index: 88,
                netuid: None,
            });
            Ok(())
        }

        /// Sets the blocks in which the price of a registration halves, 1 to 36 100. Owner or root. Fails with `ValueNotInBounds`.
        #[pallet::call_index(89)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_burn_half_life(), DispatchClass::Operational))]
        pub fn sudo_set_burn_half_life(
            origin: OriginFor<T>,
            netuid: NetUid,
            burn_half_life: u16,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 89)?;
            Self::ensure_in_bounds((1..=MAX_BURN_HALF_LIFE).contains(&burn_half_life))?;
            subtensor::Pallet::<T>::set_burn_half_life(netuid, burn_half_life);
            Ok(())
        }

        /// Sets the factor of the price for each registration, 64 fractional bits, 1 to 3. Owner or root. Fails with `ValueNotInBounds`.
        #[pallet::call_index(90)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_burn_increase_mult(), DispatchClass::Operational))]
        pub fn sudo_set_burn_increase_mult(
            origin: OriginFor<T>,
            netuid: NetUid,
            burn_increase_mult: FixedU128,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 90)?;
            Self::ensure_in_bounds((1u128 << 64..=3u128 << 64).contains(&burn_increase_mult.bits))?;
            subtensor::Pallet::<T>::set_burn_increase_mult(netuid, burn_increase_mult);
            Ok(())
        }

        /// Switches the owner's cut on or off. Owner or root.
        #[pallet::call_index(92)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_owner_cut_enabled(), DispatchClass::Operational))]
        pub fn sudo_set_owner_cut_enabled(
            origin: OriginFor<T>,
            netuid: NetUid,
            enabled: bool,
        ) -> DispatchResult {
            Self::ensure_owner_or_root(origin, netuid, 92)?;
            subtensor::OwnerCutEnabled::<T>::insert(netuid, enabled);
            Self::deposit_event(Event::RuleSet {
                call_index: 92,
                netuid: Some(netuid),
            });
            Ok(())
        }

        /// Switches the subnet's TAO emission on or off. Root only.
        #[pallet::call_index(94)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_subnet_emission_enabled(), DispatchClass::Operational))]
        pub fn sudo_set_subnet_emission_enabled(
            origin: OriginFor<T>,
            netuid: NetUid,
            enabled: bool,
        ) -> DispatchResult {
            Self::ensure_root_on(origin, netuid)?;
            subtensor::SubnetEmissionEnabled::<T>::insert(netuid, enabled);
            Self::deposit_event(Event::RuleSet {
                call_index: 94,
                netuid: Some(netuid),
            });
            Ok(())
        }

        /// Sets how many epochs run in one block. Root only. Fails with `InvalidValue`.
        #[pallet::call_index(96)]
        #[pallet::weight((<T as Config>::WeightInfo::sudo_set_max_epochs_per_block(), DispatchClass::Operational))]
        pub fn sudo_set_max_epochs_per_block(
            origin: OriginFor<T>,
            max_epochs_per_block: u8,
        ) -> DispatchResult {
            ensure_root(origin)?;
            ensure!(max_epochs_per_block > 0, Error::<T>::InvalidValue);
            subtensor::Pallet::<T>::set_max_epochs_per_block(max_epochs_per_block);
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        fn ensure_in_bounds(holds: bool) -> Result<(), Error<T>> {
            ensure!(holds, Error::<T>::ValueNotInBounds);
            Ok(())
        }

        /// Passes root, for a subnet that exists.
        fn ensure_root_on(origin: OriginFor<T>, netuid: NetUid) -> DispatchResult {
            ensure_root(origin)?;
            ensure!(
                subtensor::NetworksAdded::<T>::get(netuid),
                Error::<T>::SubnetDoesNotExist
            );
            Ok(())
        }

        /// Passes root, and the subnet's owner where neither the freeze before an epoch nor the rate limit of this
        /// call's rule stands against it; notes the owner's change. Tells whether it is the owner.
        fn ensure_owner_or_root(
            origin: OriginFor<T>,
            netuid: NetUid,
            call_index: u8,
        ) -> Result<bool, DispatchError> {
            ensure!(
                subtensor::NetworksAdded::<T>::get(netuid),
                Error::<T>::SubnetDoesNotExist
            );
            let change = change_of(call_index);
            let owner = subtensor::Pallet::<T>::ensure_owner_or_root(origin, netuid, change)?;
            let is_owner = owner.is_some();
            subtensor::Pallet::<T>::note_owner_change(owner, netuid, change);
            Ok(is_owner)
        }
    }

    /// Names the change that a call makes, by which its rate is limited.
    fn change_of(call_index: u8) -> OwnerChange {
        OwnerChange::Hyperparameter(match call_index {
            6 => return OwnerChange::WeightsVersionKey,
            67 => return OwnerChange::OwnerHotkey,
            76 => return OwnerChange::MechanismCount,
            77 => return OwnerChange::MechanismSplit,
            // Numbers of subtensor's `Hyperparameter`.
            3 => 1,
            13 => 5,
            14 => 6,
            17 => 8,
            22 => 11,
            23 => 12,
            26 => 13,
            60 => 14,
            49 => 15,
            50 => 16,
            51 => 17,
            57 => 18,
            61 => 19,
            68 => 20,
            69 => 21,
            70 => 22,
            72 => 23,
            80 => 24,
            15 => 25,
            89 => 26,
            90 => 27,
            // Without a number there: the call's own, out of the way.
            other => other | 0x80,
        })
    }
}
