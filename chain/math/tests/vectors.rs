//! Runs every vector file of the reference through the epoch and the scalar rules, bit for bit.

#[path = "vectors/epoch.rs"]
mod epoch;
#[path = "vectors/rules.rs"]
mod rules;

use std::{fs, path::PathBuf};

use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test/vectors/yuma")
}

fn read(path: &PathBuf) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn epochs_equal_the_reference_when_run_on_every_vector() {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files
        .retain(|path| path.extension().is_some_and(|end| end == "json") && !path.ends_with("emission.json"));
    files.sort();
    let mut report = epoch::Report::default();
    for path in &files {
        report.file(path.file_name().unwrap().to_str().unwrap(), &read(path));
    }
    println!(
        "{} files, {} cases, {} values",
        files.len(),
        report.cases,
        report.values
    );
    assert!(files.len() >= 49 && report.cases >= 2861, "vectors are missing");
    let shown = report
        .failures
        .iter()
        .take(20)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        report.failures.is_empty(),
        "{} failures\n{shown}",
        report.failures.len()
    );
}

#[test]
fn rules_equal_the_reference_when_run_on_the_emission_vectors() {
    let count = rules::check(&read(&folder().join("emission.json")));
    assert_eq!(count, 144, "rules of the vector file that were checked");
}
