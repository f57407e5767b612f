use super::mock::*;
use crate::*;
use frame_support::assert_ok;

/// A validator of ALICE's with uid 1 and two miners of BOB's with uids 2 and 3, with weights set.
pub(super) fn working_subnet() {
    register(ALICE, 201);
    register(BOB, 301);
    register(BOB, 302);
    stake(ALICE, 201, 1_000 * TAO);
    run_to(11); // the first epoch gives the validator its permit
    let origin = RuntimeOrigin::signed(201);
    assert_ok!(SubtensorModule::set_weights(
        origin,
        NET,
        vec![2, 3],
        vec![3, 1],
        0
    ));
}

#[test]
fn alpha_is_issued_at_one_a_block_when_the_subnet_is_young() {
    on_chain(|| {
        let before = SubnetAlphaOut::<Test>::get(NET);
        run_to(8);
        assert_eq!(SubnetAlphaOut::<Test>::get(NET) - before, 7 * TAO);
        let pending = [
            PendingOwnerCut::<Test>::get(NET),
            PendingServerEmission::<Test>::get(NET),
            PendingValidatorEmission::<Test>::get(NET),
        ];
        // 18 / 41 / 41 %: 11 796 / 65 535 of a block's alpha to the owner, the rest in halves.
        assert_eq!(pending, [8 * 179_995_422, 8 * 410_002_288, 8 * 410_002_288]);
    });
}

#[test]
fn miners_validators_and_owner_are_paid_41_41_18_when_weights_are_set() {
    on_chain(|| {
        working_subnet();
        run_to(20);
        let staked = |hotkey| TotalHotkeyAlpha::<Test>::get(hotkey, NET);
        let before = [201, 301, 302, OWNER_HOTKEY].map(staked);
        run_to(30);
        let paid: Vec<u64> = [201, 301, 302, OWNER_HOTKEY]
            .iter()
            .map(|key| staked(*key))
            .collect();
        let gained: Vec<u64> = paid.iter().zip(before).map(|(now, then)| now - then).collect();
        let share = |alpha: u64, percent: u64| alpha.abs_diff(10 * TAO * percent / 100) < TAO / 100;
        assert!(share(gained[0], 41), "validator got {}", gained[0]);
        assert!(
            share(gained[1] + gained[2], 41),
            "miners got {} and {}",
            gained[1],
            gained[2]
        );
        assert!(share(gained[3], 18), "owner got {}", gained[3]);
        assert!(gained[1] > gained[2] * 2);
        assert_eq!(Emission::<Test>::get(NET)[2..], gained[1..3]);
        assert_eq!(AlphaDividendsPerSubnet::<Test>::get(NET, 201), gained[0]);
    });
}

#[test]
fn a_take_goes_to_the_hotkeys_owner_when_others_stake_to_it() {
    on_chain(|| {
        working_subnet();
        stake(BOB, 201, 1_000 * TAO);
        run_to(20);
        let held = |who| SubtensorModule::stake_of(&201, &who, NET);
        let before = (held(ALICE), held(BOB));
        run_to(30);
        let (alice, bob) = (held(ALICE) - before.0, held(BOB) - before.1);
        let all = AlphaDividendsPerSubnet::<Test>::get(NET, 201);
        let take = all * u64::from(defaults::DELEGATE_TAKE) / 65_535;
        let half = arbor_math::wide::mul_div(all - take, before.1, before.0 + before.1);
        assert!(bob.abs_diff(half) < 10, "BOB got {bob} of {half}");
        assert!((alice + bob).abs_diff(all) < 10, "{alice} and {bob} of {all}");
    });
}

#[test]
fn incentive_of_the_owners_hotkeys_is_burned_or_recycled() {
    on_chain(|| {
        working_subnet();
        register(OWNER, 102);
        let set = |uids, values| {
            assert_ok!(SubtensorModule::set_weights(
                RuntimeOrigin::signed(201),
                NET,
                uids,
                values,
                0
            ));
        };
        run_to(12);
        set(vec![4], vec![1]);
        run_to(20);
        let burned = SubnetAlphaBurned::<Test>::get(NET);
        assert!(burned.abs_diff(41 * TAO / 10) < TAO / 100, "burned {burned}");
        assert_eq!(TotalHotkeyAlpha::<Test>::get(102, NET), 0);
        assert_eq!(MinerBurned::<Test>::get(NET).bits, 1 << 32);
        RecycleOrBurn::<Test>::insert(NET, RecycleOrBurnEnum::Recycle);
        run_to(29);
        let before = SubnetAlphaOut::<Test>::get(NET);
        run_to(30);
        assert_eq!(SubnetAlphaBurned::<Test>::get(NET), burned);
        assert!((before + TAO - SubnetAlphaOut::<Test>::get(NET)).abs_diff(41 * TAO / 10) < TAO / 100);
    });
}

