//! Calls at their most expensive; `node bench/weights.ts` measures them and writes `weight_info.rs`.

use super::*;
use alloc::vec::Vec;
use arbor_timelock::BeaconSecret;
use codec::Decode;
use frame_benchmarking::v2::*;
use frame_support::{unsigned::ValidateUnsigned, BoundedVec};
use frame_system::RawOrigin;
use sp_runtime::traits::TrailingZeroInput;

/// First of the rounds that are stored when a benchmark begins.
const FIRST: RoundNumber = 1_000_000;
/// Seconds since 1970; at one round a second, all that is handed in is due.
const NOW_S: u64 = 1_700_000_000;

/// The development beacon, which signs a round a second since 1970.
fn beacon() -> (BeaconSecret, BeaconConfiguration) {
    let config = BeaconConfiguration {
        public_key: OpaquePublicKey::truncate_from(beacons::DEVELOPMENT_PUBLIC_KEY.to_vec()),
        period: 1,
        genesis_time: 0,
        ..beacons::quicknet()
    };
    (BeaconSecret::from_phrase(b"arbor development beacon"), config)
}

/// Makes a pulse from what is said to be its signature.
fn pulse_of(round: RoundNumber, signature: &[u8]) -> Pulse {
    Pulse {
        round,
        randomness: BoundedVec::truncate_from(Sha256::digest(signature).to_vec()),
        signature: BoundedVec::truncate_from(signature.to_vec()),
    }
}

/// Stores as many pulses as a chain might hold that has forgotten none yet.
fn stored<T: Config>(count: u64) {
    for round in FIRST..FIRST + count {
        Pulses::<T>::insert(round, pulse_of(round, &[7; arbor_timelock::SIGNATURE_BYTES]));
    }
    OldestStoredRound::<T>::put(FIRST);
    LastStoredRound::<T>::put(FIRST + count.max(1) - 1);
}

/// Any value of a type with which nothing is done.
fn zero<V: Decode>() -> V {
    V::decode(&mut TrailingZeroInput::zeroes()).expect("zeros are a value")
}

#[benchmarks(where T: polkadot_sdk::pallet_timestamp::Config<Moment = u64>)]
mod benchmarks {
    use super::*;

    /// `p` pulses after so long a pause that all stored ones are too old, of which 100 are forgotten: what a block
    /// does, which looks at the signatures once, in the call.
    #[benchmark]
    fn write_pulse(p: Linear<1, 16>) {
        pallet_timestamp::Now::<T>::put(NOW_S * 1_000);
        let (secret, config) = beacon();
        BeaconConfig::<T>::put(config);
        stored::<T>(MAX_REMOVED);
        let first = FIRST + 2 * T::MaxKeptRounds::get();
        let pulses: Vec<Pulse> = (first..first + u64::from(p))
            .map(|round| pulse_of(round, &secret.sign(round)))
            .collect();
        let pulses_payload = PulsesPayload {
            block_number: zero(),
            pulses,
            public: zero(),
        };
        let call = Call::<T>::write_pulse {
            pulses_payload: pulses_payload.clone(),
            signature: None,
        };
        #[block]
        {
            <Pallet<T> as ValidateUnsigned>::pre_dispatch(&call).expect("a block takes it");
            Pallet::<T>::write_pulse(RawOrigin::None.into(), pulses_payload, None).expect("they are valid");
        }
        assert_eq!(Pulses::<T>::iter_keys().count(), p as usize);
        assert_eq!(OldestStoredRound::<T>::get(), FIRST + MAX_REMOVED);
    }

    /// The beacon's key is checked, and `r` pulses of the one before are forgotten.
    #[benchmark]
    fn set_beacon_config(r: Linear<0, 10_000>) {
        stored::<T>(r.into());
        let payload = BeaconConfigurationPayload {
            block_number: zero(),
            config: beacon().1,
            public: zero(),
        };
        #[extrinsic_call]
        _(RawOrigin::Root, payload, None);
        assert_eq!(Pulses::<T>::iter_keys().count(), 0);
    }

    /// `r` pulses are forgotten.
    #[benchmark]
    fn set_oldest_stored_round(r: Linear<1, 10_000>) {
        stored::<T>(r.into());
        #[extrinsic_call]
        _(RawOrigin::Root, FIRST + u64::from(r));
        assert_eq!(Pulses::<T>::iter_keys().count(), 0);
    }
}
