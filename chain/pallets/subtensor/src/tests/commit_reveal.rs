//! Salted commits: when they are taken, when they open, and what happens to uids in between.

use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok, BoundedVec};
use sp_core::H256;
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    DispatchResult,
};

const INDEX: NetUidStorageIndex = NetUidStorageIndex(1);
const SALT: [u16; 4] = [1, 2, 3, 4];

/// Hashes a row as its signer does.
fn hash(hotkey: u64, index: u16, uids: &[u16], values: &[u16], version: u64) -> H256 {
    BlakeTwo256::hash_of(&(hotkey, index, uids, values, SALT.as_slice(), version))
}

fn commit(hotkey: u64, hash: H256) -> DispatchResult {
    SubtensorModule::commit_weights(RuntimeOrigin::signed(hotkey), NET, hash)
}

fn reveal(hotkey: u64, uids: &[u16], values: &[u16], version: u64) -> DispatchResult {
    let origin = RuntimeOrigin::signed(hotkey);
    SubtensorModule::reveal_weights(
        origin,
        NET,
        uids.to_vec(),
        values.to_vec(),
        SALT.to_vec(),
        version,
    )
}

/// Runs a test on a subnet with commit-reveal: tempo 10, validator 201 (uid 1, owner's permit aside), miners 202, 203.
fn on_committing_chain(test: impl FnOnce()) {
    on_chain(|| {
        CommitRevealWeightsEnabled::<Test>::insert(NET, true);
        (201..204).for_each(|hotkey| assert!(register(ALICE, hotkey) > 0));
        stake(ALICE, 201, 100 * TAO);
        run_to(11); // epoch 10 gave the permit
        assert_eq!(SubnetEpochIndex::<Test>::get(NET), 1);
        assert!(ValidatorPermit::<Test>::get(NET)[1]);
        test();
    });
}

#[test]
fn a_commit_opens_in_the_epoch_after_its_own_and_sets_the_row() {
    on_committing_chain(|| {
        let hash = hash(201, 1, &[2, 3], &[1, 2], 7);
        assert_ok!(commit(201, hash));
        System::assert_last_event(Event::WeightsCommitted(201, INDEX, hash).into());
        assert_eq!(
            WeightCommits::<Test>::get(INDEX, 201),
            Some(vec![(hash, 1, 11, 0)])
        );
        assert_noop!(reveal(201, &[2, 3], &[1, 2], 7), Error::<Test>::RevealTooEarly);
        run_to(20);
        assert_ok!(reveal(201, &[2, 3], &[1, 2], 7));
        System::assert_last_event(Event::WeightsRevealed(201, INDEX, hash).into());
        assert_eq!(Weights::<Test>::get(INDEX, 1), vec![(2, 32_768), (3, 65_535)]);
        assert_eq!(WeightCommits::<Test>::get(INDEX, 201), None);
        assert_noop!(
            reveal(201, &[2, 3], &[1, 2], 7),
            Error::<Test>::NoWeightsCommitFound
        );
    });
}

#[test]
fn last_update_moves_at_the_commit_and_not_at_the_reveal() {
    on_committing_chain(|| {
        run_to(13);
        assert_ok!(commit(201, hash(201, 1, &[2], &[1], 0)));
        assert_eq!(LastUpdate::<Test>::get(INDEX)[1], 13);
        run_to(25);
        assert_ok!(reveal(201, &[2], &[1], 0));
        assert_eq!(LastUpdate::<Test>::get(INDEX)[1], 13);
    });
}

#[test]
fn the_version_key_is_part_of_the_hash_and_checked_at_the_reveal() {
    on_committing_chain(|| {
        for (at, version) in [(0u64, 0u64), (1, 10_005_000), (2, u64::MAX)] {
            assert_ok!(commit(201, hash(201, 1, &[2], &[1], version)));
            run_to(20 + at * 10);
            let other = version.wrapping_add(1);
            assert_noop!(
                reveal(201, &[2], &[1], other),
                Error::<Test>::InvalidRevealCommitHashNotMatch
            );
            assert_ok!(reveal(201, &[2], &[1], version));
        }
        assert_ok!(commit(201, hash(201, 1, &[2], &[1], 4)));
        run_to(50);
        WeightsVersionKey::<Test>::insert(NET, 5);
        assert_noop!(
            reveal(201, &[2], &[1], 4),
            Error::<Test>::IncorrectWeightVersionKey
        );
        WeightsVersionKey::<Test>::insert(NET, 4);
        assert_ok!(reveal(201, &[2], &[1], 4));
    });
}

