//! A whole subnet in one answer, and those parts of it that a caller names.

use super::*;

use arbor_runtime_api::rpc_info::metagraph::{Metagraph, SelectiveMetagraph};
use codec::Encode;
use pallet_subtensor::*;

/// Returns everything about a subnet and one of its mechanisms.
pub fn metagraph(netuid: u16, mechanism: u8) -> Option<Metagraph> {
    let id = existing(netuid)?;
    if mechanism >= MechanismCountCurrent::<Runtime>::get(id) {
        return None;
    }
    let index = NetUidStorageIndex::new(id, MechId(mechanism));
    let n = SubnetworkN::<Runtime>::get(id);
    let rules = hyperparams::v1(netuid)?;
    let pool = subnets::dynamic_info(netuid)?;
    let hotkeys: Vec<AccountId> = (0..n).map(|uid| Keys::<Runtime>::get(id, uid)).collect();
    let incentives = column(id, &Incentive::<Runtime>::get(index), Compact);
    let stake = stakes::columns(id);
    Some(Metagraph {
        netuid: Compact(netuid),
        name: pool.subnet_name,
        symbol: pool.token_symbol,
        identity: subnets::identity(netuid),
        network_registered_at: pool.network_registered_at,
        owner_hotkey: pool.owner_hotkey,
        owner_coldkey: pool.owner_coldkey,
        block: Compact(Subtensor::current_block()),
        tempo: rules.tempo,
        last_step: pool.last_step,
        blocks_since_last_step: pool.blocks_since_last_step,
        subnet_emission: pool.emission,
        alpha_in: pool.alpha_in,
        alpha_out: pool.alpha_out,
        tao_in: pool.tao_in,
        alpha_out_emission: pool.alpha_out_emission,
        alpha_in_emission: pool.alpha_in_emission,
        tao_in_emission: pool.tao_in_emission,
        pending_alpha_emission: pool.pending_alpha_emission,
        pending_root_emission: pool.pending_root_emission,
        subnet_volume: pool.subnet_volume,
        moving_price: pool.moving_price,
        rho: rules.rho,
        kappa: rules.kappa,
        min_allowed_weights: rules.min_allowed_weights,
        max_weights_limit: rules.max_weights_limit,
        weights_version: rules.weights_version,
        weights_rate_limit: rules.weights_rate_limit,
        activity_cutoff: rules.activity_cutoff,
        max_validators: rules.max_validators,
        num_uids: Compact(n),
        max_uids: Compact(MaxAllowedUids::<Runtime>::get(id)),
        burn: Compact(Burn::<Runtime>::get(id)),
        difficulty: rules.difficulty,
        registration_allowed: rules.registration_allowed,
        pow_registration_allowed: NetworkPowRegistrationAllowed::<Runtime>::get(id),
        immunity_period: rules.immunity_period,
        min_difficulty: rules.min_difficulty,
        max_difficulty: rules.max_difficulty,
        min_burn: rules.min_burn,
        max_burn: rules.max_burn,
        adjustment_alpha: rules.adjustment_alpha,
        adjustment_interval: rules.adjustment_interval,
        target_regs_per_interval: rules.target_regs_per_interval,
        max_regs_per_block: rules.max_regs_per_block,
        serving_rate_limit: rules.serving_rate_limit,
        commit_reveal_weights_enabled: rules.commit_reveal_weights_enabled,
        commit_reveal_period: rules.commit_reveal_period,
        liquid_alpha_enabled: rules.liquid_alpha_enabled,
        alpha_high: rules.alpha_high,
        alpha_low: rules.alpha_low,
        bonds_moving_avg: rules.bonds_moving_avg,
        coldkeys: hotkeys.iter().map(Owner::<Runtime>::get).collect(),
        identities: hotkeys
            .iter()
            .map(|hotkey| IdentitiesV2::<Runtime>::get(Owner::<Runtime>::get(hotkey)))
            .collect(),
        axons: hotkeys
            .iter()
            .map(|hotkey| Axons::<Runtime>::get(id, hotkey).unwrap_or_default())
            .collect(),
        active: column(id, &Active::<Runtime>::get(id), |value| value),
        validator_permit: column(id, &ValidatorPermit::<Runtime>::get(id), |value| value),
        pruning_score: hotkeys.iter().map(|_| Compact(u16::MAX)).collect(),
        last_update: column(id, &LastUpdate::<Runtime>::get(index), Compact),
        emission: column(id, &Emission::<Runtime>::get(id), Compact),
        dividends: column(id, &Dividends::<Runtime>::get(id), Compact),
        consensus: column(id, &Consensus::<Runtime>::get(id), Compact),
        trust: hotkeys.iter().map(|_| Compact(0)).collect(),
        rank: incentives.clone(),
        incentives,
        block_at_registration: (0..n)
            .map(|uid| Compact(BlockAtRegistration::<Runtime>::get(id, uid)))
            .collect(),
        alpha_stake: column(id, &stake.alpha, Compact),
        tao_stake: column(id, &stake.tao, Compact),
        total_stake: column(id, &stake.total, Compact),
        tao_dividends_per_hotkey: hotkeys
            .iter()
            .map(|hotkey| (hotkey.clone(), Compact(0)))
            .collect(),
        alpha_dividends_per_hotkey: hotkeys
            .iter()
            .map(|hotkey| {
                (
                    hotkey.clone(),
                    Compact(AlphaDividendsPerSubnet::<Runtime>::get(id, hotkey)),
                )
            })
            .collect(),
        hotkeys,
    })
}

