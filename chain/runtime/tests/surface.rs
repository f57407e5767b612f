//! Holds the served metadata, V14 and V15, to what Bittensor's clients look up: `test/vectors/chain/surface.json`,
//! row by row, names, numbers, arguments, layouts and defaults.

mod common;

use arbor_runtime::{metadata, Runtime};
use codec::Decode;
use common::on_dev;
use frame_metadata::{v14, v15, RuntimeMetadata, RuntimeMetadataPrefixed};
use scale_info::{form::PortableForm, PortableRegistry, TypeDef, TypeDefPrimitive};
use serde_json::Value;
use std::collections::BTreeSet;

type Field = scale_info::Field<PortableForm>;
type Variant = scale_info::Variant<PortableForm>;

fn wanted() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../test/vectors/chain/surface.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).expect("the vector is there")).expect("it is JSON")
}

fn rows<'a>(wanted: &'a Value, kind: &str) -> &'a Vec<Value> {
    wanted[kind].as_array().expect("a list of rows")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// What the client decodes: the bytes of a runtime API's answer.
fn served(version: u32) -> RuntimeMetadata {
    let bytes: Vec<u8> = if version == 14 {
        codec::Encode::encode(&Runtime::metadata())
    } else {
        (*metadata::at_version(version).expect("this version is served")).clone()
    };
    RuntimeMetadataPrefixed::decode(&mut &bytes[..])
        .expect("it decodes")
        .1
}

fn v15() -> v15::RuntimeMetadataV15 {
    match served(15) {
        RuntimeMetadata::V15(metadata) => metadata,
        other => panic!("version {} instead of 15", other.version()),
    }
}

fn v14() -> v14::RuntimeMetadataV14 {
    match served(14) {
        RuntimeMetadata::V14(metadata) => metadata,
        other => panic!("version {} instead of 14", other.version()),
    }
}

#[test]
fn type_zero_is_the_account_that_older_python_clients_take_it_for() {
    let first = |types: &[scale_info::PortableType]| types[0].ty.path.to_string();
    on_dev(|| {
        assert_eq!(first(&v15().types.types), "sp_core::crypto::AccountId32");
        assert_eq!(first(&v14().types.types), "sp_core::crypto::AccountId32");
    });
}

/// Names of the reference for numbers that it wraps, by what they wrap.
const NEWTYPES: [(&str, &str); 5] = [
    ("NetUid", "u16"),
    ("NetUidStorageIndex", "u16"),
    ("MechId", "u8"),
    ("TaoBalance", "u64"),
    ("AlphaBalance", "u64"),
];

/// Reduces the spelling of a type to what is on the wire.
fn plain(name: &str) -> String {
    let mut name = name.replace(' ', "").replace("<UInt>", "");
    for (wrapped, inner) in NEWTYPES {
        // Longest names come before their prefixes only by chance: replace whole words.
        name = name
            .split_inclusive(|letter: char| !letter.is_alphanumeric())
            .map(|part| {
                let word = part.trim_end_matches(|letter: char| !letter.is_alphanumeric());
                if word == wrapped {
                    part.replacen(wrapped, inner, 1)
                } else {
                    part.to_string()
                }
            })
            .collect();
    }
    let name = name
        .replace("AccountId32", "AccountId")
        .replace("BoundedVec<u8,5000>", "BoundedVec<u8>");
    name.replace("BoundedVec", "Vec")
}

