//! Which beacon a chain follows.

use super::mock::*;
use crate::*;
use arbor_timelock::BeaconSecret;
use codec::Encode;
use frame_support::assert_ok;

/// What spec 424's metadata gives as the default of `BeaconConfig`.
const QUICKNET_424: &str = "810183cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a030000002721e6648052db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e97180f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e60626c732d756e636861696e65642d67312d7266633933383020717569636b6e6574";

#[test]
fn quicknet_is_followed_when_the_genesis_names_no_beacon() {
    with_beacon(None, || {
        let stored: alloc::string::String = BeaconConfig::<Test>::get()
            .encode()
            .iter()
            .map(|byte| alloc::format!("{byte:02x}"))
            .collect();
        assert_eq!(stored, QUICKNET_424);
        // The real round 1 000 of quicknet.
        let signature = [
            0xb4, 0x46, 0x79, 0xb9, 0xa5, 0x9a, 0xf2, 0xec, 0x87, 0x6b, 0x1a, 0x6b, 0x1a, 0xd5, 0x2e, 0xa9,
            0xb1, 0x61, 0x5f, 0xc3, 0x98, 0x2b, 0x19, 0x57, 0x63, 0x50, 0xf9, 0x34, 0x47, 0xcb, 0x11, 0x25,
            0xe3, 0x42, 0xb7, 0x3a, 0x8d, 0xd2, 0xba, 0xcb, 0xe4, 0x7e, 0x4b, 0x6b, 0x63, 0xed, 0x5e, 0x39,
        ];
        assert_ok!(write(vec![pulse_of(1_000, &signature)]));
        assert_eq!(Drand::signature(1_000), Some(signature));
    });
}

#[test]
fn the_development_key_belongs_to_the_secret_that_everybody_knows() {
    let secret = BeaconSecret::from_phrase(b"arbor development beacon");
    assert_eq!(secret.public_key(), beacons::DEVELOPMENT_PUBLIC_KEY);
}

#[test]
fn a_genesis_is_refused_when_its_beacon_cannot_be() {
    let good = description(0);
    assert!(good.configuration().is_ok());
    let key = |text: &str| GenesisBeacon {
        public_key: text.into(),
        ..good.clone()
    };
    let infinity = alloc::format!("0xc0{}", "00".repeat(95));
    for text in [
        "",
        "0x",
        "0x12",
        "0xzz",
        &good.public_key[2..],
        &good.public_key[..193],
        &infinity,
    ] {
        let why = key(text).configuration().expect_err("no key");
        assert!(why.contains("publicKey"), "{why}");
    }
    let period = GenesisBeacon {
        period: 0,
        ..good.clone()
    };
    assert!(period.configuration().expect_err("no period").contains("period"));
    let name = GenesisBeacon {
        name: "x".repeat(33),
        ..good
    };
    assert!(name.configuration().expect_err("too long").contains("name"));
}
