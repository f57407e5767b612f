//! The epoch of a subnet: storage in, `arbor-math`, storage out.

use super::*;
use alloc::collections::BTreeSet;
use arbor_math::{mechanisms, run_epoch, schedule, wide::mul_div, EpochInput, EpochOutput};
use frame_support::weights::Weight;

/// What an epoch found for the neurons of a subnet, all mechanisms together; vectors are indexed by uid.
pub(crate) struct EpochResult {
    pub hotkeys: Vec<(u16, NeuronEarnings)>,
    /// Rows of weights or bonds that were read, all mechanisms together.
    pub rows: u32,
}

/// What one neuron earned, in alpha.
#[derive(Clone, Copy, Default)]
pub(crate) struct NeuronEarnings {
    pub server: u64,
    pub validator: u64,
}

impl<T: Config> Pallet<T> {
    /// Runs a subnet's epoch and pays what has been waiting for it; returns the weight of that.
    pub(crate) fn run_epoch(netuid: NetUid) -> Weight {
        if !Self::neurons_are_consistent(netuid) {
            let block = Self::current_block();
            Self::deposit_event(Event::EpochSkipped { netuid, block });
            return Self::epoch_weight(netuid, 0);
        }
        let pending = Self::take_pending(netuid);
        let result = Self::run_mechanisms(netuid, pending.for_neurons());
        Self::distribute(netuid, pending, &result.hotkeys);
        LastMechansimStepBlock::<T>::insert(netuid, Self::current_block());
        Self::epoch_weight(netuid, result.rows)
    }

    /// Tells whether every uid has a hotkey of its own.
    fn neurons_are_consistent(netuid: NetUid) -> bool {
        let n = SubnetworkN::<T>::get(netuid);
        let hotkeys: BTreeSet<T::AccountId> = (0..n).map(|uid| Keys::<T>::get(netuid, uid)).collect();
        hotkeys.len() == usize::from(n)
    }

    /// Runs each mechanism with its part of the emission and stores what they found.
    pub(crate) fn run_mechanisms(netuid: NetUid, emission: u64) -> EpochResult {
        let count = MechanismCountCurrent::<T>::get(netuid).max(1);
        let split = MechanismEmissionSplit::<T>::get(netuid);
        let amounts = mechanisms::split_amount(emission, count, split.as_deref());
        let parts = mechanisms::split_amount(u16::MAX.into(), count, split.as_deref());
        let mut outputs: Vec<(u64, EpochOutput)> = Vec::new();
        let mut rows = 0u32;
        for ((id, amount), part) in (0..count).zip(amounts).zip(parts) {
            let index = NetUidStorageIndex::new(netuid, MechId(id));
            let input = Self::epoch_input(netuid, index, amount);
            rows = rows.saturating_add(weighing::rows_of(&input));
            let output = run_epoch(&input);
            Self::store_mechanism(netuid, index, &output);
            outputs.push((part, output));
        }
        Self::store_neurons(netuid, &outputs);
        let n = SubnetworkN::<T>::get(netuid);
        let hotkeys = (0..n).map(|uid| {
            let sum = |pick: fn(&EpochOutput) -> &Vec<u64>| {
                outputs.iter().fold(0u64, |sum, (_, output)| {
                    sum.saturating_add(pick(output).get(usize::from(uid)).copied().unwrap_or(0))
                })
            };
            let server = sum(|output| &output.server_emission);
            (
                uid,
                NeuronEarnings {
                    server,
                    validator: sum(|output| &output.validator_emission),
                },
            )
        });
        EpochResult {
            hotkeys: hotkeys.collect(),
            rows,
        }
    }

    /// Reads everything that an epoch of one mechanism depends on.
    pub(crate) fn epoch_input(netuid: NetUid, index: NetUidStorageIndex, rao_emission: u64) -> EpochInput {
        let n = SubnetworkN::<T>::get(netuid);
        let tempo = Tempo::<T>::get(netuid);
        let (alpha_low, alpha_high) = AlphaValues::<T>::get(netuid);
        EpochInput {
            n,
            current_block: Self::current_block(),
            tempo,
            activity_cutoff: schedule::activity_cutoff(ActivityCutoffFactorMilli::<T>::get(netuid), tempo),
            last_update: LastUpdate::<T>::get(index),
            block_at_registration: (0..n)
                .map(|uid| BlockAtRegistration::<T>::get(netuid, uid))
                .collect(),
            last_mechanism_step_block: LastMechansimStepBlock::<T>::get(netuid),
            stake: (0..n)
                .map(|uid| Self::stake_weight(&Keys::<T>::get(netuid, uid), netuid))
                .collect(),
            min_stake: StakeThreshold::<T>::get(),
            owner_uid: Uids::<T>::get(netuid, SubnetOwnerHotkey::<T>::get(netuid)),
            validator_permits: ValidatorPermit::<T>::get(netuid),
            max_allowed_validators: MaxAllowedValidators::<T>::get(netuid),
            weights: (0..n).map(|uid| Weights::<T>::get(index, uid)).collect(),
            bonds: (0..n).map(|uid| Bonds::<T>::get(index, uid)).collect(),
            kappa: Kappa::<T>::get(netuid),
            bonds_penalty: BondsPenalty::<T>::get(netuid),
            bonds_moving_average: BondsMovingAverage::<T>::get(netuid),
            yuma3: Yuma3On::<T>::get(netuid),
            liquid_alpha: LiquidAlphaOn::<T>::get(netuid),
            alpha_low,
            alpha_high,
            alpha_sigmoid_steepness: AlphaSigmoidSteepness::<T>::get(netuid),
            commit_blocks: Self::commit_blocks(netuid, index, n),
            rao_emission,
        }
    }

