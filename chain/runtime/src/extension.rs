//! Keeps free calls from being free to everyone: a hotkey's calls cost no fee, so the pool takes them only from a
//! hotkey that is registered where it wants to act.

use super::*;

use codec::{Decode, DecodeWithMemTracking, Encode};
use pallet_commitments::Call as Commitment;
use pallet_subtensor::{Call as Subtensor, NetUid, NetworksAdded, Uids};
use scale_info::TypeInfo;
use sp_runtime::{
    impl_tx_ext_default,
    traits::{AsSystemOriginSigner, DispatchInfoOf, TransactionExtension},
    transaction_validity::{
        InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction,
    },
};

/// Numbers of the custom errors, as clients of Bittensor map them.
const SUBNET_NOT_EXISTS: u8 = 3;
const HOTKEY_NOT_REGISTERED: u8 = 4;

/// Refuses fee-less calls of unregistered hotkeys before they enter the pool. Encodes to nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct SubtensorTransactionExtension;

/// Returns the subnet on which the signer of a free call must be registered; None for calls that pay.
pub(crate) fn subnet_of_free_call(call: &RuntimeCall) -> Option<NetUid> {
    match call {
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
            | Subtensor::serve_axon { netuid, .. },
        ) => Some(*netuid),
        RuntimeCall::Commitments(Commitment::set_commitment { netuid, .. }) => Some(NetUid(*netuid)),
        _ => None,
    }
}

fn check(signer: &AccountId, call: &RuntimeCall) -> Result<(), InvalidTransaction> {
    let Some(netuid) = subnet_of_free_call(call) else {
        return Ok(());
    };
    if !NetworksAdded::<Runtime>::get(netuid) {
        return Err(InvalidTransaction::Custom(SUBNET_NOT_EXISTS));
    }
    if !Uids::<Runtime>::contains_key(netuid, signer) {
        return Err(InvalidTransaction::Custom(HOTKEY_NOT_REGISTERED));
    }
    Ok(())
}

impl TransactionExtension<RuntimeCall> for SubtensorTransactionExtension {
    const IDENTIFIER: &'static str = "SubtensorTransactionExtension";
    type Implicit = ();
    type Val = ();
    type Pre = ();

    impl_tx_ext_default!(RuntimeCall; weight prepare);

    fn validate(
        &self,
        origin: RuntimeOrigin,
        call: &RuntimeCall,
        _info: &DispatchInfoOf<RuntimeCall>,
        _len: usize,
        _self_implicit: Self::Implicit,
        _inherited_implication: &impl Encode,
        _source: TransactionSource,
    ) -> Result<(ValidTransaction, Self::Val, RuntimeOrigin), TransactionValidityError> {
        if let Some(signer) = origin.as_system_origin_signer() {
            check(signer, call)?;
        }
        Ok((ValidTransaction::default(), (), origin))
    }
}