#[test]
fn weights_on_a_uid_that_changed_hands_since_the_commit_count_as_zero() {
    on_committing_chain(|| {
        assert_ok!(commit(201, hash(201, 1, &[2, 3], &[65_535, 30_000], 0)));
        run_to(15);
        MaxAllowedUids::<Test>::insert(NET, 4);
        ImmunityPeriod::<Test>::insert(NET, 0);
        assert_eq!(register(BOB, 301), 2);
        // A later commit moves LastUpdate past the registration, so the epoch's own masks would not help.
        run_to(20);
        assert_ok!(commit(201, hash(201, 1, &[3], &[1], 0)));
        assert_ok!(reveal(201, &[2, 3], &[65_535, 30_000], 0));
        assert_eq!(Weights::<Test>::get(INDEX, 1), vec![(2, 0), (3, 30_000)]);
        let masked: RuntimeEvent = Event::RevealedWeightsMasked(INDEX, 1, vec![2]).into();
        assert!(System::events().iter().any(|record| record.event == masked));
    });
}

#[test]
fn the_epoch_masks_by_the_earliest_open_commit_of_either_kind() {
    on_committing_chain(|| {
        let blocks = || {
            SubtensorModule::epoch_input(NET, INDEX, 0)
                .commit_blocks
                .expect("commit-reveal is on")
        };
        assert_eq!(blocks(), vec![u64::MAX; 4]);
        assert_ok!(commit(201, hash(201, 1, &[2], &[1], 0)));
        run_to(12);
        let sealed = BoundedVec::truncate_from(vec![1; 300]);
        let later = RuntimeOrigin::signed(201);
        assert_ok!(SubtensorModule::commit_timelocked_weights(
            later,
            NET,
            sealed.clone(),
            9,
            4
        ));
        let other = RuntimeOrigin::signed(202);
        assert_ok!(SubtensorModule::commit_timelocked_weights(
            other, NET, sealed, 9, 4
        ));
        assert_eq!(blocks(), vec![u64::MAX, 11, 12, u64::MAX]);
        SubnetEpochIndex::<Test>::insert(NET, 2);
        assert_eq!(blocks(), vec![u64::MAX, 11, 12, u64::MAX]);
        SubnetEpochIndex::<Test>::insert(NET, 3); // both are too old now
        assert_eq!(blocks(), vec![u64::MAX; 4]);
        CommitRevealWeightsEnabled::<Test>::insert(NET, false);
        assert_eq!(SubtensorModule::epoch_input(NET, INDEX, 0).commit_blocks, None);
    });
}

#[test]
fn a_commit_expires_with_its_reveal_epoch() {
    on_committing_chain(|| {
        assert_ok!(commit(201, hash(201, 1, &[2], &[1], 0)));
        run_to(30);
        assert_noop!(reveal(201, &[2], &[1], 0), Error::<Test>::ExpiredWeightCommit);
        assert_noop!(reveal(201, &[3], &[1], 0), Error::<Test>::NoWeightsCommitFound);
        assert_ok!(commit(201, hash(201, 1, &[3], &[1], 0)));
        assert_eq!(
            WeightCommits::<Test>::get(INDEX, 201).map(|open| open.len()),
            Some(1)
        );
        assert_noop!(
            reveal(201, &[2], &[9], 0),
            Error::<Test>::InvalidRevealCommitHashNotMatch
        );
    });
}

#[test]
fn a_longer_reveal_period_delays_the_reveal_by_as_many_epochs() {
    on_committing_chain(|| {
        RevealPeriodEpochs::<Test>::insert(NET, 3);
        assert_ok!(commit(201, hash(201, 1, &[2], &[1], 0)));
        for block in [20, 30] {
            run_to(block);
            assert_noop!(reveal(201, &[2], &[1], 0), Error::<Test>::RevealTooEarly);
        }
        run_to(49);
        assert_ok!(reveal(201, &[2], &[1], 0));
    });
}

