//! Setting weights.

use super::*;
use codec::Compact;
use frame_support::ensure;
use sp_runtime::DispatchResult;

/// A weight row as it was submitted.
pub(crate) struct WeightRow {
    pub netuid: NetUid,
    pub mechanism: MechId,
    pub uids: Vec<u16>,
    pub values: Vec<u16>,
    pub version_key: u64,
}

/// How a row reaches the chain.
#[derive(Clone, Copy)]
pub(crate) enum Setting {
    /// In the clear: it counts against the rate limit, and the neuron is updated now.
    Direct,
    /// By a commit of this block, which counted against the rate limit and updated the neuron.
    Revealed { commit_block: u64 },
}

impl<T: Config> Pallet<T> {
    /// Sets a row directly; refused where weights are committed and revealed.
    pub(crate) fn do_set_weights(hotkey: T::AccountId, row: WeightRow) -> DispatchResult {
        ensure!(
            !CommitRevealWeightsEnabled::<T>::get(row.netuid),
            Error::<T>::CommitRevealEnabled
        );
        Self::store_weights(&hotkey, row, Setting::Direct)
    }

    /// Sets rows on the main mechanisms of several subnets; what fails undoes nothing else.
    ///
    /// The loop runs over the batch, [`defaults::MAX_BATCH`] at most.
    pub(crate) fn do_batch_set_weights(
        hotkey: T::AccountId,
        netuids: Vec<Compact<NetUid>>,
        rows: Vec<Vec<(Compact<u16>, Compact<u16>)>>,
        version_keys: Vec<Compact<u64>>,
    ) -> DispatchResult {
        Self::check_batch(netuids.len(), rows.len(), version_keys.len())?;
        let mut failed = false;
        for ((netuid, row), version_key) in netuids.iter().zip(rows).zip(version_keys) {
            let (uids, values) = row.into_iter().map(|(uid, value)| (uid.0, value.0)).unzip();
            let row = WeightRow {
                netuid: netuid.0,
                mechanism: MechId::MAIN,
                uids,
                values,
                version_key: version_key.0,
            };
            if let Err(error) = Self::do_set_weights(hotkey.clone(), row) {
                failed = true;
                Self::deposit_event(Event::BatchWeightItemFailed(netuid.0, error));
            }
        }
        if failed {
            Self::note_free_failure(&hotkey); // the call itself succeeds, so nothing else would
            Self::deposit_event(Event::BatchCompletedWithErrors());
        }
        Self::deposit_event(Event::BatchWeightsCompleted(netuids, hotkey));
        Ok(())
    }

    /// Refuses a batch whose lists differ in length, and one that is too long.
    pub(crate) fn check_batch(netuids: usize, rows: usize, keys: usize) -> Result<(), Error<T>> {
        ensure!(
            netuids == rows && netuids == keys,
            Error::<T>::InputLengthsUnequal
        );
        ensure!(netuids <= defaults::MAX_BATCH, Error::<T>::InvalidValue);
        Ok(())
    }

    /// Checks a row, in subtensor's order, and stores it.
    pub(crate) fn store_weights(hotkey: &T::AccountId, row: WeightRow, setting: Setting) -> DispatchResult {
        let WeightRow {
            netuid,
            mechanism,
            uids,
            values,
            version_key,
        } = row;
        ensure!(!netuid.is_root(), Error::<T>::CanNotSetRootNetworkWeights);
        ensure!(uids.len() == values.len(), Error::<T>::WeightVecNotEqualSize);
        Self::ensure_mechanism(netuid, mechanism)?;
        let n = SubnetworkN::<T>::get(netuid);
        ensure!(
            uids.len() <= usize::from(n),
            Error::<T>::UidsLengthExceedUidsInSubNet
        );
        let uid = Uids::<T>::get(netuid, hotkey).ok_or(Error::<T>::HotKeyNotRegisteredInSubNet)?;
        Self::ensure_weight_stake(hotkey, netuid)?;
        let wanted = WeightsVersionKey::<T>::get(netuid);
        ensure!(
            wanted == 0 || version_key >= wanted,
            Error::<T>::IncorrectWeightVersionKey
        );
        let index = NetUidStorageIndex::new(netuid, mechanism);
        if let Setting::Direct = setting {
            Self::ensure_weight_rate(index, netuid, uid, Error::<T>::SettingWeightsTooFast)?;
        }
        let self_weight = uids.as_slice() == [uid];
        let permitted = ValidatorPermit::<T>::get(netuid)
            .get(usize::from(uid))
            .copied()
            .unwrap_or(false);
        let owner = SubnetOwnerHotkey::<T>::get(netuid) == *hotkey;
        ensure!(
            permitted || self_weight || owner,
            Error::<T>::NeuronNoValidatorPermit
        );
        let distinct: BTreeSet<u16> = uids.iter().copied().collect();
        ensure!(distinct.len() == uids.len(), Error::<T>::DuplicateUids);
        ensure!(
            uids.iter().all(|uid| *uid < n),
            Error::<T>::UidVecContainInvalidOne
        );
        let least = usize::from(n.min(MinAllowedWeights::<T>::get(netuid)));
        ensure!(
            self_weight || uids.len() >= least,
            Error::<T>::WeightVecLengthIsLow
        );
        let values = arbor_math::upscale::max_upscale(&values);
        Self::ensure_weight_limit(netuid, self_weight, &values)?;

        let mut stored: Vec<(u16, u16)> = uids.into_iter().zip(values).collect();
        match setting {
            Setting::Direct => Self::touch(index, uid),
            Setting::Revealed { commit_block } => Self::mask_changed(&mut stored, index, uid, commit_block),
        }
        Weights::<T>::insert(index, uid, stored);
        Self::deposit_event(Event::WeightsSet(index, uid));
        Ok(())
    }

