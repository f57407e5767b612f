//! The pallet's surface against that of the real chain (spec 424): what exists here must look the same there.

use super::mock::*;
use codec::Encode;
use frame_support::traits::PalletInfoAccess;
use polkadot_sdk::{frame_support, sp_runtime};
use serde_json::Value;

fn reference() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../test/vectors/metadata/subtensor-module-424.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).expect("the vector is there")).expect("it is JSON")
}

/// Finds an entry of a list by its name.
fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    list.as_array()
        .and_then(|entries| entries.iter().find(|entry| entry["name"] == name))
        .unwrap_or_else(|| panic!("the reference has no {name}"))
}

/// Storage items that the reference has not.
const OWN_STORAGE: [&str; 2] = ["SubnetAlphaBurned", "SubnetAlphaDust"];

#[test]
fn storage_has_the_reference_hashers_and_defaults_when_it_has_the_reference_name() {
    let reference = reference();
    let storage = crate::Pallet::<Test>::storage_metadata();
    let shared = storage
        .entries
        .iter()
        .filter(|entry| !OWN_STORAGE.contains(&entry.name));
    for entry in shared {
        let expected = named(&reference["storage"], entry.name);
        let default: String = entry.default.iter().map(|byte| format!("{byte:02x}")).collect();
        // Accounts are 8 bytes in the mock runtime.
        let account = expected["fallback"]
            .as_str()
            .is_some_and(|text| text.len() == 66 && default.len() == 16);
        // So are block numbers; the real runtime's are 4, and its own test looks at them.
        let block = expected["type"]["plain"] == "u32" && default.len() == 16;
        assert!(
            account || block || expected["fallback"] == format!("0x{default}"),
            "default of {}",
            entry.name
        );
        let hashers = match &entry.ty {
            frame_support::__private::metadata_ir::StorageEntryTypeIR::Map { hashers, .. } => {
                hashers.iter().map(|hasher| format!("{hasher:?}")).collect()
            }
            _ => vec![],
        };
        let wanted: Vec<String> = expected["type"]["hashers"]
            .as_array()
            .map(|list| {
                list.iter()
                    .filter_map(|hasher| hasher.as_str().map(String::from))
                    .collect()
            })
            .unwrap_or_default();
        assert_eq!(hashers, wanted, "hashers of {}", entry.name);
        assert_eq!(
            format!("{:?}", entry.modifier),
            expected["modifier"],
            "modifier of {}",
            entry.name
        );
    }
}

/// Calls from this number on are Arbor's own; the reference ends far below.
const OWN: u8 = 200;
/// Events from this number on are Arbor's own.
const OWN_EVENTS: u8 = 240;

/// Lists the variants of an enum's type information as (name, index, number of fields).
fn variants<Enum: scale_info::TypeInfo>() -> Vec<(String, u8, Vec<String>)> {
    let scale_info::TypeDef::Variant(found) = Enum::type_info().type_def else {
        panic!("not an enum");
    };
    let fields = |variant: &scale_info::Variant| {
        variant
            .fields
            .iter()
            .filter_map(|field| field.name.map(String::from))
            .collect()
    };
    found
        .variants
        .iter()
        .map(|variant| (variant.name.to_string(), variant.index, fields(variant)))
        .collect()
}

#[test]
fn errors_and_events_have_the_reference_numbers() {
    let reference = reference();
    // All of the reference's, in its order and without a hole: the Python clients count positions.
    let errors = variants::<crate::Error<Test>>();
    let theirs = reference["errors"].as_array().expect("a list");
    for (wanted, (name, index, _)) in theirs.iter().zip(&errors) {
        assert_eq!(wanted["name"], name.as_str(), "error {index}");
    }
    assert!(errors.len() >= theirs.len());
    for (name, index, _) in variants::<crate::Event<Test>>() {
        if index >= OWN_EVENTS {
            continue;
        }
        assert_eq!(named(&reference["events"], &name)["index"], index, "event {name}");
    }
    let error: sp_runtime::DispatchError = crate::Error::<Test>::RegistrationPriceLimitExceeded.into();
    let index = SubtensorModule::index() as u8;
    assert_eq!(error.encode()[1..3], [index, 134]);
}

#[test]
fn calls_have_the_reference_numbers_and_arguments() {
    let reference = reference();
    for (name, index, fields) in variants::<crate::Call<Test>>() {
        if index >= OWN {
            continue;
        }
        let expected = named(&reference["calls"], &name);
        assert_eq!(expected["index"], index, "call {name}");
        let wanted: Vec<&str> = expected["args"]
            .as_array()
            .map(|args| args.iter().filter_map(|arg| arg["name"].as_str()).collect())
            .unwrap_or_default();
        assert_eq!(fields, wanted, "arguments of {name}");
    }
}
