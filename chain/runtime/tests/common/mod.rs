//! Runs the real runtime from a genesis preset, block by block, through Executive.
#![allow(dead_code, reason = "each test file uses a part of it")]

use arbor_runtime::*;
use codec::Encode;
use polkadot_sdk::*;
use sp_core::Pair;
use sp_runtime::{
    generic::{Digest, DigestItem, Era},
    traits::Header as _,
    ApplyExtrinsicResult, BuildStorage,
};

/// Builds the genesis state of a preset; `patch` is merged into it.
pub fn genesis(preset: &str, patch: serde_json::Value) -> sp_io::TestExternalities {
    let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("defaults are JSON");
    let bytes = genesis::preset(&preset.into()).expect("known preset");
    merge(
        &mut config,
        serde_json::from_slice(&bytes).expect("presets are JSON"),
    );
    merge(&mut config, patch);
    let config: RuntimeGenesisConfig = serde_json::from_value(config).expect("patched preset is a genesis");
    config.build_storage().expect("genesis builds").into()
}

/// Merges by RFC 7396.
fn merge(target: &mut serde_json::Value, patch: serde_json::Value) {
    use serde_json::Value;
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch,
    }
}

/// Runs `test` on the development chain before its first block.
pub fn on_dev(test: impl FnOnce()) {
    genesis("development", serde_json::json!({})).execute_with(test)
}

pub fn pair(uri: &str) -> sp_core::sr25519::Pair {
    sp_core::sr25519::Pair::from_string(uri, None).expect("a derivation path")
}

pub fn account(uri: &str) -> AccountId {
    pair(uri).public().into()
}

/// What clients send beside a call: immortal, no tip, metadata hash off.
pub fn extension(nonce: Nonce) -> TxExtension {
    (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        nonce::CheckNonce(nonce),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(0),
        extension::SubtensorTransactionExtension,
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
    )
}

/// Signs a call as clients do.
pub fn signed(uri: &str, nonce: Nonce, call: impl Into<RuntimeCall>) -> UncheckedExtrinsic {
    let extension = extension(nonce);
    let payload = SignedPayload::new(call.into(), extension).expect("the chain has a genesis hash");
    let signature = payload.using_encoded(|bytes| pair(uri).sign(bytes));
    let (call, extension, _) = payload.deconstruct();
    UncheckedExtrinsic::new_signed(call, account(uri).into(), signature.into(), extension)
}

/// Signs with the account's present nonce.
pub fn sign(uri: &str, call: impl Into<RuntimeCall>) -> UncheckedExtrinsic {
    signed(uri, System::account_nonce(account(uri)), call)
}

/// Begins a block one slot after the last, sets its time, and returns its number.
pub fn begin_block() -> BlockNumber {
    let number = System::block_number() + 1;
    let parent = System::parent_hash_of(number);
    let slot_ms = pallet_block_time::SlotDurationMs::<Runtime>::get();
    let slot = u64::from(number);
    let digest = Digest {
        logs: vec![DigestItem::PreRuntime(
            sp_consensus_aura::AURA_ENGINE_ID,
            slot.encode(),
        )],
    };
    Executive::initialize_block(&Header::new(number, Hash::zero(), Hash::zero(), parent, digest));
    let now = UncheckedExtrinsic::new_bare(pallet_timestamp::Call::set { now: slot * slot_ms }.into());
    apply(now).expect("valid").expect("the time of the next slot");
    number
}

trait ParentHash {
    fn parent_hash_of(number: BlockNumber) -> Hash;
}
impl ParentHash for System {
    /// Any hash does: what matters is that it differs from block to block.
    fn parent_hash_of(number: BlockNumber) -> Hash {
        Hash::from_low_u64_be(number.into())
    }
}

pub fn apply(extrinsic: UncheckedExtrinsic) -> ApplyExtrinsicResult {
    Executive::apply_extrinsic(extrinsic)
}

/// Applies an extrinsic that must be valid and succeed.
pub fn apply_ok(extrinsic: UncheckedExtrinsic) {
    apply(extrinsic).expect("valid").expect("dispatched");
}

/// Ends the block and checks what must hold after every one.
pub fn end_block() -> Header {
    let header = Executive::finalize_block();
    pallet_subtensor::Pallet::<Runtime>::check_invariants().expect("the books are closed");
    header
}

pub fn run_blocks(count: u32) {
    for _ in 0..count {
        begin_block();
        end_block();
    }
}
