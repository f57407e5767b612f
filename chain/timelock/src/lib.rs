//! Timelock encryption over a drand beacon, as Bittensor's clients write it: the signature of a future round is the
//! key that opens a message.
//!
//! ## Beacon
//! A beacon of the scheme `bls-unchained-g1-rfc9380` signs `sha256(round as 8 bytes, big endian)`, hashed to G1 of
//! BLS12-381, with one secret; signatures are points of G1 (48 bytes), public keys points of G2 (96 bytes).
//!
//! ## Ciphertext
//! Boneh-Franklin identity-based encryption (FullIdent) of a 32-byte key for the identity "round", then AES-256-GCM
//! of the message under that key. [`ciphertext`] describes the bytes, [`opening`] the steps.
//!
//! Nothing here panics, whatever it is given; all work is bounded by the length of the input.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod beacon;
mod ciphertext;
mod opening;
#[cfg(feature = "seal")]
mod seal;

pub use beacon::{PublicKey, Signature};
pub use opening::{open, OpenError};
#[cfg(feature = "seal")]
pub use seal::{seal, BeaconSecret, SealRandomness};

/// Length of a compressed signature, a point of G1.
pub const SIGNATURE_BYTES: usize = 48;
/// Length of a compressed public key, a point of G2.
pub const PUBLIC_KEY_BYTES: usize = 96;
/// Bytes that sealing adds to a message.
pub const OVERHEAD_BYTES: usize = 244;

/// Public key of drand's quicknet.
pub const QUICKNET_PUBLIC_KEY: [u8; PUBLIC_KEY_BYTES] = [
    0x83, 0xcf, 0x0f, 0x28, 0x96, 0xad, 0xee, 0x7e, 0xb8, 0xb5, 0xf0, 0x1f, 0xca, 0xd3, 0x91, 0x22, 0x12,
    0xc4, 0x37, 0xe0, 0x07, 0x3e, 0x91, 0x1f, 0xb9, 0x00, 0x22, 0xd3, 0xe7, 0x60, 0x18, 0x3c, 0x8c, 0x4b,
    0x45, 0x0b, 0x6a, 0x0a, 0x6c, 0x3a, 0xc6, 0xa5, 0x77, 0x6a, 0x2d, 0x10, 0x64, 0x51, 0x0d, 0x1f, 0xec,
    0x75, 0x8c, 0x92, 0x1c, 0xc2, 0x2b, 0x0e, 0x17, 0xe6, 0x3a, 0xaf, 0x4b, 0xcb, 0x5e, 0xd6, 0x63, 0x04,
    0xde, 0x9c, 0xf8, 0x09, 0xbd, 0x27, 0x4c, 0xa7, 0x3b, 0xab, 0x4a, 0xf5, 0xa6, 0xe9, 0xc7, 0x6a, 0x4b,
    0xc0, 0x9e, 0x76, 0xea, 0xe8, 0x99, 0x1e, 0xf5, 0xec, 0xe4, 0x5a,
];
