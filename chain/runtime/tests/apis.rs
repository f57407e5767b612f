//! The answers of the runtime APIs on the development chain.

mod common;

use arbor_runtime::*;
use common::*;
use info::{delegates, for_all, hyperparams, metagraph, neurons, stakes, subnets, swaps};

#[test]
fn neurons_are_listed_in_the_order_of_their_uids() {
    on_dev(|| {
        let all = neurons::all(1);
        assert_eq!(all.len(), 1);
        assert_eq!(
            (all[0].uid.0, all[0].netuid.0, &all[0].hotkey),
            (0, 1, &account("//Alice//default"))
        );
        assert_eq!(all[0].coldkey, account("//Alice"));
        assert_eq!(neurons::one(1, 0).as_ref(), all.first());
        assert_eq!(neurons::one_lite(1, 0).as_ref(), neurons::all_lite(1).first());
        assert_eq!((neurons::one(1, 1), neurons::one(2, 0)), (None, None));
        assert!(neurons::all(2).is_empty());
    });
}

#[test]
fn subnet_answers_show_what_the_genesis_set() {
    on_dev(|| {
        let rules = hyperparams::v2(1).expect("subnet 1");
        assert_eq!(
            (rules.tempo.0, rules.kappa.0, rules.yuma_version.0),
            (10, 32_767, 3)
        );
        assert_eq!(rules.alpha_sigmoid_steepness.bits, 10 << 32);
        assert!(!rules.commit_reveal_weights_enabled && rules.subnet_is_active);
        assert!(hyperparams::v3(1)
            .expect("subnet 1")
            .iter()
            .any(|entry| entry.name == b"tempo"));
        let info = subnets::info_v2(1).expect("subnet 1");
        assert_eq!((info.subnetwork_n.0, info.owner), (1, account("//Alice")));
        assert_eq!(for_all(subnets::info).len(), 2, "root and subnet 1");
        let pool = subnets::dynamic_info(1).expect("subnet 1");
        assert_eq!((pool.tao_in.0, pool.alpha_in.0), (10_000 * TAO, 10_000 * TAO));
        assert_eq!(subnets::next_epoch(1), Some(10));
        assert_eq!(
            (subnets::info(9), hyperparams::v1(9), subnets::next_epoch(0)),
            (None, None, None)
        );
        assert!(subnets::lock_cost() >= TAO);
    });
}

#[test]
fn metagraph_columns_have_one_entry_per_uid() {
    on_dev(|| {
        let graph = metagraph::metagraph(1, 0).expect("subnet 1");
        let n = usize::from(graph.num_uids.0);
        let lengths = [
            graph.hotkeys.len(),
            graph.coldkeys.len(),
            graph.axons.len(),
            graph.active.len(),
            graph.incentives.len(),
            graph.total_stake.len(),
            graph.alpha_dividends_per_hotkey.len(),
        ];
        assert_eq!(lengths, [n; 7]);
        assert_eq!(subnets::state(1).expect("subnet 1").hotkeys, graph.hotkeys);
        assert!(metagraph::metagraph(1, 1).is_none(), "subnet 1 has one mechanism");

        let some = metagraph::selective(1, 0, vec![8, 52, 72, 73, 99]).expect("subnet 1");
        assert_eq!(some.tempo.map(|tempo| tempo.0), Some(10));
        assert_eq!(some.hotkeys, Some(graph.hotkeys));
        assert_eq!(some.commitments, Some(vec![]));
        assert!(some.validators.is_some() && some.name.is_none() && some.coldkeys.is_none());
    });
}

#[test]
fn stake_and_price_follow_a_purchase() {
    on_dev(|| {
        let (coldkey, hotkey) = (account("//Alice"), account("//Alice//default"));
        assert_eq!(swaps::price(1), TAO);
        assert_eq!((swaps::price(0), swaps::price(9)), (TAO, 0));
        let expected = swaps::tao_for_alpha(1, 100 * TAO);
        assert!(expected.alpha_amount < 100 * TAO && expected.alpha_slippage > 0);

        begin_block();
        let call = pallet_subtensor::Call::add_stake {
            hotkey: hotkey.clone(),
            netuid: 1.into(),
            amount_staked: 100 * TAO,
        };
        apply_ok(sign("//Alice", call));
        let stake = stakes::one(hotkey.clone(), coldkey.clone(), 1).expect("subnet 1");
        // Block 1 paid its emission before; the purchase itself is the last thing that moved the pool.
        assert!(stake.stake.0.abs_diff(expected.alpha_amount) < TAO, "{stake:?}");
        assert!(stake.is_registered);
        assert_eq!(stakes::of_coldkey(coldkey.clone()), vec![stake.clone()]);
        assert!(swaps::price(1) > TAO);
        assert!(swaps::alpha_for_tao(1, TAO).tao_amount > TAO * 99 / 100);

        let delegate = delegates::one(hotkey).expect("an owned hotkey");
        assert_eq!(delegate.owner_ss58, coldkey);
        assert_eq!(
            delegate.nominators,
            vec![(coldkey.clone(), vec![(1u16.into(), stake.stake)])]
        );
        assert_eq!(delegates::of_nominator(coldkey).len(), 1);
        assert_eq!(delegates::all().len(), 1);
        end_block();
    });
}

#[test]
fn metadata_shows_the_slot_duration_of_the_genesis() {
    on_dev(|| {
        assert!([14, 15]
            .iter()
            .all(|version| Runtime::metadata_versions().contains(version)));
        let bytes = Runtime::metadata_at_version(15).expect("version 15");
        let bytes: &[u8] = &bytes;
        // A constant's value stands close behind its name; here 1 000 as u64.
        let shown = bytes.windows(40).any(|window| {
            window.starts_with(b"SlotDuration")
                && window.windows(8).any(|value| value == 1_000u64.to_le_bytes())
        });
        assert!(shown, "Aura.SlotDuration is not 1 000 in the metadata");
    });
}
