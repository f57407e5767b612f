//! Every call at its most expensive: signed by the owner where that is allowed, on a full subnet.
//!
//! `node bench/weights.ts` measures them and writes `weight_info.rs`. One file, above the house's length: FRAME wants
//! the benchmarks of a pallet in one module, and each is a few lines.

use super::*;
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;
use pallet_subtensor::{self as subtensor, NetUid};

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
}
