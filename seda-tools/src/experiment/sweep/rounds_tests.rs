//! Sweeps over servers that are formulas.

use super::*;
use crate::experiment::sweep::{Assertion, Load, Pause};
use crate::load::arrivals::Process;
use crate::load::plan::Pace;
use crate::report::LoadReport;
use crate::report::outcome::Outcomes;
use std::convert::Infallible;

/// A server of 1,000/s. If it `collapses`, all answers above that are late.
struct Formula {
    collapses: bool,
    interrupt_after: usize,
    runs: Vec<f64>,
    paused: Duration,
}

impl Formula {
    fn new(collapses: bool) -> Self {
        Self { collapses, interrupt_after: usize::MAX, runs: Vec::new(), paused: Duration::ZERO }
    }
}

impl Rig for Formula {
    type Error = Infallible;

    fn run(&mut self, _label: &str, load: &Load) -> Result<Measured, Infallible> {
        let offered = match &load.pace {
            Pace::Open { profile, .. } => profile.parts().first().map_or(0.0, |part| part.rate),
            // A cycle of 4 ms: a client gets 250/s, and four clients reach the capacity.
            Pace::Closed { clients, .. } => (f64::from(*clients) * 250.0).min(1_000.0),
            Pace::Recorded { .. } => 0.0,
        };
        if matches!(load.pace, Pace::Open { .. }) {
            self.runs.push(offered);
        }
        let good = if self.collapses && offered > 1_000.0 { 0.0 } else { offered.min(1_000.0) };
        let mut report = LoadReport {
            offered_per_second: offered,
            throughput_per_second: offered.min(1_000.0),
            goodput_per_second: good,
            interrupted: self.runs.len() > self.interrupt_after,
            ..LoadReport::default()
        };
        report.outcomes = Outcomes {
            scheduled: offered as u64,
            good: good as u64,
            late: (offered - good) as u64,
            ..Outcomes::default()
        };
        report.response_seconds.p99 = Some(if offered > 1_000.0 { 0.5 } else { 0.02 });
        report.generator.kept_schedule = true;
        Ok(Measured::of(report))
    }

    fn pause(&mut self, time: Duration) {
        self.paused += time;
    }
}

fn plan(repeat: u32) -> SweepPlan {
    SweepPlan {
        name: "formula".to_owned(),
        url: "http://formula/".to_owned(),
        command: "seda sweep".to_owned(),
        multiples: vec![0.5, 1.0, 2.0, 5.0],
        repeat,
        process: Process::Poisson,
        duration: Duration::from_secs(5),
        warm_up: Duration::from_secs(1),
        cool_down: Duration::ZERO,
        slos: vec![Duration::from_millis(200)],
        deadline: Duration::from_secs(1),
        capacity: None,
        pause: Pause::default(),
    }
}

#[test]
fn loads_are_multiples_of_the_probed_capacity() {
    let mut rig = Formula::new(false);
    let report = sweep(&plan(2), &mut rig).unwrap();
    let round = [900.0, 1_000.0, 1_100.0, 500.0, 1_000.0, 2_000.0, 5_000.0];
    let expected: Vec<f64> = [round, round].concat();
    let rounded: Vec<f64> = rig.runs.iter().map(|rate| rate.round()).collect();
    assert_eq!(rounded, expected);
    assert_eq!(report.capacity_per_second, Spread { median: 1e3, low: 1e3, high: 1e3 });
    assert_eq!(report.rounds.len(), 2);
    let ratios: Vec<f64> = report.points.iter().map(|point| point.goodput_ratio.median).collect();
    assert_eq!(ratios, [0.5, 1.0, 1.0, 1.0]);
    assert!(rig.paused >= Pause::default().least * 14, "a pause after every load");
}

