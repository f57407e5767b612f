//! What the pool takes, and what a block takes of it.

use super::mock::*;
use crate::*;
use frame_support::{assert_ok, unsigned::ValidateUnsigned};
use sp_runtime::transaction_validity::{TransactionSource, TransactionValidityError};

fn validate(pulses: Vec<Pulse>) -> TransactionValidity {
    Drand::validate_unsigned(TransactionSource::External, &call(pulses))
}

fn invalid(why: InvalidTransaction) -> TransactionValidity {
    Err(TransactionValidityError::Invalid(why))
}

#[test]
fn the_pool_takes_valid_pulses_and_prefers_the_newest() {
    on_chain(|| {
        let earlier = validate(vec![pulse(7)]).expect("valid");
        let later = validate(vec![pulse(7), pulse(8)]).expect("valid");
        assert!(later.priority > earlier.priority);
        assert_eq!(later.provides.len(), 2);
        assert_eq!(later.provides[0], earlier.provides[0]);
        assert!(later.propagate && later.requires.is_empty());
    });
}

#[test]
fn the_pool_refuses_pulses_that_no_block_could_store() {
    on_chain(|| {
        let stranger = arbor_timelock::BeaconSecret::from_phrase(b"a stranger");
        assert_eq!(
            validate(vec![pulse_of(7, &stranger.sign(7))]),
            invalid(InvalidTransaction::BadProof)
        );
        assert_eq!(validate(vec![pulse(20_000)]), invalid(InvalidTransaction::Future));
        assert_eq!(validate(vec![]), invalid(InvalidTransaction::Call));
        assert_ok!(write(vec![pulse(7)]));
        System::set_block_number(System::block_number() + 1);
        assert_eq!(validate(vec![pulse(7)]), invalid(InvalidTransaction::Stale));
        let configure = Call::<Test>::set_oldest_stored_round { oldest_round: 9 };
        assert_eq!(
            Drand::validate_unsigned(TransactionSource::Local, &configure),
            invalid(InvalidTransaction::Call)
        );
    });
}

#[test]
fn a_block_takes_one_call_and_the_next_block_another() {
    on_chain(|| {
        let second = call(vec![pulse(8)]);
        assert_ok!(Drand::pre_dispatch(&second));
        assert_ok!(write(vec![pulse(7)]));
        let full = Err(InvalidTransaction::ExhaustsResources.into());
        assert_eq!(Drand::pre_dispatch(&second), full);
        System::set_block_number(System::block_number() + 1);
        assert_ok!(Drand::pre_dispatch(&second));
        assert_eq!(
            Drand::pre_dispatch(&call(vec![pulse(7)])),
            Err(InvalidTransaction::Stale.into())
        );
    });
}
