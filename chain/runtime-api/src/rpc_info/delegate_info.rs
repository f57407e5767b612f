//! A hotkey that takes stake of others.

use alloc::vec::Vec;
use codec::{Compact, Decode, Encode};
use polkadot_sdk::sp_core::crypto::AccountId32;
use scale_info::TypeInfo;

/// A hotkey with its take and nominators; take is a u16 share of 65 535.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[scale_info(replace_segment("arbor_runtime_api", "pallet_subtensor"))]
pub struct DelegateInfo {
    pub delegate_ss58: AccountId32,
    pub take: Compact<u16>,
    pub nominators: Vec<(AccountId32, Vec<(Compact<u16>, Compact<u64>)>)>,
    pub owner_ss58: AccountId32,
    pub registrations: Vec<Compact<u16>>,
    pub validator_permits: Vec<Compact<u16>>,
    pub return_per_1000: Compact<u64>,
    pub total_daily_return: Compact<u64>,
}
