use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};

const ROOT: NetUid = NetUid::ROOT;

/// BOB's stake with hotkey 201 on two subnets and root.
fn on_two_subnets(test: impl FnOnce()) {
    chain(vec![subnet(1), subnet(2)]).execute_with(|| {
        register(ALICE, 201);
        for netuid in [NET, NetUid(2), ROOT] {
            assert_ok!(SubtensorModule::add_stake(
                RuntimeOrigin::signed(BOB),
                201,
                netuid,
                100 * TAO
            ));
        }
        next_block();
        test();
        next_block();
    });
}

fn stakes() -> [u64; 3] {
    [NET, NetUid(2), ROOT].map(|netuid| SubtensorModule::stake_of(&201, &BOB, netuid))
}

#[test]
fn unstake_all_sells_on_every_subnet_when_they_are_open() {
    on_two_subnets(|| {
        assert_ok!(SubtensorModule::unstake_all(RuntimeOrigin::signed(BOB), 201));
        assert_eq!(stakes(), [0; 3]);
        let lost = 10_000 * TAO - Balances::free_balance(BOB);
        assert!(lost < TAO / 1_000, "rounding took {lost} rao");
        assert_noop!(
            SubtensorModule::unstake_all(RuntimeOrigin::signed(BOB), 999),
            Error::<Test>::HotKeyAccountNotExists
        );
    });
}

#[test]
fn unstake_all_passes_over_a_subnet_when_it_is_closed() {
    on_two_subnets(|| {
        let closed = stakes()[1];
        SubtokenEnabled::<Test>::insert(NetUid(2), false);
        assert_ok!(SubtensorModule::unstake_all(RuntimeOrigin::signed(BOB), 201));
        assert_eq!(stakes(), [0, closed, 0]);
    });
}

#[test]
fn unstake_all_alpha_ends_as_root_stake() {
    on_two_subnets(|| {
        let balance = Balances::free_balance(BOB);
        assert_ok!(SubtensorModule::unstake_all_alpha(
            RuntimeOrigin::signed(BOB),
            201
        ));
        let [first, second, root] = stakes();
        assert_eq!((first, second), (0, 0));
        assert!(root.abs_diff(300 * TAO) < TAO / 1_000, "{root}");
        assert_eq!(Balances::free_balance(BOB), balance);
        assert_noop!(
            SubtensorModule::unstake_all_alpha(RuntimeOrigin::signed(BOB), 201),
            Error::<Test>::AmountTooLow
        );
    });
}

#[test]
fn remove_stake_full_limit_sells_all_or_nothing() {
    on_two_subnets(|| {
        let sell =
            |price| SubtensorModule::remove_stake_full_limit(RuntimeOrigin::signed(BOB), 201, NET, price);
        assert_noop!(sell(Some(TAO + TAO / 100)), Error::<Test>::SlippageTooHigh);
        assert_ok!(sell(Some(TAO / 2)));
        assert_eq!(stakes()[0], 0);
        assert_noop!(sell(None), Error::<Test>::AmountTooLow);
        assert_ok!(SubtensorModule::remove_stake_full_limit(
            RuntimeOrigin::signed(BOB),
            201,
            NetUid(2),
            None
        ));
        assert_eq!(stakes()[1], 0);
    });
}
