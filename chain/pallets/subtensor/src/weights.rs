//! Setting weights.

use super::*;
use alloc::collections::BTreeSet;
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

impl<T: Config> Pallet<T> {
    /// Sets a row directly; refused where weights are committed and revealed.
    pub(crate) fn do_set_weights(hotkey: T::AccountId, row: WeightRow) -> DispatchResult {
        ensure!(
            !CommitRevealWeightsEnabled::<T>::get(row.netuid),
            Error::<T>::CommitRevealEnabled
        );
        Self::store_weights(&hotkey, row)
    }

    /// Checks a row, in subtensor's order, and stores it.
    pub(crate) fn store_weights(hotkey: &T::AccountId, row: WeightRow) -> DispatchResult {
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
        let commit_reveal = CommitRevealWeightsEnabled::<T>::get(netuid);
        if !commit_reveal {
            Self::ensure_weight_rate(index, netuid, uid)?;
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

        let stored: Vec<(u16, u16)> = uids.into_iter().zip(values).collect();
        Weights::<T>::insert(index, uid, stored);
        if !commit_reveal {
            Self::touch(index, uid);
        }
        Self::deposit_event(Event::WeightsSet(index, uid));
        Ok(())
    }

    /// Notes that a neuron set weights in this block.
    fn touch(index: NetUidStorageIndex, uid: u16) {
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
    fn ensure_mechanism(netuid: NetUid, mechanism: MechId) -> DispatchResult {
        let exists = NetworksAdded::<T>::get(netuid) && mechanism.0 < MechanismCountCurrent::<T>::get(netuid);
        ensure!(exists, Error::<T>::MechanismDoesNotExist);
        Ok(())
    }

    /// Refuses stake below the threshold; the subnet owner's hotkey is exempt.
    fn ensure_weight_stake(hotkey: &T::AccountId, netuid: NetUid) -> DispatchResult {
        let enough = Self::stake_weight(hotkey, netuid) >= StakeThreshold::<T>::get();
        let exempt = SubnetOwnerHotkey::<T>::get(netuid) == *hotkey;
        ensure!(enough || exempt, Error::<T>::NotEnoughStakeToSetWeights);
        Ok(())
    }

    /// Refuses a row that comes less than the rate limit after the last one.
    fn ensure_weight_rate(index: NetUidStorageIndex, netuid: NetUid, uid: u16) -> DispatchResult {
        let last = LastUpdate::<T>::get(index)
            .get(usize::from(uid))
            .copied()
            .unwrap_or(0);
        let waited = Self::current_block().saturating_sub(last) >= WeightsSetRateLimit::<T>::get(netuid);
        ensure!(last == 0 || waited, Error::<T>::SettingWeightsTooFast);
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
