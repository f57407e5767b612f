//! Which pallets are measured: ours. Those of the SDK keep the weights that the SDK measured.

use crate::*;
use frame_benchmarking::{BenchmarkBatch, BenchmarkConfig, BenchmarkList};
use frame_support::traits::{StorageInfo, WhitelistedStorageKeys};

frame_benchmarking::define_benchmarks!(
    [pallet_subtensor, SubtensorModule]
    [pallet_admin_utils, AdminUtils]
    [pallet_commitments, Commitments]
    [pallet_drand, Drand]
);

/// Lists what can be measured. Which keys a pallet has is of no use here.
pub fn list(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
    let mut list = Vec::<BenchmarkList>::new();
    list_benchmarks!(list, extra);
    (list, Vec::new())
}

/// Runs one benchmark as often as the configuration says.
pub fn run(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, alloc::string::String> {
    let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
    let mut batches = Vec::<BenchmarkBatch>::new();
    let params = (&config, &whitelist);
    add_benchmarks!(params, batches);
    Ok(batches)
}