/// Spells a type as the vector does: the last part of its path, parameters only where it is a container.
fn spell(types: &PortableRegistry, id: u32) -> String {
    let ty = types.resolve(id).expect("a type of the registry");
    let list = |ids: Vec<u32>| {
        ids.iter()
            .map(|id| spell(types, *id))
            .collect::<Vec<_>>()
            .join(",")
    };
    match &ty.type_def {
        TypeDef::Primitive(primitive) => match primitive {
            TypeDefPrimitive::Str => "str".into(),
            other => format!("{other:?}").to_lowercase(),
        },
        TypeDef::Compact(inner) => format!("Compact<{}>", spell(types, inner.type_param.id)),
        TypeDef::Sequence(inner) => format!("Vec<{}>", spell(types, inner.type_param.id)),
        TypeDef::Array(inner) => format!("[{};{}]", spell(types, inner.type_param.id), inner.len),
        TypeDef::Tuple(tuple) => format!("({})", list(tuple.fields.iter().map(|field| field.id).collect())),
        TypeDef::Composite(composite) => match ty.path.segments.last().map(String::as_str) {
            Some("BoundedVec" | "WeakBoundedVec") => spell(types, composite.fields[0].ty.id),
            Some("BTreeSet") => spell(types, composite.fields[0].ty.id),
            Some("FixedI128" | "FixedU128" | "FixedI64") => ty.path.segments.last().cloned().expect("named"),
            Some(name) => name.into(),
            None => "?".into(),
        },
        TypeDef::Variant(_) => {
            let name = ty.path.segments.last().cloned().unwrap_or_default();
            let params = ty.type_params.iter().filter_map(|param| param.ty.map(|ty| ty.id));
            if name == "Option" {
                format!("Option<{}>", list(params.collect()))
            } else {
                name
            }
        }
        TypeDef::BitSequence(_) => "bits".into(),
    }
}

fn same_type(types: &PortableRegistry, id: u32, wanted: &str, what: &str) {
    let have = plain(&spell(types, id));
    // The vector names two types by their use.
    let wanted = plain(wanted).replace("VecDeque", "Vec");
    assert_eq!(have, wanted, "type of {what}");
}

fn variants(types: &PortableRegistry, id: u32) -> &[Variant] {
    match &types.resolve(id).expect("a type").type_def {
        TypeDef::Variant(found) => &found.variants,
        _ => panic!("type {id} is no enum"),
    }
}

fn fields_of(types: &PortableRegistry, id: u32) -> &[Field] {
    match &types.resolve(id).expect("a type").type_def {
        TypeDef::Composite(found) => &found.fields,
        _ => panic!("type {id} is no struct"),
    }
}

#[test]
fn runtime_apis_have_the_names_arguments_and_answers_that_clients_look_up() {
    on_dev(|| {
        let (wanted, metadata) = (wanted(), v15());
        for row in rows(&wanted, "apis") {
            let name = text(&row["name"]);
            let (api, method) = name.split_once('_').expect("Api_method");
            let found = metadata
                .apis
                .iter()
                .filter(|found| found.name == api)
                .flat_map(|found| &found.methods)
                .find(|found| found.name == method)
                .unwrap_or_else(|| panic!("no runtime API {name}"));
            let inputs = row["inputs"].as_array().expect("inputs");
            let names: Vec<&str> = inputs.iter().map(|input| text(&input[0])).collect();
            let have: Vec<&str> = found.inputs.iter().map(|input| input.name.as_str()).collect();
            assert_eq!(have, names, "inputs of {name}");
            for (input, have) in inputs.iter().zip(&found.inputs) {
                if let Some(ty) = input[1].as_str() {
                    same_type(&metadata.types, have.ty.id, ty, &format!("{name}.{}", have.name));
                }
            }
            if let Some(ty) = row["output"].as_str() {
                same_type(&metadata.types, found.output.id, ty, name);
            }
        }
    });
}

#[test]
fn structs_of_the_answers_have_the_fields_that_clients_decode() {
    on_dev(|| {
        let (wanted, metadata) = (wanted(), v15());
        // Fields that newer versions of the reference have added at the end.
        let longer = BTreeSet::from(["SimSwapResult"]);
        for (name, fields) in wanted["types"].as_object().expect("layouts") {
            let name = name.trim_end_matches("<UInt>");
            let fields = fields.as_array().expect("fields");
            let found = metadata
                .types
                .types
                .iter()
                .find(|ty| ty.ty.path.segments.last().is_some_and(|last| last == name))
                .unwrap_or_else(|| panic!("no type {name}"));
            let have = fields_of(&metadata.types, found.id);
            let exact = have.len() == fields.len();
            let extended = longer.contains(name) && have.len() > fields.len();
            assert!(exact || extended, "{name} has {} fields", have.len());
            for (field, have) in fields.iter().zip(have) {
                let field_name = text(&field[0]);
                assert_eq!(have.name.as_deref().unwrap_or("_"), field_name, "field of {name}");
                same_type(
                    &metadata.types,
                    have.ty.id,
                    text(&field[1]),
                    &format!("{name}.{field_name}"),
                );
            }
        }
    });
}

