use super::mock::*;
use crate::{owner::OwnerChange, *};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

fn set_tempo(coldkey: u64, tempo: u16) -> sp_runtime::DispatchResult {
    SubtensorModule::set_tempo(RuntimeOrigin::signed(coldkey), NET, tempo)
}

fn trigger() -> sp_runtime::DispatchResult {
    SubtensorModule::trigger_epoch(RuntimeOrigin::signed(OWNER), NET)
}

/// Runs a test on subnet 1 with a tempo of 400 blocks that began at block 1.
fn on_slow_chain(test: impl FnOnce()) {
    on_chain(|| {
        SubtensorModule::restart_with_tempo(NET, 400);
        test();
    });
}

#[test]
fn the_owner_sets_the_tempo_within_its_bounds_and_not_twice_in_360_blocks() {
    on_slow_chain(|| {
        assert_noop!(set_tempo(BOB, 500), DispatchError::BadOrigin);
        assert_noop!(set_tempo(OWNER, 359), Error::<Test>::TempoOutOfBounds);
        assert_noop!(set_tempo(OWNER, 50_401), Error::<Test>::TempoOutOfBounds);
        run_to(5);
        assert_ok!(set_tempo(OWNER, 500));
        System::assert_last_event(Event::TempoSet(NET, 500).into());
        assert_eq!(LastEpochBlock::<Test>::get(NET), 5, "a new interval begins");
        run_to(364);
        assert_noop!(set_tempo(OWNER, 600), Error::<Test>::TxRateLimitExceeded);
        next_block();
        assert_ok!(set_tempo(OWNER, 600));
    });
}

#[test]
fn the_owner_changes_nothing_within_the_freeze_window() {
    on_slow_chain(|| {
        // The epoch is due at 401: up to 391 there are ten blocks or more.
        run_to(391);
        assert_ok!(SubtensorModule::ensure_admin_window_open(NET));
        next_block();
        let closed = Error::<Test>::AdminActionProhibitedDuringWeightsWindow;
        assert_noop!(set_tempo(OWNER, 500), closed);
        run_to(401);
        assert_eq!(LastEpochBlock::<Test>::get(NET), 401);
        assert_ok!(set_tempo(OWNER, 500));
    });
}

#[test]
fn one_hyperparameter_waits_two_tempos_and_another_does_not() {
    on_slow_chain(|| {
        let ask = |number| {
            let change = OwnerChange::Hyperparameter(number);
            let owner = SubtensorModule::ensure_owner_or_root(RuntimeOrigin::signed(OWNER), NET, change)?;
            SubtensorModule::note_owner_change(owner, NET, change);
            Ok::<(), DispatchError>(())
        };
        run_to(2);
        assert_ok!(ask(8));
        assert_ok!(ask(5));
        run_to(801);
        assert_noop!(ask(8), Error::<Test>::TxRateLimitExceeded);
        next_block();
        assert_ok!(ask(8));
        assert_ok!(SubtensorModule::ensure_owner_or_root(
            RuntimeOrigin::root(),
            NET,
            OwnerChange::Hyperparameter(8)
        ));
    });
}

#[test]
fn the_activity_cutoff_factor_is_set_by_owner_and_root_within_its_bounds() {
    on_slow_chain(|| {
        let set = |origin, factor| SubtensorModule::set_activity_cutoff_factor(origin, NET, factor);
        let bounds = Error::<Test>::ActivityCutoffFactorMilliOutOfBounds;
        run_to(2);
        assert_noop!(set(RuntimeOrigin::signed(OWNER), 999), bounds);
        assert_noop!(
            set(RuntimeOrigin::root(), 50_001),
            Error::<Test>::ActivityCutoffFactorMilliOutOfBounds
        );
        assert_noop!(set(RuntimeOrigin::signed(BOB), 2_000), DispatchError::BadOrigin);
        assert_ok!(set(RuntimeOrigin::signed(OWNER), 2_000));
        assert_noop!(
            set(RuntimeOrigin::signed(OWNER), 3_000),
            Error::<Test>::TxRateLimitExceeded
        );
        assert_ok!(set(RuntimeOrigin::root(), 3_000));
        assert_eq!(ActivityCutoffFactorMilli::<Test>::get(NET), 3_000);
    });
}

#[test]
fn a_triggered_epoch_runs_after_the_freeze_window_and_the_schedule_starts_anew() {
    on_slow_chain(|| {
        run_to(20);
        assert_ok!(trigger());
        System::assert_last_event(
            Event::EpochTriggered {
                netuid: NET,
                by: OWNER,
                fires_at: 30,
            }
            .into(),
        );
        assert_noop!(trigger(), Error::<Test>::EpochTriggerAlreadyPending);
        let closed = Error::<Test>::AdminActionProhibitedDuringWeightsWindow;
        assert_noop!(set_tempo(OWNER, 500), closed);
        let before = SubnetEpochIndex::<Test>::get(NET);
        run_to(29);
        assert_eq!(SubnetEpochIndex::<Test>::get(NET), before);
        next_block();
        assert_eq!(SubnetEpochIndex::<Test>::get(NET), before + 1);
        assert_eq!(
            (LastEpochBlock::<Test>::get(NET), PendingEpochAt::<Test>::get(NET)),
            (30, 0)
        );
        assert_noop!(trigger(), Error::<Test>::TxRateLimitExceeded);
    });
}

#[test]
fn an_epoch_is_not_triggered_when_commits_are_open_or_one_is_near() {
    on_slow_chain(|| {
        CommitRevealWeightsEnabled::<Test>::insert(NET, true);
        assert_noop!(trigger(), Error::<Test>::DynamicTempoBlockedByCommitReveal);
        CommitRevealWeightsEnabled::<Test>::insert(NET, false);
        run_to(392);
        assert_noop!(trigger(), Error::<Test>::AutoEpochAlreadyImminent);
    });
}
