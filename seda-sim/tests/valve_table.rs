//! The table "Where longest-queue drop wins" of `docs/control.md` holds, for some virtual seconds.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use seda_core::{Mode, OverloadPolicy};
use seda_sim::{SimReport, Spec};
use std::path::Path;
use std::time::Duration;

/// A row of the table: the change to the spec.
#[derive(Clone, Copy, Debug)]
enum Row {
    Valve(OverloadPolicy),
    CoDel,
    Slo,
    OneClass,
}

/// The columns of the table.
struct Columns {
    /// Good answers per second.
    good: f64,
    /// Share of gold requests that were good.
    gold: f64,
    /// In seconds.
    p99: f64,
    /// Service seconds per second that were spent on events shed later.
    wasted: f64,
}

const LONGEST: Row = Row::Valve(OverloadPolicy::LongestQueue);
const RANDOM: Row = Row::Valve(OverloadPolicy::Random);
const TAIL: Row = Row::Valve(OverloadPolicy::TailDrop);
const NONE: Row = Row::Valve(OverloadPolicy::None);

fn run(name: &str, row: Row) -> SimReport {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/lab");
    let mut spec = Spec::read(&lab.join(format!("{name}.toml"))).unwrap();
    spec.window = Duration::from_secs(20);
    match row {
        Row::Valve(policy) => spec.graph.control.overload = policy,
        Row::CoDel => {
            spec.graph.control.valve = Mode::Off;
            spec.graph.budget = Some(4_000);
            let codel = || toml::from_str("codel = { target = '20ms' }").unwrap();
            let stages = spec.stages.iter().map(|stage| (stage.name.clone(), codel()));
            spec.graph.stages = stages.collect();
        }
        Row::Slo => {
            spec.graph.slo = toml::from_str("p99 = '200ms'").unwrap();
            spec.graph.control.admission = Mode::On;
        }
        Row::OneClass => spec.classes.clear(),
    }
    seda_sim::run(&spec, 1).unwrap()
}

fn parallel(row: Row) -> Columns {
    columns(&run("valve_parallel", row))
}

fn tandem(row: Row) -> Columns {
    columns(&run("valve_tandem", row))
}

fn columns(report: &SimReport) -> Columns {
    let gold = report.classes.get("gold").copied().unwrap_or_default();
    let wasted: f64 = report.graph.stages.iter().map(|stage| stage.wasted_seconds).sum();
    Columns {
        good: report.goodput_per_second,
        gold: gold.good as f64 / gold.scheduled.max(1) as f64,
        p99: report.response_seconds.p99.unwrap(),
        wasted: wasted / report.graph.uptime_seconds,
    }
}

#[test]
fn with_parallel_stages_the_longest_queue_is_the_best_victim_and_tail_drop_the_worst() {
    let [longest, random, tail, none] = [LONGEST, RANDOM, TAIL, NONE].map(parallel);
    assert!(longest.good > 1.1 * random.good, "{} and {}", longest.good, random.good);
    assert!(random.good > 1.4 * tail.good, "{} and {}", random.good, tail.good);
    assert!((tail.good / none.good - 1.0).abs() < 0.05, "{} and {}", tail.good, none.good);
    assert!(longest.gold > 0.99 && random.gold > 0.99);
    assert!(tail.gold < 0.6 && none.gold < 0.6, "{} and {}", tail.gold, none.gold);
    assert!(longest.p99 < random.p99 && random.p99 < tail.p99);
}

#[test]
fn with_stages_in_tandem_the_longest_queue_wastes_most_and_saves_only_gold() {
    let [longest, random, tail, none] = [LONGEST, RANDOM, TAIL, NONE].map(tandem);
    assert!(longest.wasted > 0.4, "{}", longest.wasted);
    assert!(longest.wasted > 3.0 * random.wasted && random.wasted > 0.05, "{}", random.wasted);
    assert_eq!((tail.wasted, none.wasted), (0.0, 0.0));
    // A fifth of 400 requests a second is gold.
    for row in [longest, random] {
        assert!(row.gold > 0.99 && row.good < 1.05 * 80.0, "{} {}", row.gold, row.good);
    }
    assert!(tail.gold < 0.6 && none.gold < 0.6, "{} and {}", tail.gold, none.gold);
}

#[test]
fn codel_lets_lower_classes_wait_for_seconds() {
    for codel in [parallel(Row::CoDel), tandem(Row::CoDel)] {
        assert!(codel.p99 > 2.0 && codel.wasted > 0.0, "{} {}", codel.p99, codel.wasted);
    }
}

#[test]
fn the_valve_evicts_nothing_within_one_class() {
    let (parallel, none) = (parallel(Row::OneClass), parallel(NONE));
    assert!(parallel.wasted == 0.0 && parallel.good < 1.05 * none.good, "{}", parallel.good);
    let tandem = tandem(Row::OneClass);
    assert!(tandem.wasted == 0.0 && tandem.good < 4.0, "{}", tandem.good);
}

#[test]
fn an_slo_is_better_than_any_valve_in_both_graphs() {
    for name in ["valve_parallel", "valve_tandem"] {
        let slo = columns(&run(name, Row::Slo));
        assert!(slo.p99 <= 0.2 && slo.gold > 0.99, "{name}: {} {}", slo.p99, slo.gold);
        for row in [LONGEST, RANDOM, TAIL, NONE, Row::CoDel, Row::OneClass] {
            let other = columns(&run(name, row));
            assert!(slo.good > 1.02 * other.good, "{name}, {row:?}: {} {}", slo.good, other.good);
            assert!(slo.p99 < other.p99, "{name}, {row:?}: {} {}", slo.p99, other.p99);
        }
    }
}