/// A storage item of either version of the metadata, in the words of the vector.
#[derive(Debug, PartialEq)]
struct Stored {
    modifier: String,
    default: String,
    hashers: Vec<String>,
    key: Option<u32>,
    value: u32,
}

/// Reads a storage item; both versions share these types.
fn stored(entry: &v14::StorageEntryMetadata<PortableForm>) -> Stored {
    let (hashers, key, value) = match &entry.ty {
        v14::StorageEntryType::Plain(value) => (vec![], None, value.id),
        v14::StorageEntryType::Map { hashers, key, value } => (
            hashers.iter().map(|hasher| format!("{hasher:?}")).collect(),
            Some(key.id),
            value.id,
        ),
    };
    Stored {
        modifier: format!("{:?}", entry.modifier),
        default: format!(
            "0x{}",
            entry
                .default
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        ),
        hashers,
        key,
        value,
    }
}

/// Compares a storage item with its row.
fn check_stored(types: &PortableRegistry, have: &Stored, row: &Value) {
    let name = text(&row["name"]);
    assert_eq!(have.modifier, text(&row["modifier"]), "modifier of {name}");
    if let Some(default) = row["default"].as_str() {
        assert_eq!(have.default, default, "default of {name}");
    }
    let hashers: Vec<&str> = row["hashers"]
        .as_array()
        .expect("hashers")
        .iter()
        .map(text)
        .collect();
    assert_eq!(have.hashers, hashers, "hashers of {name}");
    let keys: Vec<&str> = row["keys"].as_array().expect("keys").iter().map(text).collect();
    let spelled = match keys.len() {
        0 => None,
        1 => Some(keys[0].to_string()),
        _ => Some(format!("({})", keys.join(","))),
    };
    match (have.key, spelled) {
        (Some(id), Some(spelled)) => same_type(types, id, &spelled, &format!("key of {name}")),
        (None, None) => {}
        (have, wanted) => panic!("key of {name}: {have:?}, wanted {wanted:?}"),
    }
    same_type(
        types,
        have.value,
        text(&row["value"]),
        &format!("value of {name}"),
    );
}

#[test]
fn storage_has_the_hashers_keys_values_and_defaults_that_clients_read_in_both_versions() {
    on_dev(|| {
        let (wanted, new, old) = (wanted(), v15(), v14());
        for row in rows(&wanted, "storage") {
            let (pallet, item) = text(&row["name"]).split_once('.').expect("Pallet.Item");
            let of_new = new.pallets.iter().find(|found| found.name == pallet);
            let entry = of_new
                .and_then(|found| found.storage.as_ref())
                .and_then(|storage| storage.entries.iter().find(|entry| entry.name == item))
                .unwrap_or_else(|| panic!("no storage item {pallet}.{item}"));
            check_stored(&new.types, &stored(entry), row);
            let of_old = old.pallets.iter().find(|found| found.name == pallet);
            let entry = of_old
                .and_then(|found| found.storage.as_ref())
                .and_then(|storage| storage.entries.iter().find(|entry| entry.name == item))
                .unwrap_or_else(|| panic!("no storage item {pallet}.{item} in V14"));
            check_stored(&old.types, &stored(entry), row);
        }
    });
}

