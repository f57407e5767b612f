//! Weights that are committed by their salted hash and revealed by their signer an epoch or more later.

use super::*;
use crate::weights::{Setting, WeightRow};
use arbor_math::schedule;
use frame_support::ensure;
use sp_runtime::{traits::Hash, DispatchResult};

/// Commits that a hotkey may have open on a mechanism.
pub(crate) const MAX_OPEN_COMMITS: usize = 10;

/// A salted commit as it is stored: hash, epoch, block, and a number that is always 0.
type SaltedCommit<T> = (<T as frame_system::Config>::Hash, u64, u64, u64);

impl<T: Config> Pallet<T> {
    /// Stores the hash of a row that will be revealed.
    pub(crate) fn do_commit_weights(
        hotkey: T::AccountId,
        netuid: NetUid,
        mechanism: MechId,
        hash: T::Hash,
    ) -> DispatchResult {
        Self::ensure_mechanism(netuid, mechanism)?;
        Self::ensure_commit_reveal(netuid)?;
        let index = NetUidStorageIndex::new(netuid, mechanism);
        let uid = Self::ensure_may_commit(&hotkey, netuid, index)?;
        let mut commits = WeightCommits::<T>::get(index, &hotkey).unwrap_or_default();
        commits.retain(|(_, epoch, _, _)| !Self::is_commit_expired(netuid, *epoch));
        ensure!(
            commits.len() < MAX_OPEN_COMMITS,
            Error::<T>::TooManyUnrevealedCommits
        );
        let epoch = Self::epoch_of_commits(netuid);
        commits.push((hash, epoch, Self::current_block(), 0));
        WeightCommits::<T>::insert(index, &hotkey, commits);
        Self::touch(index, uid);
        Self::deposit_event(Event::WeightsCommitted(hotkey, index, hash));
        Ok(())
    }

    /// Sets the weights whose salted hash was committed; older commits of the hotkey fall away with it.
    pub(crate) fn do_reveal_weights(hotkey: T::AccountId, row: WeightRow, salt: &[u16]) -> DispatchResult {
        let (netuid, index) = (row.netuid, NetUidStorageIndex::new(row.netuid, row.mechanism));
        let hash = Self::commit_hash(&hotkey, index, &row, salt);
        let (mut open, expired) = Self::open_commits(&hotkey, netuid, index)?;
        ensure!(
            !open.is_empty() || expired.contains(&hash),
            Error::<T>::NoWeightsCommitFound
        );
        let at = Self::find_commit(&open, &expired, netuid, hash)?;
        let commit_block = open.get(at).map_or(0, |commit| commit.2);
        open.drain(..=at);
        Self::put_commits(index, &hotkey, open);
        Self::store_weights(&hotkey, row, Setting::Revealed { commit_block })?;
        Self::deposit_event(Event::WeightsRevealed(hotkey, index, hash));
        Ok(())
    }

    /// Reveals several rows of the main mechanism, all or none; the last one stays.
    pub(crate) fn do_batch_reveal_weights(
        hotkey: T::AccountId,
        netuid: NetUid,
        rows: Vec<(WeightRow, Vec<u16>)>,
    ) -> DispatchResult {
        let index = NetUidStorageIndex::new(netuid, MechId::MAIN);
        let (mut open, expired) = Self::open_commits(&hotkey, netuid, index)?;
        let mut hashes = Vec::with_capacity(rows.len());
        for (row, salt) in rows {
            let hash = Self::commit_hash(&hotkey, index, &row, &salt);
            let at = Self::find_commit(&open, &expired, netuid, hash)?;
            let (_, _, commit_block, _) = open.remove(at);
            Self::store_weights(&hotkey, row, Setting::Revealed { commit_block })?;
            hashes.push(hash);
        }
        Self::put_commits(index, &hotkey, open);
        Self::deposit_event(Event::WeightsBatchRevealed(hotkey, netuid, hashes));
        Ok(())
    }

