//! What a commitment holds, encoded as subtensor encodes it.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use polkadot_sdk::frame_support::{
    traits::Get, BoundedVec, CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound,
};
use polkadot_sdk::sp_runtime::traits::ConstU32;
use scale_info::{build::Variants, Path, Type, TypeInfo};

/// Longest text of a `Raw` field in bytes; each length is a variant of its own.
pub const MAX_RAW_BYTES: u32 = 128;
/// Longest text of a `BigRaw` field in bytes.
pub const MAX_BIG_RAW_BYTES: u32 = 512;
/// Longest time-locked ciphertext in bytes.
pub const MAX_TIMELOCK_BYTES: u32 = 1024;

/// One field of a commitment. Variants 1 to 129 are `Raw0` to `Raw128`: the length is the variant.
#[derive(Clone, Debug, Default, Eq, PartialEq, MaxEncodedLen, DecodeWithMemTracking)]
pub enum Data {
    #[default]
    None,
    Raw(BoundedVec<u8, ConstU32<MAX_RAW_BYTES>>),
    BlakeTwo256([u8; 32]),
    Sha256([u8; 32]),
    Keccak256([u8; 32]),
    ShaThree256([u8; 32]),
    TimelockEncrypted {
        encrypted: BoundedVec<u8, ConstU32<MAX_TIMELOCK_BYTES>>,
        reveal_round: u64,
    },
    ResetBondsFlag,
    BigRaw(BoundedVec<u8, ConstU32<MAX_BIG_RAW_BYTES>>),
}

const RAW_0: u8 = 1;
const RAW_MAX: u8 = RAW_0 + MAX_RAW_BYTES as u8;
const BLAKE_TWO_256: u8 = RAW_MAX + 1;
const SHA_256: u8 = RAW_MAX + 2;
const KECCAK_256: u8 = RAW_MAX + 3;
const SHA_THREE_256: u8 = RAW_MAX + 4;
const TIMELOCK_ENCRYPTED: u8 = RAW_MAX + 5;
const RESET_BONDS_FLAG: u8 = RAW_MAX + 6;
const BIG_RAW: u8 = RAW_MAX + 7;

impl Data {
    /// Counts the bytes that the field holds beyond its tag.
    pub fn len_for_quota(&self) -> u64 {
        match self {
            Data::None | Data::ResetBondsFlag => 0,
            Data::Raw(bytes) => bytes.len() as u64,
            Data::BlakeTwo256(hash)
            | Data::Sha256(hash)
            | Data::Keccak256(hash)
            | Data::ShaThree256(hash) => hash.len() as u64,
            Data::TimelockEncrypted { encrypted, .. } => encrypted.len() as u64,
            Data::BigRaw(bytes) => bytes.len() as u64,
        }
    }
}

impl Decode for Data {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let tag = input.read_byte()?;
        Ok(match tag {
            0 => Data::None,
            RAW_0..=RAW_MAX => {
                let mut bytes = alloc::vec![0; usize::from(tag - RAW_0)];
                input.read(&mut bytes)?;
                Data::Raw(
                    bytes
                        .try_into()
                        .map_err(|_| "raw data is longer than 128 bytes")?,
                )
            }
            BLAKE_TWO_256 => Data::BlakeTwo256(Decode::decode(input)?),
            SHA_256 => Data::Sha256(Decode::decode(input)?),
            KECCAK_256 => Data::Keccak256(Decode::decode(input)?),
            SHA_THREE_256 => Data::ShaThree256(Decode::decode(input)?),
            TIMELOCK_ENCRYPTED => Data::TimelockEncrypted {
                encrypted: Decode::decode(input)?,
                reveal_round: Decode::decode(input)?,
            },
            RESET_BONDS_FLAG => Data::ResetBondsFlag,
            BIG_RAW => Data::BigRaw(Decode::decode(input)?),
            _ => return Err("unknown kind of commitment data".into()),
        })
    }
}

