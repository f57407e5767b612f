//! The Arbor chain: a FRAME runtime whose pallets, calls, storage, errors and runtime APIs carry the names and
//! layouts of subtensor, so that clients of Bittensor can talk to it.
//!
//! The same blob runs in the embedded chain and in a Substrate node with Aura and GRANDPA.
#![cfg_attr(not(feature = "std"), no_std)]
#![recursion_limit = "256"]

extern crate alloc;

pub mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
mod configs;
pub mod extension;
pub mod genesis;
pub mod info;
pub mod metadata;
pub mod nonce;
mod version;

use alloc::vec::Vec;
use polkadot_sdk::*;

use sp_runtime::{
    generic,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
    MultiAddress, MultiSignature,
};
use sp_version::RuntimeVersion;

pub use configs::ProxyType;
pub use version::Version;

pub type Signature = MultiSignature;
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// Rao; [`TAO`] of them are one TAO.
pub type Balance = u64;
pub type Nonce = u32;
pub type Hash = sp_core::H256;
pub type BlockNumber = u32;
pub type Address = MultiAddress<AccountId, ()>;
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
pub type Block = generic::Block<Header, UncheckedExtrinsic>;

/// Rao in one TAO.
pub const TAO: Balance = 1_000_000_000;

/// What a signed extrinsic carries besides its call, in the order of the signed payload. Every extension but
/// CheckMortality, CheckNonce, ChargeTransactionPayment and CheckMetadataHash encodes to nothing: clients of
/// Bittensor build the payload from a fixed list of these names.
pub type TxExtension = (
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckEra<Runtime>,
    nonce::CheckNonce,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    extension::SubtensorTransactionExtension,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
);
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

sp_runtime::impl_opaque_keys! {
    pub struct SessionKeys {
        pub aura: Aura,
        pub grandpa: Grandpa,
    }
}

/// Version of the runtime. `spec_version` rises with every change of logic, `transaction_version` with every
/// change of a call's index or arguments; clients sign both.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: alloc::borrow::Cow::Borrowed("arbor"),
    impl_name: alloc::borrow::Cow::Borrowed("arbor"),
    authoring_version: 1,
    spec_version: 1,
    impl_version: 1,
    apis: apis::RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    // Indices are those of subtensor; BlockTime is ours and stands far from them.
    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(2)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(3)]
    pub type Aura = pallet_aura;
    #[runtime::pallet_index(4)]
    pub type Grandpa = pallet_grandpa;
    #[runtime::pallet_index(5)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(6)]
    pub type TransactionPayment = pallet_transaction_payment;
    #[runtime::pallet_index(7)]
    pub type SubtensorModule = pallet_subtensor;
    #[runtime::pallet_index(11)]
    pub type Utility = pallet_utility;
    #[runtime::pallet_index(12)]
    pub type Sudo = pallet_sudo;
    #[runtime::pallet_index(16)]
    pub type Proxy = pallet_proxy;
    #[runtime::pallet_index(18)]
    pub type Commitments = pallet_commitments;
    #[runtime::pallet_index(19)]
    pub type AdminUtils = pallet_admin_utils;
    #[runtime::pallet_index(26)]
    pub type Drand = pallet_drand;
    #[runtime::pallet_index(200)]
    pub type BlockTime = pallet_block_time;
}