/// Compares the calls of one version with the rows.
fn check_calls(types: &PortableRegistry, pallet: (&str, u8, u32), row: &Value) {
    let (name, index, id) = pallet;
    let call = text(&row["name"]);
    assert_eq!(u64::from(index), row["palletIndex"], "index of {name}");
    let found = variants(types, id)
        .iter()
        .find(|found| found.name == call)
        .unwrap_or_else(|| panic!("no call {name}.{call}"));
    assert_eq!(u64::from(found.index), row["index"], "index of {name}.{call}");
    let args = row["args"].as_array().expect("args");
    let names: Vec<&str> = args.iter().map(|arg| text(&arg[0])).collect();
    let have: Vec<&str> = found
        .fields
        .iter()
        .filter_map(|field| field.name.as_deref())
        .collect();
    assert_eq!(have, names, "arguments of {name}.{call}");
    for (arg, have) in args.iter().zip(&found.fields) {
        same_type(
            types,
            have.ty.id,
            text(&arg[1]),
            &format!("{name}.{call}.{}", text(&arg[0])),
        );
    }
}

#[test]
fn calls_have_the_numbers_and_arguments_that_clients_encode_in_both_versions() {
    on_dev(|| {
        let (wanted, new, old) = (wanted(), v15(), v14());
        for row in rows(&wanted, "calls") {
            let pallet = text(&row["pallet"]);
            let found = new.pallets.iter().find(|found| found.name == pallet);
            let found = found.unwrap_or_else(|| panic!("no pallet {pallet}"));
            let calls = found.calls.as_ref().expect("it has calls").ty.id;
            check_calls(&new.types, (pallet, found.index, calls), row);
            let found = old.pallets.iter().find(|found| found.name == pallet);
            let found = found.unwrap_or_else(|| panic!("no pallet {pallet} in V14"));
            let calls = found.calls.as_ref().expect("it has calls").ty.id;
            check_calls(&old.types, (pallet, found.index, calls), row);
        }
    });
}

#[test]
fn errors_have_the_numbers_that_clients_resolve_and_say_what_happened() {
    on_dev(|| {
        let (wanted, metadata) = (wanted(), v15());
        let pallet = metadata
            .pallets
            .iter()
            .find(|found| found.name == "SubtensorModule");
        let id = pallet
            .and_then(|found| found.error.as_ref())
            .expect("it has errors")
            .ty
            .id;
        let have = variants(&metadata.types, id);
        for row in rows(&wanted, "errors") {
            let name = text(&row["name"]);
            let found = have.iter().find(|found| found.name == name);
            let found = found.unwrap_or_else(|| panic!("no error {name}"));
            assert_eq!(u64::from(found.index), row["index"], "number of {name}");
        }
        for found in have {
            assert!(
                !found.docs.is_empty(),
                "{} does not say what happened",
                found.name
            );
        }
    });
}

#[test]
fn errors_of_every_pallet_stand_at_the_position_of_their_number() {
    // Bittensor's Python clients look an error up by its position in this list.
    on_dev(|| {
        let metadata = v15();
        for pallet in &metadata.pallets {
            let Some(errors) = &pallet.error else { continue };
            for (position, found) in variants(&metadata.types, errors.ty.id).iter().enumerate() {
                assert_eq!(
                    usize::from(found.index),
                    position,
                    "{}.{}",
                    pallet.name,
                    found.name
                );
            }
        }
    });
}

#[test]
fn extrinsics_carry_only_the_extensions_that_clients_know_or_that_encode_to_nothing() {
    on_dev(|| {
        let metadata = v15();
        let known = [
            "CheckMortality",
            "CheckNonce",
            "ChargeTransactionPayment",
            "CheckMetadataHash",
        ];
        for extension in &metadata.extrinsic.signed_extensions {
            let mut size = 0;
            measure(&metadata.types, extension.ty.id, &mut size);
            let name = extension.identifier.as_str();
            assert!(known.contains(&name) || size == 0, "{name} is on the wire");
        }
        assert_eq!(metadata.extrinsic.version, 4);
    });
}

/// Counts the leaves of a type that take room.
fn measure(types: &PortableRegistry, id: u32, size: &mut u32) {
    match &types.resolve(id).expect("a type").type_def {
        TypeDef::Composite(found) => found
            .fields
            .iter()
            .for_each(|field| measure(types, field.ty.id, size)),
        TypeDef::Tuple(found) => found
            .fields
            .iter()
            .for_each(|field| measure(types, field.id, size)),
        _ => *size += 1,
    }
}
