//! Opening a sealed message with the signature of its round.

use crate::{ciphertext::Ciphertext, Signature};
use aes_gcm::{
    aead::{Aead, KeyInit},
    Aes256Gcm, Nonce,
};
use alloc::vec::Vec;
use ark_bls12_381::{Bls12_381, Fr, G2Affine};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup};
use ark_ff::PrimeField;
use ark_serialize::CanonicalSerialize;
use sha2::{Digest, Sha256};

/// Why a message stays closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The bytes are not a ciphertext.
    Malformed,
    /// The signature is not that of the round it was sealed for, or the ciphertext was changed.
    WrongKey,
    /// The key was found, but the message under it was changed.
    Altered,
}

/// Opens a sealed message with the signature of its round.
///
/// Costs one pairing and one multiplication in G2, whatever the length of the message.
pub fn open(bytes: &[u8], signature: &Signature) -> Result<Vec<u8>, OpenError> {
    let sealed = Ciphertext::parse(bytes).ok_or(OpenError::Malformed)?;
    let shared = hash_pairing(signature.0, sealed.u).ok_or(OpenError::WrongKey)?;
    let sigma = xor(&sealed.v, &shared);
    let key = xor(&sealed.w, &hash(&[&sigma]));
    // Whoever knew sigma and the key knew r: a ciphertext that was made otherwise tells nothing here.
    if (G2Affine::generator() * randomness(&sigma, &key)).into_affine() != sealed.u {
        return Err(OpenError::WrongKey);
    }
    Aes256Gcm::new(&key.into())
        .decrypt(Nonce::from_slice(&sealed.nonce), sealed.body)
        .map_err(|_| OpenError::Altered)
}

/// H2: hashes the pairing of two points, the field element's twelve parts little endian.
pub(crate) fn hash_pairing(signature: ark_bls12_381::G1Affine, u: G2Affine) -> Option<[u8; 32]> {
    let mut bytes = Vec::with_capacity(12 * 48);
    Bls12_381::pairing(signature, u)
        .0
        .serialize_compressed(&mut bytes)
        .ok()?;
    Some(hash(&[&bytes]))
}

/// H3: derives the scalar r from sigma and the message key.
pub(crate) fn randomness(sigma: &[u8; 32], key: &[u8; 32]) -> Fr {
    Fr::from_be_bytes_mod_order(&hash(&[sigma, key]))
}

/// H4, and the hash in the others: SHA-256 of the parts one after another.
pub(crate) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// Adds two blocks bit by bit.
pub(crate) fn xor(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    core::array::from_fn(|at| left[at] ^ right[at])
}
