//! Keys and signatures of a beacon, and the check of a round.

use ark_bls12_381::{g1, Bls12_381, G1Affine, G1Projective, G2Affine};
use ark_ec::{
    hashing::{curve_maps::wb::WBMap, map_to_curve_hasher::MapToCurveBasedHasher, HashToCurve},
    pairing::Pairing,
    AffineRepr,
};
use ark_ff::{field_hashers::DefaultFieldHasher, One};
use ark_serialize::CanonicalDeserialize;
use sha2::{Digest, Sha256};

/// Separates this use of hashing to the curve from others; the scheme fixes it.
const DOMAIN: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

type Hasher = MapToCurveBasedHasher<G1Projective, DefaultFieldHasher<Sha256, 128>, WBMap<g1::Config>>;

/// Public key of a beacon: a point of G2 other than the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(pub(crate) G2Affine);

/// Signature of a round: a point of G1 other than the identity. Parsing one says nothing about who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature(pub(crate) G1Affine);

impl PublicKey {
    /// Reads a compressed key of 96 bytes; None if it is no point of the group.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        parse_point(bytes, crate::PUBLIC_KEY_BYTES).map(Self)
    }

    /// Tells whether a signature is this beacon's for a round.
    pub fn verify(&self, round: u64, signature: &Signature) -> bool {
        let Some(identity) = identity(round) else {
            return false;
        };
        // e(signature, g2) = e(identity, key), as one product of two pairings.
        let points = ([signature.0, identity], [-G2Affine::generator(), self.0]);
        let product = Bls12_381::multi_miller_loop(points.0, points.1);
        Bls12_381::final_exponentiation(product).is_some_and(|product| product.0.is_one())
    }
}

impl Signature {
    /// Reads a compressed signature of 48 bytes; None if it is no point of the group.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        parse_point(bytes, crate::SIGNATURE_BYTES).map(Self)
    }
}

/// Reads a compressed point of the prime-order group, of exactly this length, that is not the identity.
pub(crate) fn parse_point<P: AffineRepr + CanonicalDeserialize>(bytes: &[u8], length: usize) -> Option<P> {
    if bytes.len() != length {
        return None;
    }
    // Decompressing gives a point of the curve; the mode that validates checks the subgroup.
    let point = P::deserialize_compressed(bytes).ok()?;
    (!point.is_zero()).then_some(point)
}

/// Hashes a round to the point of G1 that its signature multiplies.
pub(crate) fn identity(round: u64) -> Option<G1Affine> {
    let message = Sha256::digest(round.to_be_bytes());
    Hasher::new(DOMAIN).ok()?.hash(&message).ok()
}
