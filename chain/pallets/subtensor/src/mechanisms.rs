//! The incentive mechanisms of a subnet: how many, and how they share its emission.
//!
//! Each has weights, bonds, incentive and last updates of its own; the neurons, their permits and their stake are
//! the subnet's.

use super::*;
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    /// Sets the number of mechanisms. What a dropped one held goes; shares of emission become even again.
    ///
    /// All mechanisms of a subnet together have at most 256 uids, which bounds the work of an epoch.
    pub fn do_set_mechanism_count(netuid: NetUid, count: u8) -> DispatchResult {
        Self::ensure_subnet(netuid)?;
        let most = MaxMechanismCount::<T>::get().min(defaults::MAX_MECHANISMS);
        ensure!(count > 0 && count <= most, Error::<T>::InvalidValue);
        Self::ensure_uid_budget(MaxAllowedUids::<T>::get(netuid), count)?;
        let present = MechanismCountCurrent::<T>::get(netuid);
        (count..present).for_each(|id| Self::clear_mechanism(netuid, MechId(id)));
        (present..count).for_each(|id| Self::open_mechanism(netuid, MechId(id)));
        MechanismCountCurrent::<T>::insert(netuid, count);
        MechanismEmissionSplit::<T>::remove(netuid);
        Ok(())
    }

    /// Sets the mechanisms' shares of emission, which add up to 65 535, or makes them even.
    pub fn do_set_mechanism_emission_split(netuid: NetUid, split: Option<Vec<u16>>) -> DispatchResult {
        Self::ensure_subnet(netuid)?;
        let Some(split) = split else {
            MechanismEmissionSplit::<T>::remove(netuid);
            return Ok(());
        };
        let count = usize::from(MechanismCountCurrent::<T>::get(netuid));
        ensure!(
            !split.is_empty() && split.len() <= count,
            Error::<T>::InvalidValue
        );
        let sum = split
            .iter()
            .fold(0u64, |sum, share| sum.saturating_add((*share).into()));
        ensure!(sum == u64::from(u16::MAX), Error::<T>::InvalidValue);
        MechanismEmissionSplit::<T>::insert(netuid, split);
        Ok(())
    }

    /// Refuses more than 256 uids over all mechanisms of a subnet.
    pub fn ensure_uid_budget(uids: u16, mechanisms: u8) -> DispatchResult {
        let all = u32::from(uids).saturating_mul(mechanisms.into());
        ensure!(
            all <= u32::from(defaults::MAX_UIDS),
            Error::<T>::TooManyUIDsPerMechanism
        );
        Ok(())
    }

    /// Makes the vectors of a new mechanism as long as the subnet.
    fn open_mechanism(netuid: NetUid, mechanism: MechId) {
        let n = usize::from(SubnetworkN::<T>::get(netuid));
        let index = NetUidStorageIndex::new(netuid, mechanism);
        LastUpdate::<T>::insert(index, alloc::vec![0u64; n]);
        Incentive::<T>::insert(index, alloc::vec![0u16; n]);
    }

    /// Removes what a mechanism held, uid by uid: at most 256 rows.
    fn clear_mechanism(netuid: NetUid, mechanism: MechId) {
        let index = NetUidStorageIndex::new(netuid, mechanism);
        for uid in 0..SubnetworkN::<T>::get(netuid) {
            Weights::<T>::remove(index, uid);
            Bonds::<T>::remove(index, uid);
            WeightCommits::<T>::remove(index, Keys::<T>::get(netuid, uid));
        }
        Self::drop_mechanism_commits(index);
        LastUpdate::<T>::remove(index);
        Incentive::<T>::remove(index);
    }
}
