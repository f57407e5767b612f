//! Value types of the pallet, with the SCALE layouts of subtensor's.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use polkadot_sdk::*;
use scale_info::TypeInfo;

/// Number of a round, from 1.
pub type RoundNumber = u64;
/// A compressed public key.
pub type OpaquePublicKey = BoundedVec<u8, ConstU32<96>>;
/// A hash, or a short name.
pub type BoundedHash = BoundedVec<u8, ConstU32<32>>;

/// What a round of the beacon brought.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Pulse {
    /// The round.
    pub round: RoundNumber,
    /// SHA-256 of the signature.
    pub randomness: BoundedVec<u8, ConstU32<32>>,
    /// The beacon's signature of the round, 48 bytes.
    pub signature: BoundedVec<u8, ConstU32<144>>,
}

/// Which beacon the chain follows.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct BeaconConfiguration {
    /// Compressed public key, 96 bytes.
    pub public_key: OpaquePublicKey,
    /// Seconds between two rounds.
    pub period: u32,
    /// When round 1 is due, in seconds since 1970.
    pub genesis_time: u32,
    /// Hash by which drand knows the chain of rounds; empty for a local beacon.
    pub hash: BoundedHash,
    /// Hash of the group of signers; empty for a local beacon.
    pub group_hash: BoundedHash,
    /// Name of the signature scheme.
    pub scheme_id: BoundedHash,
    /// Name of the beacon.
    pub metadata: Metadata,
}

/// What else is known of a beacon.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Metadata {
    /// Name of the beacon.
    pub beacon_id: BoundedHash,
}

/// Pulses on their way into storage. Subtensor's workers name a block and themselves; here the beacon's signatures
/// alone count, and the two may hold anything.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct PulsesPayload<Public, BlockNumber> {
    /// Ignored.
    pub block_number: BlockNumber,
    /// The pulses, rounds rising.
    pub pulses: Vec<Pulse>,
    /// Ignored.
    pub public: Public,
}

/// A beacon to follow from now on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct BeaconConfigurationPayload<Public, BlockNumber> {
    /// Ignored.
    pub block_number: BlockNumber,
    /// The beacon.
    pub config: BeaconConfiguration,
    /// Ignored.
    pub public: Public,
}
