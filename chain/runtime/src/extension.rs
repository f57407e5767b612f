//! Keeps free calls from being free to everyone, and doomed ones out of blocks.
//!
//! A hotkey's calls cost no fee, so the pool takes them only from a hotkey that is registered where it wants to act,
//! that has not just wasted a block's room, and whose call has a chance ([`pallet_subtensor`] says in its `guards`
//! what it looks at). The numbers of the refusals are those that clients of Bittensor know.

use super::*;

use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{
    dispatch::{Pays, PostDispatchInfo},
    weights::Weight,
};
use pallet_commitments::Call as Commitment;
use pallet_subtensor::{Call as Subtensor, Error, NetUid, NetworksAdded, Pallet as SubtensorPallet, Uids};
use scale_info::TypeInfo;
use sp_runtime::{
    traits::{AsSystemOriginSigner, DispatchInfoOf, TransactionExtension, ValidateResult},
    transaction_validity::{
        InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction,
    },
    DispatchResult,
};

/// Numbers of the refusals.
mod code {
    pub const STAKE_TOO_LOW: u8 = 1;
    pub const SUBNET_NOT_EXISTS: u8 = 3;
    pub const HOTKEY_NOT_REGISTERED: u8 = 4;
    pub const RATE_LIMIT_EXCEEDED: u8 = 6;
    pub const NOT_REGISTERED_IN_NETWORK: u8 = 10;
    pub const INVALID_IP_ADDRESS: u8 = 11;
    pub const SERVING_RATE_LIMIT_EXCEEDED: u8 = 12;
    pub const INVALID_PORT: u8 = 13;
    pub const INPUT_LENGTHS_UNEQUAL: u8 = 18;
    pub const UID_NOT_FOUND: u8 = 19;
    pub const NON_ASSOCIATED_COLDKEY: u8 = 25;
    pub const TAKE_TOO_LOW: u8 = 26;
    pub const TAKE_TOO_HIGH: u8 = 27;
    pub const BAD_REQUEST: u8 = 255;
}

/// Reads that the checks of one call need at most, and the write that a failure costs.
const CHECK_READS: u64 = 12;

/// Refuses doomed and unpaid calls before they enter the pool or a block. Encodes to nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct SubtensorTransactionExtension;

/// Returns the subnets on which the signer of a free call must be registered; None for any other call.
pub(crate) fn subnets_of_free_call(call: &RuntimeCall) -> Option<Vec<NetUid>> {
    Some(match call {
        RuntimeCall::SubtensorModule(
            Subtensor::set_weights { netuid, .. }
            | Subtensor::set_mechanism_weights { netuid, .. }
            | Subtensor::commit_weights { netuid, .. }
            | Subtensor::commit_mechanism_weights { netuid, .. }
            | Subtensor::commit_timelocked_weights { netuid, .. }
            | Subtensor::commit_timelocked_mechanism_weights { netuid, .. }
            | Subtensor::reveal_weights { netuid, .. }
            | Subtensor::reveal_mechanism_weights { netuid, .. }
            | Subtensor::batch_reveal_weights { netuid, .. }
            | Subtensor::serve_axon { netuid, .. }
            | Subtensor::serve_axon_tls { netuid, .. }
            | Subtensor::serve_prometheus { netuid, .. },
        ) => vec_of(*netuid),
        RuntimeCall::SubtensorModule(Subtensor::batch_set_weights { netuids, .. }) => {
            netuids.iter().map(|netuid| netuid.0).collect()
        }
        RuntimeCall::Commitments(Commitment::set_commitment { netuid, .. }) => vec_of(NetUid(*netuid)),
        _ => return None,
    })
}

fn vec_of(netuid: NetUid) -> Vec<NetUid> {
    alloc::vec![netuid]
}

/// Tells whether the extension looks at a call at all.
fn looks_at(call: &RuntimeCall) -> bool {
    matches!(
        call,
        RuntimeCall::SubtensorModule(..) | RuntimeCall::Commitments(..)
    )
}

/// Refuses a free call that its signer may not make for nothing.
fn check_free(signer: &AccountId, call: &RuntimeCall) -> Result<(), u8> {
    // What is free and not a hotkey's is root's, and comes inside of a sudo call, which pays.
    let subnets = subnets_of_free_call(call).ok_or(code::BAD_REQUEST)?;
    // An empty batch would be free to everybody, a long one is refused here before it is read.
    if subnets.is_empty() || subnets.len() > pallet_subtensor::defaults::MAX_BATCH {
        return Err(code::BAD_REQUEST);
    }
    for netuid in subnets {
        if !NetworksAdded::<Runtime>::get(netuid) {
            return Err(code::SUBNET_NOT_EXISTS);
        }
        if !Uids::<Runtime>::contains_key(netuid, signer) {
            return Err(code::HOTKEY_NOT_REGISTERED);
        }
    }
    if SubtensorPallet::<Runtime>::must_pause(signer) {
        return Err(code::RATE_LIMIT_EXCEEDED);
    }
    Ok(())
}

