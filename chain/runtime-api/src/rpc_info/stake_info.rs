//! Stake of one coldkey behind one hotkey.

use codec::{Compact, Decode, Encode};
use polkadot_sdk::sp_core::crypto::AccountId32;
use scale_info::TypeInfo;

/// Alpha that a coldkey holds behind a hotkey on one subnet, in rao.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[scale_info(replace_segment("arbor_runtime_api", "pallet_subtensor"))]
pub struct StakeInfo {
    pub hotkey: AccountId32,
    pub coldkey: AccountId32,
    pub netuid: Compact<u16>,
    pub stake: Compact<u64>,
    pub locked: Compact<u64>,
    pub emission: Compact<u64>,
    pub tao_emission: Compact<u64>,
    pub drain: Compact<u64>,
    pub is_registered: bool,
}
