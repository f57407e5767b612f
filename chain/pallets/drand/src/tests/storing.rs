//! What a call stores, refuses and forgets.

use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

fn stored(rounds: impl IntoIterator<Item = u64>) -> Vec<u64> {
    rounds
        .into_iter()
        .filter(|round| Pulses::<Test>::contains_key(round))
        .collect()
}

#[test]
fn pulses_are_stored_when_the_beacon_signed_them() {
    on_chain(|| {
        assert_ok!(write(vec![pulse(7), pulse(8), pulse(10)]));
        System::assert_last_event(
            Event::NewPulse {
                rounds: vec![7, 8, 10],
            }
            .into(),
        );
        assert_eq!(Pulses::<Test>::get(8), Some(pulse(8)));
        assert_eq!(Drand::signature(10), Some(secret().sign(10)));
        assert_eq!(Drand::signature(9), None);
        assert_eq!(
            (LastStoredRound::<Test>::get(), OldestStoredRound::<Test>::get()),
            (10, 7)
        );
    });
}

#[test]
fn a_missing_round_may_follow_a_later_one() {
    on_chain(|| {
        assert_ok!(write(vec![pulse(10)]));
        assert_ok!(write(vec![pulse(8), pulse(9), pulse(10), pulse(11)]));
        System::assert_last_event(
            Event::NewPulse {
                rounds: vec![8, 9, 11],
            }
            .into(),
        );
        assert_ok!(write(vec![pulse(3)]));
        assert_eq!(
            (LastStoredRound::<Test>::get(), OldestStoredRound::<Test>::get()),
            (11, 3)
        );
        assert_noop!(
            write_same(vec![pulse(3), pulse(10)]),
            Error::<Test>::InvalidRoundNumber
        );
    });
}

/// Hands pulses in without a new block, for `assert_noop`.
fn write_same(pulses: Vec<Pulse>) -> sp_runtime::DispatchResult {
    let Call::write_pulse {
        pulses_payload,
        signature,
    } = call(pulses)
    else {
        unreachable!("it was just made")
    };
    Drand::write_pulse(RuntimeOrigin::none(), pulses_payload, signature)
}

#[test]
fn pulses_are_refused_when_they_are_not_the_beacons() {
    on_chain(|| {
        let refused = Error::<Test>::PulseVerificationError;
        let stranger = arbor_timelock::BeaconSecret::from_phrase(b"a stranger");
        assert_noop!(write_same(vec![pulse_of(7, &stranger.sign(7))]), refused);
        let refused = || Error::<Test>::PulseVerificationError;
        assert_noop!(write_same(vec![pulse_of(7, &secret().sign(8))]), refused());
        assert_noop!(
            write_same(vec![pulse(7), pulse_of(8, &secret().sign(9))]),
            refused()
        );
        assert_noop!(write_same(vec![pulse_of(7, &[])]), refused());
        assert_noop!(write_same(vec![pulse_of(7, &[0xff; 48])]), refused());
        assert_noop!(write_same(vec![pulse_of(7, &[7; 144])]), refused());
        let long = [secret().sign(7).as_slice(), &[0]].concat();
        assert_noop!(write_same(vec![pulse_of(7, &long)]), refused());
        let mut infinity = [0; 48];
        infinity[0] = 0xc0;
        assert_noop!(write_same(vec![pulse_of(7, &infinity)]), refused());
        let mut other = pulse(7);
        other.randomness = pulse(8).randomness;
        assert_noop!(write_same(vec![other]), refused());
    });
}

#[test]
fn lists_are_refused_when_they_are_empty_too_long_or_out_of_order() {
    on_chain(|| {
        let refused = || Error::<Test>::UnverifiedPulse;
        assert_noop!(write_same(vec![]), refused());
        assert_noop!(write_same(vec![pulse(8), pulse(7)]), refused());
        assert_noop!(write_same(vec![pulse(8), pulse(8)]), refused());
        assert_noop!(write_same((1..=17).map(pulse).collect()), refused());
        assert_noop!(write_same(vec![pulse(0)]), refused());
        assert_ok!(write_same((1..=16).map(pulse).collect()));
    });
}

#[test]
fn a_round_is_refused_until_the_chains_clock_is_near_it() {
    on_chain(|| {
        // Round n is due n - 1 seconds after the beacon began, 10 000 s ago; the clock may be 60 s late.
        assert_noop!(write_same(vec![pulse(10_062)]), Error::<Test>::InvalidRoundNumber);
        assert_noop!(
            write_same(vec![pulse(u64::MAX)]),
            Error::<Test>::InvalidRoundNumber
        );
        assert_ok!(write_same(vec![pulse(10_061)]));
    });
    with_beacon(Some(description(u32::MAX)), || {
        assert_noop!(write_same(vec![pulse(2)]), Error::<Test>::InvalidRoundNumber);
    });
}

