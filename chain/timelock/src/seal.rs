//! Signing rounds and sealing messages: what a beacon and a client do. The runtime does neither.

use crate::{
    beacon::identity,
    ciphertext::CIPHER,
    opening::{hash, hash_pairing, randomness, xor},
    PublicKey, PUBLIC_KEY_BYTES, SIGNATURE_BYTES,
};
use aes_gcm::{
    aead::{Aead, KeyInit},
    Aes256Gcm, Nonce,
};
use alloc::vec::Vec;
use ark_bls12_381::{Fr, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{PrimeField, Zero};
use ark_serialize::CanonicalSerialize;

/// A beacon's secret.
pub struct BeaconSecret(Fr);

impl BeaconSecret {
    /// Derives a secret from a phrase: its SHA-256 as a big-endian number, modulo the group's order.
    pub fn from_phrase(phrase: &[u8]) -> Self {
        Self(Fr::from_be_bytes_mod_order(&hash(&[phrase])))
    }

    /// Returns the compressed public key.
    pub fn public_key(&self) -> [u8; PUBLIC_KEY_BYTES] {
        compress((G2Affine::generator() * self.0).into_affine())
    }

    /// Signs a round.
    pub fn sign(&self, round: u64) -> [u8; SIGNATURE_BYTES] {
        let point = identity(round).unwrap_or_else(G1::generator);
        compress((point * self.0).into_affine())
    }
}

type G1 = ark_bls12_381::G1Affine;

/// What sealing draws at random, each part for one message only.
pub struct SealRandomness {
    /// Seed of the identity-based part.
    pub sigma: [u8; 32],
    /// Key of the message.
    pub key: [u8; 32],
    /// Nonce of the message.
    pub nonce: [u8; 12],
}

/// Seals a message for a round; None if `random` is of the negligible part that cannot be used.
pub fn seal(key: &PublicKey, round: u64, message: &[u8], random: &SealRandomness) -> Option<Vec<u8>> {
    let r = randomness(&random.sigma, &random.key);
    if r.is_zero() {
        return None;
    }
    let u = (G2Affine::generator() * r).into_affine();
    let shared = hash_pairing(identity(round)?, (key.0 * r).into_affine())?;
    let body = Aes256Gcm::new(&random.key.into())
        .encrypt(Nonce::from_slice(&random.nonce), message)
        .ok()?;
    let mut sealed = Vec::new();
    put_list(&mut sealed, &body);
    put_list(&mut sealed, &random.nonce);
    let mut bytes = compress::<PUBLIC_KEY_BYTES>(u).to_vec();
    put_list(&mut bytes, &xor(&random.sigma, &shared));
    put_list(&mut bytes, &xor(&random.key, &hash(&[&random.sigma])));
    put_list(&mut bytes, &sealed);
    put_list(&mut bytes, CIPHER);
    Some(bytes)
}

/// Appends a list: its length as u64, little endian, then its bytes.
fn put_list(bytes: &mut Vec<u8>, list: &[u8]) {
    bytes.extend_from_slice(&(list.len() as u64).to_le_bytes());
    bytes.extend_from_slice(list);
}

/// Compresses a point into as many bytes as its group takes.
fn compress<const LENGTH: usize>(point: impl CanonicalSerialize) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    point
        .serialize_compressed(bytes.as_mut_slice())
        .expect("the length is that of the group's points");
    bytes
}
