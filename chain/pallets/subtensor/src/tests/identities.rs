use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};

fn set_identity(coldkey: u64, name: usize) -> sp_runtime::DispatchResult {
    let field = |length| vec![b'x'; length];
    SubtensorModule::set_identity(
        RuntimeOrigin::signed(coldkey),
        field(name),
        field(256),
        field(256),
        field(1_024),
        field(256),
        field(1_024),
        field(1_024),
    )
}

#[test]
fn set_identity_wants_a_registered_hotkey_and_fields_within_their_lengths() {
    on_chain(|| {
        assert_noop!(
            set_identity(ALICE, 1),
            Error::<Test>::HotKeyNotRegisteredInNetwork
        );
        register(ALICE, 201);
        assert_noop!(set_identity(ALICE, 257), Error::<Test>::InvalidIdentity);
        assert_ok!(set_identity(ALICE, 256));
        assert_eq!(IdentitiesV2::<Test>::get(ALICE).expect("set").name.len(), 256);
        System::assert_last_event(Event::ChainIdentitySet(ALICE).into());
    });
}

#[test]
fn set_subnet_identity_is_the_owners() {
    on_chain(|| {
        let set = |coldkey, name: &[u8]| {
            let empty = Vec::new;
            SubtensorModule::set_subnet_identity(
                RuntimeOrigin::signed(coldkey),
                NET,
                name.to_vec(),
                empty(),
                empty(),
                empty(),
                empty(),
                empty(),
                empty(),
                empty(),
            )
        };
        assert_noop!(set(BOB, b"arbor"), Error::<Test>::NotSubnetOwner);
        assert_noop!(set(OWNER, &[b'x'; 257]), Error::<Test>::InvalidIdentity);
        assert_ok!(set(OWNER, b"arbor"));
        assert_eq!(
            SubnetIdentitiesV3::<Test>::get(NET).expect("set").subnet_name,
            b"arbor"
        );
    });
}

#[test]
fn try_associate_hotkey_makes_it_known_once() {
    on_chain(|| {
        let associate = |coldkey| SubtensorModule::try_associate_hotkey(RuntimeOrigin::signed(coldkey), 201);
        assert_ok!(associate(ALICE));
        assert_ok!(associate(BOB));
        assert_eq!(Owner::<Test>::get(201), ALICE);
        assert_eq!(OwnedHotkeys::<Test>::get(ALICE), [201]);
    });
}

#[test]
fn a_coldkey_owns_1_024_hotkeys_and_no_more() {
    on_chain(|| {
        let associate = |hotkey| SubtensorModule::try_associate_hotkey(RuntimeOrigin::signed(ALICE), hotkey);
        for hotkey in 0..1_024 {
            assert_ok!(associate(10_000 + hotkey));
        }
        assert_noop!(associate(20_000), Error::<Test>::TooManyHotkeys);
    });
}

#[test]
fn a_full_list_of_staked_hotkeys_makes_room_for_those_that_hold_nothing() {
    on_chain(|| {
        register(ALICE, 201);
        register(ALICE, 202);
        stake(BOB, 201, TAO);
        StakingHotkeys::<Test>::mutate(BOB, |hotkeys| hotkeys.extend(10_000..11_023));
        stake(BOB, 202, TAO);
        assert_eq!(StakingHotkeys::<Test>::get(BOB), [201, 202]);
        // A list that is full of real stakes stays.
        for hotkey in 10_000..11_022 {
            Owner::<Test>::insert(hotkey, ALICE);
            SubtensorModule::increase_stake(&hotkey, &BOB, NET, 1);
            SubtensorModule::issue_alpha(NET, 1);
        }
        register(ALICE, 203);
        assert_noop!(
            SubtensorModule::add_stake(RuntimeOrigin::signed(BOB), 203, NET, TAO),
            Error::<Test>::TooManyStakingHotkeys
        );
        stake(BOB, 201, TAO);
        next_block();
    });
}
