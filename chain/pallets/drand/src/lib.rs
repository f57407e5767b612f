//! # Drand
//!
//! Keeps the *pulses* of a randomness beacon: one BLS signature per *round*, which opens what was sealed for that
//! round. Names and layouts are those of subtensor's pallet (spec 424).
//!
//! ## Overview
//! The genesis names the beacon ([`GenesisBeacon`]; drand's quicknet if it names none). Anybody may hand in pulses
//! with [`Pallet::write_pulse`], unsigned and free: a pulse proves itself by the beacon's signature, which is checked
//! here. Nothing is fetched: a relay or `arbor chain beacon` hands the pulses in.
//!
//! ## Who can do what
//! - Nobody can fill blocks: the pool takes only pulses that are valid, due by the chain's clock and not stored yet;
//!   a block takes one call of at most [`MAX_PULSES`] pulses, and the one with the newest round comes first.
//! - Nobody can make a round unusable by handing in a later one first: rounds that are missing may follow.
//! - Pulses older than [`Config::MaxKeptRounds`] are forgotten, a bounded number with every call.
#![cfg_attr(not(feature = "std"), no_std)]
// Subtensor's clients hand pulses in as unsigned extrinsics, which the SDK wants to replace by another kind; the code
// that it generates for them has a binding without a value.
#![allow(deprecated, clippy::let_unit_value)]

extern crate alloc;

use alloc::vec::Vec;
use arbor_timelock::{PublicKey, Signature};
use frame_support::traits::{Get, UnixTime};
use polkadot_sdk::*;
use sha2::{Digest, Sha256};
use sp_runtime::{
    traits::{One, Saturating},
    transaction_validity::{
        InvalidTransaction, TransactionValidity, ValidTransaction, ValidTransactionBuilder,
    },
};

pub mod beacons;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod types;
pub mod weight_info;

#[cfg(test)]
mod tests;

pub use beacons::GenesisBeacon;
pub use pallet::*;
pub use types::*;

/// Pulses that one call may hand in, and therefore one block: more than a 12 s block of a beacon with 1 s rounds.
pub const MAX_PULSES: usize = 16;
/// Old rounds that one call of `write_pulse` forgets at most.
pub const MAX_REMOVED: u64 = 100;
/// Old rounds that one call of root forgets at most.
pub const MAX_REMOVED_BY_ROOT: u32 = 10_000;
/// Seconds by which a round may be ahead of the chain's clock, which stands still between two blocks.
pub const CLOCK_TOLERANCE_S: u64 = 60;

/// Why pulses are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// None, too many, or not in the order of their rounds.
    Malformed,
    /// A round is not due by the chain's clock.
    NotDue,
    /// All rounds are stored already or too old to be stored.
    NothingNew,
    /// A signature is not the beacon's, or the randomness not the hash of the signature.
    BadSignature,
}

#[frame_support::pallet]
pub mod pallet {
    use super::{weight_info::WeightInfo, *};
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// Kind of key that payloads name; nothing is done with it.
        type Public: Parameter;

        /// Kind of signature that calls carry; nothing is done with it.
        type Signature: Parameter;

        /// The chain's clock.
        type UnixTime: UnixTime;

        /// What calls cost.
        type WeightInfo: WeightInfo;

        /// Pool priority of a pulse of round 0; each round adds 1.
        #[pallet::constant]
        type UnsignedPriority: Get<TransactionPriority>;

