//! Sealing and opening agree; everything else is refused, and nothing panics.

use arbor_timelock::{
    open, seal, BeaconSecret, OpenError, PublicKey, SealRandomness, Signature, OVERHEAD_BYTES,
};
use proptest::prelude::*;

const ROUND: u64 = 77;

fn beacon() -> (BeaconSecret, PublicKey, Signature) {
    let secret = BeaconSecret::from_phrase(b"a test's beacon");
    let key = PublicKey::parse(&secret.public_key()).expect("a key");
    let signature = Signature::parse(&secret.sign(ROUND)).expect("a signature");
    (secret, key, signature)
}

fn sealed(key: &PublicKey, message: &[u8], seed: u8) -> Vec<u8> {
    let random = SealRandomness {
        sigma: [seed; 32],
        key: [seed ^ 0x5a; 32],
        nonce: [seed; 12],
    };
    seal(key, ROUND, message, &random).expect("usable randomness")
}

/// The compressed identity of a group: infinity flag, nothing else.
fn infinity(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    bytes[0] = 0xc0;
    bytes
}

/// A point of the curve over the base field that is not in the subgroup: the smallest x that lies on it.
fn outside_subgroup() -> Vec<u8> {
    use ark_bls12_381::{Fq, G1Affine};
    use ark_serialize::CanonicalSerialize;
    let point = (0u64..)
        .filter_map(|x| G1Affine::get_point_from_x_unchecked(Fq::from(x), false))
        .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
        .expect("nearly all points are outside");
    let mut bytes = Vec::new();
    point.serialize_compressed(&mut bytes).expect("it fits");
    bytes
}

#[test]
fn a_beacon_verifies_its_own_rounds_and_not_those_of_another() {
    let (secret, key, signature) = beacon();
    assert!(key.verify(ROUND, &signature));
    assert!(!key.verify(ROUND + 1, &signature));
    for round in [0, 1, u64::MAX] {
        let signature = Signature::parse(&secret.sign(round)).expect("a signature");
        assert!(key.verify(round, &signature));
    }
    let other = BeaconSecret::from_phrase(b"another beacon");
    assert!(!PublicKey::parse(&other.public_key())
        .expect("a key")
        .verify(ROUND, &signature));
}

#[test]
fn points_are_refused_when_they_are_not_of_the_group() {
    let (secret, _, _) = beacon();
    let (key, signature) = (secret.public_key(), secret.sign(ROUND));
    assert!(Signature::parse(&infinity(48)).is_none());
    assert!(PublicKey::parse(&infinity(96)).is_none());
    assert_eq!(outside_subgroup().len(), 48);
    assert!(Signature::parse(&outside_subgroup()).is_none());
    assert!(Signature::parse(&key).is_none());
    assert!(PublicKey::parse(&signature).is_none());
    for length in 0..48 {
        assert!(Signature::parse(&signature[..length]).is_none());
    }
    let long = [signature.as_slice(), &[0]].concat();
    assert!(Signature::parse(&long).is_none());
    // x = p is not below p; x of all ones neither; without the compression flag the rest is missing.
    for first in [0x9f, 0xff, 0x1f, 0x00] {
        let mut bytes = [0xff; 48];
        bytes[0] = first;
        assert!(Signature::parse(&bytes).is_none());
    }
}

#[test]
fn open_refuses_every_truncation_and_every_trailing_byte() {
    let (_, key, signature) = beacon();
    let bytes = sealed(&key, b"weights", 3);
    assert_eq!(bytes.len(), 7 + OVERHEAD_BYTES);
    assert_eq!(open(&bytes, &signature), Ok(b"weights".to_vec()));
    for length in 0..bytes.len() {
        assert_eq!(open(&bytes[..length], &signature), Err(OpenError::Malformed));
    }
    assert_eq!(
        open(&[bytes.as_slice(), &[0]].concat(), &signature),
        Err(OpenError::Malformed)
    );
}

#[test]
fn open_refuses_lengths_that_reach_beyond_the_end() {
    let (_, key, signature) = beacon();
    let bytes = sealed(&key, b"weights", 3);
    let lists = [96, 136, 176, 184, 184 + 8 + 23, 184 + 8 + 23 + 20];
    for at in lists {
        for length in [0, 1, 31, 33, 1 << 20, u64::from(u32::MAX), u64::MAX - 7, u64::MAX] {
            let mut changed = bytes.clone();
            changed[at..at + 8].copy_from_slice(&length.to_le_bytes());
            assert_eq!(
                open(&changed, &signature),
                Err(OpenError::Malformed),
                "length {length} at {at}"
            );
        }
    }
}

#[test]
fn open_refuses_another_cipher_and_points_outside_of_the_group() {
    let (_, key, signature) = beacon();
    let bytes = sealed(&key, b"weights", 3);
    let mut changed = bytes.clone();
    *changed.last_mut().expect("not empty") ^= 1;
    assert_eq!(open(&changed, &signature), Err(OpenError::Malformed));
    let mut changed = bytes.clone();
    changed[..96].copy_from_slice(&infinity(96));
    assert_eq!(open(&changed, &signature), Err(OpenError::Malformed));
    let mut changed = bytes;
    changed[..48].copy_from_slice(&outside_subgroup());
    assert_eq!(open(&changed, &signature), Err(OpenError::Malformed));
}

#[test]
fn open_says_wrong_key_when_the_header_changed_and_altered_when_the_message_did() {
    let (_, key, signature) = beacon();
    let bytes = sealed(&key, b"weights", 3);
    for at in [104, 135, 144, 175] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert_eq!(open(&changed, &signature), Err(OpenError::WrongKey), "byte {at}");
    }
    for at in [192, 200, 214, 223, 234] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert_eq!(open(&changed, &signature), Err(OpenError::Altered), "byte {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn open_returns_what_was_sealed(message in prop::collection::vec(any::<u8>(), 0..5_000), seed in any::<u8>()) {
        let (_, key, signature) = beacon();
        prop_assert_eq!(open(&sealed(&key, &message, seed), &signature), Ok(message));
    }

    #[test]
    fn open_never_panics_on_changed_bytes(changes in prop::collection::vec((0usize..251, any::<u8>()), 1..8)) {
        let (_, key, signature) = beacon();
        let mut bytes = sealed(&key, b"weights", 3);
        for (at, value) in changes {
            bytes[at] = value;
        }
        let _refused_or_unchanged = open(&bytes, &signature);
    }

    #[test]
    fn open_refuses_random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let (_, _, signature) = beacon();
        prop_assert_eq!(open(&bytes, &signature), Err(OpenError::Malformed));
    }

    #[test]
    fn random_bytes_are_no_valid_signature(bytes in prop::array::uniform32(any::<u8>()), flag in any::<u8>()) {
        let (_, key, _) = beacon();
        let mut point = [0u8; 48];
        point[..32].copy_from_slice(&bytes);
        point[0] = flag;
        if let Some(signature) = Signature::parse(&point) {
            prop_assert!(!key.verify(ROUND, &signature));
        }
    }
}
