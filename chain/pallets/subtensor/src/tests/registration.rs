use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};

fn burned(coldkey: u64, netuid: NetUid, hotkey: u64) -> sp_runtime::DispatchResult {
    SubtensorModule::burned_register(RuntimeOrigin::signed(coldkey), netuid, hotkey)
        .map(|_| ())
        .map_err(|refusal| refusal.error)
}

#[test]
fn burned_register_appends_a_uid_when_there_is_room() {
    on_chain(|| {
        let before = SubtensorModule::spendable(&ALICE);
        let price = Burn::<Test>::get(NET);
        assert_eq!(register(ALICE, 201), 1);
        assert_eq!(SubtensorModule::spendable(&ALICE), before - price);
        assert_eq!(Owner::<Test>::get(201), ALICE);
        assert_eq!(Keys::<Test>::get(NET, 1), 201);
        assert_eq!(LastUpdate::<Test>::get(NetUidStorageIndex(1)), vec![0, 1]);
        System::assert_last_event(Event::NeuronRegistered(NET, 1, 201).into());
        check_books();
    });
}

#[test]
fn the_price_rises_by_26_percent_when_a_neuron_registers_and_decays_after() {
    on_chain(|| {
        Burn::<Test>::insert(NET, TAO);
        register(ALICE, 201);
        assert_eq!(Burn::<Test>::get(NET), 1_260_000_000);
        Burn::<Test>::insert(NET, TAO);
        next_block();
        assert_eq!(Burn::<Test>::get(NET), 998_076_443); // the reference's first step of half-life 360
    });
}

#[test]
fn burned_register_is_refused_when_an_input_is_wrong() {
    on_chain(|| {
        register(ALICE, 201);
        assert_noop!(
            burned(BOB, NetUid::ROOT, 202),
            Error::<Test>::RegistrationNotPermittedOnRootSubnet
        );
        assert_noop!(burned(BOB, NetUid(9), 202), Error::<Test>::SubnetNotExists);
        assert_noop!(
            burned(ALICE, NET, 201),
            Error::<Test>::HotKeyAlreadyRegisteredInSubNet
        );
        assert_noop!(
            burned(BOB, NET, OWNER_HOTKEY),
            Error::<Test>::HotKeyAlreadyRegisteredInSubNet
        );
        assert_noop!(burned(55, NET, 202), Error::<Test>::NotEnoughBalanceToStake);
        Owner::<Test>::insert(203, ALICE);
        assert_noop!(burned(BOB, NET, 203), Error::<Test>::NonAssociatedColdKey);
        let limit = SubtensorModule::register_limit(RuntimeOrigin::signed(BOB), NET, 202, 10);
        assert_noop!(limit, Error::<Test>::RegistrationPriceLimitExceeded);
        MaxRegistrationsPerBlock::<Test>::insert(NET, 1);
        assert_noop!(
            burned(BOB, NET, 202),
            Error::<Test>::TooManyRegistrationsThisBlock
        );
        NetworkRegistrationAllowed::<Test>::insert(NET, false);
        assert_noop!(burned(BOB, NET, 202), Error::<Test>::SubNetRegistrationDisabled);
    });
}

#[test]
fn registrations_open_again_when_a_block_begins() {
    on_chain(|| {
        MaxRegistrationsPerBlock::<Test>::insert(NET, 1);
        register(ALICE, 201);
        assert_noop!(
            burned(ALICE, NET, 202),
            Error::<Test>::TooManyRegistrationsThisBlock
        );
        next_block();
        register(ALICE, 202);
    });
}

/// Fills subnet 1 to five neurons, of which uid 2 earned least.
fn full_subnet() {
    MaxAllowedUids::<Test>::insert(NET, 5);
    MinNonImmuneUids::<Test>::insert(NET, 1);
    for hotkey in 201..205 {
        register(ALICE, hotkey);
    }
    run_to(30);
    Emission::<Test>::insert(NET, vec![0u64, 30, 10, 20, 40]);
}

#[test]
fn the_lowest_earner_gives_way_when_a_subnet_is_full() {
    on_chain(|| {
        full_subnet();
        Weights::<Test>::insert(NetUidStorageIndex(1), 1, vec![(2, 65_535), (3, 7)]);
        Bonds::<Test>::insert(NetUidStorageIndex(1), 2, vec![(3, 9)]);
        assert_eq!(register(BOB, 301), 2);
        assert!(!Uids::<Test>::contains_key(NET, 202));
        assert_eq!(
            Weights::<Test>::get(NetUidStorageIndex(1), 1),
            vec![(2, 0), (3, 7)]
        );
        assert!(Bonds::<Test>::get(NetUidStorageIndex(1), 2).is_empty());
        assert_eq!(BlockAtRegistration::<Test>::get(NET, 2), 30);
        assert_eq!(SubnetworkN::<Test>::get(NET), 5);
        check_books();
    });
}

#[test]
fn the_owner_stays_when_it_earned_least() {
    on_chain(|| {
        full_subnet();
        for hotkey in 301..330 {
            assert_ne!(register(BOB, hotkey), 0);
        }
        assert_eq!(Keys::<Test>::get(NET, 0), OWNER_HOTKEY);
    });
}

#[test]
fn the_older_then_the_lower_uid_gives_way_when_emission_is_equal() {
    on_chain(|| {
        full_subnet();
        Emission::<Test>::insert(NET, vec![0u64, 5, 5, 5, 5]);
        BlockAtRegistration::<Test>::insert(NET, 3, 0);
        assert_eq!(SubtensorModule::neuron_to_replace(NET), Some(3));
        BlockAtRegistration::<Test>::insert(NET, 3, 1);
        assert_eq!(SubtensorModule::neuron_to_replace(NET), Some(1));
    });
}

#[test]
fn an_immune_neuron_stays_when_enough_others_exist() {
    on_chain(|| {
        full_subnet();
        BlockAtRegistration::<Test>::insert(NET, 2, 29);
        assert_eq!(SubtensorModule::neuron_to_replace(NET), Some(3));
        MinNonImmuneUids::<Test>::insert(NET, 3);
        assert_eq!(SubtensorModule::neuron_to_replace(NET), Some(2));
    });
}

#[test]
fn a_limit_at_the_price_passes() {
    on_chain(|| {
        let price = Burn::<Test>::get(NET);
        assert_ok!(SubtensorModule::register_limit(
            RuntimeOrigin::signed(BOB),
            NET,
            202,
            price
        ));
    });
}