    /// Finds each neuron's earliest open commit of either kind, if the subnet has commit-reveal on.
    fn commit_blocks(netuid: NetUid, index: NetUidStorageIndex, n: u16) -> Option<Vec<u64>> {
        if !CommitRevealWeightsEnabled::<T>::get(netuid) {
            return None;
        }
        let salted = |uid| {
            let commits = WeightCommits::<T>::get(index, Keys::<T>::get(netuid, uid)).unwrap_or_default();
            let open = commits
                .iter()
                .filter(|(_, epoch, _, _)| !Self::is_commit_expired(netuid, *epoch));
            open.map(|(_, _, block, _)| *block).min().unwrap_or(u64::MAX)
        };
        let mut blocks: Vec<u64> = (0..n).map(salted).collect();
        for (epoch, queue) in TimelockedWeightCommits::<T>::iter_prefix(index) {
            if Self::is_commit_expired(netuid, epoch) {
                continue;
            }
            for (hotkey, block, _, _) in queue {
                let uid = Uids::<T>::get(netuid, &hotkey);
                if let Some(earliest) = uid.and_then(|uid| blocks.get_mut(usize::from(uid))) {
                    *earliest = block.min(*earliest);
                }
            }
        }
        Some(blocks)
    }

    /// Stores what belongs to one mechanism.
    fn store_mechanism(netuid: NetUid, index: NetUidStorageIndex, output: &EpochOutput) {
        Incentive::<T>::insert(index, &output.incentive);
        let before = ValidatorPermit::<T>::get(netuid);
        for (uid, row) in (0u16..).zip(&output.bonds) {
            let at = usize::from(uid);
            let had = before.get(at).copied().unwrap_or(false);
            if output.new_validator_permits.get(at).copied().unwrap_or(false) {
                Bonds::<T>::insert(index, uid, row);
            } else if had {
                Bonds::<T>::remove(index, uid);
            }
        }
    }

    /// Stores what belongs to the neurons: one mechanism's results, or the mean weighted by emission.
    fn store_neurons(netuid: NetUid, outputs: &[(u64, EpochOutput)]) {
        let Some((_, main)) = outputs.first() else {
            return;
        };
        let mean = |pick: fn(&EpochOutput) -> &Vec<u16>| -> Vec<u16> {
            if outputs.len() == 1 {
                return pick(main).clone();
            }
            let at = |uid| {
                outputs.iter().fold(0u64, |sum, (part, output)| {
                    let value = pick(output).get(uid).copied().unwrap_or(0);
                    sum.saturating_add(mul_div(value.into(), *part, u16::MAX.into()))
                })
            };
            (0..usize::from(SubnetworkN::<T>::get(netuid)))
                .map(|uid| u16::try_from(at(uid)).unwrap_or(u16::MAX))
                .collect()
        };
        let emission: Vec<u64> = (0..usize::from(SubnetworkN::<T>::get(netuid)))
            .map(|uid| {
                outputs.iter().fold(0u64, |sum, (_, output)| {
                    sum.saturating_add(output.emission.get(uid).copied().unwrap_or(0))
                })
            })
            .collect();
        Active::<T>::insert(netuid, &main.active);
        StakeWeight::<T>::insert(netuid, &main.stake_weight);
        ValidatorPermit::<T>::insert(netuid, &main.new_validator_permits);
        Consensus::<T>::insert(netuid, mean(|output| &output.consensus));
        Dividends::<T>::insert(netuid, mean(|output| &output.dividends));
        ValidatorTrust::<T>::insert(netuid, mean(|output| &output.validator_trust));
        Emission::<T>::insert(netuid, emission);
    }
}
