use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};

fn increase(coldkey: u64, hotkey: u64, take: u16) -> sp_runtime::DispatchResult {
    SubtensorModule::increase_take(RuntimeOrigin::signed(coldkey), hotkey, take)
}

fn decrease(coldkey: u64, hotkey: u64, take: u16) -> sp_runtime::DispatchResult {
    SubtensorModule::decrease_take(RuntimeOrigin::signed(coldkey), hotkey, take)
}

#[test]
fn a_take_is_refused_when_it_is_not_the_coldkeys_or_out_of_bounds() {
    on_chain(|| {
        register(ALICE, 201);
        assert_noop!(increase(ALICE, 999, 1), Error::<Test>::HotKeyAccountNotExists);
        assert_noop!(increase(BOB, 201, 1), Error::<Test>::NonAssociatedColdKey);
        assert_noop!(
            increase(ALICE, 201, defaults::DELEGATE_TAKE + 1),
            Error::<Test>::DelegateTakeTooHigh
        );
        MinDelegateTake::<Test>::put(100);
        assert_noop!(decrease(ALICE, 201, 99), Error::<Test>::DelegateTakeTooLow);
        assert_ok!(decrease(ALICE, 201, 100));
        System::assert_last_event(Event::TakeDecreased(ALICE, 201, 100).into());
        assert_eq!(Delegates::<Test>::get(201), 100);
        assert_noop!(decrease(ALICE, 201, 100), Error::<Test>::DelegateTakeTooLow);
        assert_noop!(increase(ALICE, 201, 100), Error::<Test>::DelegateTakeTooLow);
    });
}

#[test]
fn a_raise_waits_for_its_rate_limit_and_a_cut_does_not() {
    on_chain(|| {
        register(ALICE, 201);
        TxDelegateTakeRateLimit::<Test>::put(10);
        assert_ok!(decrease(ALICE, 201, 1_000));
        run_to(11);
        assert_noop!(
            increase(ALICE, 201, 2_000),
            Error::<Test>::DelegateTxRateLimitExceeded
        );
        next_block();
        assert_ok!(increase(ALICE, 201, 2_000));
        System::assert_last_event(Event::TakeIncreased(ALICE, 201, 2_000).into());
        assert_ok!(decrease(ALICE, 201, 500));
    });
}
