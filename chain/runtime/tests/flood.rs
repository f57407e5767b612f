//! Free calls cannot fill blocks: what is doomed stays out, and what fails costs its hotkey the next blocks.

mod common;

use arbor_runtime::*;
use codec::Encode;
use common::*;
use pallet_subtensor::{defaults, Call, MechId, NetUid};
use polkadot_sdk::*;
use sp_runtime::transaction_validity::InvalidTransaction;

const NETUID: NetUid = NetUid(1);
const MINER: &str = "//Bob//miner";

fn refused(code: u8) -> sp_runtime::ApplyExtrinsicResult {
    Err(InvalidTransaction::Custom(code).into())
}

fn root(call: impl Into<RuntimeCall>) {
    let call = Box::new(call.into());
    apply_ok(sign("//Alice", pallet_sudo::Call::sudo { call }));
}

/// Runs a test in block 3 of a chain on which Bob's hotkey is registered without stake or permit.
fn with_miner(test: impl FnOnce()) {
    on_dev(|| {
        begin_block();
        let register = Call::burned_register {
            netuid: NETUID,
            hotkey: account(MINER),
        };
        apply_ok(sign("//Bob", register));
        end_block();
        run_blocks(1);
        begin_block();
        test();
        end_block();
    });
}

fn weights(netuid: NetUid) -> Call<Runtime> {
    Call::set_mechanism_weights {
        netuid,
        mecid: MechId(0),
        dests: vec![0],
        weights: vec![1],
        version_key: 0,
    }
}

fn serve(ip: [u8; 4], port: u16, ip_type: u8) -> Call<Runtime> {
    Call::serve_axon {
        netuid: NETUID,
        version: 1,
        ip: u32::from_be_bytes(ip).into(),
        port,
        ip_type,
        protocol: 4,
        placeholder1: 0,
        placeholder2: 0,
    }
}

fn commitment() -> pallet_commitments::Call<Runtime> {
    pallet_commitments::Call::set_commitment {
        netuid: 1,
        info: Box::new(pallet_commitments::CommitmentInfo {
            fields: Default::default(),
        }),
    }
}

#[test]
fn a_hotkey_gets_one_failing_call_into_five_blocks_however_many_it_sends() {
    on_dev(|| {
        begin_block();
        let register = Call::burned_register {
            netuid: NETUID,
            hotkey: account(MINER),
        };
        apply_ok(sign("//Bob", register));
        end_block();
        run_blocks(2);
        let mut included = 0;
        for _ in 0..10 {
            begin_block();
            for _ in 0..6 {
                match apply(sign(MINER, weights(NETUID))) {
                    Ok(dispatched) => {
                        included += 1;
                        let why = pallet_subtensor::Error::<Runtime>::NeuronNoValidatorPermit;
                        assert_eq!(dispatched, Err(why.into()), "the first is told why");
                    }
                    other => assert_eq!(other, refused(6)),
                }
            }
            end_block();
        }
        assert_eq!(included, 10 / defaults::FREE_FAILURE_PAUSE);
    });
}

#[test]
fn a_failure_leaves_the_other_hotkeys_alone() {
    with_miner(|| {
        assert!(apply(sign(MINER, weights(NETUID))).expect("included").is_err());
        assert_eq!(apply(sign(MINER, serve([127, 0, 0, 2], 8_091, 4))), refused(6));
        apply_ok(sign("//Alice//default", serve([127, 0, 0, 2], 8_091, 4)));
    });
}

#[test]
fn serving_is_taken_once_in_a_block_even_where_the_rate_limit_is_0() {
    with_miner(|| {
        root(pallet_admin_utils::Call::sudo_set_serving_rate_limit {
            netuid: NETUID,
            serving_rate_limit: 0,
        });
        apply_ok(sign(MINER, serve([127, 0, 0, 2], 8_091, 4)));
        assert_eq!(apply(sign(MINER, serve([127, 0, 0, 2], 8_092, 4))), refused(12));
        end_block();
        begin_block();
        apply_ok(sign(MINER, serve([127, 0, 0, 2], 8_092, 4)));
    });
}

