use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};

fn set(
    hotkey: u64,
    netuid: NetUid,
    uids: &[u16],
    values: &[u16],
    version: u64,
) -> sp_runtime::DispatchResult {
    let (uids, values) = (uids.to_vec(), values.to_vec());
    SubtensorModule::set_weights(RuntimeOrigin::signed(hotkey), netuid, uids, values, version)
}

/// Registers a validator (uid 1) with a permit and two miners.
fn neurons() {
    (201..204).for_each(|hotkey| assert!(register(ALICE, hotkey) > 0));
    ValidatorPermit::<Test>::insert(NET, vec![true, true, false, false]);
}

#[test]
fn set_weights_stores_the_upscaled_row_when_all_checks_pass() {
    on_chain(|| {
        neurons();
        run_to(7);
        assert_ok!(set(201, NET, &[3, 2], &[1, 2], 0));
        assert_eq!(
            Weights::<Test>::get(NetUidStorageIndex(1), 1),
            vec![(3, 32_768), (2, 65_535)]
        );
        assert_eq!(LastUpdate::<Test>::get(NetUidStorageIndex(1))[1], 7);
        System::assert_last_event(Event::WeightsSet(NetUidStorageIndex(1), 1).into());
    });
}

#[test]
fn set_weights_refuses_in_the_reference_order_when_several_things_are_wrong() {
    on_chain(|| {
        neurons();
        run_to(7);
        MaxWeightsLimit::<Test>::insert(NET, 20_000);
        CommitRevealWeightsEnabled::<Test>::insert(NET, true);
        assert_noop!(set(201, NET, &[2], &[1], 0), Error::<Test>::CommitRevealEnabled);
        CommitRevealWeightsEnabled::<Test>::insert(NET, false);
        CommitRevealWeightsEnabled::<Test>::insert(NetUid(9), false);
        CommitRevealWeightsEnabled::<Test>::insert(NetUid::ROOT, false);
        assert_noop!(
            set(201, NetUid::ROOT, &[1], &[], 0),
            Error::<Test>::CanNotSetRootNetworkWeights
        );
        assert_noop!(
            set(201, NetUid(9), &[1], &[], 0),
            Error::<Test>::WeightVecNotEqualSize
        );
        assert_noop!(
            set(999, NetUid(9), &[1], &[1], 0),
            Error::<Test>::MechanismDoesNotExist
        );
        let many = [0, 1, 2, 3, 4];
        assert_noop!(
            set(999, NET, &many, &many, 0),
            Error::<Test>::UidsLengthExceedUidsInSubNet
        );
        StakeThreshold::<Test>::put(TAO);
        WeightsVersionKey::<Test>::insert(NET, 5);
        WeightsSetRateLimit::<Test>::insert(NET, 100);
        assert_noop!(
            set(999, NET, &[9, 9], &[1, 1], 4),
            Error::<Test>::HotKeyNotRegisteredInSubNet
        );
        assert_noop!(
            set(203, NET, &[9, 9], &[1, 1], 4),
            Error::<Test>::NotEnoughStakeToSetWeights
        );
        StakeThreshold::<Test>::put(0);
        assert_noop!(
            set(203, NET, &[9, 9], &[1, 1], 4),
            Error::<Test>::IncorrectWeightVersionKey
        );
        assert_noop!(
            set(203, NET, &[9, 9], &[1, 1], 5),
            Error::<Test>::SettingWeightsTooFast
        );
        WeightsSetRateLimit::<Test>::insert(NET, 6);
        assert_noop!(
            set(203, NET, &[9, 9], &[1, 1], 5),
            Error::<Test>::NeuronNoValidatorPermit
        );
        assert_noop!(set(201, NET, &[9, 9], &[1, 1], 5), Error::<Test>::DuplicateUids);
        assert_noop!(
            set(201, NET, &[9], &[1], 5),
            Error::<Test>::UidVecContainInvalidOne
        );
        MinAllowedWeights::<Test>::insert(NET, 3);
        assert_noop!(
            set(201, NET, &[2, 3], &[1, 2], 5),
            Error::<Test>::WeightVecLengthIsLow
        );
        MinAllowedWeights::<Test>::insert(NET, 2);
        assert_noop!(
            set(201, NET, &[2, 3], &[1, 2], 5),
            Error::<Test>::MaxWeightExceeded
        );
        MaxWeightsLimit::<Test>::insert(NET, u16::MAX);
        assert_ok!(set(201, NET, &[2, 3], &[1, 2], 5));
    });
}

