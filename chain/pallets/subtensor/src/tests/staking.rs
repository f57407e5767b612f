use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};

fn add(coldkey: u64, hotkey: u64, netuid: NetUid, rao: u64) -> sp_runtime::DispatchResult {
    SubtensorModule::add_stake(RuntimeOrigin::signed(coldkey), hotkey, netuid, rao)
}

fn remove(coldkey: u64, hotkey: u64, netuid: NetUid, alpha: u64) -> sp_runtime::DispatchResult {
    SubtensorModule::remove_stake(RuntimeOrigin::signed(coldkey), hotkey, netuid, alpha)
}

#[test]
fn add_stake_buys_alpha_at_the_constant_product_when_the_pool_is_equal() {
    on_chain(|| {
        register(ALICE, 201);
        let (tao, alpha) = (SubnetTAO::<Test>::get(NET), SubnetAlphaIn::<Test>::get(NET));
        let before = SubtensorModule::spendable(&ALICE);
        assert_ok!(add(ALICE, 201, NET, 100 * TAO));
        let bought = u128::from(alpha) * u128::from(100 * TAO) / u128::from(tao + 100 * TAO);
        assert_eq!(u128::from(SubtensorModule::stake_of(&201, &ALICE, NET)), bought);
        assert_eq!(SubtensorModule::spendable(&ALICE), before - 100 * TAO);
        assert!((98 * TAO..100 * TAO).contains(&SubtensorModule::stake_of(&201, &ALICE, NET)));
        check_books();
    });
}

#[test]
fn add_stake_is_one_to_one_when_the_subnet_is_root() {
    on_chain(|| {
        register(ALICE, 201);
        assert_ok!(add(BOB, 201, NetUid::ROOT, 7 * TAO));
        assert_eq!(SubtensorModule::stake_of(&201, &BOB, NetUid::ROOT), 7 * TAO);
        let before = SubtensorModule::spendable(&BOB);
        assert_ok!(remove(BOB, 201, NetUid::ROOT, 7 * TAO));
        assert_eq!(SubtensorModule::spendable(&BOB), before + 7 * TAO);
        check_books();
    });
}

#[test]
fn remove_stake_never_pays_more_than_was_staked_when_nothing_was_emitted() {
    on_chain(|| {
        register(ALICE, 201);
        let before = SubtensorModule::spendable(&ALICE);
        assert_ok!(add(ALICE, 201, NET, 100 * TAO));
        let held = SubtensorModule::stake_of(&201, &ALICE, NET);
        assert_ok!(remove(ALICE, 201, NET, held));
        let after = SubtensorModule::spendable(&ALICE);
        assert!(after <= before && before - after <= 2, "{before} became {after}");
        assert!(!Alpha::<Test>::contains_key((201, ALICE, NET)));
        check_books();
    });
}

#[test]
fn add_stake_is_refused_when_an_input_is_wrong() {
    on_chain(|| {
        register(ALICE, 201);
        assert_noop!(add(ALICE, 201, NetUid(9), TAO), Error::<Test>::SubnetNotExists);
        assert_noop!(add(ALICE, 201, NET, 1_999_999), Error::<Test>::AmountTooLow);
        assert_noop!(
            add(ALICE, 201, NET, 20_000 * TAO),
            Error::<Test>::NotEnoughBalanceToStake
        );
        assert_noop!(add(ALICE, 999, NET, TAO), Error::<Test>::HotKeyAccountNotExists);
        SubnetAlphaIn::<Test>::insert(NET, 0);
        assert_noop!(add(ALICE, 201, NET, TAO), Error::<Test>::InsufficientLiquidity);
        SubtokenEnabled::<Test>::insert(NET, false);
        assert_noop!(add(ALICE, 201, NET, TAO), Error::<Test>::SubtokenDisabled);
    });
}

#[test]
fn remove_stake_is_refused_when_an_input_is_wrong() {
    on_chain(|| {
        register(ALICE, 201);
        stake(ALICE, 201, 10 * TAO);
        let held = SubtensorModule::stake_of(&201, &ALICE, NET);
        assert_noop!(
            remove(ALICE, 201, NET, held + 1),
            Error::<Test>::NotEnoughStakeToWithdraw
        );
        assert_noop!(remove(BOB, 201, NET, 1), Error::<Test>::NotEnoughStakeToWithdraw);
        assert_noop!(remove(ALICE, 201, NET, 0), Error::<Test>::AmountTooLow);
        assert_noop!(remove(ALICE, 201, NET, 1_000), Error::<Test>::AmountTooLow);
        assert_noop!(
            remove(ALICE, 999, NET, TAO),
            Error::<Test>::HotKeyAccountNotExists
        );
    });
}

#[test]
fn stakers_share_a_dividend_in_proportion_when_a_hotkey_earns() {
    on_chain(|| {
        SubtensorModule::ensure_account(&ALICE, &201).expect("a new hotkey");
        for (coldkey, alpha) in [(ALICE, 300 * TAO), (BOB, 100 * TAO)] {
            SubtensorModule::increase_stake(&201, &coldkey, NET, alpha);
        }
        SubtensorModule::increase_stake_of_all(&201, NET, 40 * TAO);
        assert_eq!(SubtensorModule::stake_of(&201, &ALICE, NET), 330 * TAO);
        assert_eq!(SubtensorModule::stake_of(&201, &BOB, NET), 110 * TAO);
    });
}

#[test]
fn account_dust_leaves_the_issuance_when_a_transfer_kills_an_account() {
    on_chain(|| {
        let before = TotalIssuance::<Test>::get();
        assert_ok!(Balances::transfer_allow_death(
            RuntimeOrigin::signed(ALICE),
            77,
            1_000
        ));
        assert_ok!(Balances::transfer_allow_death(
            RuntimeOrigin::signed(77),
            BOB,
            600
        ));
        assert_eq!(TotalIssuance::<Test>::get(), before - 400);
        check_books();
    });
}

#[test]
fn a_limited_trade_stops_at_its_price_when_it_may_be_partial() {
    on_chain(|| {
        register(ALICE, 201);
        let price = || SubtensorModule::alpha_price_q32(NET);
        let add = |rao, limit, partial| {
            SubtensorModule::add_stake_limit(RuntimeOrigin::signed(ALICE), 201, NET, rao, limit, partial)
        };
        let start = price();
        assert_noop!(
            add(5_000 * TAO, TAO * 102 / 100, false),
            Error::<Test>::SlippageTooHigh
        );
        assert_noop!(add(TAO, TAO / 2, true), Error::<Test>::SlippageTooHigh);
        assert_ok!(add(5_000 * TAO, TAO * 102 / 100, true));
        let limit = (1u64 << 32) * 102 / 100;
        assert!(
            price() > start && price() <= limit && limit - price() < 100,
            "price {}",
            price()
        );
        let remove = |alpha, limit, partial| {
            SubtensorModule::remove_stake_limit(RuntimeOrigin::signed(ALICE), 201, NET, alpha, limit, partial)
        };
        let held = SubtensorModule::stake_of(&201, &ALICE, NET);
        assert_noop!(
            remove(held, TAO * 101 / 100, false),
            Error::<Test>::SlippageTooHigh
        );
        assert_ok!(remove(held, TAO * 101 / 100, true));
        assert!(
            price().abs_diff((1u64 << 32) * 101 / 100) < 100,
            "price {}",
            price()
        );
        assert_ok!(remove(SubtensorModule::stake_of(&201, &ALICE, NET), 0, false));
        check_books();
    });
}
