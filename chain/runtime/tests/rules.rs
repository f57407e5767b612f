//! Who may set what, and within which bounds, in real blocks of the development chain.

mod common;

use arbor_runtime::*;
use common::*;
use pallet_admin_utils::{Call as Admin, Error as AdminError};
use pallet_subtensor::{Error, FixedU128, MechId, NetUid};
use polkadot_sdk::*;
use sp_runtime::{traits::Dispatchable, DispatchError};

const NETUID: NetUid = NetUid(1);

/// Makes a call as its extrinsic would, undone when it fails; signatures are not what these tests are about.
fn dispatch(call: Admin<Runtime>, origin: RuntimeOrigin) -> Result<(), DispatchError> {
    let outcome = RuntimeCall::from(call).dispatch(origin);
    outcome.map(|_| ()).map_err(|failed| failed.error)
}

fn by(uri: &str, call: Admin<Runtime>) -> Result<(), DispatchError> {
    dispatch(call, RuntimeOrigin::signed(account(uri)))
}

fn by_root(call: Admin<Runtime>) -> Result<(), DispatchError> {
    dispatch(call, RuntimeOrigin::root())
}

/// Runs a test in block 2 of the development chain, whose subnet 1 is //Alice's.
fn in_a_block(test: impl FnOnce()) {
    on_dev(|| {
        run_blocks(1);
        begin_block();
        test();
        end_block();
    });
}

/// Calls that the owner may make, with values that pass.
fn owners_calls() -> Vec<Admin<Runtime>> {
    let netuid = NETUID;
    vec![
        Admin::sudo_set_serving_rate_limit {
            netuid,
            serving_rate_limit: 9,
        },
        Admin::sudo_set_weights_version_key {
            netuid,
            weights_version_key: 9,
        },
        Admin::sudo_set_immunity_period {
            netuid,
            immunity_period: 9,
        },
        Admin::sudo_set_min_allowed_weights {
            netuid,
            min_allowed_weights: 1,
        },
        Admin::sudo_set_max_allowed_uids {
            netuid,
            max_allowed_uids: 128,
        },
        Admin::sudo_set_rho { netuid, rho: 9 },
        Admin::sudo_set_min_burn {
            netuid,
            min_burn: 999_999_999,
        },
        Admin::sudo_set_max_burn {
            netuid,
            max_burn: TAO * 2,
        },
        Admin::sudo_set_bonds_moving_average {
            netuid,
            bonds_moving_average: 975_000,
        },
        Admin::sudo_set_commit_reveal_weights_enabled {
            netuid,
            enabled: false,
        },
        Admin::sudo_set_liquid_alpha_enabled {
            netuid,
            enabled: true,
        },
        Admin::sudo_set_alpha_values {
            netuid,
            alpha_low: 1_638,
            alpha_high: 1_638,
        },
        Admin::sudo_set_commit_reveal_weights_interval {
            netuid,
            interval: 100,
        },
        Admin::sudo_set_bonds_penalty {
            netuid,
            bonds_penalty: 9,
        },
        Admin::sudo_set_toggle_transfer {
            netuid,
            toggle: false,
        },
        Admin::sudo_set_sn_owner_hotkey {
            netuid,
            hotkey: account("//Alice//other"),
        },
        Admin::sudo_set_alpha_sigmoid_steepness { netuid, steepness: 9 },
        Admin::sudo_set_yuma3_enabled {
            netuid,
            enabled: false,
        },
        Admin::sudo_set_bonds_reset_enabled {
            netuid,
            enabled: true,
        },
        Admin::sudo_set_owner_immune_neuron_limit {
            netuid,
            immune_neurons: 10,
        },
        Admin::sudo_set_mechanism_count {
            netuid,
            mechanism_count: MechId(2),
        },
        Admin::sudo_set_mechanism_emission_split {
            netuid,
            maybe_split: Some(vec![1, 65_534]),
        },
        Admin::sudo_set_recycle_or_burn {
            netuid,
            recycle_or_burn: pallet_subtensor::RecycleOrBurnEnum::Recycle,
        },
        Admin::sudo_set_burn_half_life {
            netuid,
            burn_half_life: 36_100,
        },
        Admin::sudo_set_burn_increase_mult {
            netuid,
            burn_increase_mult: FixedU128 { bits: 3 << 64 },
        },
        Admin::sudo_set_owner_cut_enabled {
            netuid,
            enabled: false,
        },
    ]
}

