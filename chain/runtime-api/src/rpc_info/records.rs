//! Records that the pallet stores and that clients expect in the answers, under one name.

pub use pallet_subtensor::{ChainIdentityV2, PrometheusInfo, SubnetIdentityV3};