#[test]
fn old_rounds_are_forgotten_a_bounded_number_at_a_time() {
    on_chain(|| {
        for at in 0..10 {
            assert_ok!(write((1 + 16 * at..=16 * at + 16).map(pulse).collect()));
        }
        assert_eq!(OldestStoredRound::<Test>::get(), 1);
        // 1 150 keeps rounds from 151 on: 150 have to go, 100 with each call.
        assert_ok!(write(vec![pulse(1_150)]));
        assert_eq!(OldestStoredRound::<Test>::get(), 101);
        assert_eq!(stored(1..=160), (101..=160).collect::<Vec<_>>());
        assert_ok!(write(vec![pulse(1_149)]));
        assert_eq!(OldestStoredRound::<Test>::get(), 151);
        assert_eq!(stored(1..=160), (151..=160).collect::<Vec<_>>());
        assert_noop!(write_same(vec![pulse(150)]), Error::<Test>::InvalidRoundNumber);
        assert_ok!(write(vec![pulse(170)]));
    });
}

#[test]
fn a_jump_forgets_the_few_that_were_stored_before_it() {
    on_chain(|| {
        assert_ok!(write(vec![pulse(1), pulse(2)]));
        assert_ok!(write(vec![pulse(9_000)]));
        assert_eq!(
            (LastStoredRound::<Test>::get(), OldestStoredRound::<Test>::get()),
            (9_000, 8_001)
        );
        assert_eq!(Pulses::<Test>::iter_keys().collect::<Vec<_>>(), vec![9_000]);
    });
}

#[test]
fn only_unsigned_calls_store_and_only_root_configures() {
    on_chain(|| {
        let Call::write_pulse { pulses_payload, .. } = call(vec![pulse(7)]) else {
            unreachable!("it was just made")
        };
        for origin in [RuntimeOrigin::signed(1), RuntimeOrigin::root()] {
            let call = Drand::write_pulse(origin, pulses_payload.clone(), None);
            assert_noop!(call, DispatchError::BadOrigin);
        }
        for origin in [RuntimeOrigin::signed(1), RuntimeOrigin::none()] {
            let payload = payload(beacons::quicknet());
            assert_noop!(
                Drand::set_beacon_config(origin.clone(), payload, None),
                DispatchError::BadOrigin
            );
            assert_noop!(
                Drand::set_oldest_stored_round(origin, 5),
                DispatchError::BadOrigin
            );
        }
    });
}

fn payload(config: BeaconConfiguration) -> BeaconConfigurationPayload<sp_runtime::MultiSigner, u64> {
    BeaconConfigurationPayload {
        block_number: 0,
        config,
        public: sp_runtime::MultiSigner::Sr25519(Default::default()),
    }
}

#[test]
fn root_may_choose_another_beacon_whose_rounds_begin_anew() {
    on_chain(|| {
        assert_ok!(write(vec![pulse(9_000)]));
        let set = |config| Drand::set_beacon_config(RuntimeOrigin::root(), payload(config), None);
        for broken in [
            BeaconConfiguration {
                period: 0,
                ..beacons::quicknet()
            },
            BeaconConfiguration {
                scheme_id: Default::default(),
                ..beacons::quicknet()
            },
            BeaconConfiguration {
                public_key: Default::default(),
                ..beacons::quicknet()
            },
        ] {
            assert_noop!(set(broken), Error::<Test>::NoneValue);
        }
        assert_ok!(set(beacons::quicknet()));
        assert_eq!(Pulses::<Test>::iter().count(), 0);
        assert_eq!(
            (LastStoredRound::<Test>::get(), OldestStoredRound::<Test>::get()),
            (0, 0)
        );
        assert_noop!(write_same(vec![pulse(7)]), Error::<Test>::PulseVerificationError);
    });
}

#[test]
fn root_may_raise_the_oldest_round() {
    on_chain(|| {
        assert_ok!(write(vec![pulse(1), pulse(5), pulse(9)]));
        assert_ok!(Drand::set_oldest_stored_round(RuntimeOrigin::root(), 6));
        System::assert_last_event(Event::SetOldestStoredRound(6).into());
        assert_eq!(stored(1..10), vec![9]);
        assert_ok!(Drand::set_oldest_stored_round(RuntimeOrigin::root(), 2));
        assert_eq!(OldestStoredRound::<Test>::get(), 6);
    });
}
