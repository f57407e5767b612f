//! Weights of pallet_commitments, measured. Made by `node bench/weights.ts`; do not edit.
//!
//! 2026-11-21, AMD EPYC, Node 24.21.0, blob 86d958d683c51e87.
//!
//! The runtime ran in V8, as in the embedded chain: each benchmark of `benchmarking.rs` at up to six sizes of each of
//! its components with the others at their largest, 6 executions each. Time is that of the clock or the thread's CPU
//! time, whichever is less; its median at each size is fitted by least squares as a base and a slope for each component,
//! in picoseconds. Reads and writes are distinct keys, priced by the runtime's `DbWeight`: that of RocksDB on an SSD,
//! 25 µs a read and 100 µs a write, which the embedded chain stays far below.
//!
//! To do it again:
//!
//! ```text
//! chain/build-runtime.sh --benchmarks FOLDER
//! node bench/weights.ts --blob FOLDER/arbor_runtime.wasm && (cd chain && cargo fmt)
//! ```
#![allow(clippy::unnecessary_cast)]

use core::marker::PhantomData;
use polkadot_sdk::{
    frame_support::{
        traits::Get,
        weights::{constants::RocksDbWeight, Weight},
    },
    frame_system,
};

/// What each call and hook costs at most; a call's lists are counted in items.
pub trait WeightInfo {
    fn reset_bonds() -> Weight;
    fn set_commitment() -> Weight;
    fn set_max_space() -> Weight;
}

/// The measured weights, with the storage costs of the runtime.
pub struct MeasuredWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for MeasuredWeight<T> {
    // Took 1_799 to 5_949 µs at the largest size.
    fn reset_bonds() -> Weight {
        Weight::from_parts(4_318_881_000, 0)
            .saturating_add(T::DbWeight::get().reads(263))
            .saturating_add(T::DbWeight::get().writes(260))
    }

    // Took 104 to 852 µs at the largest size.
    fn set_commitment() -> Weight {
        Weight::from_parts(106_974_500, 0)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Took 16 to 20 µs at the largest size.
    fn set_max_space() -> Weight {
        Weight::from_parts(16_711_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }
}

/// The measured weights, for tests.
impl WeightInfo for () {
    // Took 1_799 to 5_949 µs at the largest size.
    fn reset_bonds() -> Weight {
        Weight::from_parts(4_318_881_000, 0)
            .saturating_add(RocksDbWeight::get().reads(263))
            .saturating_add(RocksDbWeight::get().writes(260))
    }

    // Took 104 to 852 µs at the largest size.
    fn set_commitment() -> Weight {
        Weight::from_parts(106_974_500, 0)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(3))
    }

    // Took 16 to 20 µs at the largest size.
    fn set_max_space() -> Weight {
        Weight::from_parts(16_711_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }
}
