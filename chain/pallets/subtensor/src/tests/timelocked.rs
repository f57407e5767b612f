//! Timelocked commits: when the chain opens them, and what it says of those it cannot open.

use super::mock::*;
use crate::*;
use arbor_timelock::{seal, PublicKey, SealRandomness};
use codec::Encode;
use frame_support::{assert_noop, assert_ok, BoundedVec};
use sp_runtime::DispatchResult;

const INDEX: NetUidStorageIndex = NetUidStorageIndex(1);
/// The round that most commits name.
const ROUND: u64 = 50;

/// Seals bytes for a round, with randomness that is the same on every run.
fn sealed(round: u64, message: &[u8]) -> Vec<u8> {
    let key = PublicKey::parse(&TestBeacon::secret().public_key()).expect("a key");
    let seed = message.len() as u8;
    let random = SealRandomness {
        sigma: [seed; 32],
        key: [seed ^ 1; 32],
        nonce: [seed; 12],
    };
    seal(&key, round, message, &random).expect("usable randomness")
}

/// Encodes a row as clients do.
fn row(hotkey: u64, uids: &[u16], values: &[u16], version: u64) -> Vec<u8> {
    (hotkey.encode(), uids, values, version).encode()
}

fn commit(hotkey: u64, ciphertext: Vec<u8>, round: u64) -> DispatchResult {
    let ciphertext = BoundedVec::try_from(ciphertext).expect("within 5 000 bytes");
    SubtensorModule::commit_timelocked_weights(RuntimeOrigin::signed(hotkey), NET, ciphertext, round, 4)
}

/// Commits to a row for a round.
fn commit_row(hotkey: u64, round: u64, uids: &[u16], values: &[u16]) {
    assert_ok!(commit(
        hotkey,
        sealed(round, &row(hotkey, uids, values, 0)),
        round
    ));
}

/// Runs a test at block 11, in epoch 1 of a subnet with tempo 10 where 201 (uid 1) and 202 (uid 2) are validators.
fn on_committing_chain(test: impl FnOnce()) {
    on_chain(|| {
        CommitRevealWeightsEnabled::<Test>::insert(NET, true);
        (201..205).for_each(|hotkey| assert!(register(ALICE, hotkey) > 0));
        (201..204).for_each(|hotkey| stake(ALICE, hotkey, 100 * TAO));
        run_to(11);
        assert_eq!(SubnetEpochIndex::<Test>::get(NET), 1);
        test();
    });
}

fn weights(uid: u16) -> Vec<(u16, u16)> {
    Weights::<Test>::get(INDEX, uid)
}

/// Lists the commits that were dropped: hotkey and reason.
fn dropped() -> Vec<(u64, DropReason)> {
    let of = |record: frame_system::EventRecord<RuntimeEvent, _>| match record.event {
        RuntimeEvent::SubtensorModule(Event::TimelockedWeightsDropped(INDEX, hotkey, _, reason)) => {
            Some((hotkey, reason))
        }
        _ => None,
    };
    System::events().into_iter().filter_map(of).collect()
}

fn waiting() -> usize {
    TimelockedWeightCommits::<Test>::iter_values()
        .map(|queue| queue.len())
        .sum()
}

#[test]
fn a_commit_opens_in_the_block_in_which_its_reveal_epoch_begins_and_counts_in_that_epoch() {
    on_committing_chain(|| {
        (201..203).for_each(|hotkey| commit_row(hotkey, ROUND, &[3, 4], &[1, 2])); // most of the stake
        TestBeacon::sign_up_to(ROUND);
        run_to(19);
        assert_eq!(weights(1), vec![]);
        run_to(20);
        assert_eq!(weights(1), vec![(3, 32_768), (4, 65_535)]);
        assert_eq!(waiting(), 0);
        System::assert_has_event(Event::TimelockedWeightsRevealed(INDEX, 201).into());
        assert!(Incentive::<Test>::get(INDEX)[4] > Incentive::<Test>::get(INDEX)[3]);
        assert_eq!(dropped(), vec![]);
        assert_eq!(
            LastUpdate::<Test>::get(INDEX)[1],
            11,
            "the commit updated the neuron, not the reveal"
        );
    });
}

#[test]
fn a_commit_waits_in_its_epoch_until_the_pulse_comes() {
    on_committing_chain(|| {
        commit_row(201, ROUND, &[3], &[1]);
        TestBeacon::sign_up_to(ROUND - 1);
        run_to(25);
        assert_eq!((weights(1), waiting()), (vec![], 1));
        TestBeacon::sign_up_to(ROUND);
        run_to(26);
        assert_eq!((weights(1), waiting()), (vec![(3, 65_535)], 0));
    });
}

#[test]
fn a_commit_without_a_pulse_is_dropped_by_name_when_its_epoch_is_over() {
    on_committing_chain(|| {
        commit_row(201, ROUND, &[3], &[1]);
        run_to(29);
        assert_eq!((dropped(), waiting()), (vec![], 1));
        run_to(30);
        let event = Event::TimelockedWeightsDropped(INDEX, 201, 11, DropReason::NoPulse);
        System::assert_has_event(event.into());
        assert_eq!(waiting(), 0);
    });
}