impl Encode for Data {
    fn encode(&self) -> Vec<u8> {
        let tagged = |tag: u8, body: &[u8]| {
            let mut bytes = Vec::with_capacity(1 + body.len());
            bytes.push(tag);
            bytes.extend_from_slice(body);
            bytes
        };
        match self {
            Data::None => tagged(0, &[]),
            Data::Raw(text) => tagged(RAW_0 + text.len() as u8, text),
            Data::BlakeTwo256(hash) => tagged(BLAKE_TWO_256, hash),
            Data::Sha256(hash) => tagged(SHA_256, hash),
            Data::Keccak256(hash) => tagged(KECCAK_256, hash),
            Data::ShaThree256(hash) => tagged(SHA_THREE_256, hash),
            Data::TimelockEncrypted {
                encrypted,
                reveal_round,
            } => tagged(TIMELOCK_ENCRYPTED, &(encrypted, reveal_round).encode()),
            Data::ResetBondsFlag => tagged(RESET_BONDS_FLAG, &[]),
            Data::BigRaw(text) => tagged(BIG_RAW, &text.encode()),
        }
    }
}
impl codec::EncodeLike for Data {}

/// Names the variant of each raw length, and the type by which metadata shows it.
macro_rules! raw_variants {
    ($variants:expr; $($len:literal)*) => {
        $variants$(.variant(concat!("Raw", stringify!($len)), |v| {
            v.index(RAW_0 + $len).fields(scale_info::build::Fields::unnamed().field(|f| f.ty::<[u8; $len]>()))
        }))*
    };
}

impl TypeInfo for Data {
    type Identity = Self;

    fn type_info() -> Type {
        use scale_info::build::Fields;
        let none = Variants::new().variant("None", |v| v.index(0));
        let raw = raw_variants!(none;
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36
            37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70
            71 72 73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98 99 100 101 102 103
            104 105 106 107 108 109 110 111 112 113 114 115 116 117 118 119 120 121 122 123 124 125 126 127 128
        );
        let hash = || Fields::unnamed().field(|f| f.ty::<[u8; 32]>());
        let all = raw
            .variant("BlakeTwo256", |v| v.index(BLAKE_TWO_256).fields(hash()))
            .variant("Sha256", |v| v.index(SHA_256).fields(hash()))
            .variant("Keccak256", |v| v.index(KECCAK_256).fields(hash()))
            .variant("ShaThree256", |v| v.index(SHA_THREE_256).fields(hash()))
            .variant("TimelockEncrypted", |v| {
                v.index(TIMELOCK_ENCRYPTED).fields(
                    Fields::named()
                        .field(|f| {
                            f.name("encrypted")
                                .ty::<BoundedVec<u8, ConstU32<MAX_TIMELOCK_BYTES>>>()
                        })
                        .field(|f| f.name("reveal_round").ty::<u64>()),
                )
            })
            .variant("ResetBondsFlag", |v| v.index(RESET_BONDS_FLAG))
            .variant("BigRaw", |v| {
                v.index(BIG_RAW).fields(
                    Fields::unnamed().field(|f| f.ty::<BoundedVec<u8, ConstU32<MAX_BIG_RAW_BYTES>>>()),
                )
            });
        Type::builder()
            .path(Path::new("Data", module_path!()))
            .variant(all)
    }
}

/// What a hotkey commits: up to `FieldLimit` fields.
#[derive(
    CloneNoBound,
    DebugNoBound,
    EqNoBound,
    PartialEqNoBound,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[codec(mel_bound())]
#[scale_info(skip_type_params(FieldLimit))]
pub struct CommitmentInfo<FieldLimit: Get<u32>> {
    pub fields: BoundedVec<Data, FieldLimit>,
}

/// A commitment as stored.
#[derive(
    CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
#[codec(mel_bound(Balance: MaxEncodedLen, BlockNumber: MaxEncodedLen))]
#[scale_info(skip_type_params(MaxFields))]
pub struct Registration<
    Balance: Clone + core::fmt::Debug + Eq,
    MaxFields: Get<u32>,
    BlockNumber: Clone + core::fmt::Debug + Eq,
> {
    /// Rao held for the record; always zero, the quota bounds it instead.
    pub deposit: Balance,
    /// Block in which it was committed.
    pub block: BlockNumber,
    pub info: CommitmentInfo<MaxFields>,
}

/// Bytes that a hotkey committed in one epoch.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct UsageTracker {
    pub last_epoch: u64,
    pub used_space: u64,
}
