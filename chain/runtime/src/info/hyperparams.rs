//! The rules that a subnet runs by, in the three layouts that clients know.

use super::*;

use arbor_math::schedule::activity_cutoff;
use arbor_runtime_api::rpc_info::{
    fixed::FixedI64,
    subnet_info::{HyperparamEntry, HyperparamValue, SubnetHyperparams, SubnetHyperparamsV2},
};
use pallet_subtensor::*;

/// Blocks after which a uid that set no weights counts as inactive.
pub(super) fn activity_cutoff_of(netuid: NetUid) -> u16 {
    let blocks = activity_cutoff(
        ActivityCutoffFactorMilli::<Runtime>::get(netuid),
        Tempo::<Runtime>::get(netuid),
    );
    blocks.try_into().unwrap_or(u16::MAX)
}

/// The steepness is stored in hundredths.
fn steepness(netuid: NetUid) -> FixedI64 {
    let hundredths = i64::from(AlphaSigmoidSteepness::<Runtime>::get(netuid));
    FixedI64 {
        bits: (hundredths << 32) / 100,
    }
}

/// Returns the first layout.
pub fn v1(netuid: u16) -> Option<SubnetHyperparams> {
    let netuid = existing(netuid)?;
    let (alpha_low, alpha_high) = AlphaValues::<Runtime>::get(netuid);
    Some(SubnetHyperparams {
        rho: Compact(Rho::<Runtime>::get(netuid)),
        kappa: Compact(Kappa::<Runtime>::get(netuid)),
        immunity_period: Compact(ImmunityPeriod::<Runtime>::get(netuid)),
        min_allowed_weights: Compact(MinAllowedWeights::<Runtime>::get(netuid)),
        max_weights_limit: Compact(MaxWeightsLimit::<Runtime>::get(netuid)),
        tempo: Compact(Tempo::<Runtime>::get(netuid)),
        min_difficulty: Compact(MinDifficulty::<Runtime>::get(netuid)),
        max_difficulty: Compact(MaxDifficulty::<Runtime>::get(netuid)),
        weights_version: Compact(WeightsVersionKey::<Runtime>::get(netuid)),
        weights_rate_limit: Compact(WeightsSetRateLimit::<Runtime>::get(netuid)),
        adjustment_interval: Compact(AdjustmentInterval::<Runtime>::get(netuid)),
        activity_cutoff: Compact(activity_cutoff_of(netuid)),
        registration_allowed: NetworkRegistrationAllowed::<Runtime>::get(netuid),
        target_regs_per_interval: Compact(TargetRegistrationsPerInterval::<Runtime>::get(netuid)),
        min_burn: Compact(MinBurn::<Runtime>::get(netuid)),
        max_burn: Compact(MaxBurn::<Runtime>::get(netuid)),
        bonds_moving_avg: Compact(BondsMovingAverage::<Runtime>::get(netuid)),
        max_regs_per_block: Compact(MaxRegistrationsPerBlock::<Runtime>::get(netuid)),
        serving_rate_limit: Compact(ServingRateLimit::<Runtime>::get(netuid)),
        max_validators: Compact(MaxAllowedValidators::<Runtime>::get(netuid)),
        adjustment_alpha: Compact(AdjustmentAlpha::<Runtime>::get(netuid)),
        difficulty: Compact(Difficulty::<Runtime>::get(netuid)),
        commit_reveal_period: Compact(RevealPeriodEpochs::<Runtime>::get(netuid)),
        commit_reveal_weights_enabled: CommitRevealWeightsEnabled::<Runtime>::get(netuid),
        alpha_high: Compact(alpha_high),
        alpha_low: Compact(alpha_low),
        liquid_alpha_enabled: LiquidAlphaOn::<Runtime>::get(netuid),
    })
}