fn number_of(error: Error<Runtime>) -> u8 {
    match error {
        Error::NotEnoughStakeToSetWeights => code::STAKE_TOO_LOW,
        Error::SubnetNotExists => code::SUBNET_NOT_EXISTS,
        Error::HotKeyAccountNotExists => code::HOTKEY_NOT_REGISTERED,
        Error::SettingWeightsTooFast
        | Error::CommittingWeightsTooFast
        | Error::NetworkTxRateLimitExceeded => code::RATE_LIMIT_EXCEEDED,
        Error::HotKeyNotRegisteredInNetwork => code::NOT_REGISTERED_IN_NETWORK,
        Error::InvalidIpAddress => code::INVALID_IP_ADDRESS,
        Error::ServingRateLimitExceeded => code::SERVING_RATE_LIMIT_EXCEEDED,
        Error::InvalidPort => code::INVALID_PORT,
        Error::InputLengthsUnequal => code::INPUT_LENGTHS_UNEQUAL,
        Error::HotKeyNotRegisteredInSubNet => code::UID_NOT_FOUND,
        Error::NonAssociatedColdKey => code::NON_ASSOCIATED_COLDKEY,
        Error::DelegateTakeTooLow => code::TAKE_TOO_LOW,
        Error::DelegateTakeTooHigh => code::TAKE_TOO_HIGH,
        _ => code::BAD_REQUEST,
    }
}

fn check(signer: &AccountId, call: &RuntimeCall, free: bool) -> Result<(), u8> {
    if free {
        check_free(signer, call)?;
    }
    match call {
        RuntimeCall::SubtensorModule(inner) => {
            SubtensorPallet::<Runtime>::check_call(signer, inner).map_err(number_of)
        }
        RuntimeCall::Commitments(Commitment::set_commitment { netuid, info }) => {
            Commitments::check_space(*netuid, signer, info).map_err(|_| code::RATE_LIMIT_EXCEEDED)
        }
        _ => Ok(()),
    }
}

impl TransactionExtension<RuntimeCall> for SubtensorTransactionExtension {
    const IDENTIFIER: &'static str = "SubtensorTransactionExtension";
    type Implicit = ();
    /// The signer of a free call.
    type Val = Option<AccountId>;
    type Pre = Option<AccountId>;

    fn weight(&self, call: &RuntimeCall) -> Weight {
        if !looks_at(call) {
            return Weight::zero();
        }
        let rows = subnets_of_free_call(call).map_or(1, |subnets| subnets.len().max(1) as u64);
        <Runtime as frame_system::Config>::DbWeight::get()
            .reads_writes(CHECK_READS, 1)
            .saturating_mul(rows)
    }

    fn validate(
        &self,
        origin: RuntimeOrigin,
        call: &RuntimeCall,
        info: &DispatchInfoOf<RuntimeCall>,
        _len: usize,
        _self_implicit: Self::Implicit,
        _inherited_implication: &impl Encode,
        _source: TransactionSource,
    ) -> ValidateResult<Self::Val, RuntimeCall> {
        let Some(signer) = origin.as_system_origin_signer().cloned() else {
            return Ok((ValidTransaction::default(), None, origin));
        };
        let free = info.pays_fee == Pays::No;
        check(&signer, call, free).map_err(InvalidTransaction::Custom)?;
        Ok((ValidTransaction::default(), free.then_some(signer), origin))
    }

    fn prepare(
        self,
        signer: Self::Val,
        _origin: &RuntimeOrigin,
        _call: &RuntimeCall,
        _info: &DispatchInfoOf<RuntimeCall>,
        _len: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        Ok(signer)
    }

    /// Makes the signer of a free call that failed wait. The note outlives the call, whose own changes are undone.
    fn post_dispatch_details(
        signer: Self::Pre,
        _info: &DispatchInfoOf<RuntimeCall>,
        _post_info: &PostDispatchInfo,
        _len: usize,
        result: &DispatchResult,
    ) -> Result<Weight, TransactionValidityError> {
        if let (Some(signer), Err(_)) = (signer, result) {
            SubtensorPallet::<Runtime>::note_free_failure(&signer);
        }
        Ok(Weight::zero())
    }
}
