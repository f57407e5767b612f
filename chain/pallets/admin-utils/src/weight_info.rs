//! Weights of pallet_admin_utils, measured. Made by `node bench/weights.ts`; do not edit.
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
    // Took 28 to 72 µs at the largest size.
    fn sudo_set_admin_freeze_window() -> Weight {
        Weight::from_parts(29_174_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 114 to 167 µs at the largest size.
    fn sudo_set_alpha_sigmoid_steepness() -> Weight {
        Weight::from_parts(116_662_500, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 121 to 172 µs at the largest size.
    fn sudo_set_alpha_values() -> Weight {
        Weight::from_parts(131_250_000, 0)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 106 to 123 µs at the largest size.
    fn sudo_set_bonds_moving_average() -> Weight {
        Weight::from_parts(111_784_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 112 to 180 µs at the largest size.
    fn sudo_set_bonds_penalty() -> Weight {
        Weight::from_parts(121_797_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 117 to 128 µs at the largest size.
    fn sudo_set_bonds_reset_enabled() -> Weight {
        Weight::from_parts(123_730_500, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 108 to 124 µs at the largest size.
    fn sudo_set_burn_half_life() -> Weight {
        Weight::from_parts(113_501_500, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 113 to 185 µs at the largest size.
    fn sudo_set_burn_increase_mult() -> Weight {
        Weight::from_parts(120_304_500, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 30 to 33 µs at the largest size.
    fn sudo_set_commit_reveal_version() -> Weight {
        Weight::from_parts(31_468_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 111 to 119 µs at the largest size.
    fn sudo_set_commit_reveal_weights_enabled() -> Weight {
        Weight::from_parts(115_179_500, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 113 to 163 µs at the largest size.
    fn sudo_set_commit_reveal_weights_interval() -> Weight {
        Weight::from_parts(126_891_500, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 29 to 40 µs at the largest size.
    fn sudo_set_default_take() -> Weight {
        Weight::from_parts(31_579_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 56 to 104 µs at the largest size.
    fn sudo_set_ema_price_halving_period() -> Weight {
        Weight::from_parts(66_955_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 109 to 189 µs at the largest size.
    fn sudo_set_immunity_period() -> Weight {
        Weight::from_parts(117_549_500, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 57 to 72 µs at the largest size.
    fn sudo_set_kappa() -> Weight {
        Weight::from_parts(66_590_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 108 to 124 µs at the largest size.
    fn sudo_set_liquid_alpha_enabled() -> Weight {
        Weight::from_parts(113_496_500, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 19 to 31 µs at the largest size.
    fn sudo_set_lock_reduction_interval() -> Weight {
        Weight::from_parts(29_089_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 89 to 118 µs at the largest size.
    fn sudo_set_max_allowed_uids() -> Weight {
        Weight::from_parts(91_425_000, 0)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 58 to 80 µs at the largest size.
    fn sudo_set_max_allowed_validators() -> Weight {
        Weight::from_parts(70_807_500, 0)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 116 to 144 µs at the largest size.
    fn sudo_set_max_burn() -> Weight {
        Weight::from_parts(122_944_500, 0)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 20 to 30 µs at the largest size.
    fn sudo_set_max_epochs_per_block() -> Weight {
        Weight::from_parts(28_317_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 23 to 63 µs at the largest size.
    fn sudo_set_max_mechanism_count() -> Weight {
        Weight::from_parts(32_230_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 66 to 73 µs at the largest size.
    fn sudo_set_max_registrations_per_block() -> Weight {
        Weight::from_parts(69_319_500, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 2_341 to 2_498 µs at the largest size.
    fn sudo_set_mechanism_count() -> Weight {
        Weight::from_parts(2_384_627_500, 0)
            .saturating_add(T::DbWeight::get().reads(140))
            .saturating_add(T::DbWeight::get().writes(389))
    }

    // Took 132 to 146 µs at the largest size.
    fn sudo_set_mechanism_emission_split() -> Weight {
        Weight::from_parts(139_815_500, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 62 to 90 µs at the largest size.
    fn sudo_set_min_allowed_uids() -> Weight {
        Weight::from_parts(74_970_000, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 108 to 113 µs at the largest size.
    fn sudo_set_min_allowed_weights() -> Weight {
        Weight::from_parts(109_684_500, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 117 to 139 µs at the largest size.
    fn sudo_set_min_burn() -> Weight {
        Weight::from_parts(124_983_000, 0)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 20 to 57 µs at the largest size.
    fn sudo_set_min_delegate_take() -> Weight {
        Weight::from_parts(29_285_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 60 to 70 µs at the largest size.
    fn sudo_set_min_non_immune_uids() -> Weight {
        Weight::from_parts(66_990_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 20 to 31 µs at the largest size.
    fn sudo_set_network_immunity_period() -> Weight {
        Weight::from_parts(29_204_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 20 to 31 µs at the largest size.
    fn sudo_set_network_min_lock_cost() -> Weight {
        Weight::from_parts(28_804_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 26 to 93 µs at the largest size.
    fn sudo_set_network_rate_limit() -> Weight {
        Weight::from_parts(29_876_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 60 to 111 µs at the largest size.
    fn sudo_set_network_registration_allowed() -> Weight {
        Weight::from_parts(65_401_500, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 20 to 30 µs at the largest size.
    fn sudo_set_nominator_min_required_stake() -> Weight {
        Weight::from_parts(28_172_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 64 to 110 µs at the largest size.
    fn sudo_set_owner_cut_enabled() -> Weight {
        Weight::from_parts(74_194_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 20 to 58 µs at the largest size.
    fn sudo_set_owner_hparam_rate_limit() -> Weight {
        Weight::from_parts(28_583_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 113 to 179 µs at the largest size.
    fn sudo_set_owner_immune_neuron_limit() -> Weight {
        Weight::from_parts(124_888_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 113 to 131 µs at the largest size.
    fn sudo_set_recycle_or_burn() -> Weight {
        Weight::from_parts(120_304_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 112 to 131 µs at the largest size.
    fn sudo_set_rho() -> Weight {
        Weight::from_parts(118_776_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 109 to 126 µs at the largest size.
    fn sudo_set_serving_rate_limit() -> Weight {
        Weight::from_parts(117_284_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 107 to 128 µs at the largest size.
    fn sudo_set_sn_owner_hotkey() -> Weight {
        Weight::from_parts(111_056_500, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 28 to 66 µs at the largest size.
    fn sudo_set_stake_threshold() -> Weight {
        Weight::from_parts(29_189_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 22 to 32 µs at the largest size.
    fn sudo_set_start_call_delay() -> Weight {
        Weight::from_parts(29_685_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 61 to 73 µs at the largest size.
    fn sudo_set_subnet_emission_enabled() -> Weight {
        Weight::from_parts(70_090_500, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 20 to 29 µs at the largest size.
    fn sudo_set_subnet_limit() -> Weight {
        Weight::from_parts(24_700_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 21 to 31 µs at the largest size.
    fn sudo_set_subnet_moving_alpha() -> Weight {
        Weight::from_parts(28_944_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 21 to 35 µs at the largest size.
    fn sudo_set_subnet_owner_cut() -> Weight {
        Weight::from_parts(31_288_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 57 to 72 µs at the largest size.
    fn sudo_set_subtoken_enabled() -> Weight {
        Weight::from_parts(63_903_500, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 56 to 83 µs at the largest size.
    fn sudo_set_target_registrations_per_interval() -> Weight {
        Weight::from_parts(67_646_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 66 to 119 µs at the largest size.
    fn sudo_set_tempo() -> Weight {
        Weight::from_parts(67_751_500, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Took 109 to 127 µs at the largest size.
    fn sudo_set_toggle_transfer() -> Weight {
        Weight::from_parts(116_777_500, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 21 to 30 µs at the largest size.
    fn sudo_set_tx_delegate_take_rate_limit() -> Weight {
        Weight::from_parts(29_169_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 22 to 30 µs at the largest size.
    fn sudo_set_tx_rate_limit() -> Weight {
        Weight::from_parts(28_017_500, 0).saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 57 to 91 µs at the largest size.
    fn sudo_set_weights_set_rate_limit() -> Weight {
        Weight::from_parts(65_672_500, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Took 118 to 158 µs at the largest size.
    fn sudo_set_weights_version_key() -> Weight {
        Weight::from_parts(129_917_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Took 114 to 131 µs at the largest size.
    fn sudo_set_yuma3_enabled() -> Weight {
        Weight::from_parts(118_696_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(2))
    }
}

/// The measured weights, for tests.
impl WeightInfo for () {
    // Took 28 to 72 µs at the largest size.
    fn sudo_set_admin_freeze_window() -> Weight {
        Weight::from_parts(29_174_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 114 to 167 µs at the largest size.
    fn sudo_set_alpha_sigmoid_steepness() -> Weight {
        Weight::from_parts(116_662_500, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 121 to 172 µs at the largest size.
    fn sudo_set_alpha_values() -> Weight {
        Weight::from_parts(131_250_000, 0)
            .saturating_add(RocksDbWeight::get().reads(9))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 106 to 123 µs at the largest size.
    fn sudo_set_bonds_moving_average() -> Weight {
        Weight::from_parts(111_784_000, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 112 to 180 µs at the largest size.
    fn sudo_set_bonds_penalty() -> Weight {
        Weight::from_parts(121_797_000, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 117 to 128 µs at the largest size.
    fn sudo_set_bonds_reset_enabled() -> Weight {
        Weight::from_parts(123_730_500, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 108 to 124 µs at the largest size.
    fn sudo_set_burn_half_life() -> Weight {
        Weight::from_parts(113_501_500, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 113 to 185 µs at the largest size.
    fn sudo_set_burn_increase_mult() -> Weight {
        Weight::from_parts(120_304_500, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 30 to 33 µs at the largest size.
    fn sudo_set_commit_reveal_version() -> Weight {
        Weight::from_parts(31_468_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 111 to 119 µs at the largest size.
    fn sudo_set_commit_reveal_weights_enabled() -> Weight {
        Weight::from_parts(115_179_500, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 113 to 163 µs at the largest size.
    fn sudo_set_commit_reveal_weights_interval() -> Weight {
        Weight::from_parts(126_891_500, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 29 to 40 µs at the largest size.
    fn sudo_set_default_take() -> Weight {
        Weight::from_parts(31_579_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 56 to 104 µs at the largest size.
    fn sudo_set_ema_price_halving_period() -> Weight {
        Weight::from_parts(66_955_000, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 109 to 189 µs at the largest size.
    fn sudo_set_immunity_period() -> Weight {
        Weight::from_parts(117_549_500, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 57 to 72 µs at the largest size.
    fn sudo_set_kappa() -> Weight {
        Weight::from_parts(66_590_000, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 108 to 124 µs at the largest size.
    fn sudo_set_liquid_alpha_enabled() -> Weight {
        Weight::from_parts(113_496_500, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 19 to 31 µs at the largest size.
    fn sudo_set_lock_reduction_interval() -> Weight {
        Weight::from_parts(29_089_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 89 to 118 µs at the largest size.
    fn sudo_set_max_allowed_uids() -> Weight {
        Weight::from_parts(91_425_000, 0)
            .saturating_add(RocksDbWeight::get().reads(5))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 58 to 80 µs at the largest size.
    fn sudo_set_max_allowed_validators() -> Weight {
        Weight::from_parts(70_807_500, 0)
            .saturating_add(RocksDbWeight::get().reads(2))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 116 to 144 µs at the largest size.
    fn sudo_set_max_burn() -> Weight {
        Weight::from_parts(122_944_500, 0)
            .saturating_add(RocksDbWeight::get().reads(9))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 20 to 30 µs at the largest size.
    fn sudo_set_max_epochs_per_block() -> Weight {
        Weight::from_parts(28_317_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 23 to 63 µs at the largest size.
    fn sudo_set_max_mechanism_count() -> Weight {
        Weight::from_parts(32_230_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 66 to 73 µs at the largest size.
    fn sudo_set_max_registrations_per_block() -> Weight {
        Weight::from_parts(69_319_500, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 2_341 to 2_498 µs at the largest size.
    fn sudo_set_mechanism_count() -> Weight {
        Weight::from_parts(2_384_627_500, 0)
            .saturating_add(RocksDbWeight::get().reads(140))
            .saturating_add(RocksDbWeight::get().writes(389))
    }

    // Took 132 to 146 µs at the largest size.
    fn sudo_set_mechanism_emission_split() -> Weight {
        Weight::from_parts(139_815_500, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 62 to 90 µs at the largest size.
    fn sudo_set_min_allowed_uids() -> Weight {
        Weight::from_parts(74_970_000, 0)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 108 to 113 µs at the largest size.
    fn sudo_set_min_allowed_weights() -> Weight {
        Weight::from_parts(109_684_500, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 117 to 139 µs at the largest size.
    fn sudo_set_min_burn() -> Weight {
        Weight::from_parts(124_983_000, 0)
            .saturating_add(RocksDbWeight::get().reads(9))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 20 to 57 µs at the largest size.
    fn sudo_set_min_delegate_take() -> Weight {
        Weight::from_parts(29_285_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 60 to 70 µs at the largest size.
    fn sudo_set_min_non_immune_uids() -> Weight {
        Weight::from_parts(66_990_000, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 20 to 31 µs at the largest size.
    fn sudo_set_network_immunity_period() -> Weight {
        Weight::from_parts(29_204_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 20 to 31 µs at the largest size.
    fn sudo_set_network_min_lock_cost() -> Weight {
        Weight::from_parts(28_804_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 26 to 93 µs at the largest size.
    fn sudo_set_network_rate_limit() -> Weight {
        Weight::from_parts(29_876_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 60 to 111 µs at the largest size.
    fn sudo_set_network_registration_allowed() -> Weight {
        Weight::from_parts(65_401_500, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 20 to 30 µs at the largest size.
    fn sudo_set_nominator_min_required_stake() -> Weight {
        Weight::from_parts(28_172_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 64 to 110 µs at the largest size.
    fn sudo_set_owner_cut_enabled() -> Weight {
        Weight::from_parts(74_194_000, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 20 to 58 µs at the largest size.
    fn sudo_set_owner_hparam_rate_limit() -> Weight {
        Weight::from_parts(28_583_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 113 to 179 µs at the largest size.
    fn sudo_set_owner_immune_neuron_limit() -> Weight {
        Weight::from_parts(124_888_000, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 113 to 131 µs at the largest size.
    fn sudo_set_recycle_or_burn() -> Weight {
        Weight::from_parts(120_304_000, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 112 to 131 µs at the largest size.
    fn sudo_set_rho() -> Weight {
        Weight::from_parts(118_776_000, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 109 to 126 µs at the largest size.
    fn sudo_set_serving_rate_limit() -> Weight {
        Weight::from_parts(117_284_000, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 107 to 128 µs at the largest size.
    fn sudo_set_sn_owner_hotkey() -> Weight {
        Weight::from_parts(111_056_500, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 28 to 66 µs at the largest size.
    fn sudo_set_stake_threshold() -> Weight {
        Weight::from_parts(29_189_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 22 to 32 µs at the largest size.
    fn sudo_set_start_call_delay() -> Weight {
        Weight::from_parts(29_685_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 61 to 73 µs at the largest size.
    fn sudo_set_subnet_emission_enabled() -> Weight {
        Weight::from_parts(70_090_500, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 20 to 29 µs at the largest size.
    fn sudo_set_subnet_limit() -> Weight {
        Weight::from_parts(24_700_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 21 to 31 µs at the largest size.
    fn sudo_set_subnet_moving_alpha() -> Weight {
        Weight::from_parts(28_944_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 21 to 35 µs at the largest size.
    fn sudo_set_subnet_owner_cut() -> Weight {
        Weight::from_parts(31_288_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 57 to 72 µs at the largest size.
    fn sudo_set_subtoken_enabled() -> Weight {
        Weight::from_parts(63_903_500, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 56 to 83 µs at the largest size.
    fn sudo_set_target_registrations_per_interval() -> Weight {
        Weight::from_parts(67_646_000, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 66 to 119 µs at the largest size.
    fn sudo_set_tempo() -> Weight {
        Weight::from_parts(67_751_500, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(3))
    }

    // Took 109 to 127 µs at the largest size.
    fn sudo_set_toggle_transfer() -> Weight {
        Weight::from_parts(116_777_500, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 21 to 30 µs at the largest size.
    fn sudo_set_tx_delegate_take_rate_limit() -> Weight {
        Weight::from_parts(29_169_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 22 to 30 µs at the largest size.
    fn sudo_set_tx_rate_limit() -> Weight {
        Weight::from_parts(28_017_500, 0).saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 57 to 91 µs at the largest size.
    fn sudo_set_weights_set_rate_limit() -> Weight {
        Weight::from_parts(65_672_500, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }

    // Took 118 to 158 µs at the largest size.
    fn sudo_set_weights_version_key() -> Weight {
        Weight::from_parts(129_917_000, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }

    // Took 114 to 131 µs at the largest size.
    fn sudo_set_yuma3_enabled() -> Weight {
        Weight::from_parts(118_696_000, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(2))
    }
}
