//! The matrix as a program, with cells of its own and runs too short for meaningful figures.
//!
//! `cargo test --release` builds the contestants first, then takes half a minute.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const CELLS: &str = include_str!("matrix/tiny.toml");

#[test]
fn every_kind_of_cell_has_a_row_and_every_run_a_record() {
    peers::build().expect("the contestants build");
    let directory = tempfile::tempdir().expect("a directory");
    let output = matrix(directory.path(), CELLS, &[]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    // The machine decides between met and missed; neither is an error.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{stdout}{stderr}");
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
        "on and off",
        "at once",
        "quiet",
    ];
    assert_eq!(kinds, expected);
    let runs = json["runs"].as_array().expect("runs");
    // On a busy machine a short run may have no request.
    assert!(runs.iter().all(|run| run["report"]["scheduled"].is_u64()), "{stderr}");
    assert!(runs.iter().any(|run| run["report"]["scheduled"].as_u64() > Some(0)), "{stderr}");
    // Only web_server has burner threads, and so a front.
    let has_front = |run: &&Value| run["front_cpu_seconds"].is_f64();
    assert!(runs.iter().filter(has_front).all(|run| run["server"] != "axum-bounded-queue-16"));
    assert!(runs.iter().filter(has_front).count() > 0);
    let markdown = fs::read_to_string(directory.path().join("matrix.md")).expect("written, too");
    assert!(markdown.contains("| work at 1.2x |"), "{markdown}");
}

#[test]
fn the_errors_for_an_unknown_cell_and_an_unknown_key_name_them() {
    let directory = tempfile::tempdir().expect("a directory");
    let unknown = matrix(directory.path(), CELLS, &["--only", "nothing"]);
    assert_eq!(unknown.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&unknown.stderr);
    assert!(stderr.contains("no cell is called \"nothing\"; the file has work, "), "{stderr}");
    let wrong = matrix(directory.path(), &CELLS.replace("rounds = 1", "round = 1"), &[]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("unknown field `round`"));
}

#[test]
fn a_cell_without_a_running_server_has_a_row_that_was_not_run() {
    peers::build().expect("the contestants build");
    let directory = tempfile::tempdir().expect("a directory");
    let cells = CELLS.replace("flags = [\"--deadline\"", "flags = [\"--deadlin\"");
    let output = matrix(directory.path(), &cells, &["--only", "fairness,quiet"]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    let reason = "fairness: not run\n  (not run: seda on cores [0] ended with";
    assert!(stdout.contains(reason), "{stdout}");
    assert!(stdout.contains("0 of 2 rows met"), "{stdout}");
}

fn matrix(directory: &Path, cells: &str, flags: &[&str]) -> Output {
    let file = directory.join("cells.toml");
    fs::write(&file, cells).expect("space for the cells");
    let mut command = Command::new(env!("CARGO_BIN_EXE_matrix"));
    command.args(["--no-build", "--keep-docs", "--cells"]).arg(file);
    command.arg("--results").arg(directory).args(flags);
    command.output().expect("it runs")
}
