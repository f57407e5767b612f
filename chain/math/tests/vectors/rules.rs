//! Puts the scalar vectors as questions and compares the answers.

use arbor_math::{
    burn::BURN_INCREASE_MULT, coinbase::EmissionSplit, compute, schedule::EpochState, shares::SubnetPrice,
    MathAnswer, MathQuery,
};
use serde_json::Value;

const OWNER_CUT: u16 = 11_796;
const MIN_BURN: u64 = 500_000;
const MAX_BURN: u64 = 100_000_000_000;

fn uint(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn short(value: &Value) -> u16 {
    uint(value).try_into().unwrap()
}

fn flag(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| uint(value) == 1)
}

/// Reads a fraction as fixed-point bits.
fn q(value: &Value, bits: i32) -> u128 {
    (value.as_f64().unwrap() * 2f64.powi(bits)) as u128
}

fn amount(query: MathQuery) -> u64 {
    match compute(&query) {
        MathAnswer::Amount(amount) => amount,
        other => panic!("{query:?} answered {other:?}"),
    }
}

/// Checks the whole file and counts its cases.
pub fn check(file: &Value) -> usize {
    let mut count = 0;
    for (key, cases) in file.as_object().unwrap() {
        for case in cases.as_array().into_iter().flatten() {
            count += 1;
            check_case(key, case);
        }
    }
    count
}

fn check_case(key: &str, case: &Value) {
    match key {
        "block_emission" => {
            let query = MathQuery::BlockEmission {
                issuance: uint(&case["issuance"]),
            };
            assert_eq!(amount(query), uint(&case["rao"]), "{case}");
        }
        "max_upscale" => {
            let row = |name: &str| {
                case[name]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(short)
                    .collect::<Vec<u16>>()
            };
            let answer = compute(&MathQuery::MaxUpscale {
                weights: row("input"),
            });
            assert_eq!(answer, MathAnswer::Weights(row("output")), "{case}");
        }
        "burn_decay" => {
            let query = MathQuery::BurnDecayFactor {
                half_life: short(&case["half_life"]),
            };
            assert_eq!(amount(query), uint(&case["factor_q32"]), "{case}");
        }
        "burn_price_sequence_start_1tao_half_life_360" => {
            let (price, blocks) = (1_000_000_000, uint(&case[0]) as u32);
            let query = MathQuery::BurnPriceAfter {
                price,
                half_life: 360,
                blocks,
                min: MIN_BURN,
                max: MAX_BURN,
            };
            assert_eq!(amount(query), uint(&case[1]), "{case}");
        }
        "burn_increase" => {
            let (price, mult) = (uint(&case[0]), BURN_INCREASE_MULT);
            let query = MathQuery::BurnPriceBumped {
                price,
                mult,
                min: MIN_BURN,
                max: MAX_BURN,
            };
            assert_eq!(amount(query), uint(&case[1]), "{case}");
        }
        "epoch_schedule_425" => check_schedule(case),
        "epoch_schedule_old_formula" => {
            let (netuid, tempo) = (short(&case["netuid"]), short(&case["tempo"]));
            let answer = compute(&MathQuery::LegacyEpochDue {
                netuid,
                tempo,
                block: uint(&case["block"]),
            });
            assert_eq!(answer, MathAnswer::Flag(flag(&case["run"])), "{case}");
        }
        "emission_split" => check_split(case),
        "subnet_shares_425" => check_shares(case),
        "activity_cutoff" => {
            let query = MathQuery::ActivityCutoff {
                factor_milli: 13_889,
                tempo: short(&case[0]),
            };
            assert_eq!(amount(query), uint(&case[1]), "{case}");
        }
        _ => panic!("unknown rule {key}"),
    }
}

fn check_schedule(case: &Value) {
    let state = EpochState {
        tempo: short(&case["tempo"]),
        last_epoch_block: uint(&case["last_epoch_block"]),
        pending_epoch_at: uint(&case["pending"]),
        blocks_since_last_step: uint(&case["blocks_since_last_step"]),
    };
    let want = MathAnswer::Due {
        run: flag(&case["run"]),
        blocks_until_auto: uint(&case["blocks_until_auto"]),
    };
    assert_eq!(
        compute(&MathQuery::EpochDue {
            state,
            block: uint(&case["block"])
        }),
        want,
        "{case}"
    );
}

/// The vectors allow a tolerance of 1 rao; none is needed.
fn check_split(case: &Value) {
    let answer = compute(&MathQuery::SplitEmission {
        alpha_out: uint(&case["alpha_out"]),
        owner_cut: OWNER_CUT,
        root_proportion: q(&case["root_proportion"], 32) as u64,
    });
    let want = EmissionSplit {
        owner_cut: uint(&case["owner_cut"]),
        server: uint(&case["server"]),
        root_alpha: uint(&case["root_alpha"]),
        validator: uint(&case["validator"]),
    };
    assert_eq!(answer, MathAnswer::Split(want), "{case}");
}

fn check_shares(case: &Value) {
    let column = |name: &str| case[name].as_array().unwrap().clone();
    let (prices, burned, enabled) = (
        column("moving_price"),
        column("miner_burned"),
        column("emission_enabled"),
    );
    let subnet = |i: usize| SubnetPrice {
        moving_price: q(&prices[i], 64),
        miner_burned: q(&burned[i], 64),
        emission_enabled: flag(&enabled[i]),
    };
    let subnets: Vec<SubnetPrice> = (0..prices.len()).map(subnet).collect();
    let MathAnswer::Shares(shares) = compute(&MathQuery::SubnetShares { subnets }) else {
        panic!("no shares for {case}");
    };
    let tolerance = case["tolerance"].as_f64().unwrap();
    for (got, want) in shares.iter().zip(column("share")) {
        let got = *got as f64 / 2f64.powi(64);
        assert!((got - want.as_f64().unwrap()).abs() <= tolerance, "{case}: {got}");
    }
}
