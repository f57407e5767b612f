//! The reference's epochs, through storage and a whole block.

use super::mock::*;
use crate::*;
use frame_support::traits::Hooks;
use serde_json::Value;

const INDEX: NetUidStorageIndex = NetUidStorageIndex(1);

fn read(name: &str) -> Value {
    let path = format!(
        "{}/../../../test/vectors/yuma/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_str(&std::fs::read_to_string(path).expect("the vector is there")).expect("it is JSON")
}

fn list<V: serde::de::DeserializeOwned>(value: &Value) -> Vec<V> {
    serde_json::from_value(value.clone()).unwrap_or_else(|why| panic!("{why} in {value}"))
}

fn number(input: &Value, name: &str, absent: u64) -> u64 {
    input[name].as_u64().unwrap_or(absent)
}

fn flag(input: &Value, name: &str) -> bool {
    input[name].as_bool().unwrap_or(false)
}

/// Writes a case's input into storage: neurons 1000.., each with a coldkey 2000.. of its own.
fn write(input: &Value) {
    let n = number(input, "n", 0) as u16;
    let tempo = number(input, "tempo", 0);
    let cutoff = number(input, "activity_cutoff", 0);
    let factor = if tempo > 1_000 {
        13_889
    } else {
        (cutoff * 1_000).div_ceil(tempo) as u32
    };
    assert_eq!(
        arbor_math::schedule::activity_cutoff(factor, tempo as u16),
        cutoff,
        "cutoff of the case"
    );
    NetworksAdded::<Test>::insert(NET, true);
    SubnetworkN::<Test>::insert(NET, n);
    Tempo::<Test>::insert(NET, tempo as u16);
    ActivityCutoffFactorMilli::<Test>::insert(NET, factor);
    LastUpdate::<Test>::insert(INDEX, list::<u64>(&input["last_update"]));
    LastMechansimStepBlock::<Test>::insert(NET, number(input, "last_mechanism_step_block", 0));
    ValidatorPermit::<Test>::insert(NET, list::<bool>(&input["validator_permits"]));
    MaxAllowedValidators::<Test>::insert(NET, number(input, "max_allowed_validators", 128) as u16);
    StakeThreshold::<Test>::put(number(input, "min_stake", 0));
    Kappa::<Test>::insert(NET, number(input, "kappa", 32_767) as u16);
    BondsPenalty::<Test>::insert(NET, number(input, "bonds_penalty", 0) as u16);
    BondsMovingAverage::<Test>::insert(NET, number(input, "bonds_moving_average", 900_000));
    Yuma3On::<Test>::insert(NET, flag(input, "yuma3"));
    LiquidAlphaOn::<Test>::insert(NET, flag(input, "liquid_alpha"));
    let (low, high) = (
        number(input, "alpha_low", 45_875),
        number(input, "alpha_high", 58_982),
    );
    AlphaValues::<Test>::insert(NET, (low as u16, high as u16));
    let steepness = input["alpha_sigmoid_steepness"].as_i64().unwrap_or(1_000);
    AlphaSigmoidSteepness::<Test>::insert(NET, steepness as i16);
    SubnetOwner::<Test>::insert(NET, 9_999);
    SubnetOwnerHotkey::<Test>::insert(NET, input["owner_uid"].as_u64().map_or(9_998, |uid| 1_000 + uid));
    let stake = list::<u64>(&input["stake"]);
    let registered = list::<u64>(&input["block_at_registration"]);
    let weights = list::<Vec<(u16, u16)>>(&input["weights"]);
    let bonds = list::<Vec<(u16, u16)>>(&input["bonds"]);
    for uid in 0..n {
        let (at, hotkey, coldkey) = (usize::from(uid), 1_000 + u64::from(uid), 2_000 + u64::from(uid));
        Keys::<Test>::insert(NET, uid, hotkey);
        Uids::<Test>::insert(NET, hotkey, uid);
        IsNetworkMember::<Test>::insert(hotkey, NET, true);
        Owner::<Test>::insert(hotkey, coldkey);
        BlockAtRegistration::<Test>::insert(NET, uid, registered[at]);
        Weights::<Test>::insert(INDEX, uid, &weights[at]);
        Bonds::<Test>::insert(INDEX, uid, &bonds[at]);
        SubtensorModule::increase_stake(&hotkey, &coldkey, NET, stake[at]);
        SubtensorModule::issue_alpha(NET, stake[at]);
    }
    write_commits(input);
}

fn write_commits(input: &Value) {
    CommitRevealWeightsEnabled::<Test>::insert(NET, !input["commit_blocks"].is_null());
    for (uid, block) in input["commit_blocks"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let block = block.as_u64().expect("a block");
        if block != u64::MAX {
            let commits = vec![(
                sp_core::H256::zero(),
                SubnetEpochIndex::<Test>::get(NET),
                block,
                0,
            )];
            WeightCommits::<Test>::insert(INDEX, 1_000 + uid as u64, commits);
        }
    }
}

/// Makes the case's block, in which the epoch is due and the case's emission is pending.
fn run(input: &Value) {
    let (block, emission) = (
        number(input, "current_block", 0),
        number(input, "rao_emission", 0),
    );
    PendingServerEmission::<Test>::insert(NET, emission / 2);
    PendingValidatorEmission::<Test>::insert(NET, emission - emission / 2);
    SubtensorModule::issue_alpha(NET, emission);
    BlocksSinceLastStep::<Test>::insert(NET, arbor_math::schedule::MAX_TEMPO);
    System::set_block_number(block);
    SubtensorModule::on_initialize(block);
}

fn compare(name: &str, input: &Value, expect: &Value) {
    let u16s = |field: &str| list::<u16>(&expect[field]);
    assert_eq!(
        Active::<Test>::get(NET),
        list::<bool>(&expect["active"]),
        "active of {name}"
    );
    assert_eq!(
        StakeWeight::<Test>::get(NET),
        u16s("stake_weight"),
        "stake weight of {name}"
    );
    assert_eq!(
        Consensus::<Test>::get(NET),
        u16s("consensus"),
        "consensus of {name}"
    );
    assert_eq!(
        Incentive::<Test>::get(INDEX),
        u16s("incentive"),
        "incentive of {name}"
    );
    assert_eq!(
        Dividends::<Test>::get(NET),
        u16s("dividends"),
        "dividends of {name}"
    );
    assert_eq!(
        ValidatorTrust::<Test>::get(NET),
        u16s("validator_trust"),
        "trust of {name}"
    );
    let permits = list::<bool>(&expect["new_validator_permits"]);
    assert_eq!(ValidatorPermit::<Test>::get(NET), permits, "permits of {name}");
    assert_eq!(
        Emission::<Test>::get(NET),
        list::<u64>(&expect["emission"]),
        "emission of {name}"
    );
    let bonds = list::<Vec<(u16, u16)>>(&expect["bonds"]);
    let (stake, server) = (
        list::<u64>(&input["stake"]),
        list::<u64>(&expect["server_emission"]),
    );
    let validator = list::<u64>(&expect["validator_emission"]);
    let owner = input["owner_uid"].as_u64();
    for (uid, row) in bonds.iter().enumerate() {
        assert_eq!(
            &Bonds::<Test>::get(INDEX, uid as u16),
            row,
            "bonds of {uid} in {name}"
        );
        if validator[uid] == 0 && owner != Some(uid as u64) {
            let paid = TotalHotkeyAlpha::<Test>::get(1_000 + uid as u64, NET) - stake[uid];
            assert_eq!(paid, server[uid], "stake paid to {uid} in {name}");
        }
    }
}

/// Runs a case on an empty chain; cases with tempo 0 have no epoch here and are skipped. Returns whether it ran.
fn check(name: &str, case: &Value) -> bool {
    let input = &case["input"];
    if number(input, "tempo", 0) == 0 {
        return false;
    }
    chain(vec![]).execute_with(|| {
        write(input);
        run(input);
        compare(name, input, &case["expect"]);
        check_books();
    });
    true
}

fn check_all<'a>(name: &str, cases: impl Iterator<Item = &'a Value>) {
    let ran = cases
        .enumerate()
        .filter(|(at, case)| check(&format!("{name}#{at}"), case))
        .count();
    assert!(ran > 0, "no case of {name} ran");
}

#[test]
fn an_epoch_block_gives_the_reference_storage_when_the_pallet_tests_cases_are_written() {
    let names = [
        "active_stake",
        "bonds_ema_sequence",
        "one_node_self_weight",
        "ten_nodes_self_weights",
        "validator_permits_0",
        "yuma_3_bonds_reset",
        "yuma_3_one_epoch_switch",
        "yuma_3_stable_miner",
        "zero_weights",
    ];
    for name in names {
        let file = read(name);
        check_all(name, file["steps"].as_array().expect("steps").iter());
    }
}

#[test]
fn an_epoch_block_gives_the_reference_storage_when_random_cases_are_written() {
    let file = read("random-100");
    check_all("random-100", file["cases"].as_array().expect("cases").iter());
}

#[test]
fn an_epoch_block_gives_the_reference_storage_when_scenarios_are_written() {
    for name in ["scenario-01", "scenario-09"] {
        let file = read(name);
        for (variant, run) in file["variants"].as_object().expect("variants") {
            check_all(
                &format!("{name} {variant}"),
                run["steps"].as_array().expect("steps").iter().take(8),
            );
        }
    }
}
