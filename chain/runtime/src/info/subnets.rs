//! Subnets at a glance, their pools, and their per-uid state.

use super::*;

use arbor_runtime_api::rpc_info::{
    dynamic_info::DynamicInfo,
    show_subnet::SubnetState,
    subnet_info::{SubnetInfo, SubnetInfov2},
};
use pallet_subtensor::*;

/// A field that subtensor still reports and nothing uses: its stored default.
const SCALING_LAW_POWER: u16 = 50;

/// Returns a subnet at a glance.
pub fn info(netuid: u16) -> Option<SubnetInfo> {
    let id = existing(netuid)?;
    Some(SubnetInfo {
        netuid: Compact(netuid),
        rho: Compact(Rho::<Runtime>::get(id)),
        kappa: Compact(Kappa::<Runtime>::get(id)),
        difficulty: Compact(Difficulty::<Runtime>::get(id)),
        immunity_period: Compact(ImmunityPeriod::<Runtime>::get(id)),
        max_allowed_validators: Compact(MaxAllowedValidators::<Runtime>::get(id)),
        min_allowed_weights: Compact(MinAllowedWeights::<Runtime>::get(id)),
        max_weights_limit: Compact(MaxWeightsLimit::<Runtime>::get(id)),
        scaling_law_power: Compact(SCALING_LAW_POWER),
        subnetwork_n: Compact(SubnetworkN::<Runtime>::get(id)),
        max_allowed_uids: Compact(MaxAllowedUids::<Runtime>::get(id)),
        blocks_since_last_step: Compact(BlocksSinceLastStep::<Runtime>::get(id)),
        tempo: Compact(Tempo::<Runtime>::get(id)),
        network_modality: Compact(0),
        network_connect: Vec::new(),
        emission_values: Compact(SubnetTaoInEmission::<Runtime>::get(id)),
        burn: Compact(Burn::<Runtime>::get(id)),
        owner: SubnetOwner::<Runtime>::get(id),
    })
}

/// Returns a subnet at a glance, in the second layout.
pub fn info_v2(netuid: u16) -> Option<SubnetInfov2> {
    let first = info(netuid)?;
    Some(SubnetInfov2 {
        netuid: first.netuid,
        rho: first.rho,
        kappa: first.kappa,
        difficulty: first.difficulty,
        immunity_period: first.immunity_period,
        max_allowed_validators: first.max_allowed_validators,
        min_allowed_weights: first.min_allowed_weights,
        max_weights_limit: first.max_weights_limit,
        scaling_law_power: first.scaling_law_power,
        subnetwork_n: first.subnetwork_n,
        max_allowed_uids: first.max_allowed_uids,
        blocks_since_last_step: first.blocks_since_last_step,
        tempo: first.tempo,
        network_modality: first.network_modality,
        network_connect: first.network_connect,
        emission_value: first.emission_values,
        burn: first.burn,
        owner: first.owner,
        identity: identity(netuid),
    })
}

/// Names a subnet as its owner did, or by its number.
pub(super) fn name(netuid: u16) -> Vec<Compact<u8>> {
    if let Some(identity) = identity(netuid) {
        if !identity.subnet_name.is_empty() {
            return compact_bytes(&identity.subnet_name);
        }
    }
    if netuid == 0 {
        return compact_bytes(b"root");
    }
    compact_bytes(alloc::format!("subnet {netuid}").as_bytes())
}

/// What a subnet's owner says of it.
pub(super) fn identity(netuid: u16) -> Option<SubnetIdentityV3> {
    SubnetIdentitiesV3::<Runtime>::get(NetUid(netuid))
}

/// Alpha in rao that the next epoch will pay out.
pub(super) fn pending_alpha(netuid: NetUid) -> u64 {
    PendingServerEmission::<Runtime>::get(netuid)
        .saturating_add(PendingValidatorEmission::<Runtime>::get(netuid))
}

/// Returns the pool, price and emission of a subnet.
pub fn dynamic_info(netuid: u16) -> Option<DynamicInfo> {
    let id = existing(netuid)?;
    Some(DynamicInfo {
        netuid: Compact(netuid),
        owner_hotkey: SubnetOwnerHotkey::<Runtime>::get(id),
        owner_coldkey: SubnetOwner::<Runtime>::get(id),
        subnet_name: name(netuid),
        token_symbol: compact_bytes(&TokenSymbol::<Runtime>::get(id)),
        tempo: Compact(Tempo::<Runtime>::get(id)),
        last_step: Compact(LastMechansimStepBlock::<Runtime>::get(id)),
        blocks_since_last_step: Compact(BlocksSinceLastStep::<Runtime>::get(id)),
        emission: Compact(SubnetTaoInEmission::<Runtime>::get(id)),
        alpha_in: Compact(SubnetAlphaIn::<Runtime>::get(id)),
        alpha_out: Compact(SubnetAlphaOut::<Runtime>::get(id)),
        tao_in: Compact(SubnetTAO::<Runtime>::get(id)),
        alpha_out_emission: Compact(SubnetAlphaOutEmission::<Runtime>::get(id)),
        alpha_in_emission: Compact(SubnetAlphaInEmission::<Runtime>::get(id)),
        tao_in_emission: Compact(SubnetTaoInEmission::<Runtime>::get(id)),
        pending_alpha_emission: Compact(pending_alpha(id)),
        pending_root_emission: Compact(PendingRootAlphaDivs::<Runtime>::get(id)),
        subnet_volume: Compact(SubnetVolume::<Runtime>::get(id)),
        network_registered_at: Compact(NetworkRegisteredAt::<Runtime>::get(id)),
        subnet_identity: identity(netuid),
        moving_price: SubnetMovingPrice::<Runtime>::get(id),
    })
}

/// Returns the per-uid state of a subnet.
pub fn state(netuid: u16) -> Option<SubnetState> {
    let graph = metagraph::metagraph(netuid, 0)?;
    let history = netuids()
        .into_iter()
        .map(|other| {
            let emission =
                |hotkey| Compact(LastHotkeyEmissionOnNetuid::<Runtime>::get(hotkey, NetUid(other)));
            graph.hotkeys.iter().map(emission).collect()
        })
        .collect();
    Some(SubnetState {
        netuid: graph.netuid,
        hotkeys: graph.hotkeys,
        coldkeys: graph.coldkeys,
        active: graph.active,
        validator_permit: graph.validator_permit,
        pruning_score: graph.pruning_score,
        last_update: graph.last_update,
        emission: graph.emission,
        dividends: graph.dividends,
        incentives: graph.incentives,
        consensus: graph.consensus,
        trust: graph.trust,
        rank: graph.rank,
        block_at_registration: graph.block_at_registration,
        alpha_stake: graph.alpha_stake,
        tao_stake: graph.tao_stake,
        total_stake: graph.total_stake,
        emission_history: history,
    })
}

/// Returns the block in which the next epoch of a subnet is due; None where it has none.
pub fn next_epoch(netuid: u16) -> Option<u64> {
    let id = existing(netuid)?;
    let tempo = Tempo::<Runtime>::get(id);
    if tempo == 0 {
        return None;
    }
    let regular = LastEpochBlock::<Runtime>::get(id).saturating_add(tempo.into());
    let next = Subtensor::current_block().saturating_add(1);
    Some(match PendingEpochAt::<Runtime>::get(id) {
        0 => regular.max(next),
        pending => regular.min(pending).max(next),
    })
}

/// Returns what a new subnet costs at this block, in rao: twice the last price, falling to the floor.
pub fn lock_cost() -> u64 {
    Subtensor::network_lock_cost()
}