/// Returns the second layout.
pub fn v2(netuid: u16) -> Option<SubnetHyperparamsV2> {
    let first = v1(netuid)?;
    let netuid = NetUid(netuid);
    Some(SubnetHyperparamsV2 {
        rho: first.rho,
        kappa: first.kappa,
        immunity_period: first.immunity_period,
        min_allowed_weights: first.min_allowed_weights,
        max_weights_limit: first.max_weights_limit,
        tempo: first.tempo,
        min_difficulty: first.min_difficulty,
        max_difficulty: first.max_difficulty,
        weights_version: first.weights_version,
        weights_rate_limit: first.weights_rate_limit,
        adjustment_interval: first.adjustment_interval,
        activity_cutoff: first.activity_cutoff,
        registration_allowed: first.registration_allowed,
        target_regs_per_interval: first.target_regs_per_interval,
        min_burn: first.min_burn,
        max_burn: first.max_burn,
        bonds_moving_avg: first.bonds_moving_avg,
        max_regs_per_block: first.max_regs_per_block,
        serving_rate_limit: first.serving_rate_limit,
        max_validators: first.max_validators,
        adjustment_alpha: first.adjustment_alpha,
        difficulty: first.difficulty,
        commit_reveal_period: first.commit_reveal_period,
        commit_reveal_weights_enabled: first.commit_reveal_weights_enabled,
        alpha_high: first.alpha_high,
        alpha_low: first.alpha_low,
        liquid_alpha_enabled: first.liquid_alpha_enabled,
        alpha_sigmoid_steepness: steepness(netuid),
        yuma_version: Compact(if Yuma3On::<Runtime>::get(netuid) { 3 } else { 2 }),
        subnet_is_active: SubtokenEnabled::<Runtime>::get(netuid),
        transfers_enabled: TransferToggle::<Runtime>::get(netuid),
        bonds_reset_enabled: BondsResetOn::<Runtime>::get(netuid),
        user_liquidity_enabled: false,
    })
}

/// Returns the third layout: names with tagged values.
pub fn v3(netuid: u16) -> Option<Vec<HyperparamEntry>> {
    use HyperparamValue::{Bool, TaoBalance, I32F32, U16, U32, U64, U64F64};
    let rules = v2(netuid)?;
    let netuid = NetUid(netuid);
    let values = [
        ("rho", U16(rules.rho)),
        ("kappa", U16(rules.kappa)),
        ("immunity_period", U16(rules.immunity_period)),
        ("min_allowed_weights", U16(rules.min_allowed_weights)),
        ("max_weights_limit", U16(rules.max_weights_limit)),
        ("tempo", U16(rules.tempo)),
        ("weights_version", U64(rules.weights_version)),
        ("weights_rate_limit", U64(rules.weights_rate_limit)),
        ("activity_cutoff", U16(rules.activity_cutoff)),
        (
            "activity_cutoff_factor",
            U32(Compact(ActivityCutoffFactorMilli::<Runtime>::get(netuid))),
        ),
        ("registration_allowed", Bool(rules.registration_allowed)),
        ("target_regs_per_interval", U16(rules.target_regs_per_interval)),
        ("min_burn", TaoBalance(rules.min_burn)),
        ("max_burn", TaoBalance(rules.max_burn)),
        (
            "burn_half_life",
            U16(Compact(BurnHalfLife::<Runtime>::get(netuid))),
        ),
        (
            "burn_increase_mult",
            U64F64(BurnIncreaseMult::<Runtime>::get(netuid)),
        ),
        ("bonds_moving_avg", U64(rules.bonds_moving_avg)),
        (
            "bonds_penalty",
            U16(Compact(BondsPenalty::<Runtime>::get(netuid))),
        ),
        ("max_regs_per_block", U16(rules.max_regs_per_block)),
        ("serving_rate_limit", U64(rules.serving_rate_limit)),
        ("max_validators", U16(rules.max_validators)),
        ("commit_reveal_period", U64(rules.commit_reveal_period)),
        (
            "commit_reveal_weights_enabled",
            Bool(rules.commit_reveal_weights_enabled),
        ),
        ("alpha_high", U16(rules.alpha_high)),
        ("alpha_low", U16(rules.alpha_low)),
        ("liquid_alpha_enabled", Bool(rules.liquid_alpha_enabled)),
        ("alpha_sigmoid_steepness", I32F32(rules.alpha_sigmoid_steepness)),
        ("yuma_version", U16(rules.yuma_version)),
        ("subnet_is_active", Bool(rules.subnet_is_active)),
        ("transfers_enabled", Bool(rules.transfers_enabled)),
        ("bonds_reset_enabled", Bool(rules.bonds_reset_enabled)),
        ("user_liquidity_enabled", Bool(rules.user_liquidity_enabled)),
    ];
    let entry = |(name, value): (&str, HyperparamValue)| HyperparamEntry {
        name: name.as_bytes().to_vec(),
        value,
    };
    Some(values.into_iter().map(entry).collect())
}
