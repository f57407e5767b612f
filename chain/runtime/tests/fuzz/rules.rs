//! Rules that root and owners may set, with values under which the chain goes on working.

use crate::{
    arguments::Seeded,
    chain::{set_rule, Origin},
    state,
    weighing::{some_subnet, Fit},
};
use arbor_runtime::*;
use codec::{Decode, Encode};
use pallet_admin_utils::Call as Admin;
use pallet_drand::{BeaconConfig, BeaconConfigurationPayload};
use pallet_subtensor::{
    MaxAllowedUids, MechanismCountCurrent, MinAllowedUids, NetUid, SubnetOwner, SubnetworkN,
};
use polkadot_sdk::*;
use scale_info::{form::PortableForm, PortableRegistry, TypeDef, TypeDefPrimitive, Variant};

/// Least and greatest number that a rule takes here.
const RANGES: [(&str, u128, u128); 41] = [
    ("sudo_set_default_take", 11_000, 20_000),
    ("sudo_set_tx_rate_limit", 0, 1_000),
    ("sudo_set_serving_rate_limit", 0, 1),
    ("sudo_set_weights_version_key", 0, 3),
    ("sudo_set_weights_set_rate_limit", 0, 2),
    ("sudo_set_immunity_period", 0, 30),
    ("sudo_set_min_allowed_weights", 0, 3),
    ("sudo_set_kappa", 0, 65_535),
    ("sudo_set_rho", 0, 65_535),
    ("sudo_set_target_registrations_per_interval", 20, 100),
    ("sudo_set_min_burn", 0, 99_999_999),
    ("sudo_set_max_burn", 1_000_000_000, 5_000_000_000),
    ("sudo_set_max_allowed_validators", 2, 8),
    ("sudo_set_bonds_moving_average", 0, 975_000),
    ("sudo_set_max_registrations_per_block", 2, 16),
    ("sudo_set_subnet_owner_cut", 0, 65_535),
    ("sudo_set_network_rate_limit", 0, 1),
    ("sudo_set_tempo", 3, 7),
    ("sudo_set_network_immunity_period", 0, 100),
    ("sudo_set_network_min_lock_cost", 1, 1_000_000_000),
    ("sudo_set_subnet_limit", 64, 128),
    ("sudo_set_lock_reduction_interval", 1, 3),
    ("sudo_set_stake_threshold", 0, 1_000),
    ("sudo_set_nominator_min_required_stake", 0, 1_000),
    ("sudo_set_tx_delegate_take_rate_limit", 0, 0),
    ("sudo_set_min_delegate_take", 0, 100),
    ("sudo_set_commit_reveal_weights_interval", 1, 2),
    ("sudo_set_bonds_penalty", 0, 65_535),
    ("sudo_set_subnet_moving_alpha", 0, 1 << 32),
    ("sudo_set_ema_price_halving_period", 0, 1_000_000),
    ("sudo_set_alpha_sigmoid_steepness", 0, 32_767),
    ("sudo_set_commit_reveal_version", 4, 4),
    ("sudo_set_owner_immune_neuron_limit", 1, 10),
    ("sudo_set_admin_freeze_window", 0, 1),
    ("sudo_set_owner_hparam_rate_limit", 0, 1),
    ("sudo_set_mechanism_count", 1, 2),
    ("sudo_set_min_non_immune_uids", 0, 5),
    ("sudo_set_start_call_delay", 0, 1),
    ("sudo_set_max_mechanism_count", 2, 4),
    ("sudo_set_burn_half_life", 1, 36_100),
    ("sudo_set_burn_increase_mult", 1 << 64, 3 << 64),
];
/// The same for rules of which everything is usual.
const MORE_RANGES: [(&str, u128, u128); 3] = [
    ("sudo_set_max_epochs_per_block", 1, 32),
    ("set_max_space", 3_000, 10_000),
    ("set_oldest_stored_round", 0, 20),
];

/// Tells whether a call sets a rule, which may shut what other calls do.
pub fn is_rule(pallet: &str, call: &str) -> bool {
    pallet == "AdminUtils"
        || matches!(
            call,
            "set_max_space" | "set_beacon_config" | "set_oldest_stored_round"
        )
}

/// Makes calls that set rules.
pub struct Rules<'a> {
    pub types: &'a PortableRegistry,
    pub random: &'a mut Seeded,
}

