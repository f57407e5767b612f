//! The chain that calls are made on: how one is prepared, how a call is applied, and how blocks pass.

use crate::common::*;
use arbor_runtime::*;
use codec::Encode;
use frame_support::dispatch::GetDispatchInfo;
use pallet_admin_utils::Call as Admin;
use pallet_subtensor::{Call, MechId, NetUid};
use polkadot_sdk::*;
use sp_runtime::{
    generic::{CheckedExtrinsic, ExtrinsicFormat},
    traits::{Applyable, Dispatchable},
    DispatchError, StateVersion,
};
use std::cell::Cell;

/// Who makes a call.
#[derive(Clone, Debug)]
pub enum Origin {
    Nobody,
    Root,
    Signed(AccountId),
}

/// What became of a call.
#[derive(Clone, Debug)]
pub enum Outcome {
    Succeeded,
    Failed(DispatchError),
    /// Not taken into the block.
    Refused,
}

thread_local! {
    /// Sealed rows that the chain opened on this thread, and those that it set.
    static OPENED: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// Returns how many sealed rows were dropped and how many were set so far.
pub fn opened_rows() -> (u32, u32) {
    OPENED.get()
}

/// Begins a block, whose first work is to open sealed rows.
pub fn begin() {
    use pallet_subtensor::Event::{TimelockedWeightsDropped, TimelockedWeightsRevealed};
    begin_block();
    for record in System::events() {
        let (dropped, set) = OPENED.get();
        match record.event {
            RuntimeEvent::SubtensorModule(TimelockedWeightsDropped(..)) => OPENED.set((dropped + 1, set)),
            RuntimeEvent::SubtensorModule(TimelockedWeightsRevealed(..)) => OPENED.set((dropped, set + 1)),
            _ => {}
        }
    }
}

/// Ends the block that is open and makes others, the last of which stays open.
pub fn wait(blocks: u32) {
    for _ in 0..blocks {
        end_block();
        begin();
    }
}

/// Applies a call as Executive does after it checked the signature, which takes most of the time and is tested
/// elsewhere.
fn apply_unchecked(format: ExtrinsicFormat<AccountId, TxExtension>, call: RuntimeCall) -> Outcome {
    let info = call.get_dispatch_info();
    let encoded = call.encode();
    let length = encoded.len();
    System::note_extrinsic(encoded);
    let checked = CheckedExtrinsic {
        format,
        function: call,
    };
    let Ok(result) = checked.apply::<Runtime>(&info, length) else {
        return Outcome::Refused; // by the pool: the block goes on without it
    };
    System::note_applied_extrinsic(&result, info);
    match result {
        Ok(_) => Outcome::Succeeded,
        Err(failed) => Outcome::Failed(failed.error),
    }
}

/// Applies a call that an account signed.
pub fn apply_signed(who: &AccountId, call: impl Into<RuntimeCall>) -> Outcome {
    let extension = extension(System::account_nonce(who));
    apply_unchecked(ExtrinsicFormat::Signed(who.clone(), extension), call.into())
}

/// Applies a call in the open block; root's goes through the sudo key.
pub fn apply_from(origin: &Origin, call: RuntimeCall) -> Outcome {
    match origin {
        Origin::Nobody => apply_unchecked(ExtrinsicFormat::Bare, call),
        Origin::Signed(who) => apply_signed(who, call),
        Origin::Root => {
            use pallet_sudo::Event::Sudid;
            System::reset_events();
            let key = pallet_sudo::Key::<Runtime>::get().expect("the chain has a sudo key");
            let call = Box::new(call);
            let outcome = apply_signed(&key, pallet_sudo::Call::sudo { call });
            let inner = System::events()
                .into_iter()
                .find_map(|record| match record.event {
                    RuntimeEvent::Sudo(Sudid {
                        sudo_result: Err(error),
                    }) => Some(error),
                    _ => None,
                });
            inner.map_or(outcome, Outcome::Failed)
        }
    }
}

/// Sets a rule without any extrinsic; tells whether it is set.
pub fn set_rule(call: impl Into<RuntimeCall>) -> bool {
    call.into().dispatch(RuntimeOrigin::root()).is_ok()
}

fn must(who: &AccountId, call: Call<Runtime>) {
    let shown = format!("{call:?}");
    let outcome = apply_signed(who, call);
    assert!(matches!(outcome, Outcome::Succeeded), "{shown}: {outcome:?}");
}

/// A chain to copy: making one takes longer than a hundred calls.
pub struct Prepared {
    raw: Vec<(Vec<u8>, (Vec<u8>, i32))>,
    root: Hash,
}

impl Prepared {
    /// Prepares a development chain with three subnets: 1, where weights are set directly and uids are few, 2 with
    /// commit-reveal and two mechanisms, and 3, which is not started. Neurons hold stake and permits on 1 and 2.
    pub fn new() -> Self {
        let mut ext = genesis("development", serde_json::json!({}));
        ext.execute_with(|| {
            begin();
            make_subnets();
            end_block();
            begin();
            set_rules();
            for name in ["//Bob", "//Charlie", "//Dave", "//Eve"] {
                settle(name);
                wait(1);
            }
            wait(16);
            end_block();
        });
        ext.commit_all().expect("no transaction is open");
        let (raw, root) = ext.into_raw_snapshot();
        Self { raw, root }
    }

    /// Makes a chain in the prepared state.
    pub fn chain(&self) -> sp_io::TestExternalities {
        sp_io::TestExternalities::from_raw_snapshot(self.raw.clone(), self.root, StateVersion::V1)
    }
}

fn make_subnets() {
    let (bob, charlie) = (account("//Bob"), account("//Charlie"));
    let hotkey = account("//Bob//owner");
    must(&bob, Call::register_network { hotkey });
    must(&bob, Call::start_call { netuid: NetUid(2) });
    let hotkey = account("//Charlie//owner");
    must(&charlie, Call::register_network { hotkey });
}

/// Makes everything quick enough that a few blocks bring an epoch and no rate limit lasts.
fn set_rules() {
    let (direct, committed) = (NetUid(1), NetUid(2));
    for (netuid, tempo) in [(direct, 5), (committed, 4)] {
        assert!(set_rule(Admin::sudo_set_tempo { netuid, tempo }));
        assert!(set_rule(Admin::sudo_set_weights_set_rate_limit {
            netuid,
            weights_set_rate_limit: 1,
        }));
        assert!(set_rule(Admin::sudo_set_max_registrations_per_block {
            netuid,
            max_registrations_per_block: 8,
        }));
        assert!(set_rule(Admin::sudo_set_serving_rate_limit {
            netuid,
            serving_rate_limit: 1,
        }));
    }
    let mechanism_count = MechId(2);
    let max_allowed_uids = 64;
    for call in [
        Admin::sudo_set_max_allowed_uids {
            netuid: committed,
            max_allowed_uids,
        },
        Admin::sudo_set_mechanism_count {
            netuid: committed,
            mechanism_count,
        },
        Admin::sudo_set_subnet_emission_enabled {
            netuid: committed,
            enabled: true,
        },
        Admin::sudo_set_target_registrations_per_interval {
            netuid: NetUid::ROOT,
            target_registrations_per_interval: 100,
        },
        Admin::sudo_set_tx_delegate_take_rate_limit { tx_rate_limit: 0 },
        Admin::sudo_set_owner_hparam_rate_limit { epochs: 0 },
    ] {
        assert!(set_rule(call.clone()), "{call:?}");
    }
}

/// Registers a coldkey's two hotkeys and stakes to one of them.
fn settle(name: &str) {
    let coldkey = account(name);
    for (path, staked) in [("hot", true), ("miner", false)] {
        let hotkey = account(&format!("{name}//{path}"));
        for netuid in [NetUid(1), NetUid(2)] {
            let hotkey = hotkey.clone();
            let register = Call::burned_register {
                netuid,
                hotkey: hotkey.clone(),
            };
            must(&coldkey, register);
            let amount_staked = 300 * TAO;
            if staked {
                let stake = Call::add_stake {
                    hotkey,
                    netuid,
                    amount_staked,
                };
                must(&coldkey, stake);
            }
        }
    }
}
