//! Weights of pallet_admin_utils, measured. Made by `node bench/weights.ts`; do not edit.
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
    fn sudo_set_admin_freeze_window() -> Weight;
    fn sudo_set_alpha_sigmoid_steepness() -> Weight;
    fn sudo_set_alpha_values() -> Weight;
    fn sudo_set_bonds_moving_average() -> Weight;
    fn sudo_set_bonds_penalty() -> Weight;
    fn sudo_set_bonds_reset_enabled() -> Weight;
    fn sudo_set_burn_half_life() -> Weight;
    fn sudo_set_burn_increase_mult() -> Weight;
    fn sudo_set_commit_reveal_version() -> Weight;
    fn sudo_set_commit_reveal_weights_enabled() -> Weight;
    fn sudo_set_commit_reveal_weights_interval() -> Weight;
    fn sudo_set_default_take() -> Weight;
    fn sudo_set_ema_price_halving_period() -> Weight;
    fn sudo_set_immunity_period() -> Weight;
    fn sudo_set_kappa() -> Weight;
    fn sudo_set_liquid_alpha_enabled() -> Weight;
    fn sudo_set_lock_reduction_interval() -> Weight;
    fn sudo_set_max_allowed_uids() -> Weight;
    fn sudo_set_max_allowed_validators() -> Weight;
    fn sudo_set_max_burn() -> Weight;
    fn sudo_set_max_epochs_per_block() -> Weight;
    fn sudo_set_max_mechanism_count() -> Weight;
    fn sudo_set_max_registrations_per_block() -> Weight;
    fn sudo_set_mechanism_count() -> Weight;
    fn sudo_set_mechanism_emission_split() -> Weight;
    fn sudo_set_min_allowed_uids() -> Weight;
    fn sudo_set_min_allowed_weights() -> Weight;
    fn sudo_set_min_burn() -> Weight;
    fn sudo_set_min_delegate_take() -> Weight;
    fn sudo_set_min_non_immune_uids() -> Weight;
    fn sudo_set_network_immunity_period() -> Weight;
    fn sudo_set_network_min_lock_cost() -> Weight;
    fn sudo_set_network_rate_limit() -> Weight;
    fn sudo_set_network_registration_allowed() -> Weight;
    fn sudo_set_nominator_min_required_stake() -> Weight;
    fn sudo_set_owner_cut_enabled() -> Weight;
    fn sudo_set_owner_hparam_rate_limit() -> Weight;
    fn sudo_set_owner_immune_neuron_limit() -> Weight;
    fn sudo_set_recycle_or_burn() -> Weight;
    fn sudo_set_rho() -> Weight;
    fn sudo_set_serving_rate_limit() -> Weight;
    fn sudo_set_sn_owner_hotkey() -> Weight;
    fn sudo_set_stake_threshold() -> Weight;
    fn sudo_set_start_call_delay() -> Weight;
    fn sudo_set_subnet_emission_enabled() -> Weight;
    fn sudo_set_subnet_limit() -> Weight;
    fn sudo_set_subnet_moving_alpha() -> Weight;
    fn sudo_set_subnet_owner_cut() -> Weight;
    fn sudo_set_subtoken_enabled() -> Weight;
    fn sudo_set_target_registrations_per_interval() -> Weight;
    fn sudo_set_tempo() -> Weight;
    fn sudo_set_toggle_transfer() -> Weight;
    fn sudo_set_tx_delegate_take_rate_limit() -> Weight;
    fn sudo_set_tx_rate_limit() -> Weight;
    fn sudo_set_weights_set_rate_limit() -> Weight;
    fn sudo_set_weights_version_key() -> Weight;
    fn sudo_set_yuma3_enabled() -> Weight;
}

