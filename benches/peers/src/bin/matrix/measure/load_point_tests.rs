use super::*;
use crate::judge::bound::CpuUsage;
use crate::settings::sample;
use seda_tools::report::LoadReport;

const SPEC: &str = "name = 'work-1ms'
    requests = '/work?micros=1000'
    loads = [5]
    rivals = ['axum-limit-16', 'axum-bounded-queue-4']
    nothing_set = 'goodput'
    goodput = 0.97";
/// Keeps B with a p99 of 20 ms.
const RIVAL: Contestant = Contestant::AxumLimit(16);
/// Loses 10 % of B with a p99 of 5 ms.
const SHORT: Contestant = Contestant::AxumBoundedQueue(4);

fn outcome(goodput: f64, p99: f64) -> RunOutcome {
    let mut load = LoadReport::default();
    load.duration_seconds = 1.0;
    load.response_seconds.p99 = Some(p99);
    load.refusal_seconds.p99 = Some(1e-3);
    load.generator.kept_schedule = true;
    let usage = CpuUsage { cpu: 1.0, ..CpuUsage::default() };
    let (throughput, given_up) = (goodput, Some(0.0));
    RunOutcome { load, goodput, throughput, given_up, usage, series: None }
}

fn point(nothing_set: f64, slo_set: f64, rival: f64) -> LoadPoint {
    let outcomes = vec![
        (Subject::SloSet, outcome(slo_set, 0.024)),
        (Subject::NothingSet, outcome(nothing_set, 0.024)),
        (Subject::Rival(RIVAL), outcome(rival, 0.02)),
        (Subject::Rival(SHORT), outcome(882.0, 0.005)),
    ];
    let costs = Costs { capacity: 1_000.0, served: 1e-3, refused: 5e-6 };
    LoadPoint { outcomes, costs, refusal: Some(5.5e-6), bound: 980.0, waiting: None, oracle: None }
}

/// Returns a point in which every figure reaches its target.
fn good() -> LoadPoint {
    point(970.0, 970.0, 970.0)
}

fn change(point: &mut LoadPoint, subject: Subject, change: impl Fn(&mut RunOutcome)) {
    let found = point.outcomes.iter_mut().filter(|(other, _)| *other == subject);
    found.for_each(|(_, outcome)| change(outcome));
}

fn row_of(spec: &str, points: &[LoadPoint]) -> Row {
    let settings = sample();
    let spec: OverloadSpec = toml::from_str(spec).unwrap();
    let slo = settings.slo;
    let judge = PointJudge { spec: &spec, settings: &settings, slo, rival: RIVAL };
    judge.row(5.0, points)
}

fn row(points: &[LoadPoint]) -> Row {
    row_of(SPEC, points)
}

fn missed(row: &Row) -> Vec<&str> {
    let missed = row.checks.iter().filter(|check| check.met == Some(false));
    missed.map(|check| check.what.as_str()).collect()
}

fn figure<'a>(row: &'a Row, what: &str) -> &'a str {
    let check = row.checks.iter().find(|check| check.what == what);
    check.map_or("no such check", |check| &check.figure)
}

#[test]
fn a_row_whose_medians_reach_every_target_is_met() {
    let row = row(&[point(900.0, 900.0, 960.0), good(), good()]);
    assert_eq!((row.verdict(), row.name.as_str()), ("met", "work-1ms at 5x"));
    assert_eq!(row.notes, [""; 0]);
}

#[test]
fn each_figure_that_misses_its_target_is_a_missed_check() {
    assert_eq!(missed(&row(&[point(940.0, 970.0, 970.0)])), ["nothing set / B"]);
    assert_eq!(missed(&row(&[point(970.0, 940.0, 940.0)])), ["SLO set / B"]);
    assert_eq!(missed(&row(&[point(970.0, 960.0, 980.0)])), ["SLO set / best rival"]);
    let mut slow = good();
    change(&mut slow, Subject::SloSet, |ours| {
        ours.load.response_seconds.p99 = Some(0.201);
        ours.load.refusal_seconds.p99 = Some(0.011);
        ours.given_up = Some(0.002);
    });
    slow.refusal = Some(6e-6);
    let expected = [
        "SLO set: p99 / rivals'",
        "SLO set: given up",
        "SLO set: p99",
        "refusal p99",
        "refusal / bare loop",
    ];
    assert_eq!(missed(&row(&[slow])), expected);
    // A server that refuses nothing in a flood has not made refusals cheap.
    let silent = LoadPoint { refusal: None, ..good() };
    assert_eq!(missed(&row(&[silent])), ["refusal / bare loop"]);
}