    /// Returns a hotkey's open commits, oldest first, and the hashes of those that are too old.
    fn open_commits(
        hotkey: &T::AccountId,
        netuid: NetUid,
        index: NetUidStorageIndex,
    ) -> Result<(Vec<SaltedCommit<T>>, Vec<T::Hash>), sp_runtime::DispatchError> {
        Self::ensure_subnet(netuid)?;
        Self::ensure_commit_reveal(netuid)?;
        let commits = WeightCommits::<T>::get(index, hotkey).ok_or(Error::<T>::NoWeightsCommitFound)?;
        let (expired, open): (Vec<_>, Vec<_>) = commits
            .into_iter()
            .partition(|(_, epoch, _, _)| Self::is_commit_expired(netuid, *epoch));
        Ok((open, expired.into_iter().map(|commit| commit.0).collect()))
    }

    /// Finds the place of a commit that may be revealed now.
    fn find_commit(
        open: &[SaltedCommit<T>],
        expired: &[T::Hash],
        netuid: NetUid,
        hash: T::Hash,
    ) -> Result<usize, sp_runtime::DispatchError> {
        let found = open
            .iter()
            .enumerate()
            .find(|(_, commit)| commit.0 == hash)
            .map(|(at, commit)| (at, commit.1));
        let Some((at, epoch)) = found else {
            let late = expired.contains(&hash);
            ensure!(!late, Error::<T>::ExpiredWeightCommit);
            return Err(Error::<T>::InvalidRevealCommitHashNotMatch.into());
        };
        let due = epoch.saturating_add(RevealPeriodEpochs::<T>::get(netuid));
        ensure!(Self::epoch_of_commits(netuid) == due, Error::<T>::RevealTooEarly);
        Ok(at)
    }

    /// Stores a hotkey's commits, or removes the entry when none is left.
    fn put_commits(index: NetUidStorageIndex, hotkey: &T::AccountId, commits: Vec<SaltedCommit<T>>) {
        if commits.is_empty() {
            WeightCommits::<T>::remove(index, hotkey);
        } else {
            WeightCommits::<T>::insert(index, hotkey, commits);
        }
    }

    /// Hashes a row as its signer did: account, index, uids, values, salt, version key.
    fn commit_hash(
        hotkey: &T::AccountId,
        index: NetUidStorageIndex,
        row: &WeightRow,
        salt: &[u16],
    ) -> T::Hash {
        let (uids, values) = (row.uids.as_slice(), row.values.as_slice());
        T::Hashing::hash_of(&(hotkey, index, uids, values, salt, row.version_key))
    }

    /// Refuses where weights are set directly.
    pub(crate) fn ensure_commit_reveal(netuid: NetUid) -> DispatchResult {
        let enabled = CommitRevealWeightsEnabled::<T>::get(netuid);
        ensure!(enabled, Error::<T>::CommitRevealDisabled);
        Ok(())
    }

    /// Refuses a hotkey without a uid and one that committed less than the rate limit ago; returns its uid.
    pub(crate) fn ensure_may_commit(
        hotkey: &T::AccountId,
        netuid: NetUid,
        index: NetUidStorageIndex,
    ) -> Result<u16, sp_runtime::DispatchError> {
        let uid = Uids::<T>::get(netuid, hotkey).ok_or(Error::<T>::HotKeyNotRegisteredInSubNet)?;
        Self::ensure_weight_rate(index, netuid, uid, Error::<T>::CommittingWeightsTooFast)?;
        Ok(uid)
    }

    /// Returns the epoch that a commit or reveal of this block belongs to: the next one while one is due.
    ///
    /// An epoch is due after the block began only if it had to wait for the next block; before that, the reveals
    /// of the epoch that is about to begin come first.
    pub fn epoch_of_commits(netuid: NetUid) -> u64 {
        let due = schedule::is_due(&Self::schedule_of(netuid), Self::current_block());
        SubnetEpochIndex::<T>::get(netuid).saturating_add(due.into())
    }

    /// Tells whether the epoch in which a commit had to be revealed is over.
    pub fn is_commit_expired(netuid: NetUid, epoch: u64) -> bool {
        let last = epoch.saturating_add(RevealPeriodEpochs::<T>::get(netuid));
        Self::epoch_of_commits(netuid) > last
    }
}
