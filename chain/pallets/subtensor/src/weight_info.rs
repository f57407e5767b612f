//! Weights of pallet_subtensor, measured. Made by `node bench/weights.ts`; do not edit.
//!
//! 2026-11-21, AMD EPYC, Node 24.21.0, blob 6a954e7cb7c5519e.
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
    fn add_stake() -> Weight;
    fn add_stake_limit() -> Weight;
    fn batch_reveal_weights(b: u32) -> Weight;
    fn begin_block(s: u32) -> Weight;
    fn burned_register() -> Weight;
    fn commit_timelocked_weights(c: u32) -> Weight;
    fn commit_weights() -> Weight;
    fn decrease_take() -> Weight;
    fn epoch_liquid_rows(r: u32) -> Weight;
    fn epoch_neurons(n: u32) -> Weight;
    fn epoch_rows(r: u32) -> Weight;
    fn increase_take() -> Weight;
    fn keep_timelocked() -> Weight;
    fn open_timelocked(o: u32) -> Weight;
    fn refused() -> Weight;
    fn register_network(s: u32) -> Weight;
    fn register_replacing(r: u32) -> Weight;
    fn remove_stake() -> Weight;
    fn remove_stake_full_limit() -> Weight;
    fn remove_stake_limit() -> Weight;
    fn reveal_weights(w: u32, s: u32) -> Weight;
    fn root_register() -> Weight;
    fn serve_axon() -> Weight;
    fn serve_axon_tls() -> Weight;
    fn serve_prometheus() -> Weight;
    fn set_activity_cutoff_factor() -> Weight;
    fn set_coldkey_auto_stake_hotkey() -> Weight;
    fn set_identity() -> Weight;
    fn set_subnet_identity() -> Weight;
    fn set_tempo() -> Weight;
    fn set_weights(w: u32) -> Weight;
    fn start_call() -> Weight;
    fn trigger_epoch() -> Weight;
    fn try_associate_hotkey() -> Weight;
    fn unstake_all(s: u32) -> Weight;
    fn unstake_all_alpha(s: u32) -> Weight;
    fn update_symbol(s: u32) -> Weight;
}

/// The measured weights, with the storage costs of the runtime.
pub struct MeasuredWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for MeasuredWeight<T> {
    // Took 394 to 4_002 µs at the largest size.
    fn add_stake() -> Weight {
        Weight::from_parts(435_077_000, 0)
            .saturating_add(T::DbWeight::get().reads(14))
            .saturating_add(T::DbWeight::get().writes(10))
    }

    // Took 366 to 441 µs at the largest size.
    fn add_stake_limit() -> Weight {
        Weight::from_parts(373_762_500, 0)
            .saturating_add(T::DbWeight::get().reads(14))
            .saturating_add(T::DbWeight::get().writes(10))
    }