        /// Rounds before the newest one whose pulses are kept.
        #[pallet::constant]
        type MaxKeptRounds: Get<RoundNumber>;
    }

    #[pallet::type_value]
    pub fn DefaultBeaconConfig<T: Config>() -> BeaconConfiguration {
        beacons::quicknet()
    }

    /// The beacon that the chain follows.
    #[pallet::storage]
    pub type BeaconConfig<T: Config> =
        StorageValue<_, BeaconConfiguration, ValueQuery, DefaultBeaconConfig<T>>;

    /// Pulse of each kept round.
    #[pallet::storage]
    pub type Pulses<T: Config> = StorageMap<_, Blake2_128Concat, RoundNumber, Pulse, OptionQuery>;

    /// Newest round that is stored, 0 for none.
    #[pallet::storage]
    pub type LastStoredRound<T: Config> = StorageValue<_, RoundNumber, ValueQuery>;

    /// No round before this one is stored.
    #[pallet::storage]
    pub type OldestStoredRound<T: Config> = StorageValue<_, RoundNumber, ValueQuery>;

    /// First block that takes the next pulses.
    #[pallet::storage]
    pub type NextUnsignedAt<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Another beacon is followed from now on.
        #[codec(index = 0)]
        BeaconConfigChanged,
        /// Pulses were stored.
        #[codec(index = 1)]
        NewPulse {
            /// Their rounds, rising.
            rounds: Vec<RoundNumber>,
        },
        /// Root chose the oldest round that is kept.
        #[codec(index = 2)]
        SetOldestStoredRound(u64),
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The beacon's key is no key, its period 0, or its scheme another one.
        #[codec(index = 0)]
        NoneValue,
        /// More pulses are stored than one call may forget; raise the oldest round first.
        #[codec(index = 1)]
        StorageOverflow,
        /// Never given: this chain asks no drand server. It keeps the place of subtensor's error.
        #[codec(index = 2)]
        DrandConnectionFailure,
        /// The list of pulses is empty, too long, or not in the order of the rounds.
        #[codec(index = 3)]
        UnverifiedPulse,
        /// No round is new, or one is not due yet.
        #[codec(index = 4)]
        InvalidRoundNumber,
        /// A signature is not the beacon's.
        #[codec(index = 5)]
        PulseVerificationError,
    }

    /// Which beacon the chain follows.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The beacon; drand's quicknet if none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub beacon: Option<GenesisBeacon>,
        #[serde(skip)]
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let config = match &self.beacon {
                None => beacons::quicknet(),
                Some(beacon) => beacon.configuration().unwrap_or_else(|why| panic!("{why}")),
            };
            BeaconConfig::<T>::put(config);
        }
    }

    #[pallet::validate_unsigned]
    impl<T: Config> ValidateUnsigned for Pallet<T> {
        type Call = Call<T>;

        fn validate_unsigned(_source: TransactionSource, call: &Self::Call) -> TransactionValidity {
            let Call::write_pulse { pulses_payload, .. } = call else {
                return InvalidTransaction::Call.into();
            };
            let pulses = Self::new_pulses(&pulses_payload.pulses).map_err(InvalidTransaction::from)?;
            Self::ensure_room()?;
            Self::verify(&pulses).map_err(InvalidTransaction::from)?;
            let newest = pulses.last().map_or(0, |pulse| pulse.round);
            let valid = ValidTransaction::with_tag_prefix("Drand")
                .priority(T::UnsignedPriority::get().saturating_add(newest))
                .longevity(64)
                .propagate(true);
            let provides = |valid: ValidTransactionBuilder, pulse: &&Pulse| valid.and_provides(pulse.round);
            pulses.iter().fold(valid, provides).build()
        }

        /// Checks what may have changed since the pool looked; the call itself checks the signatures again.
        fn pre_dispatch(call: &Self::Call) -> Result<(), TransactionValidityError> {
            let Call::write_pulse { pulses_payload, .. } = call else {
                return Err(InvalidTransaction::Call.into());
            };
            Self::new_pulses(&pulses_payload.pulses).map_err(InvalidTransaction::from)?;
            Self::ensure_room()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Stores pulses of the beacon: unsigned, free, by anybody.
        ///
        /// `pulses_payload.pulses` holds 1 to 16 pulses, rounds rising; those that are stored already are passed
        /// over. `signature`, and the payload's block and key, are there for the layout's sake.
        ///
        /// Errors: `UnverifiedPulse`, `InvalidRoundNumber`, `PulseVerificationError`. Event: `NewPulse`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::write_pulse(pulses_payload.pulses.len() as u32))]
        pub fn write_pulse(
            origin: OriginFor<T>,
            pulses_payload: PulsesPayload<T::Public, BlockNumberFor<T>>,
            signature: Option<T::Signature>,
        ) -> DispatchResult {
            ensure_none(origin)?;
            let _layout_only = signature;
            let pulses = Self::new_pulses(&pulses_payload.pulses).map_err(Error::<T>::from)?;
            Self::verify(&pulses).map_err(Error::<T>::from)?;
            Self::store(pulses);
            Ok(())
        }

        /// Follows another beacon from now on and forgets the pulses of the present one. Root.
        ///
        /// Errors: `NoneValue` for a key, period or scheme that cannot be; `StorageOverflow` when more pulses are
        /// stored than one call may forget. Event: `BeaconConfigChanged`.
        #[pallet::call_index(1)]
        #[pallet::weight((T::WeightInfo::set_beacon_config(MAX_REMOVED_BY_ROOT), DispatchClass::Operational))]
        pub fn set_beacon_config(
            origin: OriginFor<T>,
            config_payload: BeaconConfigurationPayload<T::Public, BlockNumberFor<T>>,
            signature: Option<T::Signature>,
        ) -> DispatchResult {
            ensure_root(origin)?;
            let _layout_only = signature;
            let config = config_payload.config;
            let usable = PublicKey::parse(&config.public_key).is_some()
                && config.period > 0
                && config.scheme_id.as_slice() == beacons::SCHEME;
            ensure!(usable, Error::<T>::NoneValue);
            let rest = Pulses::<T>::clear(MAX_REMOVED_BY_ROOT, None).maybe_cursor;
            ensure!(rest.is_none(), Error::<T>::StorageOverflow);
            BeaconConfig::<T>::put(config);
            LastStoredRound::<T>::kill();
            OldestStoredRound::<T>::kill();
            Self::deposit_event(Event::BeaconConfigChanged);
            Ok(())
        }

        /// Forgets the pulses before a round, at most 10 000 rounds a call. Root.
        ///
        /// Event: `SetOldestStoredRound` with the round that was reached.
        #[pallet::call_index(2)]
        #[pallet::weight((T::WeightInfo::set_oldest_stored_round(MAX_REMOVED_BY_ROOT), DispatchClass::Operational))]
        pub fn set_oldest_stored_round(origin: OriginFor<T>, oldest_round: u64) -> DispatchResult {
            ensure_root(origin)?;
            Self::forget_before(oldest_round, MAX_REMOVED_BY_ROOT.into());
            Self::deposit_event(Event::SetOldestStoredRound(OldestStoredRound::<T>::get()));
            Ok(())
        }
    }

    impl<T> From<Refusal> for Error<T> {
        fn from(refusal: Refusal) -> Self {
            match refusal {
                Refusal::Malformed => Self::UnverifiedPulse,
                Refusal::NotDue | Refusal::NothingNew => Self::InvalidRoundNumber,
                Refusal::BadSignature => Self::PulseVerificationError,
            }
        }
    }
}