    /// Sets a revealed row's weights to 0 on uids that changed hands since the commit: they were meant for others.
    fn mask_changed(row: &mut [(u16, u16)], index: NetUidStorageIndex, uid: u16, commit_block: u64) {
        let netuid = index.netuid();
        let mut masked = Vec::new();
        for (target, weight) in row.iter_mut() {
            if *weight > 0 && BlockAtRegistration::<T>::get(netuid, *target) >= commit_block {
                *weight = 0;
                masked.push(*target);
            }
        }
        if !masked.is_empty() {
            Self::deposit_event(Event::RevealedWeightsMasked(index, uid, masked));
        }
    }

    /// Notes that a neuron set or committed weights in this block.
    pub(crate) fn touch(index: NetUidStorageIndex, uid: u16) {
        LastUpdate::<T>::mutate(index, |blocks| {
            let needed = usize::from(uid).saturating_add(1);
            if blocks.len() < needed {
                blocks.resize(needed, 0); // a mechanism that was added after the neuron
            }
            if let Some(block) = blocks.get_mut(usize::from(uid)) {
                *block = Self::current_block();
            }
        });
    }

    /// Refuses a subnet or mechanism that does not exist.
    pub(crate) fn ensure_mechanism(netuid: NetUid, mechanism: MechId) -> DispatchResult {
        let exists = NetworksAdded::<T>::get(netuid) && mechanism.0 < MechanismCountCurrent::<T>::get(netuid);
        ensure!(exists, Error::<T>::MechanismDoesNotExist);
        Ok(())
    }

    /// Refuses stake below the threshold; the subnet owner's hotkey is exempt.
    pub(crate) fn ensure_weight_stake(hotkey: &T::AccountId, netuid: NetUid) -> Result<(), Error<T>> {
        let enough = Self::stake_weight(hotkey, netuid) >= StakeThreshold::<T>::get();
        let exempt = SubnetOwnerHotkey::<T>::get(netuid) == *hotkey;
        ensure!(enough || exempt, Error::<T>::NotEnoughStakeToSetWeights);
        Ok(())
    }

    /// Refuses a row that comes less than the rate limit after the last one.
    pub(crate) fn ensure_weight_rate(
        index: NetUidStorageIndex,
        netuid: NetUid,
        uid: u16,
        refusal: Error<T>,
    ) -> DispatchResult {
        let last = LastUpdate::<T>::get(index)
            .get(usize::from(uid))
            .copied()
            .unwrap_or(0);
        let waited = Self::current_block().saturating_sub(last) >= WeightsSetRateLimit::<T>::get(netuid);
        ensure!(last == 0 || waited, refusal);
        Ok(())
    }

    /// Refuses a weight whose share of the row is above the limit; self-weights are exempt.
    fn ensure_weight_limit(netuid: NetUid, self_weight: bool, values: &[u16]) -> DispatchResult {
        let limit = MaxWeightsLimit::<T>::get(netuid);
        if limit == u16::MAX || self_weight {
            return Ok(());
        }
        let sum: u64 = values.iter().map(|value| u64::from(*value)).sum();
        let largest = u64::from(values.iter().copied().max().unwrap_or(0));
        let within = largest.saturating_mul(u64::from(u16::MAX)) <= u64::from(limit).saturating_mul(sum);
        ensure!(within, Error::<T>::MaxWeightExceeded);
        Ok(())
    }
}