#[test]
fn a_commit_in_a_block_whose_epoch_had_to_wait_belongs_to_the_next_epoch() {
    on_committing_chain(|| {
        MaxEpochsPerBlock::<Test>::put(0);
        run_to(20);
        assert_eq!(SubnetEpochIndex::<Test>::get(NET), 1);
        assert_ok!(commit(201, hash(201, 1, &[2], &[1], 0)));
        let tagged = WeightCommits::<Test>::get(INDEX, 201).expect("it was just committed");
        assert_eq!(tagged[0].1, 2);
    });
}

#[test]
fn an_eleventh_open_commit_is_refused_until_one_is_revealed() {
    on_committing_chain(|| {
        for value in 1..=10 {
            assert_ok!(commit(201, hash(201, 1, &[2, 3], &[value, 1], 0)));
        }
        assert_noop!(
            commit(201, H256([1; 32])),
            Error::<Test>::TooManyUnrevealedCommits
        );
        run_to(20);
        assert_noop!(
            commit(201, H256([1; 32])),
            Error::<Test>::TooManyUnrevealedCommits
        );
        assert_ok!(reveal(201, &[2, 3], &[4, 1], 0)); // takes the three older ones with it
        assert_eq!(
            WeightCommits::<Test>::get(INDEX, 201).map(|open| open.len()),
            Some(6)
        );
        assert_noop!(
            reveal(201, &[2, 3], &[3, 1], 0),
            Error::<Test>::InvalidRevealCommitHashNotMatch
        );
        assert_ok!(commit(201, H256([1; 32])));
    });
}

#[test]
fn commits_refuse_in_the_reference_order_when_several_things_are_wrong() {
    on_committing_chain(|| {
        let call = |hotkey, netuid: NetUid, mechanism| {
            let origin = RuntimeOrigin::signed(hotkey);
            SubtensorModule::commit_mechanism_weights(origin, netuid, MechId(mechanism), H256::zero())
        };
        assert_noop!(call(999, NetUid(9), 0), Error::<Test>::MechanismDoesNotExist);
        assert_noop!(call(999, NET, 1), Error::<Test>::MechanismDoesNotExist);
        CommitRevealWeightsEnabled::<Test>::insert(NET, false);
        assert_noop!(call(999, NET, 0), Error::<Test>::CommitRevealDisabled);
        assert_noop!(reveal(999, &[2], &[1], 0), Error::<Test>::CommitRevealDisabled);
        CommitRevealWeightsEnabled::<Test>::insert(NET, true);
        assert_noop!(call(999, NET, 0), Error::<Test>::HotKeyNotRegisteredInSubNet);
        WeightsSetRateLimit::<Test>::insert(NET, 5);
        assert_ok!(call(201, NET, 0));
        run_to(15);
        assert_noop!(call(201, NET, 0), Error::<Test>::CommittingWeightsTooFast);
        run_to(16);
        assert_ok!(call(201, NET, 0));
    });
}

#[test]
fn set_weights_stays_refused_where_weights_are_committed() {
    on_committing_chain(|| {
        let call = SubtensorModule::set_weights(RuntimeOrigin::signed(201), NET, vec![2], vec![1], 0);
        assert_noop!(call, Error::<Test>::CommitRevealEnabled);
    });
}

#[test]
fn each_mechanism_has_its_own_commits() {
    on_committing_chain(|| {
        MaxAllowedUids::<Test>::insert(NET, 128);
        assert_ok!(SubtensorModule::do_set_mechanism_count(NET, 2));
        let index = NetUidStorageIndex(4_097);
        let other = hash(201, index.0, &[2], &[1], 0);
        let call = RuntimeOrigin::signed(201);
        assert_ok!(SubtensorModule::commit_mechanism_weights(
            call,
            NET,
            MechId(1),
            other
        ));
        assert_eq!(WeightCommits::<Test>::get(INDEX, 201), None);
        run_to(20);
        let reveal = |mechanism| {
            let (uids, values) = (vec![2], vec![1]);
            let origin = RuntimeOrigin::signed(201);
            SubtensorModule::reveal_mechanism_weights(
                origin,
                NET,
                MechId(mechanism),
                uids,
                values,
                SALT.to_vec(),
                0,
            )
        };
        assert_noop!(reveal(0), Error::<Test>::NoWeightsCommitFound);
        assert_ok!(reveal(1));
        assert_eq!(Weights::<Test>::get(index, 1), vec![(2, 65_535)]);
    });
}

