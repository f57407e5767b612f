use super::{emission::working_subnet, mock::*};
use crate::*;
use frame_support::{assert_noop, assert_ok};

const SECOND: MechId = MechId(1);

fn set_on(mechanism: MechId, uids: Vec<u16>, values: Vec<u16>) {
    assert_ok!(SubtensorModule::set_mechanism_weights(
        RuntimeOrigin::signed(201),
        NET,
        mechanism,
        uids,
        values,
        0
    ));
}

/// A validator at uid 1 that weighs miner 2 on the main mechanism and miner 3 on the second.
fn two_mechanisms() {
    MaxAllowedUids::<Test>::insert(NET, 128);
    working_subnet();
    assert_ok!(SubtensorModule::do_set_mechanism_count(NET, 2));
    set_on(MechId::MAIN, vec![2], vec![1]);
    set_on(SECOND, vec![3], vec![1]);
}

#[test]
fn weights_on_the_second_mechanism_pay_its_miners_by_the_split_when_an_epoch_runs() {
    on_chain(|| {
        two_mechanisms();
        assert_ok!(SubtensorModule::do_set_mechanism_emission_split(
            NET,
            Some(vec![16_384, 49_151])
        ));
        run_to(20);
        let second = NetUidStorageIndex::new(NET, SECOND);
        let main = NetUidStorageIndex::new(NET, MechId::MAIN);
        assert_eq!(Incentive::<Test>::get(main)[2..], [65_535, 0]);
        assert_eq!(Incentive::<Test>::get(second)[2..], [0, 65_535]);
        let emission = Emission::<Test>::get(NET);
        let (first, other) = (emission[2], emission[3]);
        let quarter = (first + other) / 4;
        assert!(first.abs_diff(quarter) < TAO / 1_000, "{first} and {other}");
        assert!(first > 0 && other > first * 2);
        // Each mechanism has bonds of its own.
        assert!(Bonds::<Test>::get(main, 1).iter().all(|(uid, _)| *uid == 2));
        assert!(Bonds::<Test>::get(second, 1).iter().all(|(uid, _)| *uid == 3));
    });
}

#[test]
fn emission_is_split_evenly_when_no_split_is_set() {
    on_chain(|| {
        two_mechanisms();
        run_to(20);
        let emission = Emission::<Test>::get(NET);
        assert!(
            emission[2] > 0 && emission[2].abs_diff(emission[3]) < 10,
            "{emission:?}"
        );
    });
}

#[test]
fn a_dropped_mechanism_leaves_nothing_behind_and_the_shares_are_even_again() {
    on_chain(|| {
        two_mechanisms();
        assert_ok!(SubtensorModule::do_set_mechanism_emission_split(
            NET,
            Some(vec![1, 65_534])
        ));
        run_to(20);
        assert_ok!(SubtensorModule::do_set_mechanism_count(NET, 1));
        let second = NetUidStorageIndex::new(NET, SECOND);
        assert_eq!(Weights::<Test>::iter_prefix(second).count(), 0);
        assert_eq!(Bonds::<Test>::iter_prefix(second).count(), 0);
        assert!(!LastUpdate::<Test>::contains_key(second) && !Incentive::<Test>::contains_key(second));
        assert_eq!(MechanismEmissionSplit::<Test>::get(NET), None);
        run_to(30);
        assert_eq!(Emission::<Test>::get(NET)[3], 0);
    });
}

#[test]
fn mechanisms_are_refused_when_they_are_none_too_many_or_have_too_many_uids() {
    on_chain(|| {
        let count = |count| SubtensorModule::do_set_mechanism_count(NET, count);
        assert_noop!(count(0), Error::<Test>::InvalidValue);
        assert_noop!(count(3), Error::<Test>::InvalidValue);
        assert_noop!(count(2), Error::<Test>::TooManyUIDsPerMechanism);
        MaxAllowedUids::<Test>::insert(NET, 128);
        assert_ok!(count(2));
        let split = |shares| SubtensorModule::do_set_mechanism_emission_split(NET, Some(shares));
        assert_noop!(split(vec![]), Error::<Test>::InvalidValue);
        assert_noop!(split(vec![65_535, 1]), Error::<Test>::InvalidValue);
        assert_noop!(split(vec![1, 2, 65_532]), Error::<Test>::InvalidValue);
        assert_ok!(split(vec![65_535]));
        next_block();
    });
}
