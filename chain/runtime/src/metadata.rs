//! The metadata that is served, its types numbered as older Python clients expect.

use alloc::vec::Vec;
use codec::Encode;
use frame_metadata::{
    v15::{
        CustomMetadata, ExtrinsicMetadata, OuterEnums, PalletMetadata, RuntimeApiMetadata, RuntimeMetadataV15,
    },
    RuntimeMetadataPrefixed,
};
use polkadot_sdk::sp_core::OpaqueMetadata;
use scale_info::{IntoPortable, Registry};

use crate::Runtime;

/// Returns the metadata of a version (14 to 16), or `None` for any other.
pub fn at_version(version: u32) -> Option<OpaqueMetadata> {
    match version {
        15 => Some(OpaqueMetadata::new(v15().encode())),
        _ => Runtime::metadata_at_version(version),
    }
}

/// Numbers the pallets' types before the extrinsic's, so that type 0 is `AccountId32`, as on Bittensor.
///
/// async-substrate-interface 1.x (bittensor 10.0 to 10.2) takes type 0 for an account, whatever it is, and
/// `RuntimeMetadataV15::new` would put `MultiAddress` there.
fn v15() -> RuntimeMetadataPrefixed {
    let ir = Runtime::metadata_ir();
    let pallets: Vec<PalletMetadata> = ir.pallets.into_iter().map(Into::into).collect();
    let apis: Vec<RuntimeApiMetadata> = ir.apis.into_iter().map(Into::into).collect();
    let extrinsic: ExtrinsicMetadata = ir.extrinsic.into();
    let outer_enums: OuterEnums = ir.outer_enums.into();

    let mut types = Registry::new();
    let pallets = types.map_into_portable(pallets);
    let extrinsic = extrinsic.into_portable(&mut types);
    let ty = types.register_type(&ir.ty);
    let apis = types.map_into_portable(apis);
    let outer_enums = outer_enums.into_portable(&mut types);
    let custom = CustomMetadata {
        map: Default::default(),
    }
    .into_portable(&mut types);
    RuntimeMetadataV15 {
        types: types.into(),
        pallets,
        extrinsic,
        ty,
        apis,
        outer_enums,
        custom,
    }
    .into()
}