impl From<Refusal> for InvalidTransaction {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed => Self::Call,
            Refusal::NotDue => Self::Future,
            Refusal::NothingNew => Self::Stale,
            Refusal::BadSignature => Self::BadProof,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Returns the signature of a round, if its pulse is stored.
    pub fn signature(round: RoundNumber) -> Option<[u8; arbor_timelock::SIGNATURE_BYTES]> {
        Pulses::<T>::get(round)?.signature.into_inner().try_into().ok()
    }

    /// Picks the pulses that can be stored, after all checks but that of the signatures.
    fn new_pulses(pulses: &[Pulse]) -> Result<Vec<&Pulse>, Refusal> {
        let rising = pulses
            .windows(2)
            .all(|pair| matches!(pair, [first, second] if first.round < second.round));
        let newest = pulses.last().map_or(0, |pulse| pulse.round);
        if newest == 0 || pulses.len() > MAX_PULSES || !rising {
            return Err(Refusal::Malformed);
        }
        if newest > Self::last_due_round() {
            return Err(Refusal::NotDue);
        }
        let kept_from = LastStoredRound::<T>::get()
            .max(newest)
            .saturating_sub(T::MaxKeptRounds::get());
        let new: Vec<&Pulse> = pulses
            .iter()
            .filter(|pulse| pulse.round > kept_from && !Pulses::<T>::contains_key(pulse.round))
            .collect();
        if new.is_empty() {
            return Err(Refusal::NothingNew);
        }
        Ok(new)
    }

