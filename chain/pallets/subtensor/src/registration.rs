//! Registering neurons: the price, the uid, and who gives way when a subnet is full.

use super::*;
use arbor_math::burn;
use frame_support::ensure;
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    /// Registers a hotkey for the current price, or refuses when that is above the limit.
    pub(crate) fn do_burned_register(
        coldkey: T::AccountId,
        netuid: NetUid,
        hotkey: T::AccountId,
        limit: Option<u64>,
    ) -> DispatchResult {
        ensure!(
            !netuid.is_root(),
            Error::<T>::RegistrationNotPermittedOnRootSubnet
        );
        Self::ensure_subnet(netuid)?;
        ensure!(
            NetworkRegistrationAllowed::<T>::get(netuid),
            Error::<T>::SubNetRegistrationDisabled
        );
        let this_block = RegistrationsThisBlock::<T>::get(netuid);
        ensure!(
            this_block < MaxRegistrationsPerBlock::<T>::get(netuid),
            Error::<T>::TooManyRegistrationsThisBlock
        );
        ensure!(
            !Uids::<T>::contains_key(netuid, &hotkey),
            Error::<T>::HotKeyAlreadyRegisteredInSubNet
        );
        let price = Burn::<T>::get(netuid);
        ensure!(
            limit.is_none_or(|limit| price <= limit),
            Error::<T>::RegistrationPriceLimitExceeded
        );
        ensure!(
            Self::spendable(&coldkey) >= price,
            Error::<T>::NotEnoughBalanceToStake
        );
        Self::ensure_account(&coldkey, &hotkey)?;

        Self::withdraw(&coldkey, price, Error::<T>::NotEnoughBalanceToStake)?;
        Self::swap_tao_for_alpha(netuid, price)?; // the alpha is never booked: it is destroyed
        let uid = Self::register_neuron(netuid, &hotkey)?;
        RAORecycledForRegistration::<T>::mutate(netuid, |total| *total = total.saturating_add(price));
        RegistrationsThisBlock::<T>::insert(netuid, this_block.saturating_add(1));
        RegistrationsThisInterval::<T>::mutate(netuid, |count| *count = count.saturating_add(1));
        BurnRegistrationsThisInterval::<T>::mutate(netuid, |count| *count = count.saturating_add(1));
        let factor = BurnIncreaseMult::<T>::get(netuid).bits;
        let (min, max) = (MinBurn::<T>::get(netuid), MaxBurn::<T>::get(netuid));
        Burn::<T>::insert(netuid, burn::bump(price, factor, min, max));
        Self::deposit_event(Event::NeuronRegistered(netuid, uid, hotkey));
        Ok(())
    }

    /// Makes sure that a hotkey is known and belongs to the coldkey.
    pub(crate) fn ensure_account(coldkey: &T::AccountId, hotkey: &T::AccountId) -> DispatchResult {
        if !Owner::<T>::contains_key(hotkey) {
            OwnedHotkeys::<T>::try_mutate(coldkey, |hotkeys| {
                ensure!(
                    hotkeys.len() < defaults::MAX_OWNED_HOTKEYS,
                    Error::<T>::TooManyHotkeys
                );
                hotkeys.push(hotkey.clone());
                Ok::<(), Error<T>>(())
            })?;
            Owner::<T>::insert(hotkey, coldkey);
        }
        ensure!(
            Owner::<T>::get(hotkey) == *coldkey,
            Error::<T>::NonAssociatedColdKey
        );
        Ok(())
    }

    /// Tells whether a neuron must give way to the next one.
    pub(crate) fn is_full(netuid: NetUid) -> bool {
        SubnetworkN::<T>::get(netuid) >= MaxAllowedUids::<T>::get(netuid)
    }

    /// Gives a hotkey a uid: a new one, or that of the neuron which gives way.
    pub(crate) fn register_neuron(netuid: NetUid, hotkey: &T::AccountId) -> Result<u16, DispatchError> {
        let n = SubnetworkN::<T>::get(netuid);
        let uid = if n < MaxAllowedUids::<T>::get(netuid) {
            Self::append_slot(netuid, n);
            n
        } else {
            let uid = Self::neuron_to_replace(netuid).ok_or(Error::<T>::NoNeuronIdAvailable)?;
            Self::clear_slot(netuid, uid, n);
            uid
        };
        Self::occupy_slot(netuid, uid, hotkey);
        Ok(uid)
    }

    /// Writes a hotkey into a slot that was made or cleared for it.
    pub(crate) fn occupy_slot(netuid: NetUid, uid: u16, hotkey: &T::AccountId) {
        let now = Self::current_block();
        Keys::<T>::insert(netuid, uid, hotkey);
        Uids::<T>::insert(netuid, hotkey, uid);
        IsNetworkMember::<T>::insert(hotkey, netuid, true);
        BlockAtRegistration::<T>::insert(netuid, uid, now);
        for index in Self::mechanism_indices(netuid) {
            LastUpdate::<T>::mutate(index, |blocks| set_at(blocks, uid, now));
        }
    }

    /// Lengthens every vector of a subnet by one zero.
    pub(crate) fn append_slot(netuid: NetUid, n: u16) {
        SubnetworkN::<T>::insert(netuid, n.saturating_add(1));
        Active::<T>::mutate(netuid, |all| set_at(all, n, true));
        Emission::<T>::mutate(netuid, |all| set_at(all, n, 0));
        StakeWeight::<T>::mutate(netuid, |all| set_at(all, n, 0));
        Consensus::<T>::mutate(netuid, |all| set_at(all, n, 0));
        Dividends::<T>::mutate(netuid, |all| set_at(all, n, 0));
        ValidatorTrust::<T>::mutate(netuid, |all| set_at(all, n, 0));
        ValidatorPermit::<T>::mutate(netuid, |all| set_at(all, n, false));
        for index in Self::mechanism_indices(netuid) {
            Incentive::<T>::mutate(index, |all| set_at(all, n, 0));
        }
    }

    /// Removes the holder of a uid and all that was known about it. Its stake stays its own.
    ///
    /// The loop runs over the weight rows of a subnet: at most 256 over all its mechanisms.
    pub(crate) fn clear_slot(netuid: NetUid, uid: u16, n: u16) {
        let former = Keys::<T>::get(netuid, uid);
        Uids::<T>::remove(netuid, &former);
        IsNetworkMember::<T>::remove(&former, netuid);
        Axons::<T>::remove(netuid, &former);
        Prometheus::<T>::remove(netuid, &former);
        NeuronCertificates::<T>::remove(netuid, &former);
        Active::<T>::mutate(netuid, |all| set_at(all, uid, true));
        Emission::<T>::mutate(netuid, |all| set_at(all, uid, 0));
        Consensus::<T>::mutate(netuid, |all| set_at(all, uid, 0));
        Dividends::<T>::mutate(netuid, |all| set_at(all, uid, 0));
        ValidatorTrust::<T>::mutate(netuid, |all| set_at(all, uid, 0));
        ValidatorPermit::<T>::mutate(netuid, |all| set_at(all, uid, false));
        for index in Self::mechanism_indices(netuid) {
            Incentive::<T>::mutate(index, |all| set_at(all, uid, 0));
            Weights::<T>::remove(index, uid);
            Bonds::<T>::remove(index, uid);
            WeightCommits::<T>::remove(index, &former);
            for row in 0..n {
                if Weights::<T>::contains_key(index, row) {
                    Weights::<T>::mutate(index, row, |weights| forget(weights, uid));
                }
            }
        }
    }

    /// Finds the neuron that gives way: the one that earned least, then the oldest, then the lowest uid.
    ///
    /// Immune neurons are spared while more than `MinNonImmuneUids` others exist; the owner's are never taken.
    pub(crate) fn neuron_to_replace(netuid: NetUid) -> Option<u16> {
        let emission = Emission::<T>::get(netuid);
        let owned = Self::immune_owner_uids(netuid);
        let (mut immune, mut others, mut count) = (None, None, 0u16);
        for uid in 0..SubnetworkN::<T>::get(netuid) {
            if owned.contains(&uid) {
                continue;
            }
            let earned = emission.get(usize::from(uid)).copied().unwrap_or(0);
            let candidate = (earned, BlockAtRegistration::<T>::get(netuid, uid), uid);
            let lowest = |best: Option<_>| Some(best.map_or(candidate, |best| candidate.min(best)));
            if Self::is_immune(netuid, uid) {
                immune = lowest(immune);
            } else {
                others = lowest(others);
                count = count.saturating_add(1);
            }
        }
        let chosen = if count > MinNonImmuneUids::<T>::get(netuid) {
            others
        } else {
            immune.or(others)
        };
        chosen.map(|(_, _, uid)| uid)
    }

    /// Tells whether a neuron is too young to be replaced.
    pub fn is_immune(netuid: NetUid, uid: u16) -> bool {
        let age = Self::current_block().saturating_sub(BlockAtRegistration::<T>::get(netuid, uid));
        age < u64::from(ImmunityPeriod::<T>::get(netuid))
    }

    /// Lists the owner's uids that are never replaced: the chosen hotkey's first, then the oldest.
    ///
    /// The loop runs over the neurons of a subnet, not over the owner's hotkeys, of which there may be more.
    fn immune_owner_uids(netuid: NetUid) -> Vec<u16> {
        let chosen = SubnetOwnerHotkey::<T>::get(netuid);
        let owner = SubnetOwner::<T>::get(netuid);
        let mut uids: Vec<(bool, u64, u16)> = (0..SubnetworkN::<T>::get(netuid))
            .filter_map(|uid| {
                let hotkey = Keys::<T>::get(netuid, uid);
                let owned = hotkey == chosen || Owner::<T>::get(&hotkey) == owner;
                owned.then(|| (hotkey != chosen, BlockAtRegistration::<T>::get(netuid, uid), uid))
            })
            .collect();
        uids.sort_unstable();
        uids.truncate(usize::from(ImmuneOwnerUidsLimit::<T>::get(netuid)));
        uids.into_iter().map(|(_, _, uid)| uid).collect()
    }

    /// Lists the storage indices of a subnet's mechanisms.
    pub(crate) fn mechanism_indices(netuid: NetUid) -> impl Iterator<Item = NetUidStorageIndex> {
        (0..MechanismCountCurrent::<T>::get(netuid))
            .map(move |id| NetUidStorageIndex::new(netuid, MechId(id)))
    }
}

/// Sets one element, lengthening a vector that is too short.
pub(crate) fn set_at<V: Default + Clone>(all: &mut Vec<V>, uid: u16, value: V) {
    let index = usize::from(uid);
    if all.len() <= index {
        all.resize(index.saturating_add(1), V::default());
    }
    if let Some(slot) = all.get_mut(index) {
        *slot = value;
    }
}

/// Sets a row's weight on one uid to 0, where it has one.
fn forget(row: &mut [(u16, u16)], uid: u16) {
    for (target, weight) in row.iter_mut() {
        if *target == uid {
            *weight = 0;
        }
    }
}
