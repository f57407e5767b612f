//! What a subnet's owner may change, and how often.
//!
//! An owner may change a rule once in `OwnerHyperparamRateLimit` tempos, and none within `AdminFreezeWindow` blocks
//! of the next epoch, so that validators know the rules they are weighed by. Root is bound by neither.

use super::*;
use frame_support::ensure;
use frame_system::{ensure_signed_or_root, pallet_prelude::OriginFor};
use sp_runtime::{DispatchError, DispatchResult};

/// A change whose rate is limited, with the number that subtensor gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerChange {
    /// A hyperparameter, by its number; once in `OwnerHyperparamRateLimit` tempos.
    Hyperparameter(u8),
    /// The version key of weights; once in `WeightsVersionKeyRateLimit` tempos.
    WeightsVersionKey,
    /// The hotkey that stands for the owner; once in 50 400 blocks.
    OwnerHotkey,
    /// The number of mechanisms; once in 7 200 blocks.
    MechanismCount,
    /// The mechanisms' shares of emission; once in 7 200 blocks.
    MechanismSplit,
    /// The tempo; once in 360 blocks.
    Tempo,
}

/// Numbers of hyperparameters, as subtensor's `Hyperparameter` counts them.
pub mod hyperparameter {
    /// `ActivityCutoffFactorMilli`.
    pub const ACTIVITY_CUTOFF_FACTOR: u8 = 30;
    /// `TriggerEpoch`.
    pub const TRIGGER_EPOCH: u8 = 31;
}