    /// Returns the newest round that may exist by the chain's clock.
    fn last_due_round() -> RoundNumber {
        let config = BeaconConfig::<T>::get();
        let now = T::UnixTime::now().as_secs().saturating_add(CLOCK_TOLERANCE_S);
        now.checked_sub(config.genesis_time.into())
            .map_or(0, |elapsed| elapsed / u64::from(config.period.max(1)))
            .saturating_add(1)
    }

    /// Lets only one call of a block through; another one may wait for the next block.
    fn ensure_room() -> Result<(), sp_runtime::transaction_validity::TransactionValidityError> {
        if NextUnsignedAt::<T>::get() > frame_system::Pallet::<T>::block_number() {
            return Err(InvalidTransaction::ExhaustsResources.into());
        }
        Ok(())
    }

    /// Checks that each pulse is the beacon's.
    fn verify(pulses: &[&Pulse]) -> Result<(), Refusal> {
        let key = PublicKey::parse(&BeaconConfig::<T>::get().public_key).ok_or(Refusal::BadSignature)?;
        for pulse in pulses {
            let hash = Sha256::digest(&pulse.signature);
            let valid = pulse.randomness.as_slice() == hash.as_slice()
                && Signature::parse(&pulse.signature)
                    .is_some_and(|signature| key.verify(pulse.round, &signature));
            if !valid {
                return Err(Refusal::BadSignature);
            }
        }
        Ok(())
    }

    /// Stores checked pulses, rounds rising, and forgets some that are too old.
    fn store(pulses: Vec<&Pulse>) {
        let rounds: Vec<RoundNumber> = pulses.iter().map(|pulse| pulse.round).collect();
        let (first, newest) = (rounds.first().copied(), rounds.last().copied());
        let (Some(first), Some(newest)) = (first, newest) else {
            return;
        };
        let last = LastStoredRound::<T>::get().max(newest);
        let kept_from = last.saturating_sub(T::MaxKeptRounds::get()).saturating_add(1);
        if (1..kept_from).contains(&LastStoredRound::<T>::get()) {
            Self::forget_all_before(kept_from);
        }
        OldestStoredRound::<T>::mutate(|oldest| {
            *oldest = if *oldest == 0 { first } else { first.min(*oldest) };
        });
        LastStoredRound::<T>::put(last);
        for pulse in pulses {
            Pulses::<T>::insert(pulse.round, pulse);
        }
        Self::forget_before(kept_from, MAX_REMOVED);
        NextUnsignedAt::<T>::put(frame_system::Pallet::<T>::block_number().saturating_add(One::one()));
        Self::deposit_event(Event::NewPulse { rounds });
    }

    /// Forgets everything when all that is stored is too old, if that is little: after a jump, walking from the
    /// oldest round to the newest would take long.
    fn forget_all_before(kept_from: RoundNumber) {
        let few = Pulses::<T>::iter_keys().take(MAX_REMOVED as usize).count() < MAX_REMOVED as usize;
        if few {
            let _all = Pulses::<T>::clear(MAX_REMOVED as u32, None);
            OldestStoredRound::<T>::put(kept_from);
        }
    }

    /// Forgets the rounds before one, at most `limit` of them.
    fn forget_before(round: RoundNumber, limit: u64) {
        let oldest = OldestStoredRound::<T>::get();
        let end = round.min(oldest.saturating_add(limit));
        if oldest < end {
            (oldest..end).for_each(Pulses::<T>::remove);
            OldestStoredRound::<T>::put(end);
        }
    }
}
