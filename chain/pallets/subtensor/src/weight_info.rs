//! Weights of pallet_subtensor, measured. Made by `node bench/weights.ts`; do not edit.
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
    // Took 339 to 441 µs at the largest size.
    fn add_stake() -> Weight {
        Weight::from_parts(360_352_000, 0)
            .saturating_add(T::DbWeight::get().reads(14))
            .saturating_add(T::DbWeight::get().writes(10))
    }

    // Took 378 to 450 µs at the largest size.
    fn add_stake_limit() -> Weight {
        Weight::from_parts(404_800_500, 0)
            .saturating_add(T::DbWeight::get().reads(14))
            .saturating_add(T::DbWeight::get().writes(10))
    }

    // Took 12_000 to 12_979 µs at the largest size; b in 1..=10.
    fn batch_reveal_weights(b: u32) -> Weight {
        Weight::from_parts(419_127_420, 0)
            .saturating_add(Weight::from_parts(1_233_133_818, 0).saturating_mul(u64::from(b)))
            .saturating_add(T::DbWeight::get().reads(277))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 42_981 to 51_599 µs at the largest size; s in 0..=128.
    fn begin_block(s: u32) -> Weight {
        Weight::from_parts(178_234_261, 0)
            .saturating_add(Weight::from_parts(345_455_429, 0).saturating_mul(u64::from(s)))
            .saturating_add(T::DbWeight::get().reads(57))
            .saturating_add(T::DbWeight::get().reads(32_163_u64.saturating_mul(u64::from(s)).div_ceil(1_000)))
            .saturating_add(T::DbWeight::get().writes(33))
            .saturating_add(
                T::DbWeight::get().writes(21_141_u64.saturating_mul(u64::from(s)).div_ceil(1_000)),
            )
    }

    // Took 474 to 536 µs at the largest size.
    fn burned_register() -> Weight {
        Weight::from_parts(489_583_000, 0)
            .saturating_add(T::DbWeight::get().reads(32))
            .saturating_add(T::DbWeight::get().writes(26))
    }

    // Took 1_117 to 1_665 µs at the largest size; c in 1..=5000.
    fn commit_timelocked_weights(c: u32) -> Weight {
        Weight::from_parts(1_096_161_864, 0)
            .saturating_add(Weight::from_parts(36_234, 0).saturating_mul(u64::from(c)))
            .saturating_add(T::DbWeight::get().reads(14))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 379 to 2_347 µs at the largest size.
    fn commit_weights() -> Weight {
        Weight::from_parts(395_002_000, 0)
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 101 to 177 µs at the largest size.
    fn decrease_take() -> Weight {
        Weight::from_parts(103_483_000, 0)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 93_498 to 96_693 µs at the largest size; r in 1..=256.
    fn epoch_liquid_rows(r: u32) -> Weight {
        Weight::from_parts(31_674_801_656, 0)
            .saturating_add(Weight::from_parts(243_499_488, 0).saturating_mul(u64::from(r)))
            .saturating_add(T::DbWeight::get().reads(2799))
            .saturating_add(T::DbWeight::get().reads(1_158_u64.saturating_mul(u64::from(r)).div_ceil(1_000)))
            .saturating_add(T::DbWeight::get().writes(1502))
    }

    // Took 39_995 to 42_880 µs at the largest size; n in 1..=256.
    fn epoch_neurons(n: u32) -> Weight {
        Weight::from_parts(209_842_000, 0)
            .saturating_add(Weight::from_parts(157_554_072, 0).saturating_mul(u64::from(n)))
            .saturating_add(T::DbWeight::get().reads(30))
            .saturating_add(T::DbWeight::get().reads(10_995_u64.saturating_mul(u64::from(n)).div_ceil(1_000)))
            .saturating_add(T::DbWeight::get().writes(18))
            .saturating_add(T::DbWeight::get().writes(5_998_u64.saturating_mul(u64::from(n)).div_ceil(1_000)))
    }

    // Took 65_220 to 73_702 µs at the largest size; r in 1..=256.
    fn epoch_rows(r: u32) -> Weight {
        Weight::from_parts(38_268_027_390, 0)
            .saturating_add(Weight::from_parts(107_203_468, 0).saturating_mul(u64::from(r)))
            .saturating_add(T::DbWeight::get().reads(2799))
            .saturating_add(T::DbWeight::get().reads(1_158_u64.saturating_mul(u64::from(r)).div_ceil(1_000)))
            .saturating_add(T::DbWeight::get().writes(1502))
    }

    // Took 113 to 185 µs at the largest size.
    fn increase_take() -> Weight {
        Weight::from_parts(123_169_500, 0)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 843 to 929 µs at the largest size.
    fn keep_timelocked() -> Weight {
        Weight::from_parts(896_512_000, 0).saturating_add(T::DbWeight::get().reads(9))
    }

    // Took 151_672 to 155_999 µs at the largest size; o in 1..=16.
    fn open_timelocked(o: u32) -> Weight {
        Weight::from_parts(2_606_246_815, 0)
            .saturating_add(Weight::from_parts(9_596_823_924, 0).saturating_mul(u64::from(o)))
            .saturating_add(T::DbWeight::get().reads(275))
            .saturating_add(T::DbWeight::get().reads(4_u64.saturating_mul(u64::from(o))))
            .saturating_add(T::DbWeight::get().writes(1))
            .saturating_add(T::DbWeight::get().writes(u64::from(o)))
    }

    // Took 12 to 52 µs at the largest size.
    fn refused() -> Weight {
        Weight::from_parts(16_866_500, 0)
    }

    // Took 3_762 to 8_495 µs at the largest size; s in 0..=127.
    fn register_network(s: u32) -> Weight {
        Weight::from_parts(577_430_678, 0)
            .saturating_add(Weight::from_parts(26_817_789, 0).saturating_mul(u64::from(s)))
            .saturating_add(T::DbWeight::get().reads(31))
            .saturating_add(T::DbWeight::get().reads(4_u64.saturating_mul(u64::from(s))))
            .saturating_add(T::DbWeight::get().writes(38))
    }

    // Took 10_662 to 14_523 µs at the largest size; r in 0..=256.
    fn register_replacing(r: u32) -> Weight {
        Weight::from_parts(8_555_519_257, 0)
            .saturating_add(Weight::from_parts(8_824_614, 0).saturating_mul(u64::from(r)))
            .saturating_add(T::DbWeight::get().reads(1058))
            .saturating_add(T::DbWeight::get().writes(32))
            .saturating_add(T::DbWeight::get().writes(998_u64.saturating_mul(u64::from(r)).div_ceil(1_000)))
    }

    // Took 321 to 378 µs at the largest size.
    fn remove_stake() -> Weight {
        Weight::from_parts(331_458_000, 0)
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().writes(9))
    }

    // Took 363 to 419 µs at the largest size.
    fn remove_stake_full_limit() -> Weight {
        Weight::from_parts(370_431_500, 0)
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().writes(9))
    }

    // Took 344 to 368 µs at the largest size.
    fn remove_stake_limit() -> Weight {
        Weight::from_parts(351_220_000, 0)
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().writes(9))
    }

    // Took 1_670 to 1_913 µs at the largest size; w in 1..=256, s in 0..=256.
    fn reveal_weights(w: u32, _s: u32) -> Weight {
        Weight::from_parts(491_515_061, 0)
            .saturating_add(Weight::from_parts(5_001_400, 0).saturating_mul(u64::from(w)))
            .saturating_add(T::DbWeight::get().reads(21))
            .saturating_add(T::DbWeight::get().reads(u64::from(w)))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 1_173 to 1_323 µs at the largest size.
    fn root_register() -> Weight {
        Weight::from_parts(1_182_175_000, 0)
            .saturating_add(T::DbWeight::get().reads(210))
            .saturating_add(T::DbWeight::get().writes(24))
    }

    // Took 94 to 120 µs at the largest size.
    fn serve_axon() -> Weight {
        Weight::from_parts(109_634_000, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 100 to 114 µs at the largest size.
    fn serve_axon_tls() -> Weight {
        Weight::from_parts(106_809_000, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 94 to 146 µs at the largest size.
    fn serve_prometheus() -> Weight {
        Weight::from_parts(98_158_000, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 119 to 170 µs at the largest size.
    fn set_activity_cutoff_factor() -> Weight {
        Weight::from_parts(128_269_500, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 89 to 143 µs at the largest size.
    fn set_coldkey_auto_stake_hotkey() -> Weight {
        Weight::from_parts(106_864_000, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 14_905 to 18_894 µs at the largest size.
    fn set_identity() -> Weight {
        Weight::from_parts(17_371_512_000, 0)
            .saturating_add(T::DbWeight::get().reads(1025))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 82 to 243 µs at the largest size.
    fn set_subnet_identity() -> Weight {
        Weight::from_parts(87_628_000, 0)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 141 to 212 µs at the largest size.
    fn set_tempo() -> Weight {
        Weight::from_parts(149_484_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Took 214 to 241 µs at the largest size; w in 1..=256.
    fn set_weights(_w: u32) -> Weight {
        Weight::from_parts(250_003_084, 0)
            .saturating_add(T::DbWeight::get().reads(16))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 93 to 114 µs at the largest size.
    fn start_call() -> Weight {
        Weight::from_parts(101_970_500, 0)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 117 to 146 µs at the largest size.
    fn trigger_epoch() -> Weight {
        Weight::from_parts(127_573_500, 0)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 83 to 129 µs at the largest size.
    fn try_associate_hotkey() -> Weight {
        Weight::from_parts(96_570_500, 0)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 27_450 to 31_999 µs at the largest size; s in 1..=128.
    fn unstake_all(s: u32) -> Weight {
        Weight::from_parts(4_260_479, 0)
            .saturating_add(Weight::from_parts(234_783_059, 0).saturating_mul(u64::from(s)))
            .saturating_add(T::DbWeight::get().reads(16))
            .saturating_add(T::DbWeight::get().reads(10_u64.saturating_mul(u64::from(s))))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().writes(7_u64.saturating_mul(u64::from(s))))
    }

    // Took 19_762 to 41_445 µs at the largest size; s in 1..=128.
    fn unstake_all_alpha(s: u32) -> Weight {
        Weight::from_parts(254_193_107, 0)
            .saturating_add(Weight::from_parts(176_054_049, 0).saturating_mul(u64::from(s)))
            .saturating_add(T::DbWeight::get().reads(18))
            .saturating_add(T::DbWeight::get().reads(10_u64.saturating_mul(u64::from(s))))
            .saturating_add(T::DbWeight::get().writes(8))
            .saturating_add(T::DbWeight::get().writes(7_u64.saturating_mul(u64::from(s))))
    }

    // Took 1_795 to 1_977 µs at the largest size; s in 0..=127.
    fn update_symbol(s: u32) -> Weight {
        Weight::from_parts(108_787_329, 0)
            .saturating_add(Weight::from_parts(13_486_805, 0).saturating_mul(u64::from(s)))
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(u64::from(s))))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}

/// The measured weights, for tests.
impl WeightInfo for () {
    // Took 339 to 441 µs at the largest size.
    fn add_stake() -> Weight {
        Weight::from_parts(360_352_000, 0)
            .saturating_add(RocksDbWeight::get().reads(14))
            .saturating_add(RocksDbWeight::get().writes(10))
    }

    // Took 378 to 450 µs at the largest size.
    fn add_stake_limit() -> Weight {
        Weight::from_parts(404_800_500, 0)
            .saturating_add(RocksDbWeight::get().reads(14))
            .saturating_add(RocksDbWeight::get().writes(10))
    }

    // Took 12_000 to 12_979 µs at the largest size; b in 1..=10.
    fn batch_reveal_weights(b: u32) -> Weight {
        Weight::from_parts(419_127_420, 0)
            .saturating_add(Weight::from_parts(1_233_133_818, 0).saturating_mul(u64::from(b)))
            .saturating_add(RocksDbWeight::get().reads(277))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 42_981 to 51_599 µs at the largest size; s in 0..=128.
    fn begin_block(s: u32) -> Weight {
        Weight::from_parts(178_234_261, 0)
            .saturating_add(Weight::from_parts(345_455_429, 0).saturating_mul(u64::from(s)))
            .saturating_add(RocksDbWeight::get().reads(57))
            .saturating_add(
                RocksDbWeight::get().reads(32_163_u64.saturating_mul(u64::from(s)).div_ceil(1_000)),
            )
            .saturating_add(RocksDbWeight::get().writes(33))
            .saturating_add(
                RocksDbWeight::get().writes(21_141_u64.saturating_mul(u64::from(s)).div_ceil(1_000)),
            )
    }

    // Took 474 to 536 µs at the largest size.
    fn burned_register() -> Weight {
        Weight::from_parts(489_583_000, 0)
            .saturating_add(RocksDbWeight::get().reads(32))
            .saturating_add(RocksDbWeight::get().writes(26))
    }

    // Took 1_117 to 1_665 µs at the largest size; c in 1..=5000.
    fn commit_timelocked_weights(c: u32) -> Weight {
        Weight::from_parts(1_096_161_864, 0)
            .saturating_add(Weight::from_parts(36_234, 0).saturating_mul(u64::from(c)))
            .saturating_add(RocksDbWeight::get().reads(14))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 379 to 2_347 µs at the largest size.
    fn commit_weights() -> Weight {
        Weight::from_parts(395_002_000, 0)
            .saturating_add(RocksDbWeight::get().reads(13))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 101 to 177 µs at the largest size.
    fn decrease_take() -> Weight {
        Weight::from_parts(103_483_000, 0)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 93_498 to 96_693 µs at the largest size; r in 1..=256.
    fn epoch_liquid_rows(r: u32) -> Weight {
        Weight::from_parts(31_674_801_656, 0)
            .saturating_add(Weight::from_parts(243_499_488, 0).saturating_mul(u64::from(r)))
            .saturating_add(RocksDbWeight::get().reads(2799))
            .saturating_add(
                RocksDbWeight::get().reads(1_158_u64.saturating_mul(u64::from(r)).div_ceil(1_000)),
            )
            .saturating_add(RocksDbWeight::get().writes(1502))
    }

    // Took 39_995 to 42_880 µs at the largest size; n in 1..=256.
    fn epoch_neurons(n: u32) -> Weight {
        Weight::from_parts(209_842_000, 0)
            .saturating_add(Weight::from_parts(157_554_072, 0).saturating_mul(u64::from(n)))
            .saturating_add(RocksDbWeight::get().reads(30))
            .saturating_add(
                RocksDbWeight::get().reads(10_995_u64.saturating_mul(u64::from(n)).div_ceil(1_000)),
            )
            .saturating_add(RocksDbWeight::get().writes(18))
            .saturating_add(
                RocksDbWeight::get().writes(5_998_u64.saturating_mul(u64::from(n)).div_ceil(1_000)),
            )
    }

    // Took 65_220 to 73_702 µs at the largest size; r in 1..=256.
    fn epoch_rows(r: u32) -> Weight {
        Weight::from_parts(38_268_027_390, 0)
            .saturating_add(Weight::from_parts(107_203_468, 0).saturating_mul(u64::from(r)))
            .saturating_add(RocksDbWeight::get().reads(2799))
            .saturating_add(
                RocksDbWeight::get().reads(1_158_u64.saturating_mul(u64::from(r)).div_ceil(1_000)),
            )
            .saturating_add(RocksDbWeight::get().writes(1502))
    }

    // Took 113 to 185 µs at the largest size.
    fn increase_take() -> Weight {
        Weight::from_parts(123_169_500, 0)
            .saturating_add(RocksDbWeight::get().reads(6))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 843 to 929 µs at the largest size.
    fn keep_timelocked() -> Weight {
        Weight::from_parts(896_512_000, 0).saturating_add(RocksDbWeight::get().reads(9))
    }

    // Took 151_672 to 155_999 µs at the largest size; o in 1..=16.
    fn open_timelocked(o: u32) -> Weight {
        Weight::from_parts(2_606_246_815, 0)
            .saturating_add(Weight::from_parts(9_596_823_924, 0).saturating_mul(u64::from(o)))
            .saturating_add(RocksDbWeight::get().reads(275))
            .saturating_add(RocksDbWeight::get().reads(4_u64.saturating_mul(u64::from(o))))
            .saturating_add(RocksDbWeight::get().writes(1))
            .saturating_add(RocksDbWeight::get().writes(u64::from(o)))
    }

    // Took 12 to 52 µs at the largest size.
    fn refused() -> Weight {
        Weight::from_parts(16_866_500, 0)
    }

    // Took 3_762 to 8_495 µs at the largest size; s in 0..=127.
    fn register_network(s: u32) -> Weight {
        Weight::from_parts(577_430_678, 0)
            .saturating_add(Weight::from_parts(26_817_789, 0).saturating_mul(u64::from(s)))
            .saturating_add(RocksDbWeight::get().reads(31))
            .saturating_add(RocksDbWeight::get().reads(4_u64.saturating_mul(u64::from(s))))
            .saturating_add(RocksDbWeight::get().writes(38))
    }

    // Took 10_662 to 14_523 µs at the largest size; r in 0..=256.
    fn register_replacing(r: u32) -> Weight {
        Weight::from_parts(8_555_519_257, 0)
            .saturating_add(Weight::from_parts(8_824_614, 0).saturating_mul(u64::from(r)))
            .saturating_add(RocksDbWeight::get().reads(1058))
            .saturating_add(RocksDbWeight::get().writes(32))
            .saturating_add(RocksDbWeight::get().writes(998_u64.saturating_mul(u64::from(r)).div_ceil(1_000)))
    }

    // Took 321 to 378 µs at the largest size.
    fn remove_stake() -> Weight {
        Weight::from_parts(331_458_000, 0)
            .saturating_add(RocksDbWeight::get().reads(13))
            .saturating_add(RocksDbWeight::get().writes(9))
    }

    // Took 363 to 419 µs at the largest size.
    fn remove_stake_full_limit() -> Weight {
        Weight::from_parts(370_431_500, 0)
            .saturating_add(RocksDbWeight::get().reads(13))
            .saturating_add(RocksDbWeight::get().writes(9))
    }

    // Took 344 to 368 µs at the largest size.
    fn remove_stake_limit() -> Weight {
        Weight::from_parts(351_220_000, 0)
            .saturating_add(RocksDbWeight::get().reads(13))
            .saturating_add(RocksDbWeight::get().writes(9))
    }

    // Took 1_670 to 1_913 µs at the largest size; w in 1..=256, s in 0..=256.
    fn reveal_weights(w: u32, _s: u32) -> Weight {
        Weight::from_parts(491_515_061, 0)
            .saturating_add(Weight::from_parts(5_001_400, 0).saturating_mul(u64::from(w)))
            .saturating_add(RocksDbWeight::get().reads(21))
            .saturating_add(RocksDbWeight::get().reads(u64::from(w)))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 1_173 to 1_323 µs at the largest size.
    fn root_register() -> Weight {
        Weight::from_parts(1_182_175_000, 0)
            .saturating_add(RocksDbWeight::get().reads(210))
            .saturating_add(RocksDbWeight::get().writes(24))
    }

    // Took 94 to 120 µs at the largest size.
    fn serve_axon() -> Weight {
        Weight::from_parts(109_634_000, 0)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 100 to 114 µs at the largest size.
    fn serve_axon_tls() -> Weight {
        Weight::from_parts(106_809_000, 0)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 94 to 146 µs at the largest size.
    fn serve_prometheus() -> Weight {
        Weight::from_parts(98_158_000, 0)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 119 to 170 µs at the largest size.
    fn set_activity_cutoff_factor() -> Weight {
        Weight::from_parts(128_269_500, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 89 to 143 µs at the largest size.
    fn set_coldkey_auto_stake_hotkey() -> Weight {
        Weight::from_parts(106_864_000, 0)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 14_905 to 18_894 µs at the largest size.
    fn set_identity() -> Weight {
        Weight::from_parts(17_371_512_000, 0)
            .saturating_add(RocksDbWeight::get().reads(1025))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 82 to 243 µs at the largest size.
    fn set_subnet_identity() -> Weight {
        Weight::from_parts(87_628_000, 0)
            .saturating_add(RocksDbWeight::get().reads(2))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 141 to 212 µs at the largest size.
    fn set_tempo() -> Weight {
        Weight::from_parts(149_484_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(4))
    }

    // Took 214 to 241 µs at the largest size; w in 1..=256.
    fn set_weights(_w: u32) -> Weight {
        Weight::from_parts(250_003_084, 0)
            .saturating_add(RocksDbWeight::get().reads(16))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 93 to 114 µs at the largest size.
    fn start_call() -> Weight {
        Weight::from_parts(101_970_500, 0)
            .saturating_add(RocksDbWeight::get().reads(5))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 117 to 146 µs at the largest size.
    fn trigger_epoch() -> Weight {
        Weight::from_parts(127_573_500, 0)
            .saturating_add(RocksDbWeight::get().reads(9))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 83 to 129 µs at the largest size.
    fn try_associate_hotkey() -> Weight {
        Weight::from_parts(96_570_500, 0)
            .saturating_add(RocksDbWeight::get().reads(2))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 27_450 to 31_999 µs at the largest size; s in 1..=128.
    fn unstake_all(s: u32) -> Weight {
        Weight::from_parts(4_260_479, 0)
            .saturating_add(Weight::from_parts(234_783_059, 0).saturating_mul(u64::from(s)))
            .saturating_add(RocksDbWeight::get().reads(16))
            .saturating_add(RocksDbWeight::get().reads(10_u64.saturating_mul(u64::from(s))))
            .saturating_add(RocksDbWeight::get().writes(2))
            .saturating_add(RocksDbWeight::get().writes(7_u64.saturating_mul(u64::from(s))))
    }

    // Took 19_762 to 41_445 µs at the largest size; s in 1..=128.
    fn unstake_all_alpha(s: u32) -> Weight {
        Weight::from_parts(254_193_107, 0)
            .saturating_add(Weight::from_parts(176_054_049, 0).saturating_mul(u64::from(s)))
            .saturating_add(RocksDbWeight::get().reads(18))
            .saturating_add(RocksDbWeight::get().reads(10_u64.saturating_mul(u64::from(s))))
            .saturating_add(RocksDbWeight::get().writes(8))
            .saturating_add(RocksDbWeight::get().writes(7_u64.saturating_mul(u64::from(s))))
    }

    // Took 1_795 to 1_977 µs at the largest size; s in 0..=127.
    fn update_symbol(s: u32) -> Weight {
        Weight::from_parts(108_787_329, 0)
            .saturating_add(Weight::from_parts(13_486_805, 0).saturating_mul(u64::from(s)))
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(u64::from(s))))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
}