#[test]
fn with_nothing_set_a_collapse_misses_every_target_of_that_configuration() {
    let mut down = good();
    change(&mut down, Subject::NothingSet, |ours| {
        (ours.goodput, ours.throughput) = (0.0, 0.0);
        ours.load.response_seconds.p99 = None;
        ours.given_up = Some(0.9);
    });
    let row = row(&[down.clone(), good(), down]);
    let expected = ["nothing set / B", "nothing set: p99 / rivals'", "nothing set: given up"];
    assert_eq!(missed(&row), expected);
    assert_eq!(figure(&row, "nothing set: p99 / rivals'"), "no answer (1.20 to no answer)");
}

#[test]
fn the_p99_to_reach_is_that_of_rivals_that_keep_b_in_the_same_round() {
    assert_eq!(figure(&row(&[good()]), "SLO set: p99 / rivals'"), "1.20");
    // Without any such rival there is nothing to reach.
    let row = row(&[point(970.0, 970.0, 940.0)]);
    assert_eq!(row.verdict(), "met");
    assert_eq!(figure(&row, "SLO set: p99 / rivals'"), "no rival keeps B");
}

#[test]
fn a_row_that_judges_throughput_counts_late_answers_with_nothing_set() {
    let spec = SPEC.replace("nothing_set = 'goodput'", "nothing_set = 'throughput'");
    let mut late = good();
    change(&mut late, Subject::NothingSet, |ours| ours.goodput = 0.0);
    assert_eq!(missed(&row(std::slice::from_ref(&late))), ["nothing set / B"]);
    assert_eq!(missed(&row_of(&spec, &[late])), [""; 0]);
}

#[test]
fn a_row_that_does_not_run_with_nothing_set_has_the_same_columns() {
    let spec = SPEC.replace("nothing_set = 'goodput'", "");
    let mut point = good();
    point.outcomes.retain(|(subject, _)| *subject != Subject::NothingSet);
    let alone = row_of(&spec, &[point]);
    let whats =
        |row: &Row| -> Vec<String> { row.checks.iter().map(|check| check.what.clone()).collect() };
    assert_eq!((alone.verdict(), whats(&alone)), ("met", whats(&row(&[good()]))));
    assert_eq!(figure(&alone, "nothing set / B"), "-");
}

#[test]
fn beside_a_rival_without_goodput_seda_is_no_worse() {
    let row = row(&[point(970.0, 970.0, 0.0)]);
    assert_eq!(row.verdict(), "met");
    assert!(row.checks.iter().any(|check| check.figure == "axum-limit-16 has none"));
}

#[test]
fn the_best_rival_has_the_most_goodput_over_all_loads() {
    let settings: OverloadSpec = toml::from_str(SPEC).unwrap();
    let rivals: Vec<Contestant> = settings.rivals.iter().map(|peer| peer.0).collect();
    assert_eq!(best_rival(&rivals, &[vec![good()]]), Some(RIVAL));
    let (low, high) = (point(0.0, 0.0, 100.0), point(0.0, 0.0, 960.0));
    assert_eq!(best_rival(&rivals, &[vec![high], vec![low]]), Some(SHORT));
    assert_eq!(best_rival(&[], &[vec![good()]]), None);
}

#[test]
fn a_note_tells_how_much_a_further_server_keeps() {
    let spec = SPEC.replace("nothing_set", "peers = ['axum-acc', 'axum-inline']\nnothing_set");
    let mut point = good();
    point.outcomes.push((Subject::Rival(Contestant::AxumAcc), outcome(490.0, 0.05)));
    // The other one did not run.
    assert_eq!(row_of(&spec, &[point]).notes, ["axum-acc keeps 0.500 of B, p99 50.0 ms"]);
}

#[test]
fn a_note_tells_when_the_machine_was_busy_with_other_work() {
    let mut starved = good();
    change(&mut starved, Subject::SloSet, |ours| {
        ours.usage.cpu = 0.5;
        ours.load.generator.kept_schedule = false;
    });
    let notes = row(&[starved, good()]).notes;
    let share = "had 75.00 % (50.00 % to 100.00 %) of its core";
    assert_eq!(notes, ["schedule not kept in 1 of 2 rounds", share]);
}

#[test]
fn a_load_that_no_server_got_in_time_has_no_verdict() {
    let late = |outcome: &mut RunOutcome| outcome.load.generator.kept_schedule = false;
    let mut down = point(0.0, 0.0, 970.0);
    change(&mut down, Subject::SloSet, late);
    change(&mut down, Subject::NothingSet, late);
    // Rivals got it, so it is seda that made the generator late.
    assert_eq!(row(std::slice::from_ref(&down)).verdict(), "missed");
    down.outcomes.iter_mut().for_each(|(_, outcome)| late(outcome));
    let row = row(&[down]);
    assert_eq!(row.verdict(), "shown");
    let first = row.notes.first().map(String::as_str);
    assert_eq!(first, Some("no verdict, because no server got this load in time"));
}
