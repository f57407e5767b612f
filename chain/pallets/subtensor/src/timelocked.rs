//! Weights that are committed as a ciphertext which a round of the beacon opens: the chain reveals them itself.

use super::*;
use crate::{
    weight_info::WeightInfo,
    weights::{Setting, WeightRow},
};
use arbor_timelock::{open, OpenError, Signature};
use codec::{Decode, DecodeAll};
use frame_support::{
    ensure,
    storage::with_storage_layer,
    traits::{ConstU32, Get},
    weights::Weight,
    BoundedVec,
};
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

/// A row as clients seal it.
#[derive(Decode)]
struct SealedRow {
    hotkey: Vec<u8>,
    uids: Vec<u16>,
    values: Vec<u16>,
    version_key: u64,
}

/// A row as older clients sealed it: without the hotkey that it belongs to.
#[derive(Decode)]
struct NamelessRow {
    uids: Vec<u16>,
    values: Vec<u16>,
    version_key: u64,
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

    /// Opens what is due on all subnets, and drops what came too late; returns its weight.
    ///
    /// A commit is due in the epoch that comes `RevealPeriodEpochs` after its own, from the block on in which that
    /// epoch begins, once the pulse of its round is stored. A block tries at most `MaxOpenedPerBlock`, shared evenly
    /// among the mechanisms where commits wait, each block beginning with another one.
    pub(crate) fn reveal_timelocked(subnets: &[NetUid]) -> Weight {
        let mut waiting: Vec<(NetUid, MechId)> = subnets
            .iter()
            .flat_map(|netuid| (0..MechanismCountCurrent::<T>::get(netuid)).map(|id| (*netuid, MechId(id))))
            .filter(|(netuid, mechanism)| Self::has_due_commits(*netuid, *mechanism))
            .collect();
        let turn = usize::try_from(Self::current_block()).unwrap_or(0);
        let first = turn.checked_rem(waiting.len()).unwrap_or(0);
        waiting.rotate_left(first);
        let mut left = T::MaxOpenedPerBlock::get();
        for (done, (netuid, mechanism)) in waiting.iter().enumerate() {
            let others = u32::try_from(waiting.len().saturating_sub(done)).unwrap_or(u32::MAX);
            let share = left.div_ceil(others.max(1));
            left = left.saturating_sub(Self::reveal_mechanism(*netuid, *mechanism, share));
        }
        let opened = T::MaxOpenedPerBlock::get().saturating_sub(left);
        Self::weight_of_opening(waiting.len() as u64, opened)
    }

    /// Weighs the opening of commits: each costs a pairing, and sets a row of up to 256 weights; each mechanism that
    /// has some costs the reading of its neurons, and each queue its own reading, however little of it opens.
    fn weight_of_opening(queues: u64, opened: u32) -> Weight {
        let kept = T::WeightInfo::keep_timelocked().saturating_mul(queues);
        if opened == 0 {
            return kept;
        }
        let others = queues.min(opened.into()).saturating_sub(1);
        T::WeightInfo::open_timelocked(opened)
            .saturating_add(T::WeightInfo::open_timelocked(0).saturating_mul(others))
            .saturating_add(kept)
    }

    /// Returns the epoch whose commits are due now, if there has been one.
    pub(crate) fn due_epoch(netuid: NetUid) -> Option<u64> {
        Self::epoch_of_commits(netuid).checked_sub(RevealPeriodEpochs::<T>::get(netuid))
    }

    /// Tells whether a mechanism keeps commits of the due epoch or older ones.
    fn has_due_commits(netuid: NetUid, mechanism: MechId) -> bool {
        let index = NetUidStorageIndex::new(netuid, mechanism);
        Self::due_epoch(netuid)
            .is_some_and(|due| TimelockedWeightCommits::<T>::iter_key_prefix(index).any(|epoch| epoch <= due))
    }

    /// Opens at most `limit` due commits of a mechanism, oldest first; returns how many it tried.
    pub(crate) fn reveal_mechanism(netuid: NetUid, mechanism: MechId, limit: u32) -> u32 {
        let Some(due) = Self::due_epoch(netuid) else {
            return 0;
        };
        let index = NetUidStorageIndex::new(netuid, mechanism);
        let mut epochs: Vec<u64> = TimelockedWeightCommits::<T>::iter_key_prefix(index)
            .filter(|epoch| *epoch <= due)
            .collect();
        epochs.sort_unstable();
        let mut tried = 0;
        for epoch in epochs {
            let before = TimelockedWeightCommits::<T>::get(index, epoch);
            let length = before.len();
            let (kept, more) = Self::open_queue((netuid, mechanism), before, limit.saturating_sub(tried));
            tried = tried.saturating_add(more);
            let kept = Self::drop_late(index, kept, due.saturating_sub(epoch));
            if kept.is_empty() {
                TimelockedWeightCommits::<T>::remove(index, epoch);
            } else if kept.len() != length {
                TimelockedWeightCommits::<T>::insert(index, epoch, kept);
            }
        }
        tried
    }

