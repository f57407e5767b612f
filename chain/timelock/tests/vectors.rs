//! What bittensor-drand sealed, under the real signature of quicknet's round 1 000.

use arbor_timelock::{open, OpenError, PublicKey, Signature, OVERHEAD_BYTES, QUICKNET_PUBLIC_KEY};
use codec::{Decode, Encode};
use serde_json::Value;

/// The container in which bittensor-drand keeps a ciphertext and its round.
#[derive(Decode)]
struct Container {
    ciphertext: Vec<u8>,
    round: u64,
}

/// The rows that clients seal; the older kind has no hotkey.
#[derive(Debug, PartialEq, Encode, Decode)]
struct Row {
    hotkey: Vec<u8>,
    uids: Vec<u16>,
    values: Vec<u16>,
    version_key: u64,
}

fn vectors() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../test/vectors/wire/timelock.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).expect("the vector is there")).expect("it is JSON")
}

fn bytes(text: &Value) -> Vec<u8> {
    let text = text
        .as_str()
        .expect("a string")
        .trim_start_matches("0x")
        .as_bytes();
    let digit = |at: usize| char::from(text[at]).to_digit(16).expect("a digit") as u8;
    (0..text.len() / 2)
        .map(|at| digit(2 * at) * 16 + digit(2 * at + 1))
        .collect()
}

fn round_1000(vectors: &Value) -> Signature {
    Signature::parse(&bytes(&vectors["drand"]["signature"])).expect("a point of G1")
}

#[test]
fn quicknet_key_accepts_its_round_1000_and_no_other() {
    let vectors = vectors();
    let quicknet = PublicKey::parse(&QUICKNET_PUBLIC_KEY).expect("a point of G2");
    let signature = round_1000(&vectors);
    assert!(quicknet.verify(1_000, &signature));
    assert!(!quicknet.verify(999, &signature));
    assert!(!quicknet.verify(1_001, &signature));
}

#[test]
fn open_finds_the_plaintext_when_bittensor_drand_sealed_it() {
    let vectors = vectors();
    let signature = round_1000(&vectors);
    for key in ["decrypt", "weights_payload"] {
        let cases = vectors[key].as_array().expect("a list");
        assert!(cases.len() >= 2);
        for case in cases {
            let container = bytes(&case["ciphertext_hex"]);
            let Container { ciphertext, round } = Container::decode(&mut &container[..]).expect("SCALE");
            assert_eq!(round, 1_000);
            let name = if key == "decrypt" {
                "plaintext_hex"
            } else {
                "scale_hex"
            };
            let plaintext = bytes(&case[name]);
            assert_eq!(ciphertext.len(), plaintext.len() + OVERHEAD_BYTES);
            assert_eq!(open(&ciphertext, &signature), Ok(plaintext));
        }
    }
}

#[test]
fn open_gives_a_row_that_decodes_when_a_client_sealed_weights() {
    let vectors = vectors();
    let container = bytes(&vectors["weights_payload"][0]["ciphertext_hex"]);
    let Container { ciphertext, .. } = Container::decode(&mut &container[..]).expect("SCALE");
    let plaintext = open(&ciphertext, &round_1000(&vectors)).expect("it opens");
    let row = Row::decode(&mut &plaintext[..]).expect("SCALE");
    assert_eq!(
        (row.uids, row.values, row.version_key),
        (vec![0, 1, 2], vec![65_535, 32_767, 1], 10_005_000)
    );
    assert_eq!(row.hotkey.len(), 32);
}

#[test]
fn open_refuses_when_the_signature_is_that_of_another_round() {
    let vectors = vectors();
    for case in vectors["commit_v2"].as_array().expect("a list") {
        let ciphertext = bytes(&case["commit_hex"]);
        assert_eq!(
            ciphertext.len() as u64,
            case["commit_len"].as_u64().expect("a length")
        );
        assert_eq!(open(&ciphertext, &round_1000(&vectors)), Err(OpenError::WrongKey));
    }
}