#[test]
fn what_cannot_be_opened_is_dropped_by_name_and_harms_nobody_else() {
    on_committing_chain(|| {
        (205..211).for_each(|hotkey| assert!(register(BOB, hotkey) > 0));
        assert_ok!(commit(203, vec![7; 300], ROUND));
        assert_ok!(commit(204, sealed(ROUND + 1, &row(204, &[3], &[1], 0)), ROUND));
        assert_ok!(commit(205, sealed(ROUND, b"no row"), ROUND));
        assert_ok!(commit(206, sealed(ROUND, &row(201, &[3], &[1], 0)), ROUND));
        assert_ok!(commit(207, vec![], ROUND));
        let mut altered = sealed(ROUND, &row(208, &[3], &[1], 0));
        altered[200] ^= 1;
        assert_ok!(commit(208, altered, ROUND));
        let trailing = [row(209, &[3], &[1], 0), vec![0]].concat();
        assert_ok!(commit(209, sealed(ROUND, &trailing), ROUND));
        commit_row(210, ROUND, &[3], &[1]); // has no permit
        commit_row(201, ROUND, &[3], &[1]);
        TestBeacon::sign_up_to(ROUND);
        run_to(22);
        let refused = DropReason::Refused(Error::<Test>::NeuronNoValidatorPermit.into());
        let expected = vec![
            (203, DropReason::BadCiphertext),
            (204, DropReason::NotOpened),
            (205, DropReason::BadPayload),
            (206, DropReason::ForeignHotkey),
            (207, DropReason::BadCiphertext),
            (208, DropReason::NotOpened),
            (209, DropReason::BadPayload),
            (210, refused),
        ];
        assert_eq!(dropped(), expected);
        assert_eq!((weights(1), waiting()), (vec![(3, 65_535)], 0));
    });
}

#[test]
fn a_row_of_an_older_client_that_names_no_hotkey_opens_too() {
    on_committing_chain(|| {
        let nameless = (vec![3u16, 4], vec![1u16, 2], 0u64).encode();
        assert_ok!(commit(201, sealed(ROUND, &nameless), ROUND));
        TestBeacon::sign_up_to(ROUND);
        run_to(20);
        assert_eq!(weights(1), vec![(3, 32_768), (4, 65_535)]);
    });
}

#[test]
fn the_version_key_of_the_commit_reaches_the_check_at_the_reveal() {
    on_committing_chain(|| {
        WeightsVersionKey::<Test>::insert(NET, 10_005_000);
        for (hotkey, version) in [(201, 10_005_000), (202, 10_004_999)] {
            let message = row(hotkey, &[3], &[1], version);
            assert_ok!(commit(hotkey, sealed(ROUND, &message), ROUND));
        }
        TestBeacon::sign_up_to(ROUND);
        run_to(20);
        assert_eq!((weights(1), weights(2)), (vec![(3, 65_535)], vec![]));
        let refused = DropReason::Refused(Error::<Test>::IncorrectWeightVersionKey.into());
        assert_eq!(dropped(), vec![(202, refused)]);
    });
}

#[test]
fn weights_on_a_uid_that_changed_hands_since_the_commit_count_as_zero() {
    on_committing_chain(|| {
        commit_row(201, ROUND, &[4, 3], &[65_535, 30_000]);
        run_to(15);
        MaxAllowedUids::<Test>::insert(NET, 5);
        ImmunityPeriod::<Test>::insert(NET, 0);
        assert_eq!(register(BOB, 301), 4);
        TestBeacon::sign_up_to(ROUND);
        run_to(20);
        assert_eq!(weights(1), vec![(4, 0), (3, 30_000)]);
        System::assert_has_event(Event::RevealedWeightsMasked(INDEX, 1, vec![4]).into());
    });
}

#[test]
fn a_hotkey_that_lost_its_uid_loses_its_commit_by_name() {
    on_committing_chain(|| {
        commit_row(204, ROUND, &[3], &[1]);
        MaxAllowedUids::<Test>::insert(NET, 5);
        ImmunityPeriod::<Test>::insert(NET, 0);
        assert_eq!(register(BOB, 301), 4);
        TestBeacon::sign_up_to(ROUND);
        run_to(20);
        let refused = DropReason::Refused(Error::<Test>::HotKeyNotRegisteredInSubNet.into());
        assert_eq!((dropped(), weights(4)), (vec![(204, refused)], vec![]));
    });
}

