use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};

fn make(coldkey: u64, hotkey: u64) -> sp_runtime::DispatchResult {
    SubtensorModule::register_network(RuntimeOrigin::signed(coldkey), hotkey)
}

#[test]
fn register_network_makes_a_pool_of_the_price_when_it_is_paid() {
    on_chain(|| {
        assert_eq!(SubtensorModule::network_lock_cost(), 1_000 * TAO);
        let before = SubtensorModule::spendable(&ALICE);
        assert_ok!(make(ALICE, 201));
        let netuid = NetUid(2);
        assert_eq!(SubtensorModule::spendable(&ALICE), before - 1_000 * TAO);
        assert_eq!(SubnetTAO::<Test>::get(netuid), 1_000 * TAO);
        assert_eq!(SubnetAlphaIn::<Test>::get(netuid), 1_000 * TAO); // subnet 1's price is 1
        assert_eq!(Keys::<Test>::get(netuid, 0), 201);
        assert_eq!(
            (
                SubnetOwner::<Test>::get(netuid),
                SubnetOwnerHotkey::<Test>::get(netuid)
            ),
            (ALICE, 201)
        );
        assert_eq!(TotalNetworks::<Test>::get(), 3);
        assert!(Yuma3On::<Test>::get(netuid) && !SubnetEmissionEnabled::<Test>::get(netuid));
        System::assert_last_event(Event::NetworkAdded(netuid, 1).into());
        check_books();
    });
}

#[test]
fn the_price_of_a_subnet_doubles_and_falls_when_blocks_pass() {
    on_chain(|| {
        assert_ok!(make(ALICE, 201));
        assert_eq!(SubtensorModule::network_lock_cost(), 2_000 * TAO);
        System::set_block_number(1 + 50_400); // half of the reduction interval of 100 800 blocks
        let fall = 1_000 * TAO / 100_800 * 50_400;
        assert_eq!(SubtensorModule::network_lock_cost(), 2_000 * TAO - fall);
        System::set_block_number(1 + 1_000_000);
        assert_eq!(SubtensorModule::network_lock_cost(), 1_000 * TAO);
    });
}

#[test]
fn register_network_is_refused_when_an_input_is_wrong() {
    on_chain(|| {
        assert_noop!(make(55, 201), Error::<Test>::CannotAffordLockCost);
        assert_noop!(make(ALICE, OWNER_HOTKEY), Error::<Test>::NonAssociatedColdKey);
        assert_ok!(make(ALICE, 201));
        assert_noop!(make(BOB, 202), Error::<Test>::NetworkTxRateLimitExceeded);
        NetworkRateLimit::<Test>::put(0);
        SubnetLimit::<Test>::put(2);
        assert_noop!(make(BOB, 202), Error::<Test>::SubnetLimitReached);
        SubnetLimit::<Test>::put(3);
        assert_ok!(make(BOB, 202));
    });
}

#[test]
fn start_call_opens_stake_and_emission_when_the_owner_signs() {
    on_chain(|| {
        assert_ok!(make(ALICE, 201));
        let netuid = NetUid(2);
        let start = |who, netuid| SubtensorModule::start_call(RuntimeOrigin::signed(who), netuid);
        assert_noop!(start(ALICE, NetUid(9)), Error::<Test>::SubnetNotExists);
        assert_noop!(start(BOB, netuid), Error::<Test>::NotSubnetOwner);
        let stake = || SubtensorModule::add_stake(RuntimeOrigin::signed(BOB), 201, netuid, TAO);
        assert_noop!(stake(), Error::<Test>::SubtokenDisabled);
        StartCallDelay::<Test>::put(5);
        assert_noop!(
            start(ALICE, netuid),
            Error::<Test>::NeedWaitingMoreBlocksToStarCall
        );
        run_to(6);
        assert_eq!(SubnetAlphaOut::<Test>::get(netuid), 0);
        assert_ok!(start(ALICE, netuid));
        assert_noop!(
            start(ALICE, netuid),
            Error::<Test>::FirstEmissionBlockNumberAlreadySet
        );
        assert_ok!(stake());
        let before = SubnetAlphaOut::<Test>::get(netuid);
        next_block();
        assert_eq!(SubnetAlphaOut::<Test>::get(netuid) - before, TAO); // one alpha a block
    });
}
