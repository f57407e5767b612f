mod common;

use arbor_runtime::*;
use common::*;
use frame_support::traits::Get;
use pallet_subtensor::NetUid;
use polkadot_sdk::*;
use serde_json::json;

#[test]
fn development_chain_has_what_its_users_rely_on() {
    on_dev(|| {
        for name in ["Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie"] {
            assert_eq!(
                Balances::free_balance(account(&format!("//{name}"))),
                10_000 * TAO
            );
        }
        let id = NetUid(1);
        let owner_hotkey = account("//Alice//default");
        assert_eq!(
            pallet_subtensor::SubnetOwner::<Runtime>::get(id),
            account("//Alice")
        );
        assert_eq!(
            pallet_subtensor::SubnetOwnerHotkey::<Runtime>::get(id),
            owner_hotkey
        );
        assert_eq!(pallet_subtensor::Uids::<Runtime>::get(id, &owner_hotkey), Some(0));
        assert_eq!(pallet_subtensor::Tempo::<Runtime>::get(id), 10);
        assert!(!pallet_subtensor::CommitRevealWeightsEnabled::<Runtime>::get(id));
        assert!(pallet_subtensor::SubtokenEnabled::<Runtime>::get(id));
        assert_eq!(pallet_sudo::Key::<Runtime>::get(), Some(account("//Alice")));
        assert_eq!(pallet_aura::Authorities::<Runtime>::get().len(), 1);
        assert!(!pallet_timestamp::Now::<Runtime>::exists());
        pallet_subtensor::Pallet::<Runtime>::check_invariants().expect("the books are closed");
    });
}

#[test]
fn local_testnet_has_two_authorities_and_the_reference_slot() {
    genesis("local_testnet", json!({})).execute_with(|| {
        assert_eq!(pallet_aura::Authorities::<Runtime>::get().len(), 2);
        assert_eq!(Grandpa::grandpa_authorities().len(), 2);
        assert_eq!(<Runtime as pallet_aura::Config>::SlotDuration::get(), 12_000);
    });
}

#[test]
fn slot_duration_follows_the_patch_when_the_genesis_is_patched() {
    genesis("development", json!({ "blockTime": { "slotDurationMs": 250 } })).execute_with(|| {
        assert_eq!(<Runtime as pallet_aura::Config>::SlotDuration::get(), 250);
        assert_eq!(<Runtime as pallet_timestamp::Config>::MinimumPeriod::get(), 125);
        run_blocks(3);
        assert_eq!(Timestamp::get(), 750);
    });
}

#[test]
#[should_panic(expected = "blockTime.slotDurationMs is 1")]
fn genesis_is_refused_when_a_slot_is_too_short() {
    genesis("development", json!({ "blockTime": { "slotDurationMs": 1 } }));
}

#[test]
fn presets_are_found_by_name_and_no_other_is() {
    for name in genesis::preset_names() {
        assert!(genesis::preset(&name).is_some());
    }
    assert!(genesis::preset(&"mainnet".into()).is_none());
}
