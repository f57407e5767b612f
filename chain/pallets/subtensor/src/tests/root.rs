use super::{emission::working_subnet, mock::*};
use crate::*;
use frame_support::{assert_noop, assert_ok};

const ROOT: NetUid = NetUid::ROOT;

fn root_register(coldkey: u64, hotkey: u64) -> sp_runtime::DispatchResult {
    SubtensorModule::root_register(RuntimeOrigin::signed(coldkey), hotkey)
}

fn root_stake(coldkey: u64, hotkey: u64, rao: u64) {
    assert_ok!(SubtensorModule::add_stake(
        RuntimeOrigin::signed(coldkey),
        hotkey,
        ROOT,
        rao
    ));
}

#[test]
fn root_register_gives_a_uid_for_nothing_when_there_is_room() {
    on_chain(|| {
        let before = Balances::free_balance(ALICE);
        assert_ok!(root_register(ALICE, 201));
        assert_eq!(Balances::free_balance(ALICE), before);
        assert_eq!(Uids::<Test>::get(ROOT, 201), Some(0));
        System::assert_last_event(Event::NeuronRegistered(ROOT, 0, 201).into());
        assert_noop!(
            root_register(BOB, 301),
            Error::<Test>::TooManyRegistrationsThisBlock
        );
        next_block();
        assert_noop!(
            root_register(ALICE, 201),
            Error::<Test>::HotKeyAlreadyRegisteredInSubNet
        );
        assert_noop!(
            root_register(BOB, 201),
            Error::<Test>::HotKeyAlreadyRegisteredInSubNet
        );
        assert_noop!(
            root_register(BOB, OWNER_HOTKEY),
            Error::<Test>::NonAssociatedColdKey
        );
    });
}

#[test]
fn root_takes_three_registrations_in_an_interval_of_a_hundred_blocks() {
    on_chain(|| {
        for hotkey in 201..204 {
            assert_ok!(root_register(ALICE, hotkey));
            next_block();
        }
        assert_noop!(
            root_register(ALICE, 204),
            Error::<Test>::TooManyRegistrationsThisInterval
        );
        run_to(99);
        assert_noop!(
            root_register(ALICE, 204),
            Error::<Test>::TooManyRegistrationsThisInterval
        );
        run_to(100);
        assert_ok!(root_register(ALICE, 204));
    });
}

#[test]
fn the_least_root_stake_gives_way_when_root_is_full() {
    on_chain(|| {
        MaxAllowedUids::<Test>::insert(ROOT, 2);
        for (coldkey, hotkey, tao) in [(ALICE, 201, 3), (ALICE, 202, 2)] {
            assert_ok!(root_register(coldkey, hotkey));
            root_stake(coldkey, hotkey, tao * TAO);
            next_block();
        }
        SubtensorModule::ensure_account(&BOB, &301).expect("new");
        root_stake(BOB, 301, 2 * TAO);
        assert_noop!(root_register(BOB, 301), Error::<Test>::StakeTooLowForRoot);
        root_stake(BOB, 301, TAO);
        assert_ok!(root_register(BOB, 301));
        assert_eq!(Keys::<Test>::get(ROOT, 1), 301);
        assert_eq!(Uids::<Test>::get(ROOT, 202), None);
        assert_eq!(
            SubtensorModule::stake_of(&202, &ALICE, ROOT),
            2 * TAO,
            "stake stays its own"
        );
        next_block();
    });
}

#[test]
fn root_stake_weighs_earns_tao_and_comes_back_when_it_is_removed() {
    on_chain(|| {
        working_subnet();
        assert_ok!(root_register(ALICE, 201));
        let alone = SubtensorModule::stake_weight(&201, NET);
        root_stake(BOB, 201, 1_000 * TAO);
        let weight = SubtensorModule::stake_weight(&201, NET) - alone;
        // 971 718 665 099 567 868 / (2^64 - 1) of 1 000 TAO, by the default weight of TAO.
        assert_eq!(weight, 52_676_974_387);
        // Root sells its alpha only where prices add up to more than one.
        SubnetTAO::<Test>::mutate(NET, |tao| *tao += 30_000 * TAO);
        TotalStake::<Test>::mutate(|tao| *tao += 30_000 * TAO);
        TotalIssuance::<Test>::mutate(|tao| *tao += 30_000 * TAO);
        SubnetMovingPrice::<Test>::insert(NET, FixedI128 { bits: 4 << 32 });
        run_to(40);
        let held = SubtensorModule::stake_of(&201, &BOB, ROOT);
        assert!(held > 1_000 * TAO, "{held}");

        let before = Balances::free_balance(BOB);
        assert_ok!(SubtensorModule::remove_stake(
            RuntimeOrigin::signed(BOB),
            201,
            ROOT,
            held
        ));
        assert_eq!(Balances::free_balance(BOB) - before, held, "one to one");
        next_block();
    });
}