#[test]
fn validators_get_the_miners_part_when_nobody_set_weights() {
    on_chain(|| {
        register(ALICE, 201);
        stake(ALICE, 201, 100 * TAO);
        let before = TotalHotkeyAlpha::<Test>::get(201, NET);
        run_to(10);
        let gained = TotalHotkeyAlpha::<Test>::get(201, NET) - before;
        assert!(gained.abs_diff(82 * TAO / 10) < TAO / 100, "got {gained}");
    });
}

#[test]
fn tao_is_minted_into_the_pool_when_emission_is_enabled() {
    on_chain(|| {
        SubnetEmissionEnabled::<Test>::insert(NET, true);
        // From 0 the average price takes about 16 blocks to reach its smallest unit.
        SubnetMovingPrice::<Test>::insert(NET, FixedI128 { bits: 1 << 32 });
        let before = (TotalIssuance::<Test>::get(), SubnetTAO::<Test>::get(NET));
        next_block();
        let minted = TotalIssuance::<Test>::get() - before.0;
        assert!(TAO - minted < 10, "minted {minted}");
        assert_eq!(SubnetTAO::<Test>::get(NET) - before.1, minted);
    });
}

#[test]
fn root_stake_is_paid_in_tao_when_prices_add_up_to_more_than_one() {
    chain(vec![subnet(1), subnet(2)]).execute_with(|| {
        let one = FixedI128 { bits: 1 << 32 };
        [NET, NetUid(2)]
            .iter()
            .for_each(|netuid| SubnetMovingPrice::<Test>::insert(netuid, one));
        register(ALICE, 201);
        let stake_to = |netuid, rao| {
            assert_ok!(SubtensorModule::add_stake(
                RuntimeOrigin::signed(ALICE),
                201,
                netuid,
                rao
            ));
        };
        stake_to(NetUid::ROOT, 5_000 * TAO);
        stake_to(NET, 10 * TAO);
        run_to(20);
        let root = TotalHotkeyAlpha::<Test>::get(201, NetUid::ROOT);
        assert!(root > 5_000 * TAO, "root stake is {root}");
        assert!(RootAlphaDividendsPerSubnet::<Test>::get(NET, 201) > 0);
    });
}

#[test]
fn epochs_wait_for_the_next_block_when_more_are_due_than_fit() {
    chain((1..=5).map(subnet).collect()).execute_with(|| {
        (1..=5).for_each(|netuid| LastEpochBlock::<Test>::insert(NetUid(netuid), 0));
        let ran = |block: u64| {
            (1..=5)
                .filter(|id| LastEpochBlock::<Test>::get(NetUid(*id)) == block)
                .count()
        };
        run_to(10);
        assert_eq!(ran(10), 2);
        System::assert_has_event(
            Event::EpochDeferred {
                netuid: NetUid(3),
                from_block: 10,
                to_block: 11,
            }
            .into(),
        );
        run_to(12);
        assert_eq!((ran(10), ran(11), ran(12)), (2, 2, 1));
        assert_eq!(PendingEpochAt::<Test>::get(NetUid(5)), 0);
        assert_eq!(SubnetEpochIndex::<Test>::get(NetUid(5)), 1);
    });
}

#[test]
fn an_epoch_is_skipped_and_nothing_is_lost_when_two_uids_have_one_hotkey() {
    on_chain(|| {
        register(ALICE, 201);
        let block = 10;
        System::set_block_number(block - 1);
        Keys::<Test>::insert(NET, 1, OWNER_HOTKEY);
        System::set_block_number(block);
        let before = PendingServerEmission::<Test>::get(NET);
        <SubtensorModule as frame_support::traits::Hooks<u64>>::on_initialize(block);
        System::assert_has_event(Event::EpochSkipped { netuid: NET, block }.into());
        assert!(PendingServerEmission::<Test>::get(NET) > before);
        assert_eq!(LastEpochBlock::<Test>::get(NET), block);
    });
}
