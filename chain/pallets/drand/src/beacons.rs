//! The beacons that a chain may follow, and how a genesis names one.

use crate::types::{BeaconConfiguration, BoundedHash, Metadata, OpaquePublicKey};
use alloc::{format, string::String, vec::Vec};
use arbor_timelock::{PublicKey, QUICKNET_PUBLIC_KEY};
use serde::{Deserialize, Serialize};

/// The only signature scheme: signatures on G1, rounds not chained.
pub const SCHEME: &[u8] = b"bls-unchained-g1-rfc9380";

/// Hash of quicknet's chain of rounds.
const QUICKNET_HASH: [u8; 32] = [
    0x52, 0xdb, 0x9b, 0xa7, 0x0e, 0x0c, 0xc0, 0xf6, 0xea, 0xf7, 0x80, 0x3d, 0xd0, 0x74, 0x47, 0xa1, 0xf5,
    0x47, 0x77, 0x35, 0xfd, 0x3f, 0x66, 0x17, 0x92, 0xba, 0x94, 0x60, 0x0c, 0x84, 0xe9, 0x71,
];

/// Hash of quicknet's group of signers.
const QUICKNET_GROUP_HASH: [u8; 32] = [
    0xf4, 0x77, 0xd5, 0xc8, 0x9f, 0x21, 0xa1, 0x7c, 0x86, 0x3a, 0x7f, 0x93, 0x7c, 0x6a, 0x6d, 0x15, 0x85,
    0x94, 0x14, 0xd2, 0xbe, 0x09, 0xcd, 0x44, 0x8d, 0x42, 0x79, 0xaf, 0x33, 0x1c, 0x5d, 0x3e,
];

/// Public key of the development beacon. Its secret is known to everybody:
/// SHA-256 of the ASCII text `arbor development beacon` as a big-endian number, modulo the order of BLS12-381.
pub const DEVELOPMENT_PUBLIC_KEY: [u8; 96] = [
    0x97, 0x68, 0x58, 0xe0, 0x7a, 0x73, 0xd9, 0x3a, 0xaa, 0x4e, 0x2a, 0x5d, 0x7c, 0xd9, 0x9f, 0xd9, 0x66,
    0x6e, 0xe7, 0x13, 0x29, 0x76, 0x17, 0x80, 0xaf, 0x76, 0x83, 0xfa, 0x0a, 0x8c, 0xcb, 0xcf, 0x18, 0x1f,
    0xb5, 0xe9, 0xa0, 0xbd, 0x49, 0xbc, 0x2f, 0x7f, 0xaa, 0x11, 0xb0, 0xd9, 0xe3, 0x7c, 0x12, 0x0e, 0xa4,
    0x80, 0xd1, 0x99, 0xa1, 0x5e, 0x50, 0x64, 0x26, 0x87, 0xe8, 0x74, 0x38, 0xb6, 0xf5, 0x12, 0x9d, 0xde,
    0xf4, 0x84, 0x33, 0x9a, 0x4a, 0x3a, 0x77, 0x38, 0xf8, 0x34, 0x8d, 0x00, 0x5b, 0x05, 0xc6, 0xa5, 0x74,
    0x1d, 0xd3, 0x53, 0x74, 0xb7, 0x3a, 0x8a, 0x70, 0x03, 0x32, 0x34,
];

/// Returns the description of drand's quicknet: a round every 3 s since 23 August 2023.
pub fn quicknet() -> BeaconConfiguration {
    BeaconConfiguration {
        public_key: OpaquePublicKey::truncate_from(QUICKNET_PUBLIC_KEY.to_vec()),
        period: 3,
        genesis_time: 1_692_803_367,
        hash: BoundedHash::truncate_from(QUICKNET_HASH.to_vec()),
        group_hash: BoundedHash::truncate_from(QUICKNET_GROUP_HASH.to_vec()),
        scheme_id: BoundedHash::truncate_from(SCHEME.to_vec()),
        metadata: Metadata {
            beacon_id: BoundedHash::truncate_from(b"quicknet".to_vec()),
        },
    }
}

/// A beacon as a genesis names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisBeacon {
    /// Compressed public key: 0x and 192 hexadecimal digits.
    pub public_key: String,
    /// Seconds between two rounds.
    pub period: u32,
    /// When round 1 is due, in seconds since 1970.
    #[serde(default)]
    pub genesis_time: u32,
    /// Name of the beacon, at most 32 bytes.
    #[serde(default)]
    pub name: String,
}

impl GenesisBeacon {
    /// Checks the description and gives it the form in which it is stored.
    pub fn configuration(&self) -> Result<BeaconConfiguration, String> {
        let key = parse_hex(&self.public_key)
            .filter(|key| PublicKey::parse(key).is_some())
            .ok_or_else(|| {
                format!(
                    "drand.beacon.publicKey is {}, but must be 0x and the 96 bytes of a compressed point of G2",
                    self.public_key
                )
            })?;
        if self.period == 0 {
            return Err("drand.beacon.period is 0, but must be at least 1 (second)".into());
        }
        if self.name.len() > 32 {
            return Err(format!(
                "drand.beacon.name is {}, but may have 32 bytes",
                self.name
            ));
        }
        Ok(BeaconConfiguration {
            public_key: OpaquePublicKey::truncate_from(key),
            period: self.period,
            genesis_time: self.genesis_time,
            hash: BoundedHash::default(),
            group_hash: BoundedHash::default(),
            scheme_id: BoundedHash::truncate_from(SCHEME.to_vec()),
            metadata: Metadata {
                beacon_id: BoundedHash::truncate_from(self.name.as_bytes().to_vec()),
            },
        })
    }
}

/// Reads bytes that are written as 0x and hexadecimal digits.
fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let pairs = digits.chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
            _ => None,
        })
        .collect()
}