#[test]
fn a_server_that_collapses_has_a_capacity_and_shows_its_collapse() {
    let report = sweep(&plan(1), &mut Formula::new(true)).unwrap();
    let ratios: Vec<f64> = report.points.iter().map(|point| point.goodput_ratio.median).collect();
    assert_eq!(ratios, [0.5, 1.0, 0.0, 0.0]);
    assert_eq!(report.points.last().unwrap().shares, [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(report.lambda_max.as_ref().unwrap().per_second.median, 1_000.0);
    let collapse: Assertion = "goodput@5x>=0.97".parse().unwrap();
    assert!(!collapse.holds(&report).holds);
}

/// Clients of a server with a long cycle leave most of it idle.
#[test]
fn a_capacity_above_that_of_the_closed_loops_is_found() {
    struct Distant(Vec<f64>);
    impl Rig for Distant {
        type Error = Infallible;
        fn run(&mut self, _label: &str, load: &Load) -> Result<Measured, Infallible> {
            let offered = match &load.pace {
                Pace::Open { profile, .. } => profile.parts()[0].rate,
                _ => 400.0,
            };
            let good = offered.min(1_000.0);
            let mut report = LoadReport { goodput_per_second: good, ..LoadReport::default() };
            report.outcomes = Outcomes { scheduled: 100, good: 100, ..Outcomes::default() };
            if matches!(load.pace, Pace::Open { .. }) {
                self.0.push(offered.round());
            }
            Ok(Measured::of(report))
        }
        fn pause(&mut self, _time: Duration) {}
    }
    let mut rig = Distant(Vec::new());
    let report = sweep(&plan(1), &mut rig).unwrap();
    let probed = [360.0, 400.0, 440.0, 550.0, 688.0, 859.0, 1_074.0];
    assert_eq!(rig.0, [&probed[..], &[500.0, 1_000.0, 2_000.0, 5_000.0]].concat());
    assert_eq!(report.rounds[0].probed_per_second, 1_000.0);
}

#[test]
fn a_known_capacity_is_not_probed() {
    let mut rig = Formula::new(false);
    let known = SweepPlan { capacity: Some(400.0), ..plan(1) };
    let report = sweep(&known, &mut rig).unwrap();
    assert_eq!(rig.runs, [200.0, 400.0, 800.0, 2_000.0]);
    assert_eq!(report.capacity_per_second.median, 1_000.0, "C is the measured goodput");
}

#[test]
fn an_interrupted_sweep_reports_the_loads_that_were_run() {
    let interrupted_after = |runs: usize| {
        let mut rig = Formula::new(false);
        rig.interrupt_after = runs;
        sweep(&plan(3), &mut rig)
    };
    // Three runs of a round find the capacity, four are its loads.
    let first = interrupted_after(5).unwrap();
    assert_eq!((first.rounds.len(), first.points.len(), first.interrupted), (1, 2, true));
    assert_eq!(first.points.last().unwrap().multiple, 1.0);
    let second = interrupted_after(8).unwrap();
    assert_eq!((second.rounds.len(), second.points.len(), second.interrupted), (1, 4, true));
    let third = interrupted_after(18).unwrap();
    assert_eq!((third.rounds.len(), third.rounds[2].runs.len()), (3, 1));
    assert!(!interrupted_after(21).unwrap().interrupted);
    for nothing in [1, 3] {
        assert!(matches!(interrupted_after(nothing), Err(SweepError::Interrupted)), "{nothing}");
    }
}

#[test]
fn a_server_without_right_answers_has_no_capacity() {
    struct Broken;
    impl Rig for Broken {
        type Error = Infallible;
        fn run(&mut self, _label: &str, _load: &Load) -> Result<Measured, Infallible> {
            let outcomes = Outcomes { scheduled: 7, wrong: 7, ..Outcomes::default() };
            Ok(Measured::of(LoadReport { outcomes, ..LoadReport::default() }))
        }
        fn pause(&mut self, _time: Duration) {}
    }
    let error = sweep(&plan(1), &mut Broken).unwrap_err().to_string();
    assert!(error.contains("7 wrong"), "{error}");
}

#[test]
fn a_spread_is_the_median_and_the_range_of_finite_figures() {
    let spread = |figures: &[f64]| Spread::of(figures.iter().copied());
    assert_eq!(spread(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, low: 1.0, high: 3.0 }));
    assert_eq!(spread(&[1.0, f64::NAN, 2.0]), Some(Spread { median: 1.5, low: 1.0, high: 2.0 }));
    assert_eq!(spread(&[f64::NAN]), None);
    let (low, high) = (spread(&[1.0, 2.0]).unwrap(), spread(&[2.0, 3.0]).unwrap());
    assert!(low.overlaps(&high) && !low.overlaps(&spread(&[2.5]).unwrap()));
}
