//! Weights that the chain should take: set in the clear, committed and revealed, or sealed for a round.

use crate::{
    arguments::Seeded,
    chain::{apply_signed, wait, Origin, Outcome},
    state::{self, Neuron, Row},
};
use arbor_runtime::*;
use arbor_timelock::{seal, BeaconSecret, PublicKey, SealRandomness};
use codec::{Compact, Encode};
use frame_support::BoundedVec;
use pallet_drand::{BeaconConfig, LastStoredRound, NextUnsignedAt, Pulse, Pulses, PulsesPayload};
use pallet_subtensor::{
    Call, CommitRevealWeightsVersion, MechId, NetUid, NetUidStorageIndex, Pallet, RevealPeriodEpochs,
    WeightCommits,
};
use polkadot_sdk::*;

/// A salted commit whose row is known here.
#[derive(Clone, Debug)]
struct Commit {
    neuron: Neuron,
    mechanism: MechId,
    row: Row,
    salt: Vec<u16>,
    hash: Hash,
}

/// What the hotkeys of one chain remember: rows that they committed, rounds for which they sealed.
#[derive(Default)]
pub struct Memory {
    commits: Vec<Commit>,
    rounds: Vec<u64>,
}

/// A call that should succeed, and who makes it.
pub type Fit = Option<(Origin, RuntimeCall)>;

pub fn signed(who: &AccountId, call: impl Into<RuntimeCall>) -> Fit {
    Some((Origin::Signed(who.clone()), call.into()))
}

/// Makes the calls that carry weights.
pub struct Weighing<'a> {
    pub random: &'a mut Seeded,
    pub memory: &'a mut Memory,
}