/// Lists every mechanism of every subnet; holes are None.
pub fn all_mechanisms() -> Vec<Option<Metagraph>> {
    let Some(last) = netuids().last().copied() else {
        return Vec::new();
    };
    (0..=last)
        .flat_map(|netuid| {
            let count = MechanismCountCurrent::<Runtime>::get(NetUid(netuid)).max(1);
            (0..count).map(move |mechanism| metagraph(netuid, mechanism))
        })
        .collect()
}

/// Moves the wanted fields out of a metagraph; a field's number is its position in the answer.
macro_rules! select {
    ($full:ident, $wanted:ident, $netuid:ident; $($index:literal $field:ident)*) => {
        SelectiveMetagraph {
            netuid: $full.netuid,
            validators: $wanted.contains(&72).then(|| validators($netuid)),
            commitments: $wanted.contains(&73).then(|| commitments($netuid)),
            $($field: $wanted.contains(&$index).then_some($full.$field),)*
        }
    };
}

fn validators(netuid: NetUid) -> Vec<Compact<u16>> {
    let permits = ValidatorPermit::<Runtime>::get(netuid);
    permits
        .into_iter()
        .enumerate()
        .filter(|(_, permit)| *permit)
        .map(|(uid, _)| Compact(uid as u16))
        .collect()
}

/// The records of the present neurons, at most 256; others may have left some too.
fn commitments(netuid: NetUid) -> Vec<(AccountId, Vec<Compact<u8>>)> {
    (0..SubnetworkN::<Runtime>::get(netuid))
        .filter_map(|uid| {
            let who = Keys::<Runtime>::get(netuid, uid);
            let record = pallet_commitments::CommitmentOf::<Runtime>::get(netuid.0, &who)?;
            Some((who, compact_bytes(&record.encode())))
        })
        .collect()
}

/// Returns those fields of a metagraph whose numbers the caller gives.
pub fn selective(netuid: u16, mechanism: u8, wanted: Vec<u16>) -> Option<SelectiveMetagraph> {
    let full = metagraph(netuid, mechanism)?;
    let id = NetUid(netuid);
    Some(select!(full, wanted, id;
        1 name 2 symbol 3 identity 4 network_registered_at 5 owner_hotkey 6 owner_coldkey 7 block 8 tempo
        9 last_step 10 blocks_since_last_step 11 subnet_emission 12 alpha_in 13 alpha_out 14 tao_in
        15 alpha_out_emission 16 alpha_in_emission 17 tao_in_emission 18 pending_alpha_emission
        19 pending_root_emission 20 subnet_volume 21 moving_price 22 rho 23 kappa 24 min_allowed_weights
        25 max_weights_limit 26 weights_version 27 weights_rate_limit 28 activity_cutoff 29 max_validators
        30 num_uids 31 max_uids 32 burn 33 difficulty 34 registration_allowed 35 pow_registration_allowed
        36 immunity_period 37 min_difficulty 38 max_difficulty 39 min_burn 40 max_burn 41 adjustment_alpha
        42 adjustment_interval 43 target_regs_per_interval 44 max_regs_per_block 45 serving_rate_limit
        46 commit_reveal_weights_enabled 47 commit_reveal_period 48 liquid_alpha_enabled 49 alpha_high
        50 alpha_low 51 bonds_moving_avg 52 hotkeys 53 coldkeys 54 identities 55 axons 56 active
        57 validator_permit 58 pruning_score 59 last_update 60 emission 61 dividends 62 incentives 63 consensus
        64 trust 65 rank 66 block_at_registration 67 alpha_stake 68 tao_stake 69 total_stake
        70 tao_dividends_per_hotkey 71 alpha_dividends_per_hotkey
    ))
}
