//! Genesis presets: `development` (one authority, one-second slots, everything cheap and quick) and `local_testnet`
//! (two authorities, the reference chain's defaults). Both are JSON; a caller patches them by RFC 7396 before
//! `GenesisBuilder_build_state`.

use super::*;

use alloc::vec;
use pallet_drand::beacons::DEVELOPMENT_PUBLIC_KEY;
use serde_json::{json, Value};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_core::Bytes;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// Rao that each development account holds at genesis.
const DEV_ENDOWMENT: Balance = 10_000 * TAO;

/// Public key of `//Alice//default`, the hotkey that owns subnet 1 of the development chain.
pub const OWNER_HOTKEY: [u8; 32] = [
    0x7e, 0xa5, 0x01, 0x33, 0x39, 0x3e, 0x2c, 0x8f, 0xb3, 0x6d, 0x41, 0x62, 0xad, 0x8d, 0x1a, 0x45, 0x80,
    0x18, 0x61, 0x76, 0x23, 0xf8, 0xbd, 0x2e, 0xd4, 0x03, 0x79, 0x7c, 0xd7, 0xdb, 0xa8, 0x63,
];

/// Accounts whose keys everybody knows.
const DEV_KEYS: [Sr25519Keyring; 6] = [
    Sr25519Keyring::Alice,
    Sr25519Keyring::Bob,
    Sr25519Keyring::Charlie,
    Sr25519Keyring::Dave,
    Sr25519Keyring::Eve,
    Sr25519Keyring::Ferdie,
];

/// Returns the JSON of a preset, or None where no preset has that name.
pub fn preset(id: &PresetId) -> Option<Vec<u8>> {
    let value = match id.as_ref() {
        DEV_RUNTIME_PRESET => development(),
        LOCAL_TESTNET_RUNTIME_PRESET => local_testnet(),
        _ => return None,
    };
    serde_json::to_vec(&value).ok()
}

/// Lists the names that [`preset`] knows.
pub fn preset_names() -> Vec<PresetId> {
    vec![
        PresetId::from(DEV_RUNTIME_PRESET),
        PresetId::from(LOCAL_TESTNET_RUNTIME_PRESET),
    ]
}

fn development() -> Value {
    let mut value = common(&[(Sr25519Keyring::Alice, Ed25519Keyring::Alice)]);
    value["blockTime"] = json!({ "slotDurationMs": 1_000 });
    // A round a second, round n due at second n - 1 since 1970, signed with a secret that everybody knows.
    value["drand"] = json!({
        "beacon": {
            "publicKey": Bytes(DEVELOPMENT_PUBLIC_KEY.to_vec()),
            "period": 1,
            "genesisTime": 0,
            "name": "arbor-development",
        },
    });
    value["subtensorModule"] = json!({
        "networkRateLimit": 0,
        "networkMinLock": TAO,
        "maxEpochsPerBlock": 32,
        "adminFreezeWindow": 0,
        "subnets": [{
            "netuid": 1,
            "ownerColdkey": Sr25519Keyring::Alice.to_account_id(),
            "ownerHotkey": AccountId::new(OWNER_HOTKEY),
            "tempo": 10,
            "emissionEnabled": true,
            "commitRevealEnabled": false,
            "weightsSetRateLimit": 2,
            "servingRateLimit": 1,
            "immunityPeriod": 20,
            "maxRegistrationsPerBlock": 16,
            "burn": TAO / 10,
            "maxAllowedUids": 64,
            "activityCutoffFactorMilli": 20_000,
        }],
    });
    value
}

fn local_testnet() -> Value {
    common(&[
        (Sr25519Keyring::Alice, Ed25519Keyring::Alice),
        (Sr25519Keyring::Bob, Ed25519Keyring::Bob),
    ])
}

fn common(authorities: &[(Sr25519Keyring, Ed25519Keyring)]) -> Value {
    let balances: Vec<(AccountId, Balance)> = DEV_KEYS
        .iter()
        .map(|key| (key.to_account_id(), DEV_ENDOWMENT))
        .collect();
    let aura: Vec<AuraId> = authorities.iter().map(|(key, _)| key.public().into()).collect();
    let grandpa: Vec<(GrandpaId, u64)> = authorities
        .iter()
        .map(|(_, key)| (key.public().into(), 1))
        .collect();
    json!({
        "balances": { "balances": balances },
        "aura": { "authorities": aura },
        "grandpa": { "authorities": grandpa },
        "sudo": { "key": Sr25519Keyring::Alice.to_account_id() },
    })
}