/// The measured weights, with the storage costs of the runtime.
pub struct MeasuredWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for MeasuredWeight<T> {
    // Took 24 to 50 µs at the largest size.
    fn sudo_set_admin_freeze_window() -> Weight {
        Weight::from_parts(30_978_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 102 to 197 µs at the largest size.
    fn sudo_set_alpha_sigmoid_steepness() -> Weight {
        Weight::from_parts(120_450_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 106 to 240 µs at the largest size.
    fn sudo_set_alpha_values() -> Weight {
        Weight::from_parts(124_166_500, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 102 to 208 µs at the largest size.
    fn sudo_set_bonds_moving_average() -> Weight {
        Weight::from_parts(118_050_500, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 104 to 217 µs at the largest size.
    fn sudo_set_bonds_penalty() -> Weight {
        Weight::from_parts(125_684_500, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 116 to 181 µs at the largest size.
    fn sudo_set_bonds_reset_enabled() -> Weight {
        Weight::from_parts(149_674_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 123 to 149 µs at the largest size.
    fn sudo_set_burn_half_life() -> Weight {
        Weight::from_parts(135_733_500, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 134 to 150 µs at the largest size.
    fn sudo_set_burn_increase_mult() -> Weight {
        Weight::from_parts(140_823_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 25 to 46 µs at the largest size.
    fn sudo_set_commit_reveal_version() -> Weight {
        Weight::from_parts(31_628_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 109 to 194 µs at the largest size.
    fn sudo_set_commit_reveal_weights_enabled() -> Weight {
        Weight::from_parts(124_427_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 103 to 206 µs at the largest size.
    fn sudo_set_commit_reveal_weights_interval() -> Weight {
        Weight::from_parts(112_630_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 27 to 39 µs at the largest size.
    fn sudo_set_default_take() -> Weight {
        Weight::from_parts(30_562_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 67 to 81 µs at the largest size.
    fn sudo_set_ema_price_halving_period() -> Weight {
        Weight::from_parts(76_512_500, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 109 to 176 µs at the largest size.
    fn sudo_set_immunity_period() -> Weight {
        Weight::from_parts(114_563_500, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 68 to 139 µs at the largest size.
    fn sudo_set_kappa() -> Weight {
        Weight::from_parts(73_056_500, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 113 to 138 µs at the largest size.
    fn sudo_set_liquid_alpha_enabled() -> Weight {
        Weight::from_parts(114_263_500, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 22 to 37 µs at the largest size.
    fn sudo_set_lock_reduction_interval() -> Weight {
        Weight::from_parts(26_699_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 80 to 3_994 µs at the largest size.
    fn sudo_set_max_allowed_uids() -> Weight {
        Weight::from_parts(93_323_500, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 69 to 153 µs at the largest size.
    fn sudo_set_max_allowed_validators() -> Weight {
        Weight::from_parts(77_229_000, 0)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 115 to 193 µs at the largest size.
    fn sudo_set_max_burn() -> Weight {
        Weight::from_parts(152_164_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 31 to 66 µs at the largest size.
    fn sudo_set_max_epochs_per_block() -> Weight {
        Weight::from_parts(34_614_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 27 to 80 µs at the largest size.
    fn sudo_set_max_mechanism_count() -> Weight {
        Weight::from_parts(37_064_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 75 to 137 µs at the largest size.
    fn sudo_set_max_registrations_per_block() -> Weight {
        Weight::from_parts(110_385_500, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 2_381 to 6_831 µs at the largest size.
    fn sudo_set_mechanism_count() -> Weight {
        Weight::from_parts(4_007_500_000, 0)
            .saturating_add(T::DbWeight::get().reads(139))
            .saturating_add(T::DbWeight::get().writes(389))
    }

    // Took 156 to 233 µs at the largest size.
    fn sudo_set_mechanism_emission_split() -> Weight {
        Weight::from_parts(208_228_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 89 to 205 µs at the largest size.
    fn sudo_set_min_allowed_uids() -> Weight {
        Weight::from_parts(108_011_500, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 99 to 208 µs at the largest size.
    fn sudo_set_min_allowed_weights() -> Weight {
        Weight::from_parts(134_556_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 95 to 3_589 µs at the largest size.
    fn sudo_set_min_burn() -> Weight {
        Weight::from_parts(152_049_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 29 to 62 µs at the largest size.
    fn sudo_set_min_delegate_take() -> Weight {
        Weight::from_parts(33_087_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 55 to 88 µs at the largest size.
    fn sudo_set_min_non_immune_uids() -> Weight {
        Weight::from_parts(69_745_500, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 23 to 119 µs at the largest size.
    fn sudo_set_network_immunity_period() -> Weight {
        Weight::from_parts(28_613_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 22 to 41 µs at the largest size.
    fn sudo_set_network_min_lock_cost() -> Weight {
        Weight::from_parts(29_805_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 25 to 41 µs at the largest size.
    fn sudo_set_network_rate_limit() -> Weight {
        Weight::from_parts(32_100_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 69 to 1_433 µs at the largest size.
    fn sudo_set_network_registration_allowed() -> Weight {
        Weight::from_parts(74_910_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 20 to 42 µs at the largest size.
    fn sudo_set_nominator_min_required_stake() -> Weight {
        Weight::from_parts(26_314_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 66 to 128 µs at the largest size.
    fn sudo_set_owner_cut_enabled() -> Weight {
        Weight::from_parts(82_609_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 21 to 40 µs at the largest size.
    fn sudo_set_owner_hparam_rate_limit() -> Weight {
        Weight::from_parts(25_928_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 125 to 173 µs at the largest size.
    fn sudo_set_owner_immune_neuron_limit() -> Weight {
        Weight::from_parts(133_098_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 130 to 143 µs at the largest size.
    fn sudo_set_recycle_or_burn() -> Weight {
        Weight::from_parts(131_731_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 108 to 266 µs at the largest size.
    fn sudo_set_rho() -> Weight {
        Weight::from_parts(167_883_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 94 to 178 µs at the largest size.
    fn sudo_set_serving_rate_limit() -> Weight {
        Weight::from_parts(110_902_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 110 to 172 µs at the largest size.
    fn sudo_set_sn_owner_hotkey() -> Weight {
        Weight::from_parts(133_624_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 28 to 40 µs at the largest size.
    fn sudo_set_stake_threshold() -> Weight {
        Weight::from_parts(28_423_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 21 to 33 µs at the largest size.
    fn sudo_set_start_call_delay() -> Weight {
        Weight::from_parts(29_660_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 70 to 138 µs at the largest size.
    fn sudo_set_subnet_emission_enabled() -> Weight {
        Weight::from_parts(72_776_500, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 20 to 58 µs at the largest size.
    fn sudo_set_subnet_limit() -> Weight {
        Weight::from_parts(27_411_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 25 to 86 µs at the largest size.
    fn sudo_set_subnet_moving_alpha() -> Weight {
        Weight::from_parts(37_189_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 21 to 58 µs at the largest size.
    fn sudo_set_subnet_owner_cut() -> Weight {
        Weight::from_parts(32_921_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 61 to 74 µs at the largest size.
    fn sudo_set_subtoken_enabled() -> Weight {
        Weight::from_parts(67_485_500, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 67 to 144 µs at the largest size.
    fn sudo_set_target_registrations_per_interval() -> Weight {
        Weight::from_parts(71_844_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 73 to 96 µs at the largest size.
    fn sudo_set_tempo() -> Weight {
        Weight::from_parts(80_325_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Took 96 to 170 µs at the largest size.
    fn sudo_set_toggle_transfer() -> Weight {
        Weight::from_parts(109_128_500, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 26 to 68 µs at the largest size.
    fn sudo_set_tx_delegate_take_rate_limit() -> Weight {
        Weight::from_parts(37_594_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 24 to 68 µs at the largest size.
    fn sudo_set_tx_rate_limit() -> Weight {
        Weight::from_parts(37_013_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 72 to 102 µs at the largest size.
    fn sudo_set_weights_set_rate_limit() -> Weight {
        Weight::from_parts(74_474_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 87 to 140 µs at the largest size.
    fn sudo_set_weights_version_key() -> Weight {
        Weight::from_parts(105_482_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 108 to 215 µs at the largest size.
    fn sudo_set_yuma3_enabled() -> Weight {
        Weight::from_parts(129_541_500, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }
}

/// The measured weights, for tests.
impl WeightInfo for () {
    // Took 24 to 50 µs at the largest size.
    fn sudo_set_admin_freeze_window() -> Weight {
        Weight::from_parts(30_978_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 102 to 197 µs at the largest size.
    fn sudo_set_alpha_sigmoid_steepness() -> Weight {
        Weight::from_parts(120_450_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 106 to 240 µs at the largest size.
    fn sudo_set_alpha_values() -> Weight {
        Weight::from_parts(124_166_500, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 102 to 208 µs at the largest size.
    fn sudo_set_bonds_moving_average() -> Weight {
        Weight::from_parts(118_050_500, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 104 to 217 µs at the largest size.
    fn sudo_set_bonds_penalty() -> Weight {
        Weight::from_parts(125_684_500, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 116 to 181 µs at the largest size.
    fn sudo_set_bonds_reset_enabled() -> Weight {
        Weight::from_parts(149_674_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 123 to 149 µs at the largest size.
    fn sudo_set_burn_half_life() -> Weight {
        Weight::from_parts(135_733_500, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 134 to 150 µs at the largest size.
    fn sudo_set_burn_increase_mult() -> Weight {
        Weight::from_parts(140_823_000, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 25 to 46 µs at the largest size.
    fn sudo_set_commit_reveal_version() -> Weight {
        Weight::from_parts(31_628_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 109 to 194 µs at the largest size.
    fn sudo_set_commit_reveal_weights_enabled() -> Weight {
        Weight::from_parts(124_427_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 103 to 206 µs at the largest size.
    fn sudo_set_commit_reveal_weights_interval() -> Weight {
        Weight::from_parts(112_630_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 27 to 39 µs at the largest size.
    fn sudo_set_default_take() -> Weight {
        Weight::from_parts(30_562_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 67 to 81 µs at the largest size.
    fn sudo_set_ema_price_halving_period() -> Weight {
        Weight::from_parts(76_512_500, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 109 to 176 µs at the largest size.
    fn sudo_set_immunity_period() -> Weight {
        Weight::from_parts(114_563_500, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 68 to 139 µs at the largest size.
    fn sudo_set_kappa() -> Weight {
        Weight::from_parts(73_056_500, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 113 to 138 µs at the largest size.
    fn sudo_set_liquid_alpha_enabled() -> Weight {
        Weight::from_parts(114_263_500, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 22 to 37 µs at the largest size.
    fn sudo_set_lock_reduction_interval() -> Weight {
        Weight::from_parts(26_699_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 80 to 3_994 µs at the largest size.
    fn sudo_set_max_allowed_uids() -> Weight {
        Weight::from_parts(93_323_500, 0)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 69 to 153 µs at the largest size.
    fn sudo_set_max_allowed_validators() -> Weight {
        Weight::from_parts(77_229_000, 0)
            .saturating_add(RocksDbWeight::get().reads(2))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 115 to 193 µs at the largest size.
    fn sudo_set_max_burn() -> Weight {
        Weight::from_parts(152_164_000, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 31 to 66 µs at the largest size.
    fn sudo_set_max_epochs_per_block() -> Weight {
        Weight::from_parts(34_614_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 27 to 80 µs at the largest size.
    fn sudo_set_max_mechanism_count() -> Weight {
        Weight::from_parts(37_064_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 75 to 137 µs at the largest size.
    fn sudo_set_max_registrations_per_block() -> Weight {
        Weight::from_parts(110_385_500, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 2_381 to 6_831 µs at the largest size.
    fn sudo_set_mechanism_count() -> Weight {
        Weight::from_parts(4_007_500_000, 0)
            .saturating_add(RocksDbWeight::get().reads(139))
            .saturating_add(RocksDbWeight::get().writes(389))
    }

    // Took 156 to 233 µs at the largest size.
    fn sudo_set_mechanism_emission_split() -> Weight {
        Weight::from_parts(208_228_000, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 89 to 205 µs at the largest size.
    fn sudo_set_min_allowed_uids() -> Weight {
        Weight::from_parts(108_011_500, 0)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 99 to 208 µs at the largest size.
    fn sudo_set_min_allowed_weights() -> Weight {
        Weight::from_parts(134_556_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 95 to 3_589 µs at the largest size.
    fn sudo_set_min_burn() -> Weight {
        Weight::from_parts(152_049_000, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 29 to 62 µs at the largest size.
    fn sudo_set_min_delegate_take() -> Weight {
        Weight::from_parts(33_087_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 55 to 88 µs at the largest size.
    fn sudo_set_min_non_immune_uids() -> Weight {
        Weight::from_parts(69_745_500, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 23 to 119 µs at the largest size.
    fn sudo_set_network_immunity_period() -> Weight {
        Weight::from_parts(28_613_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 22 to 41 µs at the largest size.
    fn sudo_set_network_min_lock_cost() -> Weight {
        Weight::from_parts(29_805_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 25 to 41 µs at the largest size.
    fn sudo_set_network_rate_limit() -> Weight {
        Weight::from_parts(32_100_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 69 to 1_433 µs at the largest size.
    fn sudo_set_network_registration_allowed() -> Weight {
        Weight::from_parts(74_910_000, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 20 to 42 µs at the largest size.
    fn sudo_set_nominator_min_required_stake() -> Weight {
        Weight::from_parts(26_314_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 66 to 128 µs at the largest size.
    fn sudo_set_owner_cut_enabled() -> Weight {
        Weight::from_parts(82_609_000, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 21 to 40 µs at the largest size.
    fn sudo_set_owner_hparam_rate_limit() -> Weight {
        Weight::from_parts(25_928_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 125 to 173 µs at the largest size.
    fn sudo_set_owner_immune_neuron_limit() -> Weight {
        Weight::from_parts(133_098_000, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 130 to 143 µs at the largest size.
    fn sudo_set_recycle_or_burn() -> Weight {
        Weight::from_parts(131_731_000, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 108 to 266 µs at the largest size.
    fn sudo_set_rho() -> Weight {
        Weight::from_parts(167_883_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 94 to 178 µs at the largest size.
    fn sudo_set_serving_rate_limit() -> Weight {
        Weight::from_parts(110_902_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 110 to 172 µs at the largest size.
    fn sudo_set_sn_owner_hotkey() -> Weight {
        Weight::from_parts(133_624_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 28 to 40 µs at the largest size.
    fn sudo_set_stake_threshold() -> Weight {
        Weight::from_parts(28_423_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 21 to 33 µs at the largest size.
    fn sudo_set_start_call_delay() -> Weight {
        Weight::from_parts(29_660_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 70 to 138 µs at the largest size.
    fn sudo_set_subnet_emission_enabled() -> Weight {
        Weight::from_parts(72_776_500, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 20 to 58 µs at the largest size.
    fn sudo_set_subnet_limit() -> Weight {
        Weight::from_parts(27_411_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 25 to 86 µs at the largest size.
    fn sudo_set_subnet_moving_alpha() -> Weight {
        Weight::from_parts(37_189_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 21 to 58 µs at the largest size.
    fn sudo_set_subnet_owner_cut() -> Weight {
        Weight::from_parts(32_921_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 61 to 74 µs at the largest size.
    fn sudo_set_subtoken_enabled() -> Weight {
        Weight::from_parts(67_485_500, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 67 to 144 µs at the largest size.
    fn sudo_set_target_registrations_per_interval() -> Weight {
        Weight::from_parts(71_844_000, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 73 to 96 µs at the largest size.
    fn sudo_set_tempo() -> Weight {
        Weight::from_parts(80_325_000, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(3))
    }

    // Took 96 to 170 µs at the largest size.
    fn sudo_set_toggle_transfer() -> Weight {
        Weight::from_parts(109_128_500, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 26 to 68 µs at the largest size.
    fn sudo_set_tx_delegate_take_rate_limit() -> Weight {
        Weight::from_parts(37_594_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 24 to 68 µs at the largest size.
    fn sudo_set_tx_rate_limit() -> Weight {
        Weight::from_parts(37_013_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 72 to 102 µs at the largest size.
    fn sudo_set_weights_set_rate_limit() -> Weight {
        Weight::from_parts(74_474_000, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 87 to 140 µs at the largest size.
    fn sudo_set_weights_version_key() -> Weight {
        Weight::from_parts(105_482_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 108 to 215 µs at the largest size.
    fn sudo_set_yuma3_enabled() -> Weight {
        Weight::from_parts(129_541_500, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }
}