#[test]
fn a_batch_reveals_all_rows_or_none() {
    on_committing_chain(|| {
        let rows = [vec![2u16], vec![3]];
        for uids in &rows {
            assert_ok!(commit(201, hash(201, 1, uids, &[1], 0)));
        }
        run_to(20);
        let batch = |rows: &[Vec<u16>], keys: usize| {
            SubtensorModule::batch_reveal_weights(
                RuntimeOrigin::signed(201),
                NET,
                rows.to_vec(),
                vec![vec![1]; rows.len()],
                vec![SALT.to_vec(); rows.len()],
                vec![0; keys],
            )
        };
        assert_noop!(batch(&rows, 1), Error::<Test>::InputLengthsUnequal);
        frame_support::storage::with_storage_layer(|| {
            let refused = batch(&[vec![2], vec![1]], 2);
            assert_eq!(
                refused,
                Err(Error::<Test>::InvalidRevealCommitHashNotMatch.into())
            );
            refused
        })
        .expect_err("the second row was never committed");
        assert_eq!(Weights::<Test>::get(INDEX, 1), vec![]);
        assert_ok!(batch(&rows, 2));
        assert_eq!(Weights::<Test>::get(INDEX, 1), vec![(3, 65_535)]);
        assert_eq!(WeightCommits::<Test>::get(INDEX, 201), None);
    });
}

#[test]
fn a_replaced_hotkey_leaves_no_commits_behind() {
    on_committing_chain(|| {
        assert_ok!(commit(202, H256([1; 32])));
        MaxAllowedUids::<Test>::insert(NET, 4);
        ImmunityPeriod::<Test>::insert(NET, 0);
        assert_eq!(register(BOB, 301), 2);
        assert_eq!(WeightCommits::<Test>::iter().count(), 0);
    });
}

#[test]
fn timelocked_commits_refuse_in_the_reference_order_and_queue_by_epoch() {
    on_committing_chain(|| {
        let call = |hotkey, netuid: NetUid, version| {
            let origin = RuntimeOrigin::signed(hotkey);
            let sealed = BoundedVec::truncate_from(vec![7; 100]);
            SubtensorModule::commit_timelocked_mechanism_weights(
                origin,
                netuid,
                MechId::MAIN,
                sealed,
                50,
                version,
            )
        };
        assert_noop!(call(999, NetUid(9), 3), Error::<Test>::MechanismDoesNotExist);
        CommitRevealWeightsEnabled::<Test>::insert(NET, false);
        assert_noop!(call(999, NET, 3), Error::<Test>::CommitRevealDisabled);
        CommitRevealWeightsEnabled::<Test>::insert(NET, true);
        assert_noop!(call(999, NET, 3), Error::<Test>::IncorrectCommitRevealVersion);
        assert_noop!(call(999, NET, 4), Error::<Test>::HotKeyNotRegisteredInSubNet);
        assert_ok!(call(201, NET, 4));
        let hash = BlakeTwo256::hash(&[7; 100]);
        System::assert_last_event(Event::TimelockedWeightsCommitted(201, INDEX, hash, 50).into());
        assert_eq!(LastUpdate::<Test>::get(INDEX)[1], 11);
        WeightsSetRateLimit::<Test>::insert(NET, 5);
        assert_noop!(call(201, NET, 4), Error::<Test>::CommittingWeightsTooFast);
        WeightsSetRateLimit::<Test>::insert(NET, 0);
        for _ in 0..9 {
            assert_ok!(call(201, NET, 4));
        }
        assert_noop!(call(201, NET, 4), Error::<Test>::TooManyUnrevealedCommits);
        assert_ok!(call(202, NET, 4));
        assert_eq!(TimelockedWeightCommits::<Test>::get(INDEX, 1).len(), 11);
    });
}