impl OwnerChange {
    /// Number of the change as a transaction type of subtensor, where its last block is kept per account.
    fn kind(self) -> u16 {
        match self {
            Self::WeightsVersionKey => 4,
            Self::OwnerHotkey => 5,
            Self::Hyperparameter(_) => 6,
            Self::MechanismCount => 7,
            Self::MechanismSplit => 8,
            Self::Tempo => 11,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Passes root, and the owner of a subnet where neither the freeze window nor the rate limit of the change
    /// stands against it. The caller notes an owner's change by [`Self::note_owner_change`] once it is made.
    pub fn ensure_owner_or_root(
        origin: OriginFor<T>,
        netuid: NetUid,
        change: OwnerChange,
    ) -> Result<Option<T::AccountId>, DispatchError> {
        let Some(owner) = ensure_signed_or_root(origin)? else {
            Self::ensure_subnet(netuid)?;
            return Ok(None);
        };
        Self::ensure_rules_owner(&owner, netuid)?;
        Self::ensure_admin_window_open(netuid)?;
        Self::ensure_owner_rate(&owner, netuid, change)?;
        Ok(Some(owner))
    }

    /// Notes the block of an owner's change; root's are not noted.
    pub fn note_owner_change(owner: Option<T::AccountId>, netuid: NetUid, change: OwnerChange) {
        let (Some(owner), now) = (owner, Self::current_block()) else {
            return;
        };
        match change {
            OwnerChange::Hyperparameter(number) => {
                LastRateLimitedBlock::<T>::insert(RateLimitKey::OwnerHyperparamUpdate(netuid, number), now);
            }
            OwnerChange::OwnerHotkey => {
                LastRateLimitedBlock::<T>::insert(RateLimitKey::SetSNOwnerHotkey(netuid), now);
            }
            other => TransactionKeyLastBlock::<T>::insert((owner, netuid, other.kind()), now),
        }
    }

    /// Refuses a change that comes too soon after the last one of its kind.
    fn ensure_owner_rate(owner: &T::AccountId, netuid: NetUid, change: OwnerChange) -> DispatchResult {
        let tempo = u64::from(Tempo::<T>::get(netuid));
        let limit = match change {
            OwnerChange::Hyperparameter(_) => {
                tempo.saturating_mul(OwnerHyperparamRateLimit::<T>::get().into())
            }
            OwnerChange::WeightsVersionKey => tempo.saturating_mul(WeightsVersionKeyRateLimit::<T>::get()),
            OwnerChange::OwnerHotkey => defaults::SN_OWNER_HOTKEY_RATE_LIMIT,
            OwnerChange::MechanismCount | OwnerChange::MechanismSplit => defaults::MECHANISM_RATE_LIMIT,
            OwnerChange::Tempo => defaults::MIN_TEMPO.into(),
        };
        let last = match change {
            OwnerChange::Hyperparameter(number) => {
                LastRateLimitedBlock::<T>::get(RateLimitKey::OwnerHyperparamUpdate(netuid, number))
            }
            OwnerChange::OwnerHotkey => {
                LastRateLimitedBlock::<T>::get(RateLimitKey::SetSNOwnerHotkey(netuid))
            }
            other => TransactionKeyLastBlock::<T>::get((owner, netuid, other.kind())),
        };
        let waited = Self::current_block().saturating_sub(last) >= limit;
        ensure!(last == 0 || waited, Error::<T>::TxRateLimitExceeded);
        Ok(())
    }

    /// Refuses who may not change the rules of a subnet as subtensor does: as a bad origin.
    pub(crate) fn ensure_rules_owner(coldkey: &T::AccountId, netuid: NetUid) -> DispatchResult {
        Self::ensure_subnet(netuid)?;
        ensure!(
            SubnetOwner::<T>::get(netuid) == *coldkey,
            DispatchError::BadOrigin
        );
        Ok(())
    }

    /// Refuses who does not own a subnet that exists.
    pub fn ensure_subnet_owner(coldkey: &T::AccountId, netuid: NetUid) -> DispatchResult {
        Self::ensure_subnet(netuid)?;
        ensure!(
            SubnetOwner::<T>::get(netuid) == *coldkey,
            Error::<T>::NotSubnetOwner
        );
        Ok(())
    }

    /// Refuses a change within `AdminFreezeWindow` blocks of the next epoch, and while a triggered one waits.
    pub fn ensure_admin_window_open(netuid: NetUid) -> DispatchResult {
        let now = Self::current_block();
        let waits = PendingEpochAt::<T>::get(netuid) > now;
        let near = Self::blocks_until_epoch(netuid)
            .is_some_and(|blocks| blocks < u64::from(AdminFreezeWindow::<T>::get()));
        ensure!(
            !waits && !near,
            Error::<T>::AdminActionProhibitedDuringWeightsWindow
        );
        Ok(())
    }

    /// Returns the blocks until the regular epoch, 0 if it is due; `None` where there are no epochs.
    pub(crate) fn blocks_until_epoch(netuid: NetUid) -> Option<u64> {
        let tempo = u64::from(Tempo::<T>::get(netuid));
        let due = LastEpochBlock::<T>::get(netuid).saturating_add(tempo);
        (tempo > 0).then(|| due.saturating_sub(Self::current_block()))
    }

    /// Sets the tempo for the owner.
    pub(crate) fn do_set_tempo(coldkey: T::AccountId, netuid: NetUid, tempo: u16) -> DispatchResult {
        Self::ensure_rules_owner(&coldkey, netuid)?;
        ensure!(
            (defaults::MIN_TEMPO..=defaults::MAX_TEMPO).contains(&tempo),
            Error::<T>::TempoOutOfBounds
        );
        Self::ensure_admin_window_open(netuid)?;
        Self::ensure_owner_rate(&coldkey, netuid, OwnerChange::Tempo)?;
        Self::restart_with_tempo(netuid, tempo);
        Self::note_owner_change(Some(coldkey), netuid, OwnerChange::Tempo);
        Ok(())
    }

    /// Sets the activity cutoff factor for the owner or root.
    pub(crate) fn do_set_activity_cutoff_factor(
        origin: OriginFor<T>,
        netuid: NetUid,
        factor_milli: u32,
    ) -> DispatchResult {
        let change = OwnerChange::Hyperparameter(hyperparameter::ACTIVITY_CUTOFF_FACTOR);
        let owner = Self::ensure_owner_or_root(origin, netuid, change)?;
        let (low, high) = defaults::ACTIVITY_CUTOFF_FACTOR_BOUNDS;
        ensure!(
            (low..=high).contains(&factor_milli),
            Error::<T>::ActivityCutoffFactorMilliOutOfBounds
        );
        Self::set_activity_cutoff_factor_milli(netuid, factor_milli);
        Self::note_owner_change(owner, netuid, change);
        Ok(())
    }

    /// Puts an epoch `AdminFreezeWindow` blocks ahead, for the owner.
    pub(crate) fn do_trigger_epoch(coldkey: T::AccountId, netuid: NetUid) -> DispatchResult {
        Self::ensure_rules_owner(&coldkey, netuid)?;
        ensure!(
            !CommitRevealWeightsEnabled::<T>::get(netuid),
            Error::<T>::DynamicTempoBlockedByCommitReveal
        );
        ensure!(
            PendingEpochAt::<T>::get(netuid) == 0,
            Error::<T>::EpochTriggerAlreadyPending
        );
        let window = u64::from(AdminFreezeWindow::<T>::get());
        // Where there are no epochs, there is none to come by itself.
        let far = Self::blocks_until_epoch(netuid).is_none_or(|blocks| blocks >= window);
        ensure!(far, Error::<T>::AutoEpochAlreadyImminent);
        let change = OwnerChange::Hyperparameter(hyperparameter::TRIGGER_EPOCH);
        Self::ensure_owner_rate(&coldkey, netuid, change)?;

        // An epoch of this block has run already: 0 blocks ahead is the next one.
        let fires_at = Self::current_block().saturating_add(window.max(1));
        PendingEpochAt::<T>::insert(netuid, fires_at);
        Self::note_owner_change(Some(coldkey.clone()), netuid, change);
        Self::deposit_event(Event::EpochTriggered {
            netuid,
            by: coldkey,
            fires_at,
        });
        Ok(())
    }
}
