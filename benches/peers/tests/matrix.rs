//! The matrix as it is run: cells of its own, and runs so short that no figure means anything.
//!
//! `cargo test --release`: builds the contestants first, then takes half a minute.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const CELLS: &str = include_str!("matrix/tiny.toml");

#[test]
fn every_kind_of_cell_comes_to_a_row_and_its_runs_are_written_down() {
    peers::build().expect("the contestants build");
    let directory = tempfile::tempdir().expect("a directory");
    let output = matrix(directory.path(), CELLS, &[]);
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    // Met or missed: that depends on the machine. An error does not.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{said}{failed}");
    let json = fs::read_to_string(directory.path().join("matrix.json")).expect("it was written");
    let json: Value = serde_json::from_str(&json).expect("it is JSON");
    let kind = |row: &Value| row["kind"].as_str().map(str::to_owned);
    let mut kinds: Vec<_> =
        json["rows"].as_array().expect("rows").iter().filter_map(kind).collect();
    kinds.dedup();
    let expected = [
        "overload",
        "step",
        "burst",
        "classes",
        "neighbour",
        "rare class",
        "demand",
        "fairness",
        "controllers",
        "quiet",
    ];
    assert_eq!(kinds, expected);
    let runs = json["runs"].as_array().expect("runs");
    assert!(runs.iter().all(|run| run["report"]["scheduled"].as_u64() > Some(0)), "{failed}");
    // Only the web_server has threads that burn, and so a front.
    let has_front = |run: &&Value| run["front_cpu_seconds"].is_f64();
    assert!(runs.iter().filter(has_front).all(|run| run["server"] != "axum-bounded-queue-16"));
    assert!(runs.iter().filter(has_front).count() > 0);
    let markdown = fs::read_to_string(directory.path().join("matrix.md")).expect("written, too");
    assert!(markdown.contains("| work at 1.2x |"), "{markdown}");
}

#[test]
fn a_cell_that_does_not_exist_and_a_wrong_key_are_errors_by_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let unknown = matrix(directory.path(), CELLS, &["--only", "nothing"]);
    assert_eq!(unknown.status.code(), Some(2));
    let said = String::from_utf8_lossy(&unknown.stderr);
    assert!(said.contains("no cell is called \"nothing\"; the file has work, "), "{said}");
    let wrong = matrix(directory.path(), &CELLS.replace("rounds = 1", "round = 1"), &[]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("unknown field `round`"));
}

#[test]
fn a_cell_whose_server_does_not_start_is_a_row_that_was_not_run() {
    peers::build().expect("the contestants build");
    let directory = tempfile::tempdir().expect("a directory");
    let cells = CELLS.replace("flags = [\"--deadline\"", "flags = [\"--deadlin\"");
    let output = matrix(directory.path(), &cells, &["--only", "fairness,quiet"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("fairness: not run\n  (not run: seda on cores [0] ended with"), "{said}");
    assert!(said.contains("0 of 2 rows met"), "{said}");
}

fn matrix(directory: &Path, cells: &str, words: &[&str]) -> Output {
    let file = directory.join("cells.toml");
    fs::write(&file, cells).expect("room for the cells");
    let mut command = Command::new(env!("CARGO_BIN_EXE_matrix"));
    command.args(["--no-build", "--keep-docs", "--cells"]).arg(file);
    command.arg("--results").arg(directory).args(words);
    command.output().expect("it runs")
}
