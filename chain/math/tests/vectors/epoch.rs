//! Reads epoch cases and compares every field they expect.

use arbor_math::{run_epoch, EpochInput, EpochOutput};
use serde::Deserialize;
use serde_json::{json, Value};

/// Absent keys have the defaults of the vector schema.
#[derive(Deserialize)]
#[serde(default)]
struct Case {
    n: u16,
    current_block: u64,
    tempo: u16,
    activity_cutoff: u64,
    last_update: Vec<u64>,
    block_at_registration: Vec<u64>,
    last_mechanism_step_block: u64,
    stake: Vec<u64>,
    min_stake: u64,
    owner_uid: Option<u16>,
    validator_permits: Vec<bool>,
    max_allowed_validators: u16,
    weights: Vec<Vec<(u16, u16)>>,
    bonds: Vec<Vec<(u16, u16)>>,
    kappa: u16,
    bonds_penalty: u16,
    bonds_moving_average: u64,
    yuma3: bool,
    liquid_alpha: bool,
    alpha_low: u16,
    alpha_high: u16,
    alpha_sigmoid_steepness: i16,
    commit_blocks: Option<Vec<u64>>,
    rao_emission: u64,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            n: 0,
            current_block: 0,
            tempo: 360,
            activity_cutoff: 5000,
            last_update: vec![],
            block_at_registration: vec![],
            last_mechanism_step_block: 0,
            stake: vec![],
            min_stake: 0,
            owner_uid: None,
            validator_permits: vec![],
            max_allowed_validators: 128,
            weights: vec![],
            bonds: vec![],
            kappa: 32_767,
            bonds_penalty: 0,
            bonds_moving_average: 900_000,
            yuma3: false,
            liquid_alpha: false,
            alpha_low: 45_875,
            alpha_high: 58_982,
            alpha_sigmoid_steepness: 1000,
            commit_blocks: None,
            rao_emission: 0,
        }
    }
}

fn input(case: Case) -> EpochInput {
    EpochInput {
        n: case.n,
        current_block: case.current_block,
        tempo: case.tempo,
        activity_cutoff: case.activity_cutoff,
        last_update: case.last_update,
        block_at_registration: case.block_at_registration,
        last_mechanism_step_block: case.last_mechanism_step_block,
        stake: case.stake,
        min_stake: case.min_stake,
        owner_uid: case.owner_uid,
        validator_permits: case.validator_permits,
        max_allowed_validators: case.max_allowed_validators,
        weights: case.weights,
        bonds: case.bonds,
        kappa: case.kappa,
        bonds_penalty: case.bonds_penalty,
        bonds_moving_average: case.bonds_moving_average,
        yuma3: case.yuma3,
        liquid_alpha: case.liquid_alpha,
        alpha_low: case.alpha_low,
        alpha_high: case.alpha_high,
        alpha_sigmoid_steepness: case.alpha_sigmoid_steepness,
        commit_blocks: case.commit_blocks,
        rao_emission: case.rao_emission,
    }
}

fn stored_field(out: &EpochOutput, field: &str) -> Value {
    match field {
        "active" => json!(out.active),
        "stake_weight" => json!(out.stake_weight),
        "consensus" => json!(out.consensus),
        "validator_trust" => json!(out.validator_trust),
        "incentive" => json!(out.incentive),
        "dividends" => json!(out.dividends),
        "new_validator_permits" => json!(out.new_validator_permits),
        "server_emission" => json!(out.server_emission),
        "validator_emission" => json!(out.validator_emission),
        "emission" => json!(out.emission),
        "bonds" => json!(out.bonds),
        _ => panic!("unknown field {field}"),
    }
}

/// Compares by value: where another crate of the build keeps JSON numbers as text, `1e-07` and `1e-7` differ.
fn same(want: &Value, got: &Value) -> bool {
    match (want, got) {
        (Value::Array(want), Value::Array(got)) => {
            want.len() == got.len() && want.iter().zip(got).all(|(want, got)| same(want, got))
        }
        (Value::Number(want), Value::Number(got)) => match (want.as_u64(), got.as_u64()) {
            (Some(want), Some(got)) => want == got,
            _ => want.as_f64().is_some() && want.as_f64() == got.as_f64(),
        },
        _ => want == got,
    }
}

/// I32F32 has at most 53 significant bits here, so that a double holds it exactly.
fn float(bits: i64) -> f64 {
    bits as f64 / 4_294_967_296.0
}

fn float_field(out: &EpochOutput, field: &str) -> Value {
    let vector = |values: &[i64]| json!(values.iter().map(|bits| float(*bits)).collect::<Vec<f64>>());
    let matrix = |rows: &[Vec<(u16, i64)>]| {
        let row = |row: &Vec<(u16, i64)>| row.iter().map(|(uid, bits)| json!([uid, float(*bits)])).collect();
        json!(rows.iter().map(row).collect::<Vec<Vec<Value>>>())
    };
    match field {
        "stake" => vector(&out.bits.stake),
        "active_stake" => vector(&out.bits.active_stake),
        "consensus" => vector(&out.bits.consensus),
        "validator_trust" => vector(&out.bits.validator_trust),
        "incentive" => vector(&out.bits.incentive),
        "dividends" => vector(&out.bits.dividends),
        "weights" => matrix(&out.bits.weights),
        "ema_bonds" => matrix(&out.bits.ema_bonds),
        _ => panic!("unknown float field {field}"),
    }
}

#[derive(Default)]
pub struct Report {
    pub cases: usize,
    pub values: usize,
    pub failures: Vec<String>,
}

impl Report {
    pub fn file(&mut self, name: &str, file: &Value) {
        let lists = [file.get("steps"), file.get("cases")];
        for (number, case) in lists
            .into_iter()
            .flatten()
            .flat_map(|list| list.as_array().unwrap())
            .enumerate()
        {
            self.case(&format!("{name}[{number}]"), case);
        }
        for (variant, content) in file
            .get("variants")
            .into_iter()
            .flat_map(|map| map.as_object().unwrap())
        {
            for (number, case) in content["steps"].as_array().unwrap().iter().enumerate() {
                self.case(&format!("{name} {variant}[{number}]"), case);
            }
        }
    }

    fn case(&mut self, label: &str, case: &Value) {
        self.cases += 1;
        let out = run_epoch(&input(serde_json::from_value(case["input"].clone()).unwrap()));
        for (field, want) in case["expect"].as_object().unwrap() {
            self.compare(label, field, want, &stored_field(&out, field));
        }
        for (field, want) in case
            .get("expect_float")
            .into_iter()
            .flat_map(|map| map.as_object().unwrap())
        {
            self.compare(
                label,
                &format!("{field} (float)"),
                want,
                &float_field(&out, field),
            );
        }
    }

    fn compare(&mut self, label: &str, field: &str, want: &Value, got: &Value) {
        self.values += 1;
        if !same(want, got) {
            self.failures
                .push(format!("{label} {field}: expected {want:.300} got {got:.300}"));
        }
    }
}
