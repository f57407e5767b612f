//! What must hold after every block. Reads all stake, so it is for tests and audits, never for a block.

use super::*;
use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
};

impl<T: Config> Pallet<T> {
    /// Checks the books of TAO and alpha, the shares, and the tables of neurons.
    ///
    /// - Every rao of the issuance is in a balance or a pool.
    /// - Alpha outside of a pool is staked, pending, burned or dust.
    /// - A hotkey's shares are those of its coldkeys.
    /// - Uids and hotkeys map to each other, and every vector of every mechanism is as long as the subnet.
    /// - Rows of weights and bonds are those of neurons, on neurons, each named once.
    /// - Nobody owns or stakes to more hotkeys than the bounds say.
    /// - Open commits belong to registered hotkeys, existing mechanisms and epochs that have begun, within their bounds.
    pub fn check_invariants() -> Result<(), String> {
        Self::check_tao()?;
        let staked = Self::staked_by_subnet();
        for (netuid, _) in NetworksAdded::<T>::iter().filter(|(_, added)| *added) {
            Self::check_alpha(netuid, staked.get(&netuid).copied().unwrap_or(0))?;
            Self::check_neurons(netuid)?;
            for mechanism in 0..MechanismCountCurrent::<T>::get(netuid).into() {
                Self::check_mechanism(netuid, MechId(mechanism))?;
            }
        }
        Self::check_hotkeys()?;
        Self::check_commits()?;
        Self::check_shares()
    }

    fn check_commits() -> Result<(), String> {
        let exists = |index: NetUidStorageIndex| {
            let mechanism = index.0 / NetUidStorageIndex::STRIDE;
            mechanism < MechanismCountCurrent::<T>::get(index.netuid()).into()
        };
        for (index, hotkey, commits) in WeightCommits::<T>::iter() {
            let next = SubnetEpochIndex::<T>::get(index.netuid()).saturating_add(1);
            let epochs_begun = commits.iter().all(|(_, epoch, _, _)| *epoch <= next);
            let bounded = (1..=commit_reveal::MAX_OPEN_COMMITS).contains(&commits.len());
            if !epochs_begun
                || !bounded
                || !exists(index)
                || !Uids::<T>::contains_key(index.netuid(), &hotkey)
            {
                return Err(format!(
                    "the {} salted commits of {hotkey:?} at index {index} cannot be",
                    commits.len()
                ));
            }
        }
        for (index, epoch, queue) in TimelockedWeightCommits::<T>::iter() {
            let next = SubnetEpochIndex::<T>::get(index.netuid()).saturating_add(1);
            let mut own: BTreeMap<&T::AccountId, (usize, usize)> = BTreeMap::new();
            for (hotkey, _, ciphertext, _) in &queue {
                let (count, bytes) = own.entry(hotkey).or_default();
                *count = count.saturating_add(1);
                *bytes = bytes.saturating_add(ciphertext.len());
            }
            let counted = own
                .values()
                .all(|(count, _)| *count <= commit_reveal::MAX_OPEN_COMMITS);
            // Beyond the common room, every hotkey may have filled its share.
            let bytes = own
                .values()
                .fold(0usize, |sum, (_, bytes)| sum.saturating_add(*bytes));
            let shares = own.len().saturating_mul(timelocked::FAIR_BYTES);
            let bounded = bytes <= timelocked::QUEUE_BYTES.saturating_add(shares);
            if queue.is_empty() || epoch > next || !counted || !bounded || !exists(index) {
                return Err(format!(
                    "the {} timelocked commits of epoch {epoch} at index {index} cannot be",
                    queue.len()
                ));
            }
        }
        Ok(())
    }

    fn check_tao() -> Result<(), String> {
        let pools: u64 = SubnetTAO::<T>::iter_values().fold(0, |sum, rao| sum.saturating_add(rao));
        let (stake, total) = (TotalStake::<T>::get(), TotalIssuance::<T>::get());
        if pools != stake {
            return Err(format!(
                "TotalStake is {stake} rao, but the pools hold {pools} rao"
            ));
        }
        let balances = Self::balances_issuance();
        if total != balances.saturating_add(pools) {
            return Err(format!(
                "TotalIssuance is {total} rao, but balances hold {balances} and pools {pools} rao"
            ));
        }
        Ok(())
    }

    fn staked_by_subnet() -> BTreeMap<NetUid, u64> {
        let mut staked = BTreeMap::new();
        for (_, netuid, alpha) in TotalHotkeyAlpha::<T>::iter() {
            let sum: &mut u64 = staked.entry(netuid).or_default();
            *sum = sum.saturating_add(alpha);
        }
        staked
    }

