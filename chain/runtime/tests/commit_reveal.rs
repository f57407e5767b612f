//! Commit-reveal on the real runtime: what Bittensor's own clients hashed and sealed, opened by real pulses.

mod common;

use arbor_runtime::*;
use arbor_timelock::{seal, BeaconSecret, PublicKey, SealRandomness};
use codec::{Decode, Encode};
use common::*;
use frame_support::BoundedVec;
use pallet_drand::{Pulse, PulsesPayload};
use pallet_subtensor::{Call, MechId, NetUid, NetUidStorageIndex, Uids, Weights};
use polkadot_sdk::*;
use serde_json::{json, Value};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError};

const NETUID: NetUid = NetUid(1);
const INDEX: NetUidStorageIndex = NetUidStorageIndex(1);

fn vectors(name: &str) -> Value {
    let path = format!(
        "{}/../../test/vectors/wire/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_str(&std::fs::read_to_string(path).expect("the vector is there")).expect("it is JSON")
}

fn bytes(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("a string").trim_start_matches("0x");
    sp_core::bytes::from_hex(&format!("0x{text}")).expect("hexadecimal digits")
}

fn list(value: &Value) -> Vec<u16> {
    serde_json::from_value(value.clone()).expect("a list of u16")
}

/// Registers //Alice as a hotkey (uid 1) and two more, stakes to it, and switches commit-reveal on.
fn prepare() {
    begin_block();
    for hotkey in ["//Alice", "//Alice//second", "//Alice//third"] {
        let hotkey = account(hotkey);
        apply_ok(sign(
            "//Alice",
            Call::burned_register {
                netuid: NETUID,
                hotkey,
            },
        ));
    }
    let stake = Call::add_stake {
        hotkey: account("//Alice"),
        netuid: NETUID,
        amount_staked: 1_000 * TAO,
    };
    apply_ok(sign("//Alice", stake));
    let switch = pallet_admin_utils::Call::sudo_set_commit_reveal_weights_enabled {
        netuid: NETUID,
        enabled: true,
    };
    let switch = pallet_sudo::Call::sudo {
        call: Box::new(switch.into()),
    };
    apply_ok(sign("//Alice", switch));
    end_block();
    run_to_epoch_after(0);
    assert_eq!(Uids::<Runtime>::get(NETUID, account("//Alice")), Some(1));
}

/// Makes blocks until the subnet's epoch is past one.
fn run_to_epoch_after(epoch: u64) {
    while pallet_subtensor::SubnetEpochIndex::<Runtime>::get(NETUID) <= epoch {
        run_blocks(1);
    }
}

/// Wraps a pulse into the extrinsic that hands it in.
fn pulse(round: u64, signature: &[u8]) -> UncheckedExtrinsic {
    let pulse = Pulse {
        round,
        randomness: BoundedVec::truncate_from(sp_io::hashing::sha2_256(signature).to_vec()),
        signature: BoundedVec::truncate_from(signature.to_vec()),
    };
    let pulses_payload = PulsesPayload {
        block_number: 0,
        pulses: vec![pulse],
        public: sp_runtime::MultiSigner::Sr25519(Default::default()),
    };
    UncheckedExtrinsic::new_bare(
        pallet_drand::Call::write_pulse {
            pulses_payload,
            signature: None,
        }
        .into(),
    )
}

fn commit(ciphertext: Vec<u8>, reveal_round: u64) -> Call<Runtime> {
    Call::commit_timelocked_mechanism_weights {
        netuid: NETUID,
        mecid: MechId(0),
        commit: BoundedVec::try_from(ciphertext).expect("within 5 000 bytes"),
        reveal_round,
        commit_reveal_version: 4,
    }
}

#[test]
fn a_hash_of_the_python_sdk_is_revealed_by_what_it_hashed() {
    let vectors = vectors("commit_reveal");
    let case = &vectors["cases"][0];
    on_dev(|| {
        prepare();
        let (netuid, mecid) = (NETUID, MechId(0));
        let commit_hash = Hash::from_slice(&bytes(&case["commit_hash"]));
        begin_block();
        apply_ok(sign(
            "//Alice",
            Call::commit_mechanism_weights {
                netuid,
                mecid,
                commit_hash,
            },
        ));
        end_block();
        run_to_epoch_after(pallet_subtensor::SubnetEpochIndex::<Runtime>::get(NETUID));
        begin_block();
        let reveal = Call::reveal_mechanism_weights {
            netuid,
            mecid,
            uids: list(&case["uids"]),
            values: list(&case["values"]),
            salt: list(&case["salt"]),
            version_key: case["version_key"].as_u64().expect("a number"),
        };
        apply_ok(sign("//Alice", reveal));
        end_block();
        assert_eq!(
            Weights::<Runtime>::get(INDEX, 1),
            vec![(0, 65_535), (1, 32_767), (2, 1)]
        );
    });
}

#[test]
fn weights_that_bittensor_drand_sealed_open_with_the_real_pulse_of_quicknet() {
    let vectors = vectors("timelock");
    let container = bytes(&vectors["weights_payload"][0]["ciphertext_hex"]);
    let (ciphertext, round) = <(Vec<u8>, u64)>::decode(&mut &container[..]).expect("SCALE");
    let quicknet = sp_core::Bytes(arbor_timelock::QUICKNET_PUBLIC_KEY.to_vec());
    // Round 1 000 of quicknet was in 2023; this chain's clock begins in 1970, so its beacon does too.
    let patch = json!({
        "blockTime": { "slotDurationMs": 120_000 },
        "drand": { "beacon": { "publicKey": quicknet, "period": 3, "genesisTime": 0 } },
    });
    genesis("development", patch).execute_with(|| {
        prepare();
        begin_block();
        apply_ok(sign("//Alice", commit(ciphertext, round)));
        end_block();
        run_to_epoch_after(pallet_subtensor::SubnetEpochIndex::<Runtime>::get(NETUID));
        run_blocks(5);
        assert_eq!(Weights::<Runtime>::get(INDEX, 1), vec![]);
        begin_block();
        apply_ok(pulse(round, &bytes(&vectors["drand"]["signature"])));
        end_block();
        run_blocks(1);
        assert_eq!(
            Weights::<Runtime>::get(INDEX, 1),
            vec![(0, 65_535), (1, 32_767), (2, 1)]
        );
    });
}

#[test]
fn a_round_of_the_development_beacon_opens_what_was_sealed_for_it() {
    on_dev(|| {
        prepare();
        let secret = BeaconSecret::from_phrase(b"arbor development beacon");
        let config = pallet_drand::BeaconConfig::<Runtime>::get();
        let key = PublicKey::parse(&config.public_key).expect("a key");
        assert_eq!((config.period, config.genesis_time), (1, 0));
        let row = (account("//Alice").encode(), vec![2u16, 3], vec![1u16, 2], 0u64).encode();
        let random = SealRandomness {
            sigma: [1; 32],
            key: [2; 32],
            nonce: [3; 12],
        };
        let round = 33;
        begin_block();
        apply_ok(sign(
            "//Alice",
            commit(seal(&key, round, &row, &random).expect("sealed"), round),
        ));
        end_block();
        run_to_epoch_after(pallet_subtensor::SubnetEpochIndex::<Runtime>::get(NETUID));
        begin_block();
        apply_ok(pulse(round, &secret.sign(round)));
        end_block();
        run_blocks(1);
        assert_eq!(Weights::<Runtime>::get(INDEX, 1), vec![(2, 32_768), (3, 65_535)]);
    });
}

#[test]
fn the_pool_takes_the_beacons_pulses_and_no_others() {
    on_dev(|| {
        run_blocks(3);
        let secret = BeaconSecret::from_phrase(b"arbor development beacon");
        let validate =
            |extrinsic| Executive::validate_transaction(TransactionSource::External, extrinsic, Hash::zero());
        let valid = validate(pulse(2, &secret.sign(2))).expect("valid");
        assert!(valid.priority > 1_000_000 && !valid.provides.is_empty());
        let invalid = |why: InvalidTransaction| Err(TransactionValidityError::Invalid(why));
        assert_eq!(
            validate(pulse(2, &secret.sign(3))),
            invalid(InvalidTransaction::BadProof)
        );
        assert_eq!(validate(pulse(2, &[])), invalid(InvalidTransaction::BadProof));
        assert_eq!(
            validate(pulse(500, &secret.sign(500))),
            invalid(InvalidTransaction::Future)
        );
        begin_block();
        apply_ok(pulse(2, &secret.sign(2)));
        let full = TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources);
        assert_eq!(apply(pulse(3, &secret.sign(3))), Err(full));
        end_block();
        assert_eq!(
            validate(pulse(2, &secret.sign(2))),
            invalid(InvalidTransaction::Stale)
        );
        validate(pulse(3, &secret.sign(3))).expect("the next block has room");
    });
}

#[test]
fn local_testnet_follows_quicknet() {
    genesis("local_testnet", json!({})).execute_with(|| {
        let config = pallet_drand::BeaconConfig::<Runtime>::get();
        assert_eq!(config, pallet_drand::beacons::quicknet());
    });
}