/// Calls that root alone may make.
fn roots_calls() -> Vec<Admin<Runtime>> {
    let netuid = NETUID;
    vec![
        Admin::sudo_set_default_take { default_take: 9 },
        Admin::sudo_set_tx_rate_limit { tx_rate_limit: 9 },
        Admin::sudo_set_weights_set_rate_limit {
            netuid,
            weights_set_rate_limit: 9,
        },
        Admin::sudo_set_kappa { netuid, kappa: 9 },
        Admin::sudo_set_network_registration_allowed {
            netuid,
            registration_allowed: true,
        },
        Admin::sudo_set_target_registrations_per_interval {
            netuid,
            target_registrations_per_interval: 9,
        },
        Admin::sudo_set_max_allowed_validators {
            netuid,
            max_allowed_validators: 9,
        },
        Admin::sudo_set_max_registrations_per_block {
            netuid,
            max_registrations_per_block: 9,
        },
        Admin::sudo_set_subnet_owner_cut { subnet_owner_cut: 9 },
        Admin::sudo_set_network_rate_limit { rate_limit: 9 },
        Admin::sudo_set_tempo { netuid, tempo: 9 },
        Admin::sudo_set_network_immunity_period { immunity_period: 9 },
        Admin::sudo_set_network_min_lock_cost { lock_cost: 9 },
        Admin::sudo_set_subnet_limit { max_subnets: 9 },
        Admin::sudo_set_lock_reduction_interval { interval: 9 },
        Admin::sudo_set_stake_threshold { min_stake: 9 },
        Admin::sudo_set_nominator_min_required_stake { min_stake: 9 },
        Admin::sudo_set_tx_delegate_take_rate_limit { tx_rate_limit: 9 },
        Admin::sudo_set_min_delegate_take { take: 9 },
        Admin::sudo_set_subtoken_enabled {
            netuid,
            subtoken_enabled: true,
        },
        Admin::sudo_set_ema_price_halving_period {
            netuid,
            ema_halving: 9,
        },
        Admin::sudo_set_commit_reveal_version { version: 4 },
        Admin::sudo_set_admin_freeze_window { window: 9 },
        Admin::sudo_set_owner_hparam_rate_limit { epochs: 9 },
        Admin::sudo_set_min_non_immune_uids { netuid, min: 9 },
        Admin::sudo_set_start_call_delay { delay: 9 },
        Admin::sudo_set_max_mechanism_count {
            max_mechanism_count: MechId(9),
        },
        Admin::sudo_set_subnet_emission_enabled {
            netuid,
            enabled: true,
        },
        Admin::sudo_set_max_epochs_per_block {
            max_epochs_per_block: 9,
        },
    ]
}

#[test]
fn the_owner_sets_its_rules_once_and_then_waits_two_tempos() {
    in_a_block(|| {
        for call in owners_calls() {
            assert_eq!(
                by("//Bob", call.clone()),
                Err(DispatchError::BadOrigin),
                "{call:?}"
            );
            assert_eq!(by("//Alice", call.clone()), Ok(()), "{call:?}");
        }
        for call in owners_calls() {
            let again = by("//Alice", call.clone());
            assert_eq!(
                again,
                Err(Error::<Runtime>::TxRateLimitExceeded.into()),
                "{call:?}"
            );
            assert_eq!(by_root(call.clone()), Ok(()), "{call:?}");
        }
    });
}

#[test]
fn the_owner_may_set_a_rule_again_two_tempos_later() {
    let rho = |rho| Admin::sudo_set_rho { netuid: NETUID, rho };
    on_dev(|| {
        run_blocks(1);
        begin_block();
        assert_eq!(by("//Alice", rho(1)), Ok(()));
        end_block();
        run_blocks(18); // the tempo is 10 blocks; these end with block 20
        begin_block();
        assert_eq!(
            by("//Alice", rho(2)),
            Err(Error::<Runtime>::TxRateLimitExceeded.into())
        );
        end_block();
        begin_block();
        assert_eq!(by("//Alice", rho(2)), Ok(()));
        end_block();
    });
}

#[test]
fn roots_rules_are_nobody_elses() {
    in_a_block(|| {
        for call in roots_calls() {
            assert_eq!(
                by("//Alice", call.clone()),
                Err(DispatchError::BadOrigin),
                "{call:?}"
            );
            assert_eq!(by_root(call.clone()), Ok(()), "{call:?}");
        }
    });
}

#[test]
fn the_owner_is_frozen_before_an_epoch_and_root_is_not() {
    in_a_block(|| {
        assert_eq!(
            by_root(Admin::sudo_set_admin_freeze_window { window: 10 }),
            Ok(())
        );
        let rho = || Admin::sudo_set_rho {
            netuid: NETUID,
            rho: 9,
        };
        let frozen = Error::<Runtime>::AdminActionProhibitedDuringWeightsWindow;
        assert_eq!(by("//Alice", rho()), Err(frozen.into()));
        assert_eq!(by_root(rho()), Ok(()));
        end_block();
        run_blocks(7);
        begin_block(); // block 10, whose epoch has run: the next is ten blocks away
        assert_eq!(by("//Alice", rho()), Ok(()));
    });
}

