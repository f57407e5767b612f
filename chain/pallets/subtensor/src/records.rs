//! What accounts and subnets say of themselves, with the SCALE layouts of subtensor.

use crate::{FixedU128, NetUid};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use polkadot_sdk::frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// Longest public key of a certificate, in bytes.
const MAX_KEY_BYTES: u32 = 64;
/// Longest field of an identity that names or links, in bytes.
const SHORT: usize = 256;
/// Longest field of an identity that describes, in bytes.
const LONG: usize = 1_024;

/// Key by which a neuron's axon proves itself in TLS.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct NeuronCertificate {
    /// Public key, at most 64 bytes.
    pub public_key: BoundedVec<u8, ConstU32<MAX_KEY_BYTES>>,
    /// Number of the key's algorithm, the neuron's own.
    pub algorithm: u8,
}

impl NeuronCertificate {
    /// Reads the algorithm's byte and up to 64 bytes of key; `None` if there are fewer or more.
    pub fn parse(certificate: &[u8]) -> Option<Self> {
        let (algorithm, key) = certificate.split_first()?;
        Some(Self {
            public_key: key.to_vec().try_into().ok()?,
            algorithm: *algorithm,
        })
    }
}

/// Where a neuron's Prometheus endpoint listens, and when it said so.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct PrometheusInfo {
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
}

/// Who a coldkey says it is. All fields are UTF-8 by convention.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ChainIdentityV2 {
    /// Name, at most 256 bytes.
    pub name: Vec<u8>,
    /// Address of a site, at most 256 bytes.
    pub url: Vec<u8>,
    /// Address of a repository, at most 256 bytes.
    pub github_repo: Vec<u8>,
    /// Address of an image, at most 1 024 bytes.
    pub image: Vec<u8>,
    /// Name on Discord, at most 256 bytes.
    pub discord: Vec<u8>,
    /// Description, at most 1 024 bytes.
    pub description: Vec<u8>,
    /// Anything else, at most 1 024 bytes.
    pub additional: Vec<u8>,
}

impl ChainIdentityV2 {
    /// Tells whether every field is within its length.
    pub fn fits(&self) -> bool {
        all_within(SHORT, [&self.name, &self.url, &self.github_repo, &self.discord])
            && all_within(LONG, [&self.image, &self.description, &self.additional])
    }
}

/// What a subnet's owner says of it. All fields are UTF-8 by convention.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct SubnetIdentityV3 {
    /// Name, at most 256 bytes.
    pub subnet_name: Vec<u8>,
    /// Address of a repository, at most 1 024 bytes.
    pub github_repo: Vec<u8>,
    /// How to reach the owner, at most 1 024 bytes.
    pub subnet_contact: Vec<u8>,
    /// Address of a site, at most 1 024 bytes.
    pub subnet_url: Vec<u8>,
    /// Name on Discord, at most 256 bytes.
    pub discord: Vec<u8>,
    /// Description, at most 1 024 bytes.
    pub description: Vec<u8>,
    /// Address of a logo, at most 1 024 bytes.
    pub logo_url: Vec<u8>,
    /// Anything else, at most 1 024 bytes.
    pub additional: Vec<u8>,
}

impl SubnetIdentityV3 {
    /// Tells whether every field is within its length.
    pub fn fits(&self) -> bool {
        all_within(SHORT, [&self.subnet_name, &self.discord])
            && all_within(
                LONG,
                [
                    &self.github_repo,
                    &self.subnet_contact,
                    &self.subnet_url,
                    &self.description,
                    &self.logo_url,
                    &self.additional,
                ],
            )
    }
}

fn all_within<const N: usize>(limit: usize, fields: [&Vec<u8>; N]) -> bool {
    fields.iter().all(|field| field.len() <= limit)
}

/// What a root staker wants its dividends to become. Only `Swap` happens here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum RootClaimTypeEnum {
    /// Sold for TAO, which is staked on root.
    #[default]
    Swap,
    /// Kept as alpha.
    Keep,
    /// Kept as alpha on some subnets, sold on the others.
    KeepSubnets {
        /// The subnets on which alpha is kept.
        subnets: BTreeSet<NetUid>,
    },
}

/// Stake that is locked, and what the lock has gained. Nothing is locked here.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct LockState {
    /// Alpha that is locked.
    pub locked_mass: u64,
    /// Conviction, 64 fractional bits.
    pub conviction: FixedU128,
    /// Block of the last change.
    pub last_update: u64,
}
