//! A subnet's life on the real runtime: register, stake, weigh, epoch, emission.

mod common;

use arbor_runtime::*;
use common::*;
use frame_support::dispatch::DispatchResult;
use pallet_subtensor::{Call, Error, NetUid, NetUidStorageIndex};
use polkadot_sdk::*;
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError};
use sp_runtime::DispatchError;

const NETUID: NetUid = NetUid(1);

/// Coldkey and hotkey of two validators and two miners.
const VALIDATORS: [(&str, &str); 2] = [
    ("//Bob", "//Bob//validator"),
    ("//Charlie", "//Charlie//validator"),
];
const MINERS: [(&str, &str); 2] = [("//Dave", "//Dave//miner"), ("//Eve", "//Eve//miner")];

fn register_all() {
    begin_block();
    for (coldkey, hotkey) in VALIDATORS.into_iter().chain(MINERS) {
        apply_ok(sign(
            coldkey,
            Call::burned_register {
                netuid: NETUID,
                hotkey: account(hotkey),
            },
        ));
    }
    end_block();
    begin_block();
    for (coldkey, hotkey) in VALIDATORS {
        let call = Call::add_stake {
            hotkey: account(hotkey),
            netuid: NETUID,
            amount_staked: 1_000 * TAO,
        };
        apply_ok(sign(coldkey, call));
    }
    end_block();
}

fn uid(hotkey: &str) -> u16 {
    pallet_subtensor::Uids::<Runtime>::get(NETUID, account(hotkey)).expect("registered")
}

fn weights_call(values: [u16; 2]) -> Call<Runtime> {
    Call::set_mechanism_weights {
        netuid: NETUID,
        mecid: Default::default(),
        dests: vec![uid(MINERS[0].1), uid(MINERS[1].1)],
        weights: values.to_vec(),
        version_key: 0,
    }
}

fn result_of(extrinsic: UncheckedExtrinsic) -> DispatchResult {
    apply(extrinsic).expect("valid")
}

#[test]
fn emission_reaches_the_honest_miner_when_validators_weigh_it() {
    on_dev(|| {
        register_all();
        run_blocks(20); // two epochs give the validators their permits
        begin_block();
        for (_, hotkey) in VALIDATORS {
            apply_ok(sign(hotkey, weights_call([65_535, 0])));
        }
        end_block();
        run_blocks(30);

        let at = |column: Vec<u64>, hotkey: &str| column[usize::from(uid(hotkey))];
        let emission = || pallet_subtensor::Emission::<Runtime>::get(NETUID);
        assert!(at(emission(), MINERS[0].1) > 0, "emission {:?}", emission());
        assert_eq!(at(emission(), MINERS[1].1), 0);
        assert!(at(emission(), VALIDATORS[0].1) > 0);
        let stake =
            |hotkey: &str| pallet_subtensor::TotalHotkeyAlpha::<Runtime>::get(account(hotkey), NETUID);
        assert!(stake(MINERS[0].1) > TAO);
        assert_eq!(stake(MINERS[1].1), 0);
        let row = pallet_subtensor::Weights::<Runtime>::get(NetUidStorageIndex(1), uid(VALIDATORS[0].1));
        assert_eq!(row.first(), Some(&(uid(MINERS[0].1), 65_535)));
    });
}

#[test]
fn weights_are_refused_by_name_when_sent_too_fast_or_without_a_permit() {
    on_dev(|| {
        register_all();
        begin_block();
        let refused = result_of(sign(MINERS[0].1, weights_call([1, 1])));
        assert_eq!(refused, Err(Error::<Runtime>::NeuronNoValidatorPermit.into()));
        end_block();
        run_blocks(20);
        begin_block();
        let validator = VALIDATORS[0].1;
        apply_ok(sign(validator, weights_call([1, 1])));
        // Within the rate limit they do not even get into the block.
        assert_eq!(
            apply(sign(validator, weights_call([1, 2]))),
            Err(InvalidTransaction::Custom(6).into())
        );
        end_block();
    });
}

#[test]
fn hotkeys_pay_nothing_and_strangers_are_kept_out_of_the_pool() {
    on_dev(|| {
        register_all();
        begin_block();
        let serve = |netuid: u16| Call::serve_axon {
            netuid: NetUid(netuid),
            version: 1,
            ip: u128::from(u32::from_be_bytes([127, 0, 0, 2])),
            port: 8_091,
            ip_type: 4,
            protocol: 4,
            placeholder1: 0,
            placeholder2: 0,
        };
        apply_ok(sign(MINERS[0].1, serve(1)));
        assert_eq!(Balances::free_balance(account(MINERS[0].1)), 0);

        let validity =
            |extrinsic| Executive::validate_transaction(TransactionSource::External, extrinsic, Hash::zero());
        let custom = |code| {
            Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(
                code,
            )))
        };
        assert_eq!(validity(sign("//Stranger", serve(1))), custom(4));
        assert_eq!(validity(sign(MINERS[1].1, serve(9))), custom(3));
        assert!(validity(sign(MINERS[1].1, serve(1))).is_ok());
        end_block();
    });
}