impl Weighing<'_> {
    /// Makes a call by its name; `None` if it is not one of weights, or nobody can make it now.
    pub fn fit(&mut self, name: &str) -> Fit {
        match name {
            "set_weights" | "set_mechanism_weights" => self.set(name == "set_weights"),
            "batch_set_weights" => self.set_batch(),
            "commit_weights" | "commit_mechanism_weights" => self.commit(name == "commit_weights"),
            "reveal_weights" | "reveal_mechanism_weights" => self.reveal(name == "reveal_weights"),
            "batch_reveal_weights" => self.reveal_batch(),
            "commit_timelocked_weights" => self.seal(true),
            "commit_timelocked_mechanism_weights" => self.seal(false),
            "write_pulse" => self.pulse(),
            _ => None,
        }
    }

    /// Finds a validator that may weigh now, or a few blocks later.
    fn validator(&mut self, commit_reveal: bool, main_only: bool) -> Option<(Neuron, MechId)> {
        for blocks in [0, 1, 6] {
            wait(blocks);
            let able = state::validators(commit_reveal, main_only);
            if !able.is_empty() {
                return Some(self.random.pick(&able).clone());
            }
        }
        None
    }

    fn set(&mut self, main_only: bool) -> Fit {
        let (neuron, mecid) = self.validator(false, main_only)?;
        let netuid = neuron.netuid;
        let Row {
            uids: dests,
            values: weights,
            version_key,
        } = state::row(netuid, self.random);
        let call: Call<Runtime> = if main_only {
            Call::set_weights {
                netuid,
                dests,
                weights,
                version_key,
            }
        } else {
            Call::set_mechanism_weights {
                netuid,
                mecid,
                dests,
                weights,
                version_key,
            }
        };
        signed(&neuron.hotkey, call)
    }

    /// A batch of a hotkey's rows on every subnet where it may set one.
    fn set_batch(&mut self) -> Fit {
        let (first, _) = self.validator(false, true)?;
        let able = state::validators(false, true);
        let own = able
            .into_iter()
            .filter(|(neuron, _)| neuron.hotkey == first.hotkey);
        let (mut netuids, mut weights, mut version_keys) = (Vec::new(), Vec::new(), Vec::new());
        for (neuron, _) in own {
            let row = state::row(neuron.netuid, self.random);
            netuids.push(Compact(neuron.netuid));
            let pairs = row.uids.into_iter().zip(row.values);
            weights.push(pairs.map(|(uid, value)| (Compact(uid), Compact(value))).collect());
            version_keys.push(Compact(row.version_key));
        }
        let call = Call::batch_set_weights {
            netuids,
            weights,
            version_keys,
        };
        signed(&first.hotkey, call)
    }

    fn commit(&mut self, main_only: bool) -> Fit {
        let (neuron, mecid) = self.validator(true, main_only)?;
        let (netuid, hotkey) = (neuron.netuid, neuron.hotkey.clone());
        let row = state::row(netuid, self.random);
        let salt: Vec<u16> = (0..self.random.below(9))
            .map(|_| self.random.below(1 << 16) as u16)
            .collect();
        let commit_hash = state::commit_hash(&hotkey, NetUidStorageIndex::new(netuid, mecid), &row, &salt);
        self.memory.commits.push(Commit {
            neuron,
            mechanism: mecid,
            row,
            salt,
            hash: commit_hash,
        });
        let call: Call<Runtime> = if main_only {
            Call::commit_weights { netuid, commit_hash }
        } else {
            Call::commit_mechanism_weights {
                netuid,
                mecid,
                commit_hash,
            }
        };
        signed(&hotkey, call)
    }

    /// Finds commits of one hotkey that are to be revealed now, waiting for their epoch; commits first if none is
    /// open.
    fn due(&mut self, main_only: bool) -> Option<Vec<Commit>> {
        for _ in 0..24 {
            let mut due: Vec<Commit> = Vec::new();
            let mut open = false;
            for commit in &self.memory.commits {
                let netuid = commit.neuron.netuid;
                if main_only && commit.mechanism != MechId::MAIN {
                    continue;
                }
                let index = NetUidStorageIndex::new(netuid, commit.mechanism);
                let stored = WeightCommits::<Runtime>::get(index, &commit.neuron.hotkey).unwrap_or_default();
                let Some((_, epoch, ..)) = stored.iter().find(|(hash, ..)| *hash == commit.hash) else {
                    continue;
                };
                let reveal_in = epoch.saturating_add(RevealPeriodEpochs::<Runtime>::get(netuid));
                let epoch = Pallet::<Runtime>::epoch_of_commits(netuid);
                open |= epoch < reveal_in;
                if epoch == reveal_in && !Pallet::<Runtime>::must_pause(&commit.neuron.hotkey) {
                    due.push(commit.clone());
                }
            }
            if let Some(first) = due.first().cloned() {
                let of_first = |commit: &Commit| {
                    commit.neuron.hotkey == first.neuron.hotkey
                        && commit.neuron.netuid == first.neuron.netuid
                        && commit.mechanism == first.mechanism
                };
                due.retain(of_first);
                return Some(due);
            }
            if !open {
                let (origin, call) = self.commit(main_only)?;
                let Origin::Signed(who) = origin else {
                    return None;
                };
                if !matches!(apply_signed(&who, call), Outcome::Succeeded) {
                    return None;
                }
            }
            wait(1);
        }
        None
    }

    fn reveal(&mut self, main_only: bool) -> Fit {
        let due = self.due(main_only)?;
        let commit = self.random.pick(&due).clone();
        let (netuid, mecid, salt) = (commit.neuron.netuid, commit.mechanism, commit.salt);
        let Row {
            uids,
            values,
            version_key,
        } = commit.row;
        let call: Call<Runtime> = if main_only {
            Call::reveal_weights {
                netuid,
                uids,
                values,
                salt,
                version_key,
            }
        } else {
            Call::reveal_mechanism_weights {
                netuid,
                mecid,
                uids,
                values,
                salt,
                version_key,
            }
        };
        signed(&commit.neuron.hotkey, call)
    }

    fn reveal_batch(&mut self) -> Fit {
        let due = self.due(true)?;
        let hotkey = due.first()?.neuron.hotkey.clone();
        let netuid = due.first()?.neuron.netuid;
        let call = Call::batch_reveal_weights {
            netuid,
            uids_list: due.iter().map(|commit| commit.row.uids.clone()).collect(),
            values_list: due.iter().map(|commit| commit.row.values.clone()).collect(),
            salts_list: due.iter().map(|commit| commit.salt.clone()).collect(),
            version_keys: due.iter().map(|commit| commit.row.version_key).collect(),
        };
        signed(&hotkey, call)
    }

    /// Seals a row for a round that is due within some blocks; now and then for another hotkey, with a row that
    /// cannot be set, or as older clients do.
    fn seal(&mut self, main_only: bool) -> Fit {
        let (neuron, mecid) = self.validator(true, main_only)?;
        let Neuron { netuid, hotkey, .. } = neuron;
        let key = PublicKey::parse(&BeaconConfig::<Runtime>::get().public_key)?;
        let mut row = state::row(netuid, self.random);
        let payload = match self.random.below(12) {
            0 => (row.uids, row.values, row.version_key).encode(),
            1 => {
                row.uids.push(u16::MAX);
                row.values.push(1);
                (hotkey.encode(), row.uids, row.values, row.version_key).encode()
            }
            2 => (vec![7u8; 32], row.uids, row.values, row.version_key).encode(),
            3 => vec![7u8; self.random.below(40) as usize],
            _ => (hotkey.encode(), row.uids, row.values, row.version_key).encode(),
        };
        let round = LastStoredRound::<Runtime>::get().max(last_due_round() + self.random.below(6));
        let random = SealRandomness {
            sigma: [self.random.below(256) as u8; 32],
            key: [self.random.below(256) as u8; 32],
            nonce: [self.random.below(256) as u8; 12],
        };
        let commit = BoundedVec::try_from(seal(&key, round, &payload, &random)?).ok()?;
        self.memory.rounds.push(round);
        let commit_reveal_version = CommitRevealWeightsVersion::<Runtime>::get();
        let call: Call<Runtime> = if main_only {
            Call::commit_timelocked_weights {
                netuid,
                commit,
                reveal_round: round,
                commit_reveal_version,
            }
        } else {
            Call::commit_timelocked_mechanism_weights {
                netuid,
                mecid,
                commit,
                reveal_round: round,
                commit_reveal_version,
            }
        };
        signed(&hotkey, call)
    }

    /// Lists the rounds that rows were sealed for, that are due and whose pulses are not stored.
    fn due_rounds(&self) -> Vec<u64> {
        let newest = last_due_round();
        let mut rounds = self.memory.rounds.clone();
        rounds.retain(|round| (1..=newest).contains(round) && !Pulses::<Runtime>::contains_key(round));
        rounds
    }

    /// Tells whether a sealed row waits for a pulse that is due.
    pub fn awaits_pulse(&self) -> bool {
        !self.due_rounds().is_empty()
    }

    /// Hands in the pulses of rounds that rows were sealed for, and of the newest one.
    fn pulse(&mut self) -> Fit {
        if NextUnsignedAt::<Runtime>::get() > System::block_number() {
            wait(1);
        }
        let secret = BeaconSecret::from_phrase(b"arbor development beacon");
        let newest = last_due_round();
        let mut rounds = self.due_rounds();
        if !Pulses::<Runtime>::contains_key(newest) {
            rounds.push(newest);
        }
        rounds.sort_unstable();
        rounds.dedup();
        let some = rounds.split_off(rounds.len().saturating_sub(4));
        let pulses = some.into_iter().map(|round| {
            let signature = secret.sign(round);
            Pulse {
                round,
                randomness: BoundedVec::truncate_from(sp_io::hashing::sha2_256(&signature).to_vec()),
                signature: BoundedVec::truncate_from(signature.to_vec()),
            }
        });
        let pulses_payload = PulsesPayload {
            block_number: 0,
            pulses: pulses.collect(),
            public: sp_runtime::MultiSigner::Sr25519(Default::default()),
        };
        let call = pallet_drand::Call::write_pulse {
            pulses_payload,
            signature: None,
        };
        Some((Origin::Nobody, call.into()))
    }
}

/// Returns the newest round of the development beacon that is due by the chain's clock.
pub fn last_due_round() -> u64 {
    let config = BeaconConfig::<Runtime>::get();
    let now = pallet_timestamp::Now::<Runtime>::get() / 1_000;
    let elapsed = now.saturating_sub(config.genesis_time.into());
    elapsed / u64::from(config.period.max(1)) + 1
}

/// Returns a subnet that has neurons, most often one of the two that were prepared.
pub fn some_subnet(random: &mut Seeded) -> NetUid {
    let all = state::subnets();
    if random.below(3) > 0 {
        NetUid(1 + random.below(2) as u16)
    } else {
        *random.pick(&all)
    }
}
