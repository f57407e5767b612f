//! Value types that the pallet stores, with the SCALE layouts of subtensor.

use alloc::collections::VecDeque;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use polkadot_sdk::*;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::DispatchError;

/// Implements the traits that an integer newtype needs as a storage key and call argument.
macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode,
            DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }

        impl From<$name> for $inner {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl codec::CompactAs for $name {
            type As = $inner;
            fn encode_as(&self) -> &Self::As {
                &self.0
            }
            fn decode_from(value: Self::As) -> Result<Self, codec::Error> {
                Ok(Self(value))
            }
        }

        impl From<codec::Compact<$name>> for $name {
            fn from(value: codec::Compact<$name>) -> Self {
                value.0
            }
        }
    };
}

id_type!(
    /// Identifies a subnet; 0 is the root network.
    NetUid, u16
);
id_type!(
    /// Identifies an incentive mechanism of a subnet; 0 is the main one.
    MechId, u8
);
id_type!(
    /// Indexes storage that is kept per mechanism: `mechanism * 4096 + netuid`.
    NetUidStorageIndex, u16
);

impl NetUid {
    /// The root network, where stake is TAO itself.
    pub const ROOT: NetUid = NetUid(0);

    /// Tells whether this is the root network.
    pub fn is_root(&self) -> bool {
        *self == Self::ROOT
    }
}

impl MechId {
    /// The mechanism every subnet has.
    pub const MAIN: MechId = MechId(0);
}

impl NetUidStorageIndex {
    /// Distance between two mechanisms' indices, the largest number of subnets.
    pub const STRIDE: u16 = 4096;

    /// Returns the subnet of the index.
    pub fn netuid(&self) -> NetUid {
        NetUid(self.0 % Self::STRIDE)
    }

    /// Returns the index of one mechanism of a subnet.
    pub fn new(netuid: NetUid, mechanism: MechId) -> Self {
        Self(
            u16::from(mechanism.0)
                .saturating_mul(Self::STRIDE)
                .saturating_add(netuid.0),
        )
    }
}

/// A signed fixed-point number by its raw bits; the storage item says how many are fractional.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct FixedI128 {
    /// Raw two's complement value.
    pub bits: i128,
}

/// An unsigned fixed-point number by its raw bits; the storage item says how many are fractional.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct FixedU128 {
    /// Raw value.
    pub bits: u128,
}

/// Where a neuron's axon listens, and when it said so.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct AxonInfo {
    /// Block of the last serve.
    pub block: u64,
    /// Version the neuron reports.
    pub version: u32,
    /// Address, IPv4 in the low 32 bits.
    pub ip: u128,
    /// TCP port.
    pub port: u16,
    /// 4 or 6.
    pub ip_type: u8,
    /// Protocol number the neuron reports.
    pub protocol: u8,
    /// Free for the neuron's own use.
    pub placeholder1: u8,
    /// Free for the neuron's own use.
    pub placeholder2: u8,
}

/// What happens to miner incentive that falls to the subnet owner's hotkeys.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum RecycleOrBurnEnum {
    /// It stays issued and belongs to nobody.
    #[default]
    Burn,
    /// It is taken out of the issuance and can be emitted again.
    Recycle,
}

/// Names an action whose last block is remembered in order to limit its rate.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum RateLimitKey<AccountId> {
    /// A subnet owner chose the owner hotkey.
    #[codec(index = 0)]
    SetSNOwnerHotkey(NetUid),
    /// A subnet owner changed the hyperparameter of this number.
    #[codec(index = 1)]
    OwnerHyperparamUpdate(NetUid, u8),
    /// Somebody registered a subnet.
    #[codec(index = 2)]
    NetworkLastRegistered,
    /// The account sent a limited transaction.
    #[codec(index = 3)]
    LastTxBlock(AccountId),
    /// The account changed a child key take.
    #[codec(index = 4)]
    LastTxBlockChildKeyTake(AccountId),
    /// The account changed a delegate take.
    #[codec(index = 5)]
    LastTxBlockDelegateTake(AccountId),
    /// A subnet owner bought and burned stake.
    #[codec(index = 6)]
    AddStakeBurn(NetUid),
    /// A free call of a hotkey failed. Arbor's own.
    #[codec(index = 200)]
    FreeCallFailed(AccountId),
}

/// Largest ciphertext of timelocked weights, in bytes.
pub const MAX_COMMIT_BYTES: u32 = 5_000;

/// Timelocked commits of one epoch, oldest first: hotkey, block, ciphertext, reveal round.
pub type TimelockedQueue<T> = VecDeque<(
    <T as frame_system::Config>::AccountId,
    u64,
    BoundedVec<u8, ConstU32<MAX_COMMIT_BYTES>>,
    u64,
)>;

/// Why timelocked weights were lost.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum DropReason {
    /// The ciphertext is not one.
    #[codec(index = 0)]
    BadCiphertext,
    /// The signature of the reveal round does not open the ciphertext.
    #[codec(index = 1)]
    NotOpened,
    /// What was sealed is not a weight row.
    #[codec(index = 2)]
    BadPayload,
    /// What was sealed names another hotkey.
    #[codec(index = 3)]
    ForeignHotkey,
    /// The reveal epoch ended without a signature of the reveal round.
    #[codec(index = 4)]
    NoPulse,
    /// The chain could not open it in time, because too many others waited.
    #[codec(index = 5)]
    Crowded,
    /// A later commit of the hotkey was opened before.
    #[codec(index = 6)]
    Superseded,
    /// The weights themselves were refused.
    #[codec(index = 7)]
    Refused(DispatchError),
}