    // Took 11_982 to 20_609 µs at the largest size; b in 1..=10.
    fn batch_reveal_weights(b: u32) -> Weight {
        Weight::from_parts(583_248_661, 0)
            .saturating_add(Weight::from_parts(1_285_235_486, 0).saturating_mul(u64::from(b)))
            .saturating_add(T::DbWeight::get().reads(277))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 37_919 to 41_218 µs at the largest size; s in 0..=128.
    fn begin_block(s: u32) -> Weight {
        Weight::from_parts(0, 0)
            .saturating_add(Weight::from_parts(306_180_392, 0).saturating_mul(u64::from(s)))
            .saturating_add(T::DbWeight::get().reads(54))
            .saturating_add(T::DbWeight::get().reads(29_169_u64.saturating_mul(u64::from(s)).div_ceil(1_000)))
            .saturating_add(T::DbWeight::get().writes(33))
            .saturating_add(
                T::DbWeight::get().writes(21_141_u64.saturating_mul(u64::from(s)).div_ceil(1_000)),
            )
    }

    // Took 436 to 541 µs at the largest size.
    fn burned_register() -> Weight {
        Weight::from_parts(451_197_000, 0)
            .saturating_add(T::DbWeight::get().reads(32))
            .saturating_add(T::DbWeight::get().writes(26))
    }

    // Took 1_185 to 4_457 µs at the largest size; c in 1..=5000.
    fn commit_timelocked_weights(c: u32) -> Weight {
        Weight::from_parts(1_271_123_182, 0)
            .saturating_add(Weight::from_parts(457, 0).saturating_mul(u64::from(c)))
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 394 to 473 µs at the largest size.
    fn commit_weights() -> Weight {
        Weight::from_parts(404_154_000, 0)
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 97 to 196 µs at the largest size.
    fn decrease_take() -> Weight {
        Weight::from_parts(112_981_000, 0)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 97_460 to 107_188 µs at the largest size; r in 1..=256.
    fn epoch_liquid_rows(r: u32) -> Weight {
        Weight::from_parts(37_277_354_062, 0)
            .saturating_add(Weight::from_parts(237_836_415, 0).saturating_mul(u64::from(r)))
            .saturating_add(T::DbWeight::get().reads(2799))
            .saturating_add(T::DbWeight::get().reads(1_158_u64.saturating_mul(u64::from(r)).div_ceil(1_000)))
            .saturating_add(T::DbWeight::get().writes(1502))
    }

    // Took 40_987 to 50_139 µs at the largest size; n in 1..=256.
    fn epoch_neurons(n: u32) -> Weight {
        Weight::from_parts(0, 0)
            .saturating_add(Weight::from_parts(169_060_376, 0).saturating_mul(u64::from(n)))
            .saturating_add(T::DbWeight::get().reads(30))
            .saturating_add(T::DbWeight::get().reads(10_995_u64.saturating_mul(u64::from(n)).div_ceil(1_000)))
            .saturating_add(T::DbWeight::get().writes(18))
            .saturating_add(T::DbWeight::get().writes(5_998_u64.saturating_mul(u64::from(n)).div_ceil(1_000)))
    }

    // Took 67_626 to 71_454 µs at the largest size; r in 1..=256.
    fn epoch_rows(r: u32) -> Weight {
        Weight::from_parts(39_996_989_916, 0)
            .saturating_add(Weight::from_parts(115_129_132, 0).saturating_mul(u64::from(r)))
            .saturating_add(T::DbWeight::get().reads(2799))
            .saturating_add(T::DbWeight::get().reads(1_158_u64.saturating_mul(u64::from(r)).div_ceil(1_000)))
            .saturating_add(T::DbWeight::get().writes(1502))
    }

    // Took 108 to 185 µs at the largest size.
    fn increase_take() -> Weight {
        Weight::from_parts(121_752_000, 0)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 945 to 3_212 µs at the largest size.
    fn keep_timelocked() -> Weight {
        Weight::from_parts(1_488_695_500, 0).saturating_add(T::DbWeight::get().reads(9))
    }

    // Took 158_367 to 163_508 µs at the largest size; o in 1..=16.
    fn open_timelocked(o: u32) -> Weight {
        Weight::from_parts(2_781_385_715, 0)
            .saturating_add(Weight::from_parts(9_961_709_524, 0).saturating_mul(u64::from(o)))
            .saturating_add(T::DbWeight::get().reads(275))
            .saturating_add(T::DbWeight::get().reads(4_u64.saturating_mul(u64::from(o))))
            .saturating_add(T::DbWeight::get().writes(1))
            .saturating_add(T::DbWeight::get().writes(u64::from(o)))
    }

    // Took 17 to 42 µs at the largest size.
    fn refused() -> Weight {
        Weight::from_parts(18_715_000, 0)
    }

    // Took 3_962 to 7_380 µs at the largest size; s in 0..=127.
    fn register_network(s: u32) -> Weight {
        Weight::from_parts(179_648_894, 0)
            .saturating_add(Weight::from_parts(39_204_576, 0).saturating_mul(u64::from(s)))
            .saturating_add(T::DbWeight::get().reads(31))
            .saturating_add(T::DbWeight::get().reads(4_u64.saturating_mul(u64::from(s))))
            .saturating_add(T::DbWeight::get().writes(38))
    }

    // Took 7_342 to 11_981 µs at the largest size; r in 0..=256.
    fn register_replacing(r: u32) -> Weight {
        Weight::from_parts(8_727_635_457, 0)
            .saturating_add(Weight::from_parts(9_306_234, 0).saturating_mul(u64::from(r)))
            .saturating_add(T::DbWeight::get().reads(1058))
            .saturating_add(T::DbWeight::get().writes(32))
            .saturating_add(T::DbWeight::get().writes(998_u64.saturating_mul(u64::from(r)).div_ceil(1_000)))
    }

    // Took 320 to 369 µs at the largest size.
    fn remove_stake() -> Weight {
        Weight::from_parts(332_551_000, 0)
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().writes(9))
    }

    // Took 341 to 3_381 µs at the largest size.
    fn remove_stake_full_limit() -> Weight {
        Weight::from_parts(368_437_500, 0)
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().writes(9))
    }

    // Took 338 to 430 µs at the largest size.
    fn remove_stake_limit() -> Weight {
        Weight::from_parts(364_931_000, 0)
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().writes(9))
    }

    // Took 1_205 to 4_000 µs at the largest size; w in 1..=256, s in 0..=256.
    fn reveal_weights(w: u32, s: u32) -> Weight {
        Weight::from_parts(35_909_781, 0)
            .saturating_add(Weight::from_parts(6_916_652, 0).saturating_mul(u64::from(w)))
            .saturating_add(Weight::from_parts(1_235_533, 0).saturating_mul(u64::from(s)))
            .saturating_add(T::DbWeight::get().reads(21))
            .saturating_add(T::DbWeight::get().reads(u64::from(w)))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 1_168 to 5_200 µs at the largest size.
    fn root_register() -> Weight {
        Weight::from_parts(1_800_002_500, 0)
            .saturating_add(T::DbWeight::get().reads(210))
            .saturating_add(T::DbWeight::get().writes(24))
    }

    // Took 97 to 126 µs at the largest size.
    fn serve_axon() -> Weight {
        Weight::from_parts(102_441_000, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 110 to 198 µs at the largest size.
    fn serve_axon_tls() -> Weight {
        Weight::from_parts(114_148_000, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 97 to 174 µs at the largest size.
    fn serve_prometheus() -> Weight {
        Weight::from_parts(104_985_500, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 107 to 4_010 µs at the largest size.
    fn set_activity_cutoff_factor() -> Weight {
        Weight::from_parts(140_802_500, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 98 to 138 µs at the largest size.
    fn set_coldkey_auto_stake_hotkey() -> Weight {
        Weight::from_parts(111_192_500, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 19_669 to 25_506 µs at the largest size.
    fn set_identity() -> Weight {
        Weight::from_parts(23_177_000_000, 0)
            .saturating_add(T::DbWeight::get().reads(213))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 75 to 108 µs at the largest size.
    fn set_subnet_identity() -> Weight {
        Weight::from_parts(84_968_000, 0)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 132 to 679 µs at the largest size.
    fn set_tempo() -> Weight {
        Weight::from_parts(199_302_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Took 218 to 346 µs at the largest size; w in 1..=256.
    fn set_weights(_w: u32) -> Weight {
        Weight::from_parts(239_855_834, 0)
            .saturating_add(T::DbWeight::get().reads(16))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 92 to 131 µs at the largest size.
    fn start_call() -> Weight {
        Weight::from_parts(115_605_500, 0)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 108 to 206 µs at the largest size.
    fn trigger_epoch() -> Weight {
        Weight::from_parts(130_092_500, 0)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 134 to 187 µs at the largest size.
    fn try_associate_hotkey() -> Weight {
        Weight::from_parts(177_266_000, 0)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 27_322 to 32_738 µs at the largest size; s in 1..=128.
    fn unstake_all(s: u32) -> Weight {
        Weight::from_parts(355_890_096, 0)
            .saturating_add(Weight::from_parts(234_061_502, 0).saturating_mul(u64::from(s)))
            .saturating_add(T::DbWeight::get().reads(16))
            .saturating_add(T::DbWeight::get().reads(10_u64.saturating_mul(u64::from(s))))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().writes(7_u64.saturating_mul(u64::from(s))))
    }

    // Took 23_031 to 27_656 µs at the largest size; s in 1..=128.
    fn unstake_all_alpha(s: u32) -> Weight {
        Weight::from_parts(0, 0)
            .saturating_add(Weight::from_parts(184_176_985, 0).saturating_mul(u64::from(s)))
            .saturating_add(T::DbWeight::get().reads(18))
            .saturating_add(T::DbWeight::get().reads(10_u64.saturating_mul(u64::from(s))))
            .saturating_add(T::DbWeight::get().writes(8))
            .saturating_add(T::DbWeight::get().writes(7_u64.saturating_mul(u64::from(s))))
    }

    // Took 1_956 to 5_978 µs at the largest size; s in 0..=127.
    fn update_symbol(s: u32) -> Weight {
        Weight::from_parts(403_052_014, 0)
            .saturating_add(Weight::from_parts(19_359_902, 0).saturating_mul(u64::from(s)))
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(u64::from(s))))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}

/// The measured weights, for tests.
impl WeightInfo for () {
    // Took 394 to 4_002 µs at the largest size.
    fn add_stake() -> Weight {
        Weight::from_parts(435_077_000, 0)
            .saturating_add(RocksDbWeight::get().reads(14))
            .saturating_add(RocksDbWeight::get().writes(10))
    }

    // Took 366 to 441 µs at the largest size.
    fn add_stake_limit() -> Weight {
        Weight::from_parts(373_762_500, 0)
            .saturating_add(RocksDbWeight::get().reads(14))
            .saturating_add(RocksDbWeight::get().writes(10))
    }

    // Took 11_982 to 20_609 µs at the largest size; b in 1..=10.
    fn batch_reveal_weights(b: u32) -> Weight {
        Weight::from_parts(583_248_661, 0)
            .saturating_add(Weight::from_parts(1_285_235_486, 0).saturating_mul(u64::from(b)))
            .saturating_add(RocksDbWeight::get().reads(277))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 37_919 to 41_218 µs at the largest size; s in 0..=128.
    fn begin_block(s: u32) -> Weight {
        Weight::from_parts(0, 0)
            .saturating_add(Weight::from_parts(306_180_392, 0).saturating_mul(u64::from(s)))
            .saturating_add(RocksDbWeight::get().reads(54))
            .saturating_add(
                RocksDbWeight::get().reads(29_169_u64.saturating_mul(u64::from(s)).div_ceil(1_000)),
            )
            .saturating_add(RocksDbWeight::get().writes(33))
            .saturating_add(
                RocksDbWeight::get().writes(21_141_u64.saturating_mul(u64::from(s)).div_ceil(1_000)),
            )
    }

    // Took 436 to 541 µs at the largest size.
    fn burned_register() -> Weight {
        Weight::from_parts(451_197_000, 0)
            .saturating_add(RocksDbWeight::get().reads(32))
            .saturating_add(RocksDbWeight::get().writes(26))
    }

    // Took 1_185 to 4_457 µs at the largest size; c in 1..=5000.
    fn commit_timelocked_weights(c: u32) -> Weight {
        Weight::from_parts(1_271_123_182, 0)
            .saturating_add(Weight::from_parts(457, 0).saturating_mul(u64::from(c)))
            .saturating_add(RocksDbWeight::get().reads(13))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 394 to 473 µs at the largest size.
    fn commit_weights() -> Weight {
        Weight::from_parts(404_154_000, 0)
            .saturating_add(RocksDbWeight::get().reads(13))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 97 to 196 µs at the largest size.
    fn decrease_take() -> Weight {
        Weight::from_parts(112_981_000, 0)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 97_460 to 107_188 µs at the largest size; r in 1..=256.
    fn epoch_liquid_rows(r: u32) -> Weight {
        Weight::from_parts(37_277_354_062, 0)
            .saturating_add(Weight::from_parts(237_836_415, 0).saturating_mul(u64::from(r)))
            .saturating_add(RocksDbWeight::get().reads(2799))
            .saturating_add(
                RocksDbWeight::get().reads(1_158_u64.saturating_mul(u64::from(r)).div_ceil(1_000)),
            )
            .saturating_add(RocksDbWeight::get().writes(1502))
    }

    // Took 40_987 to 50_139 µs at the largest size; n in 1..=256.
    fn epoch_neurons(n: u32) -> Weight {
        Weight::from_parts(0, 0)
            .saturating_add(Weight::from_parts(169_060_376, 0).saturating_mul(u64::from(n)))
            .saturating_add(RocksDbWeight::get().reads(30))
            .saturating_add(
                RocksDbWeight::get().reads(10_995_u64.saturating_mul(u64::from(n)).div_ceil(1_000)),
            )
            .saturating_add(RocksDbWeight::get().writes(18))
            .saturating_add(
                RocksDbWeight::get().writes(5_998_u64.saturating_mul(u64::from(n)).div_ceil(1_000)),
            )
    }

    // Took 67_626 to 71_454 µs at the largest size; r in 1..=256.
    fn epoch_rows(r: u32) -> Weight {
        Weight::from_parts(39_996_989_916, 0)
            .saturating_add(Weight::from_parts(115_129_132, 0).saturating_mul(u64::from(r)))
            .saturating_add(RocksDbWeight::get().reads(2799))
            .saturating_add(
                RocksDbWeight::get().reads(1_158_u64.saturating_mul(u64::from(r)).div_ceil(1_000)),
            )
            .saturating_add(RocksDbWeight::get().writes(1502))
    }

    // Took 108 to 185 µs at the largest size.
    fn increase_take() -> Weight {
        Weight::from_parts(121_752_000, 0)
            .saturating_add(RocksDbWeight::get().reads(6))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 945 to 3_212 µs at the largest size.
    fn keep_timelocked() -> Weight {
        Weight::from_parts(1_488_695_500, 0).saturating_add(RocksDbWeight::get().reads(9))
    }

    // Took 158_367 to 163_508 µs at the largest size; o in 1..=16.
    fn open_timelocked(o: u32) -> Weight {
        Weight::from_parts(2_781_385_715, 0)
            .saturating_add(Weight::from_parts(9_961_709_524, 0).saturating_mul(u64::from(o)))
            .saturating_add(RocksDbWeight::get().reads(275))
            .saturating_add(RocksDbWeight::get().reads(4_u64.saturating_mul(u64::from(o))))
            .saturating_add(RocksDbWeight::get().writes(1))
            .saturating_add(RocksDbWeight::get().writes(u64::from(o)))
    }

    // Took 17 to 42 µs at the largest size.
    fn refused() -> Weight {
        Weight::from_parts(18_715_000, 0)
    }

    // Took 3_962 to 7_380 µs at the largest size; s in 0..=127.
    fn register_network(s: u32) -> Weight {
        Weight::from_parts(179_648_894, 0)
            .saturating_add(Weight::from_parts(39_204_576, 0).saturating_mul(u64::from(s)))
            .saturating_add(RocksDbWeight::get().reads(31))
            .saturating_add(RocksDbWeight::get().reads(4_u64.saturating_mul(u64::from(s))))
            .saturating_add(RocksDbWeight::get().writes(38))
    }

    // Took 7_342 to 11_981 µs at the largest size; r in 0..=256.
    fn register_replacing(r: u32) -> Weight {
        Weight::from_parts(8_727_635_457, 0)
            .saturating_add(Weight::from_parts(9_306_234, 0).saturating_mul(u64::from(r)))
            .saturating_add(RocksDbWeight::get().reads(1058))
            .saturating_add(RocksDbWeight::get().writes(32))
            .saturating_add(RocksDbWeight::get().writes(998_u64.saturating_mul(u64::from(r)).div_ceil(1_000)))
    }

    // Took 320 to 369 µs at the largest size.
    fn remove_stake() -> Weight {
        Weight::from_parts(332_551_000, 0)
            .saturating_add(RocksDbWeight::get().reads(13))
            .saturating_add(RocksDbWeight::get().writes(9))
    }

    // Took 341 to 3_381 µs at the largest size.
    fn remove_stake_full_limit() -> Weight {
        Weight::from_parts(368_437_500, 0)
            .saturating_add(RocksDbWeight::get().reads(13))
            .saturating_add(RocksDbWeight::get().writes(9))
    }

    // Took 338 to 430 µs at the largest size.
    fn remove_stake_limit() -> Weight {
        Weight::from_parts(364_931_000, 0)
            .saturating_add(RocksDbWeight::get().reads(13))
            .saturating_add(RocksDbWeight::get().writes(9))
    }

    // Took 1_205 to 4_000 µs at the largest size; w in 1..=256, s in 0..=256.
    fn reveal_weights(w: u32, s: u32) -> Weight {
        Weight::from_parts(35_909_781, 0)
            .saturating_add(Weight::from_parts(6_916_652, 0).saturating_mul(u64::from(w)))
            .saturating_add(Weight::from_parts(1_235_533, 0).saturating_mul(u64::from(s)))
            .saturating_add(RocksDbWeight::get().reads(21))
            .saturating_add(RocksDbWeight::get().reads(u64::from(w)))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 1_168 to 5_200 µs at the largest size.
    fn root_register() -> Weight {
        Weight::from_parts(1_800_002_500, 0)
            .saturating_add(RocksDbWeight::get().reads(210))
            .saturating_add(RocksDbWeight::get().writes(24))
    }

    // Took 97 to 126 µs at the largest size.
    fn serve_axon() -> Weight {
        Weight::from_parts(102_441_000, 0)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 110 to 198 µs at the largest size.
    fn serve_axon_tls() -> Weight {
        Weight::from_parts(114_148_000, 0)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 97 to 174 µs at the largest size.
    fn serve_prometheus() -> Weight {
        Weight::from_parts(104_985_500, 0)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 107 to 4_010 µs at the largest size.
    fn set_activity_cutoff_factor() -> Weight {
        Weight::from_parts(140_802_500, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 98 to 138 µs at the largest size.
    fn set_coldkey_auto_stake_hotkey() -> Weight {
        Weight::from_parts(111_192_500, 0)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 19_669 to 25_506 µs at the largest size.
    fn set_identity() -> Weight {
        Weight::from_parts(23_177_000_000, 0)
            .saturating_add(RocksDbWeight::get().reads(213))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 75 to 108 µs at the largest size.
    fn set_subnet_identity() -> Weight {
        Weight::from_parts(84_968_000, 0)
            .saturating_add(RocksDbWeight::get().reads(2))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 132 to 679 µs at the largest size.
    fn set_tempo() -> Weight {
        Weight::from_parts(199_302_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(4))
    }

    // Took 218 to 346 µs at the largest size; w in 1..=256.
    fn set_weights(_w: u32) -> Weight {
        Weight::from_parts(239_855_834, 0)
            .saturating_add(RocksDbWeight::get().reads(16))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 92 to 131 µs at the largest size.
    fn start_call() -> Weight {
        Weight::from_parts(115_605_500, 0)
            .saturating_add(RocksDbWeight::get().reads(5))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 108 to 206 µs at the largest size.
    fn trigger_epoch() -> Weight {
        Weight::from_parts(130_092_500, 0)
            .saturating_add(RocksDbWeight::get().reads(9))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 134 to 187 µs at the largest size.
    fn try_associate_hotkey() -> Weight {
        Weight::from_parts(177_266_000, 0)
            .saturating_add(RocksDbWeight::get().reads(2))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 27_322 to 32_738 µs at the largest size; s in 1..=128.
    fn unstake_all(s: u32) -> Weight {
        Weight::from_parts(355_890_096, 0)
            .saturating_add(Weight::from_parts(234_061_502, 0).saturating_mul(u64::from(s)))
            .saturating_add(RocksDbWeight::get().reads(16))
            .saturating_add(RocksDbWeight::get().reads(10_u64.saturating_mul(u64::from(s))))
            .saturating_add(RocksDbWeight::get().writes(2))
            .saturating_add(RocksDbWeight::get().writes(7_u64.saturating_mul(u64::from(s))))
    }

    // Took 23_031 to 27_656 µs at the largest size; s in 1..=128.
    fn unstake_all_alpha(s: u32) -> Weight {
        Weight::from_parts(0, 0)
            .saturating_add(Weight::from_parts(184_176_985, 0).saturating_mul(u64::from(s)))
            .saturating_add(RocksDbWeight::get().reads(18))
            .saturating_add(RocksDbWeight::get().reads(10_u64.saturating_mul(u64::from(s))))
            .saturating_add(RocksDbWeight::get().writes(8))
            .saturating_add(RocksDbWeight::get().writes(7_u64.saturating_mul(u64::from(s))))
    }

    // Took 1_956 to 5_978 µs at the largest size; s in 0..=127.
    fn update_symbol(s: u32) -> Weight {
        Weight::from_parts(403_052_014, 0)
            .saturating_add(Weight::from_parts(19_359_902, 0).saturating_mul(u64::from(s)))
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(u64::from(s))))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
}
