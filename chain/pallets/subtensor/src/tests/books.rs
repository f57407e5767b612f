//! Hundreds of epochs with random users: the books balance to the last unit after every block.

use super::mock::*;
use crate::*;

/// Lets a random user do a random thing on a random subnet; refusals are fine, wrong books are not.
fn act(random: &mut Seeded) {
    let netuid = NetUid(random.below(4) as u16);
    let coldkey = 2 + random.below(7);
    let hotkey = 200 + random.below(60);
    let origin = RuntimeOrigin::signed(coldkey);
    let _refused = match random.below(10) {
        0 => SubtensorModule::burned_register(origin, netuid, coldkey * 1_000 + random.below(6))
            .map(|_| ())
            .map_err(|refusal| refusal.error),
        1 | 2 => {
            SubtensorModule::add_stake(origin, registered(netuid, random), netuid, random.below(50 * TAO))
        }
        3 => {
            let hotkey = registered(netuid, random);
            let held = SubtensorModule::stake_of(&hotkey, &coldkey, netuid);
            let part = if random.below(3) == 0 {
                held
            } else {
                random.below(held.max(1))
            };
            SubtensorModule::remove_stake(origin, hotkey, netuid, part)
        }
        4..=7 => {
            let n = SubnetworkN::<Test>::get(netuid);
            let uids: Vec<u16> = (0..n).filter(|_| random.below(2) == 0).collect();
            let values = uids.iter().map(|_| random.below(65_536) as u16).collect();
            let signer = RuntimeOrigin::signed(registered(netuid, random));
            SubtensorModule::set_weights(signer, netuid, uids, values, 0)
        }
        8 => Balances::transfer_allow_death(origin, hotkey, 1_000 + random.below(TAO)).map(|_| ()),
        _ => {
            let recycle = random.below(2) == 0;
            let choice = if recycle {
                RecycleOrBurnEnum::Recycle
            } else {
                RecycleOrBurnEnum::Burn
            };
            RecycleOrBurn::<Test>::insert(netuid, choice);
            SubnetEmissionEnabled::<Test>::insert(netuid, random.below(2) == 0);
            Ok(())
        }
    };
}

/// Chooses a hotkey that holds a uid; on root, one of subnet 1.
fn registered(netuid: NetUid, random: &mut Seeded) -> u64 {
    let netuid = if netuid.is_root() { NET } else { netuid };
    let n = u64::from(SubnetworkN::<Test>::get(netuid).max(1));
    Keys::<Test>::get(netuid, random.below(n) as u16)
}

fn random_chain(seed: u64, blocks: u64) {
    let subnets = [(1, 5), (2, 7), (3, 10)].map(|(netuid, tempo)| GenesisSubnet {
        tempo: Some(tempo),
        max_allowed_uids: Some(12),
        max_allowed_validators: Some(4),
        ..subnet(netuid)
    });
    chain(subnets.into()).execute_with(|| {
        let mut random = Seeded(seed);
        for block in 2..=blocks {
            run_to(block);
            (0..random.below(4)).for_each(|_| act(&mut random));
        }
        check_books();
        let epochs: u64 = (1..4)
            .map(|netuid| SubnetEpochIndex::<Test>::get(NetUid(netuid)))
            .sum();
        assert!(epochs > blocks * 2 / 5, "only {epochs} epochs ran");
        let dust: u64 = (0..4)
            .map(|netuid| SubnetAlphaDust::<Test>::get(NetUid(netuid)))
            .sum();
        assert!(
            dust < epochs * 100,
            "{dust} of dust in {epochs} epochs is more than truncation makes"
        );
        assert!(SubnetAlphaBurned::<Test>::get(NET) > 0);
    });
}

#[test]
fn the_books_balance_after_every_block_when_users_act_at_random() {
    for seed in [1, 0x00ab_cdef, 0xfeed_5eed_1234_5678] {
        random_chain(seed, 400);
    }
}

#[test]
fn issued_alpha_is_staked_pending_burned_or_dust_when_nobody_trades() {
    on_chain(|| {
        (0..8).for_each(|at| assert!(register(ALICE + at % 3, 201 + at) > 0));
        (0..8).for_each(|at| stake(ALICE + at % 3, 201 + at, (at + 1) * 7 * TAO + at));
        run_to(11);
        for hotkey in 201..209 {
            let values = (1..=8).map(|uid| (uid * hotkey as u16 * 37) % 997).collect();
            let origin = RuntimeOrigin::signed(hotkey);
            frame_support::assert_ok!(SubtensorModule::set_weights(
                origin,
                NET,
                (1..=8).collect(),
                values,
                0
            ));
        }
        let staked = || -> u64 {
            TotalHotkeyAlpha::<Test>::iter()
                .filter(|(_, netuid, _)| *netuid == NET)
                .map(|(_, _, alpha)| alpha)
                .sum()
        };
        let out = || SubnetAlphaOut::<Test>::get(NET);
        let held = || {
            staked()
                + PendingServerEmission::<Test>::get(NET)
                + PendingValidatorEmission::<Test>::get(NET)
                + PendingRootAlphaDivs::<Test>::get(NET)
                + PendingOwnerCut::<Test>::get(NET)
                + SubnetAlphaBurned::<Test>::get(NET)
                + SubnetAlphaDust::<Test>::get(NET)
        };
        let (out_before, held_before) = (out(), held());
        run_to(11 + 500); // 50 epochs
        assert_eq!(out() - out_before, 500 * TAO);
        assert_eq!(held() - held_before, 500 * TAO);
        assert!(SubnetAlphaDust::<Test>::get(NET) < 10_000);
    });
}