#[test]
fn a_self_weight_needs_no_permit_when_it_stands_alone() {
    on_chain(|| {
        neurons();
        MinAllowedWeights::<Test>::insert(NET, 3);
        assert_ok!(set(203, NET, &[3], &[1], 0));
        assert_noop!(
            set(203, NET, &[3, 2], &[1, 1], 0),
            Error::<Test>::NeuronNoValidatorPermit
        );
    });
}

#[test]
fn the_owner_needs_neither_permit_nor_stake() {
    on_chain(|| {
        neurons();
        ValidatorPermit::<Test>::insert(NET, vec![false; 4]);
        StakeThreshold::<Test>::put(TAO);
        assert_ok!(set(OWNER_HOTKEY, NET, &[1, 2], &[1, 1], 0));
    });
}

#[test]
fn the_rate_limit_opens_at_its_last_block() {
    on_chain(|| {
        neurons();
        WeightsSetRateLimit::<Test>::insert(NET, 3);
        run_to(7);
        assert_ok!(set(201, NET, &[2], &[1], 0));
        run_to(9);
        assert_noop!(set(201, NET, &[2], &[1], 0), Error::<Test>::SettingWeightsTooFast);
        run_to(10);
        ValidatorPermit::<Test>::insert(NET, vec![true, true, false, false]); // block 10 ran an epoch
        assert_ok!(set(201, NET, &[2], &[1], 0));
    });
}

#[test]
fn set_mechanism_weights_refuses_a_mechanism_that_the_subnet_has_not() {
    on_chain(|| {
        neurons();
        let set = |mechanism| {
            let origin = RuntimeOrigin::signed(201);
            SubtensorModule::set_mechanism_weights(origin, NET, MechId(mechanism), vec![2], vec![1], 0)
        };
        assert_ok!(set(0));
        assert_noop!(set(1), Error::<Test>::MechanismDoesNotExist);
        MaxAllowedUids::<Test>::insert(NET, 128);
        assert_ok!(SubtensorModule::do_set_mechanism_count(NET, 2));
        assert_ok!(set(1));
        assert_eq!(
            Weights::<Test>::get(NetUidStorageIndex(4097), 1),
            vec![(2, 65_535)]
        );
    });
}

#[test]
fn a_batch_sets_what_it_can_and_tells_what_failed() {
    chain(vec![subnet(1), subnet(2)]).execute_with(|| {
        use codec::Compact;
        neurons();
        let batch = |netuids: &[u16], rows: usize| {
            SubtensorModule::batch_set_weights(
                RuntimeOrigin::signed(OWNER_HOTKEY),
                netuids.iter().map(|netuid| Compact(NetUid(*netuid))).collect(),
                vec![vec![(Compact(0u16), Compact(1u16))]; rows],
                vec![Compact(0u64); netuids.len()],
            )
        };
        assert_noop!(batch(&[1, 2], 1), Error::<Test>::InputLengthsUnequal);
        assert_noop!(batch(&[1; 129], 129), Error::<Test>::InvalidValue);
        assert_ok!(batch(&[1, 9, 2], 3));
        let row = |netuid| Weights::<Test>::get(NetUidStorageIndex::new(NetUid(netuid), MechId::MAIN), 0);
        assert_eq!((row(1), row(2)), (vec![(0, 65_535)], vec![(0, 65_535)]));
        let missing = Error::<Test>::CommitRevealEnabled.into();
        System::assert_has_event(Event::BatchWeightItemFailed(NetUid(9), missing).into());
        System::assert_has_event(Event::BatchCompletedWithErrors().into());
        assert!(SubtensorModule::must_pause(&OWNER_HOTKEY));
    });
}