#[test]
fn weights_are_taken_once_in_a_block_even_where_the_rate_limit_is_0() {
    with_miner(|| {
        root(pallet_admin_utils::Call::sudo_set_weights_set_rate_limit {
            netuid: NETUID,
            weights_set_rate_limit: 0,
        });
        // The owner's hotkey needs no permit.
        apply_ok(sign("//Alice//default", weights(NETUID)));
        assert_eq!(apply(sign("//Alice//default", weights(NETUID))), refused(6));
        end_block();
        begin_block();
        apply_ok(sign("//Alice//default", weights(NETUID)));
    });
}

#[test]
fn commitments_end_with_the_space_of_an_epoch() {
    with_miner(|| {
        // 3 100 bytes, 100 at least for each.
        for _ in 0..31 {
            apply_ok(sign(MINER, commitment()));
        }
        assert_eq!(apply(sign(MINER, commitment())), refused(6));
    });
}

#[test]
fn doomed_free_calls_are_refused_by_their_numbers() {
    with_miner(|| {
        let cases = [
            (sign("//Stranger", weights(NETUID)), 4),
            (sign(MINER, weights(NetUid(9))), 3),
            (sign(MINER, serve([127, 0, 0, 1], 8_091, 4)), 11),
            (sign(MINER, serve([127, 0, 0, 2], 0, 4)), 13),
            (sign(MINER, serve([127, 0, 0, 2], 8_091, 5)), 255),
        ];
        for (extrinsic, code) in cases {
            assert_eq!(apply(extrinsic), refused(code));
        }
        let batch = |netuids: Vec<NetUid>, rows: usize| Call::batch_set_weights {
            version_keys: netuids.iter().map(|_| codec::Compact(0)).collect(),
            netuids: netuids.into_iter().map(codec::Compact).collect(),
            weights: vec![vec![]; rows],
        };
        assert_eq!(apply(sign("//Stranger", batch(vec![], 0))), refused(255));
        assert_eq!(apply(sign(MINER, batch(vec![NETUID; 129], 129))), refused(255));
        assert_eq!(apply(sign(MINER, batch(vec![NETUID], 2))), refused(18));
        root(pallet_admin_utils::Call::sudo_set_stake_threshold { min_stake: TAO });
        assert_eq!(apply(sign(MINER, weights(NETUID))), refused(1));
        // Root's free calls are not free to whoever signs them.
        let space = pallet_commitments::Call::set_max_space { new_limit: 1 };
        assert_eq!(apply(sign("//Eve", space)), refused(255));
    });
}

#[test]
fn takes_and_subnets_are_refused_by_their_numbers_before_they_cost_a_fee() {
    with_miner(|| {
        let take = |hotkey: &str, take| Call::increase_take {
            hotkey: account(hotkey),
            take,
        };
        root(pallet_admin_utils::Call::sudo_set_min_delegate_take { take: 10 });
        assert_eq!(apply(sign("//Bob", take(MINER, 9))), refused(26));
        assert_eq!(apply(sign("//Bob", take(MINER, 11_797))), refused(27));
        assert_eq!(apply(sign("//Eve", take(MINER, 11_000))), refused(25));
        assert_eq!(apply(sign("//Eve", take("//Nobody", 11_000))), refused(4));
        apply_ok(sign("//Bob", take(MINER, 11_000)));

        let subnet = || Call::register_network {
            hotkey: account("//Bob//owner"),
        };
        root(pallet_admin_utils::Call::sudo_set_network_rate_limit { rate_limit: 100 });
        apply_ok(sign("//Bob", subnet()));
        assert_eq!(apply(sign("//Bob", subnet())), refused(6));
    });
}

#[test]
fn the_extension_encodes_to_nothing() {
    assert!(extension::SubtensorTransactionExtension.encode().is_empty());
}
