//! Weights that are committed as a ciphertext which a round of the beacon opens: the chain reveals them itself.

use super::*;
use frame_support::{ensure, traits::ConstU32, BoundedVec};
use sp_runtime::{traits::Hash, DispatchResult};

/// Bytes of ciphertext that wait for one epoch of a mechanism before each hotkey is held to its own share.
pub(crate) const QUEUE_BYTES: usize = 1 << 20;
/// Bytes of ciphertext that a hotkey may add however full the queue is: more than one largest commit of 5 000.
pub(crate) const FAIR_BYTES: usize = 8_192;

/// A timelocked commit on its way into storage.
pub(crate) struct TimelockedCommit {
    pub netuid: NetUid,
    pub mechanism: MechId,
    pub ciphertext: BoundedVec<u8, ConstU32<MAX_COMMIT_BYTES>>,
    pub reveal_round: u64,
    pub version: u16,
}

impl<T: Config> Pallet<T> {
    /// Stores a ciphertext under the epoch that this block belongs to.
    pub(crate) fn do_commit_timelocked_weights(
        hotkey: T::AccountId,
        commit: TimelockedCommit,
    ) -> DispatchResult {
        let TimelockedCommit {
            netuid,
            mechanism,
            ciphertext,
            reveal_round,
            version,
        } = commit;
        Self::ensure_mechanism(netuid, mechanism)?;
        Self::ensure_commit_reveal(netuid)?;
        ensure!(
            version == CommitRevealWeightsVersion::<T>::get(),
            Error::<T>::IncorrectCommitRevealVersion
        );
        let index = NetUidStorageIndex::new(netuid, mechanism);
        let uid = Self::ensure_may_commit(&hotkey, netuid, index)?;
        ensure!(
            reveal_round >= T::Beacon::last_round(),
            Error::<T>::InvalidRevealRound
        );
        let hash = T::Hashing::hash(&ciphertext);
        TimelockedWeightCommits::<T>::try_mutate(index, Self::epoch_of_commits(netuid), |queue| {
            Self::ensure_room(queue, &hotkey, ciphertext.len())?;
            queue.push_back((hotkey.clone(), Self::current_block(), ciphertext, reveal_round));
            DispatchResult::Ok(())
        })?;
        Self::touch(index, uid);
        Self::deposit_event(Event::TimelockedWeightsCommitted(
            hotkey,
            index,
            hash,
            reveal_round,
        ));
        Ok(())
    }

    /// Refuses an eleventh commit of a hotkey, and more than its share once the queue is full.
    fn ensure_room(queue: &TimelockedQueue<T>, hotkey: &T::AccountId, bytes: usize) -> DispatchResult {
        let (mut all, mut own, mut count) = (bytes, bytes, 0usize);
        for (who, _, ciphertext, _) in queue {
            all = all.saturating_add(ciphertext.len());
            if who == hotkey {
                own = own.saturating_add(ciphertext.len());
                count = count.saturating_add(1);
            }
        }
        let room = count < commit_reveal::MAX_OPEN_COMMITS && (all <= QUEUE_BYTES || own <= FAIR_BYTES);
        ensure!(room, Error::<T>::TooManyUnrevealedCommits);
        Ok(())
    }
}