    fn check_alpha(netuid: NetUid, staked: u64) -> Result<(), String> {
        let parts = [
            staked,
            PendingServerEmission::<T>::get(netuid),
            PendingValidatorEmission::<T>::get(netuid),
            PendingRootAlphaDivs::<T>::get(netuid),
            PendingOwnerCut::<T>::get(netuid),
            SubnetAlphaBurned::<T>::get(netuid),
            SubnetAlphaDust::<T>::get(netuid),
        ];
        let booked = parts.iter().fold(0u64, |sum, part| sum.saturating_add(*part));
        let out = SubnetAlphaOut::<T>::get(netuid);
        if out != booked {
            return Err(format!(
                "SubnetAlphaOut of subnet {netuid} is {out}, but {booked} is booked: \
                 [staked, server, validator, root, owner, burned, dust] = {parts:?}"
            ));
        }
        Ok(())
    }

    fn check_shares() -> Result<(), String> {
        let mut shares: BTreeMap<(T::AccountId, NetUid), u128> = BTreeMap::new();
        for ((hotkey, _, netuid), share) in Alpha::<T>::iter() {
            let sum = shares.entry((hotkey, netuid)).or_default();
            *sum = sum.saturating_add(share.bits);
        }
        for (hotkey, netuid, total) in TotalHotkeyShares::<T>::iter() {
            let sum = shares.remove(&(hotkey.clone(), netuid)).unwrap_or(0);
            if sum != total.bits {
                return Err(format!(
                    "shares in {hotkey:?} on subnet {netuid} add up to {sum}, not {}",
                    total.bits
                ));
            }
        }
        match shares.into_iter().find(|(_, sum)| *sum > 0) {
            Some(((hotkey, netuid), sum)) => Err(format!(
                "{sum} shares in {hotkey:?} on subnet {netuid} belong to no total"
            )),
            None => Ok(()),
        }
    }

    fn check_neurons(netuid: NetUid) -> Result<(), String> {
        let n = SubnetworkN::<T>::get(netuid);
        for uid in 0..n {
            let hotkey = Keys::<T>::get(netuid, uid);
            if Uids::<T>::get(netuid, &hotkey) != Some(uid) || !IsNetworkMember::<T>::get(&hotkey, netuid) {
                return Err(format!(
                    "uid {uid} of subnet {netuid} and its hotkey {hotkey:?} do not agree"
                ));
            }
        }
        let known = Uids::<T>::iter_prefix(netuid).count();
        let lengths = [
            known,
            Active::<T>::get(netuid).len(),
            StakeWeight::<T>::get(netuid).len(),
            Consensus::<T>::get(netuid).len(),
            Dividends::<T>::get(netuid).len(),
            Emission::<T>::get(netuid).len(),
            ValidatorTrust::<T>::get(netuid).len(),
            ValidatorPermit::<T>::get(netuid).len(),
        ];
        if lengths.iter().any(|length| *length != usize::from(n)) {
            return Err(format!(
                "subnet {netuid} has {n} neurons, but [uids, active, stake weight, consensus, dividends, \
                 emission, trust, permit] have {lengths:?}"
            ));
        }
        Ok(())
    }

    fn check_mechanism(netuid: NetUid, mechanism: MechId) -> Result<(), String> {
        let n = SubnetworkN::<T>::get(netuid);
        let index = NetUidStorageIndex::new(netuid, mechanism);
        let lengths = [
            Incentive::<T>::get(index).len(),
            LastUpdate::<T>::get(index).len(),
        ];
        if lengths.iter().any(|length| *length != usize::from(n)) {
            return Err(format!(
                "subnet {netuid} has {n} neurons, but [incentive, last update] of mechanism {mechanism:?} have {lengths:?}"
            ));
        }
        let rows = Weights::<T>::iter_prefix(index).chain(Bonds::<T>::iter_prefix(index));
        for (uid, row) in rows {
            let targets: BTreeSet<u16> = row.iter().map(|(target, _)| *target).collect();
            let known = uid < n && targets.iter().all(|target| *target < n);
            if !known || targets.len() != row.len() {
                return Err(format!(
                    "a row of uid {uid} of {n} at index {index} names neurons that are not there, or one twice: {row:?}"
                ));
            }
        }
        Ok(())
    }

    fn check_hotkeys() -> Result<(), String> {
        let owned =
            OwnedHotkeys::<T>::iter().map(|(who, keys)| (who, keys.len(), defaults::MAX_OWNED_HOTKEYS));
        let staking =
            StakingHotkeys::<T>::iter().map(|(who, keys)| (who, keys.len(), defaults::MAX_STAKING_HOTKEYS));
        match owned.chain(staking).find(|(_, count, most)| count > most) {
            Some((coldkey, count, most)) => Err(format!(
                "{coldkey:?} owns or stakes to {count} hotkeys, which is more than {most}"
            )),
            None => Ok(()),
        }
    }
}
