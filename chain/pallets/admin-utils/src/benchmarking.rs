//! Every call at its most expensive: signed by the owner where that is allowed, on a full subnet.
//!
//! `node bench/weights.ts` measures them and writes `weight_info.rs`. One file, above the house's length: FRAME wants
//! the benchmarks of a pallet in one module, and each is a few lines.

use super::*;
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;
use pallet_subtensor::{self as subtensor, MechId, NetUid};

/// The subnet whose rules are set: its owner is "coldkey" 0, and it has 256 neurons.
const NET: NetUid = NetUid(2);

fn owner<T: Config>() -> RawOrigin<T::AccountId> {
    RawOrigin::Signed(subtensor::SubnetOwner::<T>::get(NET))
}

fn subnet<T: Config>() {
    subtensor::benchmarking::subnet::<T>(NET, 256);
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn sudo_set_default_take() {
        #[extrinsic_call]
        _(RawOrigin::Root, 7);
    }

    #[benchmark]
    fn sudo_set_serving_rate_limit() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, 7);
    }

    #[benchmark]
    fn sudo_set_weights_version_key() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, 7);
    }

    #[benchmark]
    fn sudo_set_weights_set_rate_limit() {
        subnet::<T>();
        #[extrinsic_call]
        _(RawOrigin::Root, NET, 7);
    }

    #[benchmark]
    fn sudo_set_immunity_period() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, 7);
    }

    #[benchmark]
    fn sudo_set_min_allowed_weights() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, 7);
    }

    #[benchmark]
    fn sudo_set_max_allowed_uids() {
        subnet::<T>();
        #[extrinsic_call]
        _(RawOrigin::Root, NET, 256);
    }

    #[benchmark]
    fn sudo_set_kappa() {
        subnet::<T>();
        #[extrinsic_call]
        _(RawOrigin::Root, NET, 7);
    }

    #[benchmark]
    fn sudo_set_rho() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, 7);
    }

    #[benchmark]
    fn sudo_set_network_registration_allowed() {
        subnet::<T>();
        #[extrinsic_call]
        _(RawOrigin::Root, NET, true);
    }

    #[benchmark]
    fn sudo_set_target_registrations_per_interval() {
        subnet::<T>();
        #[extrinsic_call]
        _(RawOrigin::Root, NET, 7);
    }

    #[benchmark]
    fn sudo_set_min_burn() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, 600_000);
    }

    #[benchmark]
    fn sudo_set_max_burn() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, 200_000_000_000);
    }

    #[benchmark]
    fn sudo_set_max_allowed_validators() {
        subnet::<T>();
        #[extrinsic_call]
        _(RawOrigin::Root, NET, 200);
    }

    #[benchmark]
    fn sudo_set_bonds_moving_average() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, 900_000);
    }

    #[benchmark]
    fn sudo_set_max_registrations_per_block() {
        subnet::<T>();
        #[extrinsic_call]
        _(RawOrigin::Root, NET, 7);
    }

    #[benchmark]
    fn sudo_set_subnet_owner_cut() {
        #[extrinsic_call]
        _(RawOrigin::Root, 7);
    }

    #[benchmark]
    fn sudo_set_network_rate_limit() {
        #[extrinsic_call]
        _(RawOrigin::Root, 7);
    }

    #[benchmark]
    fn sudo_set_tempo() {
        subnet::<T>();
        #[extrinsic_call]
        _(RawOrigin::Root, NET, 720);
    }

    #[benchmark]
    fn sudo_set_network_immunity_period() {
        #[extrinsic_call]
        _(RawOrigin::Root, 7);
    }

    #[benchmark]
    fn sudo_set_network_min_lock_cost() {
        #[extrinsic_call]
        _(RawOrigin::Root, 7);
    }

    #[benchmark]
    fn sudo_set_subnet_limit() {
        #[extrinsic_call]
        _(RawOrigin::Root, 7);
    }

    #[benchmark]
    fn sudo_set_lock_reduction_interval() {
        #[extrinsic_call]
        _(RawOrigin::Root, 7);
    }

    #[benchmark]
    fn sudo_set_stake_threshold() {
        #[extrinsic_call]
        _(RawOrigin::Root, 7);
    }

    #[benchmark]
    fn sudo_set_nominator_min_required_stake() {
        #[extrinsic_call]
        _(RawOrigin::Root, 7);
    }

    #[benchmark]
    fn sudo_set_commit_reveal_weights_enabled() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, true);
    }

    #[benchmark]
    fn sudo_set_liquid_alpha_enabled() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, true);
    }

    #[benchmark]
    fn sudo_set_alpha_values() {
        subnet::<T>();
        subtensor::LiquidAlphaOn::<T>::insert(NET, true);
        #[extrinsic_call]
        _(owner::<T>(), NET, 40_000, 60_000);
    }

    #[benchmark]
    fn sudo_set_commit_reveal_weights_interval() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, 3);
    }

    #[benchmark]
    fn sudo_set_bonds_penalty() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, 7);
    }

    #[benchmark]
    fn sudo_set_toggle_transfer() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, true);
    }

    #[benchmark]
    fn sudo_set_subtoken_enabled() {
        subnet::<T>();
        #[extrinsic_call]
        _(RawOrigin::Root, NET, true);
    }

    #[benchmark]
    fn sudo_set_sn_owner_hotkey() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, account("hotkey", 9, 2));
    }

    #[benchmark]
    fn sudo_set_alpha_sigmoid_steepness() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, 1_000);
    }

    #[benchmark]
    fn sudo_set_yuma3_enabled() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, true);
    }

    #[benchmark]
    fn sudo_set_bonds_reset_enabled() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, true);
    }

    #[benchmark]
    fn sudo_set_admin_freeze_window() {
        #[extrinsic_call]
        _(RawOrigin::Root, 7);
    }

    #[benchmark]
    fn sudo_set_owner_hparam_rate_limit() {
        #[extrinsic_call]
        _(RawOrigin::Root, 7);
    }

    #[benchmark]
    fn sudo_set_min_non_immune_uids() {
        subnet::<T>();
        #[extrinsic_call]
        _(RawOrigin::Root, NET, 7);
    }

    #[benchmark]
    fn sudo_set_start_call_delay() {
        #[extrinsic_call]
        _(RawOrigin::Root, 7);
    }

    #[benchmark]
    fn sudo_set_owner_cut_enabled() {
        subnet::<T>();
        #[extrinsic_call]
        _(RawOrigin::Root, NET, true);
    }

    #[benchmark]
    fn sudo_set_subnet_emission_enabled() {
        subnet::<T>();
        #[extrinsic_call]
        _(RawOrigin::Root, NET, true);
    }

    #[benchmark]
    fn sudo_set_max_epochs_per_block() {
        #[extrinsic_call]
        _(RawOrigin::Root, 4);
    }

    #[benchmark]
    fn sudo_set_burn_half_life() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, 720);
    }

    #[benchmark]
    fn sudo_set_burn_increase_mult() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, subtensor::FixedU128 { bits: 2 << 64 });
    }

    #[benchmark]
    fn sudo_set_commit_reveal_version() {
        #[extrinsic_call]
        _(RawOrigin::Root, 4);
    }

    #[benchmark]
    fn sudo_set_ema_price_halving_period() {
        subnet::<T>();
        #[extrinsic_call]
        _(RawOrigin::Root, NET, 7);
    }

    #[benchmark]
    fn sudo_set_max_mechanism_count() {
        #[extrinsic_call]
        _(RawOrigin::Root, MechId(4));
    }

    #[benchmark]
    fn sudo_set_mechanism_emission_split() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, Some(alloc::vec![u16::MAX]));
    }

    #[benchmark]
    fn sudo_set_min_allowed_uids() {
        subnet::<T>();
        #[extrinsic_call]
        _(RawOrigin::Root, NET, 7);
    }

    #[benchmark]
    fn sudo_set_min_delegate_take() {
        #[extrinsic_call]
        _(RawOrigin::Root, 7);
    }

    #[benchmark]
    fn sudo_set_owner_immune_neuron_limit() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, 1);
    }

    #[benchmark]
    fn sudo_set_recycle_or_burn() {
        subnet::<T>();
        #[extrinsic_call]
        _(owner::<T>(), NET, subtensor::RecycleOrBurnEnum::Recycle);
    }

    #[benchmark]
    fn sudo_set_subnet_moving_alpha() {
        #[extrinsic_call]
        _(RawOrigin::Root, subtensor::FixedI128 { bits: 7 });
    }

    #[benchmark]
    fn sudo_set_tx_delegate_take_rate_limit() {
        #[extrinsic_call]
        _(RawOrigin::Root, 7);
    }

    #[benchmark]
    fn sudo_set_tx_rate_limit() {
        #[extrinsic_call]
        _(RawOrigin::Root, 7);
    }

    /// Drops a mechanism on which 128 neurons have rows.
    #[benchmark]
    fn sudo_set_mechanism_count() {
        subtensor::benchmarking::subnet::<T>(NET, 128);
        subtensor::MaxAllowedUids::<T>::insert(NET, 128);
        subtensor::MechanismCountCurrent::<T>::insert(NET, 2);
        for uid in 0..128u16 {
            let index = subtensor::NetUidStorageIndex::new(NET, MechId(1));
            let row: alloc::vec::Vec<(u16, u16)> = (0..128).map(|uid| (uid, 7)).collect();
            subtensor::Weights::<T>::insert(index, uid, &row);
            subtensor::Bonds::<T>::insert(index, uid, row);
        }
        #[extrinsic_call]
        _(owner::<T>(), NET, MechId(1));
    }
}
