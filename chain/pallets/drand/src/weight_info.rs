//! Weights of pallet_drand, measured. Made by `node bench/weights.ts`; do not edit.
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
    fn set_beacon_config(r: u32) -> Weight;
    fn set_oldest_stored_round(r: u32) -> Weight;
    fn write_pulse(p: u32) -> Weight;
}

/// The measured weights, with the storage costs of the runtime.
pub struct MeasuredWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for MeasuredWeight<T> {
    // Took 151_054 to 178_787 µs at the largest size; r in 0..=10000.
    fn set_beacon_config(r: u32) -> Weight {
        Weight::from_parts(0, 0)
            .saturating_add(Weight::from_parts(15_921_137, 0).saturating_mul(u64::from(r)))
            .saturating_add(T::DbWeight::get().reads(u64::from(r)))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(u64::from(r)))
    }

    // Took 43_988 to 52_599 µs at the largest size; r in 1..=10000.
    fn set_oldest_stored_round(r: u32) -> Weight {
        Weight::from_parts(0, 0)
            .saturating_add(Weight::from_parts(4_722_948, 0).saturating_mul(u64::from(r)))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
            .saturating_add(T::DbWeight::get().writes(u64::from(r)))
    }

    // Took 118_370 to 121_738 µs at the largest size; p in 1..=16.
    fn write_pulse(p: u32) -> Weight {
        Weight::from_parts(1_974_091_029, 0)
            .saturating_add(Weight::from_parts(7_418_780_115, 0).saturating_mul(u64::from(p)))
            .saturating_add(T::DbWeight::get().reads(105))
            .saturating_add(T::DbWeight::get().reads(u64::from(p)))
            .saturating_add(T::DbWeight::get().writes(103))
            .saturating_add(T::DbWeight::get().writes(u64::from(p)))
    }
}

/// The measured weights, for tests.
impl WeightInfo for () {
    // Took 151_054 to 178_787 µs at the largest size; r in 0..=10000.
    fn set_beacon_config(r: u32) -> Weight {
        Weight::from_parts(0, 0)
            .saturating_add(Weight::from_parts(15_921_137, 0).saturating_mul(u64::from(r)))
            .saturating_add(RocksDbWeight::get().reads(u64::from(r)))
            .saturating_add(RocksDbWeight::get().writes(3))
            .saturating_add(RocksDbWeight::get().writes(u64::from(r)))
    }

    // Took 43_988 to 52_599 µs at the largest size; r in 1..=10000.
    fn set_oldest_stored_round(r: u32) -> Weight {
        Weight::from_parts(0, 0)
            .saturating_add(Weight::from_parts(4_722_948, 0).saturating_mul(u64::from(r)))
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
            .saturating_add(RocksDbWeight::get().writes(u64::from(r)))
    }

    // Took 118_370 to 121_738 µs at the largest size; p in 1..=16.
    fn write_pulse(p: u32) -> Weight {
        Weight::from_parts(1_974_091_029, 0)
            .saturating_add(Weight::from_parts(7_418_780_115, 0).saturating_mul(u64::from(p)))
            .saturating_add(RocksDbWeight::get().reads(105))
            .saturating_add(RocksDbWeight::get().reads(u64::from(p)))
            .saturating_add(RocksDbWeight::get().writes(103))
            .saturating_add(RocksDbWeight::get().writes(u64::from(p)))
    }
}
