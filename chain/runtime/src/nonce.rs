//! Replay protection that lets hotkeys without any balance act.
//!
//! Substrate's own check refuses accounts that no deposit keeps alive, since their nonce is storage that nobody
//! paid for. A hotkey holds no TAO: its registration paid. So the free calls of hotkeys pass here, and
//! [`extension::SubtensorTransactionExtension`] keeps out whoever is not registered.

use super::*;

use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{dispatch::DispatchInfo, weights::Weight};
use scale_info::TypeInfo;
use sp_runtime::{
    traits::{AsSystemOriginSigner, DispatchInfoOf, TransactionExtension, ValidateResult},
    transaction_validity::{
        InvalidTransaction, TransactionLongevity, TransactionSource, TransactionValidityError,
        ValidTransaction,
    },
};

/// Checks a nonce and counts it up. Encodes as subtensor's and Substrate's check of the same name.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct CheckNonce(#[codec(compact)] pub Nonce);

impl CheckNonce {
    fn tag(who: &AccountId, nonce: Nonce) -> Vec<u8> {
        (who, nonce).encode()
    }

    fn validity(&self, who: &AccountId, call: &RuntimeCall) -> Result<ValidTransaction, InvalidTransaction> {
        let account = frame_system::Account::<Runtime>::get(who);
        let paid_for = account.providers > 0 || account.sufficients > 0;
        if !paid_for && extension::subnets_of_free_call(call).is_none() {
            return Err(InvalidTransaction::Payment);
        }
        if self.0 < account.nonce {
            return Err(InvalidTransaction::Stale);
        }
        let requires = match self.0.checked_sub(1) {
            Some(before) if account.nonce < self.0 => alloc::vec![Self::tag(who, before)],
            _ => Vec::new(),
        };
        Ok(ValidTransaction {
            priority: 0,
            requires,
            provides: alloc::vec![Self::tag(who, self.0)],
            longevity: TransactionLongevity::MAX,
            propagate: true,
        })
    }
}

impl TransactionExtension<RuntimeCall> for CheckNonce {
    const IDENTIFIER: &'static str = "CheckNonce";
    type Implicit = ();
    /// The signer, where there is one.
    type Val = Option<AccountId>;
    type Pre = ();

    fn weight(&self, _call: &RuntimeCall) -> Weight {
        <Runtime as frame_system::Config>::DbWeight::get().reads_writes(1, 1)
    }

    fn validate(
        &self,
        origin: RuntimeOrigin,
        call: &RuntimeCall,
        _info: &DispatchInfoOf<RuntimeCall>,
        _len: usize,
        _self_implicit: Self::Implicit,
        _inherited_implication: &impl Encode,
        _source: TransactionSource,
    ) -> ValidateResult<Self::Val, RuntimeCall> {
        let Some(who) = origin.as_system_origin_signer().cloned() else {
            return Ok((ValidTransaction::default(), None, origin));
        };
        Ok((self.validity(&who, call)?, Some(who), origin))
    }

    fn prepare(
        self,
        who: Self::Val,
        _origin: &RuntimeOrigin,
        _call: &RuntimeCall,
        _info: &DispatchInfo,
        _len: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        let Some(who) = who else { return Ok(()) };
        frame_system::Account::<Runtime>::try_mutate(who, |account| {
            if self.0 > account.nonce {
                return Err(InvalidTransaction::Future.into());
            }
            account.nonce = self.0.wrapping_add(1);
            Ok(())
        })
    }
}