impl Rules<'_> {
    /// Makes a call from its description; root makes it more often than the owner.
    pub fn fit(&mut self, pallet_index: u8, call: &Variant<PortableForm>) -> Fit {
        let netuid = some_subnet(self.random);
        let made = self.special(call.name.as_str(), netuid);
        let made = match made {
            Some(made) => made,
            None => self.of_ranges(pallet_index, call, netuid)?,
        };
        let owner = self.random.below(3) == 0;
        let origin = if owner {
            Origin::Signed(SubnetOwner::<Runtime>::get(netuid))
        } else {
            Origin::Root
        };
        Some((origin, made))
    }

    /// Makes the calls whose arguments depend on each other or on the subnet.
    fn special(&mut self, name: &str, netuid: NetUid) -> Option<RuntimeCall> {
        let n = SubnetworkN::<Runtime>::get(netuid);
        Some(match name {
            "sudo_set_alpha_values" => {
                let enabled = true;
                set_rule(Admin::sudo_set_liquid_alpha_enabled { netuid, enabled });
                let alpha_low = 1_638 + self.random.below(30_000) as u16;
                let alpha_high = alpha_low + self.random.below(30_000) as u16;
                Admin::sudo_set_alpha_values {
                    netuid,
                    alpha_low,
                    alpha_high,
                }
                .into()
            }
            "sudo_set_mechanism_emission_split" => {
                let share = self.random.below(65_536) as u16;
                let split = match MechanismCountCurrent::<Runtime>::get(netuid) {
                    1 => vec![u16::MAX],
                    _ => vec![share, u16::MAX - share],
                };
                let maybe_split = (self.random.below(4) > 0).then_some(split);
                Admin::sudo_set_mechanism_emission_split { netuid, maybe_split }.into()
            }
            "sudo_set_min_allowed_uids" => {
                let most = n.min(MaxAllowedUids::<Runtime>::get(netuid));
                let min_allowed_uids = self.random.below(most.into()) as u16;
                Admin::sudo_set_min_allowed_uids {
                    netuid,
                    min_allowed_uids,
                }
                .into()
            }
            "sudo_set_max_allowed_uids" => {
                // As few as there are: the next to register takes the place of another.
                if MinAllowedUids::<Runtime>::get(netuid) > n {
                    let min_allowed_uids = 1;
                    set_rule(Admin::sudo_set_min_allowed_uids {
                        netuid,
                        min_allowed_uids,
                    });
                }
                let max_allowed_uids = MinAllowedUids::<Runtime>::get(netuid).max(n).max(8);
                Admin::sudo_set_max_allowed_uids {
                    netuid,
                    max_allowed_uids,
                }
                .into()
            }
            "sudo_set_sn_owner_hotkey" => {
                let (hotkey, _) = self.random.pick(&state::hotkeys()).clone();
                Admin::sudo_set_sn_owner_hotkey { netuid, hotkey }.into()
            }
            "set_beacon_config" => {
                let config_payload = BeaconConfigurationPayload {
                    block_number: 0,
                    config: BeaconConfig::<Runtime>::get(),
                    public: sp_runtime::MultiSigner::Sr25519(Default::default()),
                };
                pallet_drand::Call::set_beacon_config {
                    config_payload,
                    signature: None,
                }
                .into()
            }
            _ => return None,
        })
    }

    /// Makes a call of one subnet and of numbers that each have a range.
    fn of_ranges(
        &mut self,
        pallet_index: u8,
        call: &Variant<PortableForm>,
        netuid: NetUid,
    ) -> Option<RuntimeCall> {
        let mut bytes = vec![pallet_index, call.index];
        for field in &call.fields {
            if field.name.as_deref() == Some("netuid") {
                netuid.encode_to(&mut bytes);
            } else {
                self.write(field.ty.id, &call.name, netuid, &mut bytes)?;
            }
        }
        RuntimeCall::decode(&mut bytes.as_slice()).ok()
    }

    /// Writes a switch, a number within its range, or one of several.
    fn write(&mut self, id: u32, call: &str, netuid: NetUid, out: &mut Vec<u8>) -> Option<()> {
        match &self.types.resolve(id)?.type_def {
            TypeDef::Primitive(TypeDefPrimitive::Bool) => self.switch(call, netuid).encode_to(out),
            TypeDef::Primitive(primitive) => {
                let width = match primitive {
                    TypeDefPrimitive::U8 => 1,
                    TypeDefPrimitive::U16 | TypeDefPrimitive::I16 => 2,
                    TypeDefPrimitive::U32 => 4,
                    TypeDefPrimitive::U64 => 8,
                    TypeDefPrimitive::U128 | TypeDefPrimitive::I128 => 16,
                    other => panic!("{call} takes a {other:?}: teach the fuzzer to make one that fits"),
                };
                let mut ranges = RANGES.iter().chain(&MORE_RANGES);
                let (_, low, high) = ranges
                    .find(|(name, ..)| *name == call)
                    .unwrap_or_else(|| panic!("{call} has no range: give it one"));
                let span = u64::try_from(high - low).unwrap_or(u64::MAX);
                let number = match self.random.below(4) {
                    0 => *low,
                    1 => *high,
                    _ => low + u128::from(self.random.below(span.saturating_add(1))),
                };
                out.extend(&number.to_le_bytes()[..width]);
            }
            TypeDef::Composite(composite) => {
                for field in &composite.fields {
                    self.write(field.ty.id, call, netuid, out)?;
                }
            }
            TypeDef::Variant(variants) => out.push(self.random.pick(&variants.variants).index),
            other => panic!("{call} takes a {other:?}: teach the fuzzer to make one that fits"),
        }
        Some(())
    }

    /// Leaves registration and stake open, and commit-reveal where it was prepared.
    fn switch(&mut self, call: &str, netuid: NetUid) -> bool {
        match call {
            "sudo_set_network_registration_allowed" | "sudo_set_subtoken_enabled" => true,
            "sudo_set_commit_reveal_weights_enabled" => netuid.0 == 2,
            _ => self.random.below(2) == 0,
        }
    }
}