    /// Opens at most `limit` commits whose pulse is stored; returns those that stay, and how many it tried.
    fn open_queue(
        (netuid, mechanism): (NetUid, MechId),
        queue: TimelockedQueue<T>,
        limit: u32,
    ) -> (TimelockedQueue<T>, u32) {
        let index = NetUidStorageIndex::new(netuid, mechanism);
        let (mut kept, mut tried) = (TimelockedQueue::<T>::new(), 0u32);
        let mut last: (u64, Option<Signature>) = (0, None); // most commits of an epoch name one round
        for commit in queue {
            let (hotkey, block, ciphertext, round) = &commit;
            if tried < limit && last.0 != *round {
                last = (*round, Self::signature_of(*round));
            }
            let Some(signature) = last.1.filter(|_| tried < limit && last.0 == *round) else {
                kept.push_back(commit);
                continue;
            };
            tried = tried.saturating_add(1);
            let row = Self::open_row((netuid, mechanism), hotkey, ciphertext, &signature);
            let setting = Setting::Revealed { commit_block: *block };
            let set = row.and_then(|row| {
                // A refused row must leave nothing behind.
                with_storage_layer(|| Self::store_weights(hotkey, row, setting)).map_err(DropReason::Refused)
            });
            if let Err(reason) = set {
                Self::drop_commit(index, hotkey, *block, reason);
                continue;
            }
            Self::deposit_event(Event::TimelockedWeightsRevealed(index, hotkey.clone()));
            // What the hotkey committed before must not overwrite this row when its pulse comes late.
            kept.retain(|(other, earlier, _, _)| {
                if other == hotkey {
                    Self::drop_commit(index, other, *earlier, DropReason::Superseded);
                }
                other != hotkey
            });
        }
        (kept, tried)
    }

    /// Drops commits whose reveal epoch is over: at once if there is no pulse, an epoch later if only the turn of
    /// the commit did not come.
    fn drop_late(
        index: NetUidStorageIndex,
        queue: TimelockedQueue<T>,
        epochs_late: u64,
    ) -> TimelockedQueue<T> {
        if epochs_late == 0 {
            return queue;
        }
        let (crowded, lost): (TimelockedQueue<T>, TimelockedQueue<T>) = queue
            .into_iter()
            .partition(|(_, _, _, round)| T::Beacon::signature(*round).is_some());
        for (hotkey, block, _, _) in lost {
            Self::drop_commit(index, &hotkey, block, DropReason::NoPulse);
        }
        if epochs_late == 1 {
            return crowded;
        }
        for (hotkey, block, _, _) in crowded {
            Self::drop_commit(index, &hotkey, block, DropReason::Crowded);
        }
        TimelockedQueue::<T>::new()
    }

    /// Drops all commits of a mechanism that is being removed.
    pub(crate) fn drop_mechanism_commits(index: NetUidStorageIndex) {
        for (_, queue) in TimelockedWeightCommits::<T>::drain_prefix(index) {
            for (hotkey, block, _, _) in queue {
                let reason = DropReason::Refused(Error::<T>::MechanismDoesNotExist.into());
                Self::drop_commit(index, &hotkey, block, reason);
            }
        }
    }

    /// Says that a commit is lost, and why.
    fn drop_commit(index: NetUidStorageIndex, hotkey: &T::AccountId, block: u64, reason: DropReason) {
        Self::deposit_event(Event::TimelockedWeightsDropped(
            index,
            hotkey.clone(),
            block,
            reason,
        ));
    }

    /// Reads the signature of a round, if it is stored.
    fn signature_of(round: u64) -> Option<Signature> {
        if round > T::Beacon::last_round() {
            return None;
        }
        Signature::parse(&T::Beacon::signature(round)?)
    }

    /// Opens a ciphertext and reads the row in it.
    fn open_row(
        (netuid, mechanism): (NetUid, MechId),
        hotkey: &T::AccountId,
        ciphertext: &[u8],
        signature: &Signature,
    ) -> Result<WeightRow, DropReason> {
        let bytes = open(ciphertext, signature).map_err(|why| match why {
            OpenError::Malformed => DropReason::BadCiphertext,
            OpenError::WrongKey | OpenError::Altered => DropReason::NotOpened,
        })?;
        let (uids, values, version_key) = match SealedRow::decode_all(&mut &bytes[..]) {
            Ok(row) => {
                let named = T::AccountId::decode_all(&mut &row.hotkey[..]);
                ensure!(named.as_ref() == Ok(hotkey), DropReason::ForeignHotkey);
                (row.uids, row.values, row.version_key)
            }
            Err(_) => {
                let row = NamelessRow::decode_all(&mut &bytes[..]).map_err(|_| DropReason::BadPayload)?;
                (row.uids, row.values, row.version_key)
            }
        };
        Ok(WeightRow {
            netuid,
            mechanism,
            uids,
            values,
            version_key,
        })
    }
}
