//! Graphs with a bottleneck that is known by intervention: each stage's demand halved,
//! each bound widened. `tests/bottleneck/` has a spec for each, and its first line the truth.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use seda_core::Report;
use seda_core::report::Bottleneck;
use seda_sim::Spec;
use std::time::Duration;

/// A spec, and the kind and the stage of its bottleneck.
struct Case {
    name: String,
    spec: Spec,
    kind: String,
    stage: Option<String>,
}

/// Returns all cases, by name.
fn cases() -> Vec<Case> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bottleneck");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let cases: Vec<Case> = files.iter().map(|file| case(file)).collect();
    assert_eq!(cases.len(), 10);
    cases
}

fn case(file: &std::path::Path) -> Case {
    let text = std::fs::read_to_string(file).unwrap();
    let truth = text.lines().next().and_then(|line| line.strip_prefix("# Truth: ")).unwrap();
    let (kind, stage) = truth.trim_end_matches('.').split_once(' ').unwrap();
    Case {
        name: file.file_stem().unwrap().to_string_lossy().into_owned(),
        spec: text.parse().unwrap(),
        kind: kind.to_owned(),
        stage: Some(stage).filter(|stage| *stage != "-").map(str::to_owned),
    }
}

fn case_of(name: &str) -> Case {
    cases().into_iter().find(|case| case.name == name).unwrap()
}

fn is_right(case: &Case, found: &Bottleneck) -> bool {
    found.kind.as_str() == case.kind && found.stage == case.stage
}

/// Returns the report at the end of a run.
fn report(case: &Case) -> Report {
    seda_sim::run(&case.spec, 1).unwrap().graph
}

#[test]
fn the_bottleneck_is_the_one_that_intervention_finds() {
    let wrong: Vec<String> = cases()
        .iter()
        .filter_map(|case| {
            let found = report(case).bottleneck;
            (!is_right(case, &found)).then(|| format!("{}: {found:?}\n{found}", case.name))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn in_a_steady_load_every_look_gives_the_same_answer() {
    for mut case in cases().into_iter().filter(|case| case.name != "stale_evidence") {
        let mut looks = Vec::new();
        case.spec.warm_up = Duration::from_secs(12);
        let every = Duration::from_millis(250);
        let mut look = |_: f64, report: &Report| looks.push(report.bottleneck.clone());
        seda_sim::watch(&case.spec, 1, every, &mut look).unwrap();
        let wrong: Vec<_> = looks.iter().filter(|found| !is_right(&case, found)).collect();
        assert_eq!(looks.len(), 80);
        assert!(
            wrong.is_empty(),
            "{}: {} of 80, first {:?}",
            case.name,
            wrong.len(),
            wrong.first()
        );
    }
}

#[test]
fn the_evidence_is_of_the_present_and_not_of_a_whole_life() {
    let found = report(&case_of("stale_evidence")).bottleneck;
    let text = found.to_string();
    assert!(text.contains("takes 20.0 ms"), "{text}");
    let max = found.max_rate.unwrap();
    assert!(max.low <= 50.0 && 50.0 <= max.high, "{text}");
}

#[test]
fn the_resource_that_is_full_next_and_the_gain_of_the_action_are_told() {
    let found = report(&case_of("two_full")).bottleneck;
    let next = found.next.clone().unwrap();
    assert_eq!(next.stage.as_deref(), Some("first"), "{found}");
    // With more workers in `second`, `first` is full at 1 / 8.7 ms.
    let expected = found.expected.unwrap();
    assert!((expected.max_rate.per_second - 115.0).abs() < 6.0, "{found}");
    assert_eq!(found.action, "Raise the workers of `second` from 1 to 2.", "{found}");
}

#[test]
fn the_parts_of_the_holding_time_add_up_to_it_and_a_steady_window_obeys_littles_law() {
    for case in cases() {
        for stage in report(&case).stages {
            let held = stage.last_ten_seconds.holding;
            let known = held.cpu.zip(held.core_wait).zip(held.blocked);
            let ((cpu, core_wait), blocked) = known.expect("the simulator knows them");
            let sum = cpu + core_wait + held.room_wait + held.lock_wait + blocked;
            assert!((sum / held.total.unwrap() - 1.0).abs() < 1e-9, "{}: {held:?}", case.name);
            let error = stage.flow.little_error.unwrap();
            let inside = stage.last_ten_seconds.occupancy;
            // Events that are inside at both ends of the window count in one of the two only.
            assert!(error.abs() < 0.05 * inside + 1.0, "{} {}: {error}", case.name, stage.name);
        }
    }
}

#[test]
fn a_light_load_has_no_bottleneck() {
    for mut case in cases() {
        let full = report(&case).bottleneck.max_rate.unwrap().per_second;
        case.spec.arrivals.rate = Some(0.3 * full);
        case.spec.faults.clear();
        let found = report(&case).bottleneck;
        assert_eq!(found.kind.as_str(), "none", "{}: {found}", case.name);
    }
}

#[test]
fn the_rate_of_saturation_is_predicted_from_below_it() {
    for (name, full) in [
        ("two_full", 100.0),
        ("capped", 100.0),
        ("cores_victim", 250.0),
        ("shared_pool", 100.0),
        ("rate", 100.0),
        ("busy_without_queue", 100.0),
    ] {
        let mut case = case_of(name);
        case.spec.arrivals.rate = Some(0.9 * full);
        case.spec.window = Duration::from_secs(40);
        let found = report(&case).bottleneck;
        let max = found.max_rate.unwrap().per_second;
        assert!((max / full - 1.0).abs() < 0.1, "{name}: {found}");
        assert!(is_right(&case, &found), "{name}: {found}");
    }
}
