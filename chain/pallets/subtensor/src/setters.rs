//! Setters of hyperparameters, each with its event, for the administration pallet.
//!
//! They check nothing: who may set what, and within which bounds, is the caller's business.

use super::*;

/// Writes setters of values kept per subnet: name, storage, type, event.
macro_rules! subnet_setters {
    ($($name:ident: $storage:ident, $value:ty, $event:ident;)*) => {
        impl<T: Config> Pallet<T> {
            $(
                #[doc = concat!("Sets `", stringify!($storage), "` of a subnet and deposits `", stringify!($event), "`.")]
                pub fn $name(netuid: NetUid, value: $value) {
                    $storage::<T>::insert(netuid, value);
                    Self::deposit_event(Event::$event(netuid, value));
                }
            )*
        }
    };
}

/// Writes setters of values kept once: name, storage, type, event.
macro_rules! global_setters {
    ($($name:ident: $storage:ident, $value:ty, $event:ident;)*) => {
        impl<T: Config> Pallet<T> {
            $(
                #[doc = concat!("Sets `", stringify!($storage), "` and deposits `", stringify!($event), "`.")]
                pub fn $name(value: $value) {
                    $storage::<T>::put(value);
                    Self::deposit_event(Event::$event(value));
                }
            )*
        }
    };
}

subnet_setters! {
    set_max_allowed_uids: MaxAllowedUids, u16, MaxAllowedUidsSet;
    set_min_allowed_uids: MinAllowedUids, u16, MinAllowedUidsSet;
    set_min_non_immune_uids: MinNonImmuneUids, u16, MinNonImmuneUidsSet;
    set_max_weights_limit: MaxWeightsLimit, u16, MaxWeightLimitSet;
    set_difficulty: Difficulty, u64, DifficultySet;
    set_min_difficulty: MinDifficulty, u64, MinDifficultySet;
    set_max_difficulty: MaxDifficulty, u64, MaxDifficultySet;
    set_adjustment_interval: AdjustmentInterval, u16, AdjustmentIntervalSet;
    set_adjustment_alpha: AdjustmentAlpha, u64, AdjustmentAlphaSet;
    set_target_registrations_per_interval: TargetRegistrationsPerInterval, u16, RegistrationPerIntervalSet;
    set_max_registrations_per_block: MaxRegistrationsPerBlock, u16, MaxRegistrationsPerBlockSet;
    set_activity_cutoff: ActivityCutoff, u16, ActivityCutoffSet;
    set_activity_cutoff_factor_milli: ActivityCutoffFactorMilli, u32, ActivityCutoffFactorMilliSet;
    set_rho: Rho, u16, RhoSet;
    set_kappa: Kappa, u16, KappaSet;
    set_alpha_sigmoid_steepness: AlphaSigmoidSteepness, i16, AlphaSigmoidSteepnessSet;
    set_min_allowed_weights: MinAllowedWeights, u16, MinAllowedWeightSet;
    set_weights_set_rate_limit: WeightsSetRateLimit, u64, WeightsSetRateLimitSet;
    set_weights_version_key: WeightsVersionKey, u64, WeightsVersionKeySet;
    set_immunity_period: ImmunityPeriod, u16, ImmunityPeriodSet;
    set_bonds_moving_average: BondsMovingAverage, u64, BondsMovingAverageSet;
    set_bonds_penalty: BondsPenalty, u16, BondsPenaltySet;
    set_bonds_reset: BondsResetOn, bool, BondsResetOnSet;
    set_max_allowed_validators: MaxAllowedValidators, u16, MaxAllowedValidatorsSet;
    set_serving_rate_limit: ServingRateLimit, u64, ServingRateLimitSet;
    set_burn: Burn, u64, BurnSet;
    set_min_burn: MinBurn, u64, MinBurnSet;
    set_max_burn: MaxBurn, u64, MaxBurnSet;
    set_burn_half_life: BurnHalfLife, u16, BurnHalfLifeSet;
    set_burn_increase_mult: BurnIncreaseMult, FixedU128, BurnIncreaseMultSet;
    set_rao_recycled: RAORecycledForRegistration, u64, RAORecycledForRegistrationSet;
    set_registration_allowed: NetworkRegistrationAllowed, bool, RegistrationAllowed;
    set_pow_registration_allowed: NetworkPowRegistrationAllowed, bool, PowRegistrationAllowed;
    set_transfer_toggle: TransferToggle, bool, TransferToggle;
    set_reveal_period: RevealPeriodEpochs, u64, CommitRevealPeriodsSet;
    set_commit_reveal_enabled: CommitRevealWeightsEnabled, bool, CommitRevealEnabled;
}

global_setters! {
    set_stake_threshold: StakeThreshold, u64, StakeThresholdSet;
    set_tx_rate_limit: TxRateLimit, u64, TxRateLimitSet;
    set_tx_delegate_take_rate_limit: TxDelegateTakeRateLimit, u64, TxDelegateTakeRateLimitSet;
    set_max_epochs_per_block: MaxEpochsPerBlock, u8, MaxEpochsPerBlockSet;
    set_admin_freeze_window: AdminFreezeWindow, u16, AdminFreezeWindowSet;
    set_owner_hyperparam_rate_limit: OwnerHyperparamRateLimit, u16, OwnerHyperparamRateLimitSet;
    set_subnet_owner_cut: SubnetOwnerCut, u16, SubnetOwnerCutSet;
    set_network_rate_limit: NetworkRateLimit, u64, NetworkRateLimitSet;
    set_network_immunity_period: NetworkImmunityPeriod, u64, NetworkImmunityPeriodSet;
    set_start_call_delay: StartCallDelay, u64, StartCallDelaySet;
    set_network_min_lock: NetworkMinLockCost, u64, NetworkMinLockCostSet;
    set_subnet_limit: SubnetLimit, u16, SubnetLimitSet;
    set_lock_reduction_interval: NetworkLockReductionInterval, u64, NetworkLockCostReductionIntervalSet;
    set_max_delegate_take: MaxDelegateTake, u16, MaxDelegateTakeSet;
    set_min_delegate_take: MinDelegateTake, u16, MinDelegateTakeSet;
    set_commit_reveal_version: CommitRevealWeightsVersion, u16, CommitRevealVersionSet;
}

impl<T: Config> Pallet<T> {
    /// Sets the tempo of a subnet, in blocks, and starts its schedule anew at this block.
    pub fn restart_with_tempo(netuid: NetUid, tempo: u16) {
        Tempo::<T>::insert(netuid, tempo);
        LastEpochBlock::<T>::insert(netuid, Self::current_block());
        PendingEpochAt::<T>::remove(netuid);
        Self::deposit_event(Event::TempoSet(netuid, tempo));
    }

    /// Chooses the hotkey that stands for a subnet's owner.
    pub fn set_subnet_owner_hotkey(netuid: NetUid, hotkey: T::AccountId) {
        SubnetOwnerHotkey::<T>::insert(netuid, &hotkey);
        Self::deposit_event(Event::SubnetOwnerHotkeySet(netuid, hotkey));
    }
}