#[test]
fn coldkeys_pay_a_small_fee_that_leaves_the_issuance() {
    on_dev(|| {
        begin_block();
        let issued = Balances::total_issuance();
        let call = pallet_balances::Call::transfer_keep_alive {
            dest: account("//Bob").into(),
            value: TAO,
        };
        apply_ok(sign("//Ferdie", call));
        let fee = 10_000 * TAO - TAO - Balances::free_balance(account("//Ferdie"));
        assert!(fee > 0 && fee < TAO / 1_000, "fee {fee}");
        assert_eq!(Balances::total_issuance(), issued - fee);
        end_block();
    });
}

#[test]
fn commitment_is_kept_when_a_miner_publishes_one() {
    use pallet_commitments::{CommitmentInfo, CommitmentOf, Data};
    on_dev(|| {
        register_all();
        begin_block();
        let text = b"https://127.0.0.2:8091".to_vec();
        let fields = vec![Data::Raw(text.try_into().expect("short"))]
            .try_into()
            .expect("one field");
        let call = pallet_commitments::Call::set_commitment {
            netuid: 1,
            info: Box::new(CommitmentInfo { fields }),
        };
        apply_ok(sign(MINERS[0].1, call));
        assert!(CommitmentOf::<Runtime>::get(1, account(MINERS[0].1)).is_some());
        end_block();
    });
}

#[test]
fn rules_change_when_root_asks_and_not_when_a_stranger_does() {
    on_dev(|| {
        begin_block();
        let tempo = |tempo| pallet_admin_utils::Call::<Runtime>::sudo_set_tempo {
            netuid: NETUID,
            tempo,
        };
        let sudo = pallet_sudo::Call::sudo {
            call: Box::new(tempo(5).into()),
        };
        apply_ok(sign("//Alice", sudo));
        assert_eq!(pallet_subtensor::Tempo::<Runtime>::get(NETUID), 5);
        assert_eq!(result_of(sign("//Bob", tempo(7))), Err(DispatchError::BadOrigin));
        let version = |key| pallet_admin_utils::Call::<Runtime>::sudo_set_weights_version_key {
            netuid: NETUID,
            weights_version_key: key,
        };
        assert_eq!(
            result_of(sign("//Bob", version(7))),
            Err(DispatchError::BadOrigin)
        );
        apply_ok(sign("//Alice", version(7)));
        let again = Error::<Runtime>::TxRateLimitExceeded;
        assert_eq!(result_of(sign("//Alice", version(8))), Err(again.into()));
        assert_eq!(pallet_subtensor::WeightsVersionKey::<Runtime>::get(NETUID), 7);
        end_block();
    });
}

#[test]
fn extrinsic_is_refused_when_its_nonce_was_used_or_skips_one() {
    on_dev(|| {
        register_all();
        begin_block();
        let miner = MINERS[0].1;
        let call = || pallet_commitments::Call::set_commitment {
            netuid: 1,
            info: Box::new(pallet_commitments::CommitmentInfo {
                fields: Default::default(),
            }),
        };
        let invalid = |kind| Err(TransactionValidityError::Invalid(kind));
        apply_ok(signed(miner, 0, call()));
        assert_eq!(
            apply(signed(miner, 0, call())),
            invalid(InvalidTransaction::Stale)
        );
        assert_eq!(
            apply(signed(miner, 2, call())),
            invalid(InvalidTransaction::Future)
        );
        apply_ok(signed(miner, 1, call()));
        // What costs a fee is refused before the nonce counts.
        let transfer = || pallet_balances::Call::transfer_keep_alive {
            dest: account("//Bob").into(),
            value: 1,
        };
        assert_eq!(
            apply(signed(miner, 2, transfer())),
            invalid(InvalidTransaction::Payment)
        );
        assert_eq!(System::account_nonce(account(miner)), 2);
        end_block();
    });
}

#[test]
fn extrinsic_is_refused_when_one_bit_of_its_signature_flips() {
    on_dev(|| {
        begin_block();
        let call = pallet_balances::Call::transfer_keep_alive {
            dest: account("//Bob").into(),
            value: TAO,
        };
        let mut bytes = codec::Encode::encode(&sign("//Ferdie", call));
        // length prefix 2, version 1, address 33, signature kind 1: then 64 bytes of signature
        bytes[2 + 1 + 33 + 1] ^= 1;
        let forged = <UncheckedExtrinsic as codec::Decode>::decode(&mut &bytes[..]).expect("well formed");
        assert_eq!(
            apply(forged),
            Err(TransactionValidityError::Invalid(InvalidTransaction::BadProof))
        );
        end_block();
    });
}