#[test]
fn values_out_of_their_bounds_are_refused() {
    let netuid = NETUID;
    in_a_block(|| {
        let own = |error: Error<Runtime>| -> DispatchError { error.into() };
        let admin = |error: AdminError<Runtime>| -> DispatchError { error.into() };
        let cases: Vec<(Admin<Runtime>, DispatchError)> = vec![
            (
                Admin::sudo_set_max_allowed_uids {
                    netuid,
                    max_allowed_uids: 63,
                },
                admin(AdminError::MaxAllowedUidsLessThanMinAllowedUids),
            ),
            (
                Admin::sudo_set_max_allowed_uids {
                    netuid,
                    max_allowed_uids: 257,
                },
                admin(AdminError::MaxAllowedUidsGreaterThanDefaultMaxAllowedUids),
            ),
            (
                Admin::sudo_set_min_burn {
                    netuid,
                    min_burn: TAO,
                },
                admin(AdminError::ValueNotInBounds),
            ),
            (
                Admin::sudo_set_max_burn {
                    netuid,
                    max_burn: TAO / 10,
                },
                admin(AdminError::ValueNotInBounds),
            ),
            (
                Admin::sudo_set_max_allowed_validators {
                    netuid,
                    max_allowed_validators: 65,
                },
                admin(AdminError::MaxValidatorsLargerThanMaxUIds),
            ),
            (
                Admin::sudo_set_bonds_moving_average {
                    netuid,
                    bonds_moving_average: 975_001,
                },
                admin(AdminError::BondsMovingAverageMaxReached),
            ),
            (
                Admin::sudo_set_alpha_values {
                    netuid,
                    alpha_low: 1_638,
                    alpha_high: 9_999,
                },
                own(Error::LiquidAlphaDisabled),
            ),
            (
                Admin::sudo_set_commit_reveal_weights_interval { netuid, interval: 0 },
                own(Error::RevealPeriodTooSmall),
            ),
            (
                Admin::sudo_set_commit_reveal_weights_interval {
                    netuid,
                    interval: 101,
                },
                own(Error::RevealPeriodTooLarge),
            ),
            (
                Admin::sudo_set_alpha_sigmoid_steepness {
                    netuid,
                    steepness: -1,
                },
                admin(AdminError::NegativeSigmoidSteepness),
            ),
            (
                Admin::sudo_set_owner_immune_neuron_limit {
                    netuid,
                    immune_neurons: 0,
                },
                own(Error::InvalidValue),
            ),
            (
                Admin::sudo_set_mechanism_count {
                    netuid,
                    mechanism_count: MechId(3),
                },
                own(Error::InvalidValue),
            ),
            (
                Admin::sudo_set_burn_half_life {
                    netuid,
                    burn_half_life: 0,
                },
                admin(AdminError::ValueNotInBounds),
            ),
            (
                Admin::sudo_set_burn_increase_mult {
                    netuid,
                    burn_increase_mult: FixedU128 { bits: 1 },
                },
                admin(AdminError::ValueNotInBounds),
            ),
        ];
        for (call, error) in cases {
            // Root may carry more of the bonds; everybody is bound by the rest.
            let owner_only = matches!(call, Admin::sudo_set_bonds_moving_average { .. });
            let root_only = matches!(call, Admin::sudo_set_max_allowed_validators { .. });
            if !root_only {
                assert_eq!(by("//Alice", call.clone()), Err(error), "{call:?}");
            }
            let expected = if owner_only { Ok(()) } else { Err(error) };
            assert_eq!(by_root(call.clone()), expected, "{call:?}");
        }
        let missing = Admin::sudo_set_rho {
            netuid: NetUid(9),
            rho: 1,
        };
        assert_eq!(by("//Alice", missing), Err(admin(AdminError::SubnetDoesNotExist)));
    });
}

#[test]
fn a_closed_subnet_takes_no_registrations_until_it_opens() {
    in_a_block(|| {
        let allow = |registration_allowed| Admin::sudo_set_network_registration_allowed {
            netuid: NETUID,
            registration_allowed,
        };
        let register = || pallet_subtensor::Call::<Runtime>::burned_register {
            netuid: NETUID,
            hotkey: account("//Bob//miner"),
        };
        assert_eq!(by_root(allow(false)), Ok(()));
        assert_eq!(
            apply(sign("//Bob", register())).expect("valid"),
            Err(Error::<Runtime>::SubNetRegistrationDisabled.into())
        );
        assert_eq!(by_root(allow(true)), Ok(()));
        apply_ok(sign("//Bob", register()));
    });
}