#[test]
fn a_block_tries_a_bounded_number_and_the_next_blocks_the_others() {
    on_committing_chain(|| {
        let hotkeys: Vec<u64> = (201..205)
            .chain((205..211).inspect(|hotkey| assert!(register(BOB, *hotkey) > 0)))
            .collect();
        let permits = vec![true; 11];
        hotkeys
            .iter()
            .for_each(|hotkey| commit_row(*hotkey, ROUND, &[3], &[1]));
        TestBeacon::sign_up_to(ROUND);
        run_to(19);
        ValidatorPermit::<Test>::insert(NET, &permits);
        let opened = || Weights::<Test>::iter_prefix(INDEX).count();
        run_to(20);
        assert_eq!((opened(), waiting()), (4, 6));
        ValidatorPermit::<Test>::insert(NET, &permits);
        run_to(21);
        assert_eq!((opened(), waiting()), (8, 2));
        run_to(22);
        assert_eq!((opened(), waiting()), (10, 0));
    });
}

#[test]
fn a_commit_whose_turn_did_not_come_is_kept_for_one_more_epoch() {
    on_committing_chain(|| {
        for value in 1..=10 {
            commit_row(201, ROUND, &[3, 4], &[value, 1]);
            commit_row(202, ROUND, &[3, 4], &[value, 1]);
        }
        TestBeacon::skip(vec![ROUND]);
        TestBeacon::sign_up_to(ROUND);
        run_to(29);
        assert_eq!(waiting(), 20);
        TestBeacon::skip(vec![]); // the pulse is there with the last block: 4 a block, 16 are late
        run_to(33);
        assert_eq!((waiting(), dropped()), (4, vec![]));
        run_to(34);
        assert_eq!((waiting(), weights(1)), (0, vec![(3, 65_535), (4, 6_554)]));
    });
}

#[test]
fn a_later_commit_of_the_hotkey_stays_when_the_pulse_of_an_earlier_one_comes_late() {
    on_committing_chain(|| {
        commit_row(201, ROUND, &[3], &[1]);
        commit_row(201, ROUND + 1, &[4], &[1]);
        TestBeacon::skip(vec![ROUND]);
        TestBeacon::sign_up_to(ROUND + 1);
        run_to(20);
        assert_eq!((weights(1), waiting()), (vec![(4, 65_535)], 0));
        assert_eq!(dropped(), vec![(201, DropReason::Superseded)]);
    });
}

#[test]
fn mechanisms_with_commits_share_a_block_evenly() {
    on_committing_chain(|| {
        MaxAllowedUids::<Test>::insert(NET, 128);
        assert_ok!(SubtensorModule::do_set_mechanism_count(NET, 2));
        let second = |hotkey: u64| {
            let ciphertext = sealed(ROUND, &row(hotkey, &[4], &[1], 0));
            let ciphertext = BoundedVec::truncate_from(ciphertext);
            let origin = RuntimeOrigin::signed(hotkey);
            assert_ok!(SubtensorModule::commit_timelocked_mechanism_weights(
                origin,
                NET,
                MechId(1),
                ciphertext,
                ROUND,
                4
            ));
        };
        for _ in 0..4 {
            commit_row(201, ROUND, &[3], &[1]);
            second(201);
        }
        TestBeacon::sign_up_to(ROUND);
        run_to(20);
        let left = |index| TimelockedWeightCommits::<Test>::get(NetUidStorageIndex(index), 1).len();
        assert_eq!((left(1), left(4_097)), (2, 2));
    });
}

#[test]
fn a_reveal_that_waited_for_the_switch_off_is_not_held_to_the_rate_limit() {
    on_committing_chain(|| {
        commit_row(201, ROUND, &[3], &[1]);
        TestBeacon::sign_up_to(ROUND);
        WeightsSetRateLimit::<Test>::insert(NET, 100);
        CommitRevealWeightsEnabled::<Test>::insert(NET, false);
        run_to(20);
        assert_eq!((weights(1), dropped()), (vec![(3, 65_535)], vec![]));
        assert_eq!(LastUpdate::<Test>::get(INDEX)[1], 11);
    });
}

#[test]
fn a_commit_is_refused_when_its_round_is_older_than_the_newest_pulse() {
    on_committing_chain(|| {
        TestBeacon::sign_up_to(ROUND);
        assert_noop!(commit(201, vec![1], ROUND - 1), Error::<Test>::InvalidRevealRound);
        assert_ok!(commit(201, vec![1], ROUND));
    });
}

#[test]
fn a_full_queue_still_takes_each_hotkeys_share() {
    on_committing_chain(|| {
        let filler = BoundedVec::truncate_from(vec![0; 5_000]);
        let full = timelocked::QUEUE_BYTES / 5_000;
        let queue: TimelockedQueue<Test> = (0..full as u64)
            .map(|at| (1_000 + at, 11, filler.clone(), ROUND))
            .collect();
        TimelockedWeightCommits::<Test>::insert(INDEX, 1, queue);
        assert_ok!(commit(201, vec![0; 3_500], ROUND)); // fills the room
        assert_ok!(commit(202, vec![0; 5_000], ROUND)); // its share
        assert_ok!(commit(202, vec![0; 3_192], ROUND));
        let refused = Error::<Test>::TooManyUnrevealedCommits;
        assert_noop!(commit(202, vec![0; 1], ROUND), refused);
        assert_ok!(commit(203, vec![0; 5_000], ROUND));
    });
}
