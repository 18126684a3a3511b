//! The rows of the overload matrix at 64 cores and 100 stages that are about the kind of load: a
//! rare class, recorded arrivals, a closed loop, and a day of low load.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::wide::{CORES, SLO, bound, classed, deterministic, run, spec};
use seda_sim::Spec;
use seda_sim::spec::{Demand, Moments, Process, Trace};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;
use std::time::Duration;

#[test]
fn a_rare_class_is_served_in_time_above_or_below_the_others() {
    for (rare, gold) in [("gold", 0.005), ("basic", 0.995)] {
        let mut spec = spec(&deterministic("1ms"), 2.0);
        classed(&mut spec, gold);
        spec.window = Duration::from_secs(1);
        let report = run(&spec);
        let ends = report.classes[rare];
        let p90 = report.class_response_seconds[rare].p90.unwrap();
        println!("{rare}: {} requests, p90 {p90}", ends.scheduled);
        assert!(ends.scheduled > 500, "{ends:?}");
        assert_eq!(ends.good, ends.scheduled, "{rare}: {ends:?}");
        assert!(p90 <= SLO, "{rare}: {p90}");
    }
}

/// A request: its arrival and its demand, in seconds.
#[derive(Clone, Copy, Debug)]
struct Row {
    at: f64,
    demand: f64,
}

/// Returns recorded arrivals if their file is beside the checkout, else drawn ones of the same
/// shape.
fn recorded() -> Vec<Row> {
    let file = "../../shared/data/llm-arrivals.tsv";
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let Ok(text) = std::fs::read_to_string(beside) else {
        println!("{file} does not exist: arrivals are drawn");
        return drawn();
    };
    println!("arrivals of {file}");
    text.lines().filter_map(read_row).collect()
}

/// Reads a line of three numbers: the arrival, and the sizes of input and output.
fn read_row(line: &str) -> Option<Row> {
    let mut cells = line.split('\t').map(|cell| cell.parse::<f64>().ok());
    let (at, input, output) = (cells.next()??, cells.next()??, cells.next()??);
    Some(Row { at, demand: input * 1e-6 + output * 100e-6 })
}

/// Returns bursts of Poisson arrivals, on for as long as off, with lognormal demands: mean 4.8 ms,
/// 99th percentile 27 ms, as the recorded ones.
fn drawn() -> Vec<Row> {
    // SplitMix64 (Steele, Lea & Flood 2014).
    let mut state = 7_u64;
    let mut unit = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut at = 0.0;
    let mut row = |n: usize| {
        let gap = if (n / 100).is_multiple_of(2) { 0.2 } else { 0.6 };
        at -= gap * (1.0 - unit()).ln();
        let normal = (-2.0 * (1.0 - unit()).ln()).sqrt() * (std::f64::consts::TAU * unit()).cos();
        Row { at, demand: 4.8e-3 * (0.9 * normal - 0.9 * 0.9 / 2.0).exp() }
    };
    (0..8_819).map(&mut row).collect()
}

/// Returns the number of requests after `from` that are answered in time by a server that takes
/// them in order, knows their demands, and refuses at no cost. (The matrix of the benches has the
/// same reference for one core.)
fn clairvoyant(rows: impl Iterator<Item = Row>, from: f64) -> f64 {
    let mut free: BinaryHeap<Reverse<u64>> = (0..CORES as usize).map(|_| Reverse(0)).collect();
    let mut good = 0.0;
    for Row { at, demand } in rows {
        let Reverse(core) = free.peek().copied().unwrap();
        let end = core.max(nanos(at)) + nanos(demand);
        if end - nanos(at) <= nanos(SLO) {
            free.pop();
            free.push(Reverse(end));
            good += f64::from(u8::from(at >= from));
        }
    }
    good
}

fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

#[test]
fn goodput_of_recorded_arrivals_is_nine_tenths_of_the_possible() {
    let rows = recorded();
    let trace = Trace::new(
        rows.iter().map(|row| row.at).collect(),
        rows.iter().map(|row| row.demand).collect(),
    );
    let mean = rows.iter().map(|row| row.demand).sum::<f64>() / rows.len() as f64;
    for load in [1.2, 2.0, 5.0] {
        let mut spec = spec(&deterministic("1ms"), load);
        for service in &mut spec.stages[1..] {
            service.demand = Demand::Trace { moments: Moments::default() };
        }
        spec.arrivals.rate = None;
        (spec.arrivals.process, spec.arrivals.repeat) = (Process::Trace, true);
        spec.warm_up = Duration::from_secs(2);
        spec.window = Duration::from_secs(3);
        let spec = spec.with_trace(trace.clone()).at_rate(load * CORES / mean).unwrap();
        let report = run(&spec);
        let recorded = &spec.arrivals.recorded;
        let period = recorded.period();
        let end = (spec.warm_up + spec.window).as_secs_f64();
        // The trace again and again, up to the end of the window.
        let all = (0..).flat_map(|lap| {
            let times = recorded.times.iter().map(move |at| at + f64::from(lap) * period);
            times.zip(&recorded.demands).map(|(at, demand)| Row { at, demand: *demand })
        });
        let rows = all.take_while(|row| row.at < end);
        let known = clairvoyant(rows, spec.warm_up.as_secs_f64()) / spec.window.as_secs_f64();
        let most = known.min(bound(&spec, load));
        let share = report.goodput_per_second / most;
        println!("{load}x: {share:.3} of {most:.0} good answers a second");
        assert!(share >= 0.9, "{load}x: {share}");
    }
}

#[test]
fn clients_of_a_closed_loop_are_served_evenly() {
    let mut spec = spec(&deterministic("4ms"), 1.0);
    spec.arrivals.rate = None;
    (spec.client.clients, spec.client.think) = (1_024, Duration::from_millis(20));
    // Long enough for 200 good answers to each client.
    (spec.warm_up, spec.window) = (Duration::from_secs(1), Duration::from_secs(16));
    let fairness = run(&spec).fairness.unwrap();
    println!("{fairness:?}");
    assert!(fairness.fewest >= 200, "{fairness:?}");
    assert!(fairness.jain >= 0.99, "{fairness:?}");
}

#[test]
fn no_request_is_refused_during_a_day_at_half_load() {
    // One core and services of 100 ms: 432,000 requests and 86,400 ticks of the controllers. A day
    // at 64 cores and 1 ms would be 2,800 million requests; `at_half_load_no_request_is_refused`
    // runs some seconds of that.
    let text = "cores = 1\nslo = '20s'\nrefusal_cpu = '6us'\narrivals.rate = 5.0\n\
                [[stage]]\nname = 'entry'\ncapacity = 65536\n\
                demand = { kind = 'deterministic', mean = '1us' }\nroutes = [{ to = 'work' }]\n\
                [[stage]]\nname = 'work'\ncapacity = 4096\nworkers = '1..4'\n\
                demand = { kind = 'exponential', mean = '100ms' }\n\
                [graph]\nslo.p99 = '20s'\ncontrol.tick = '1s'";
    let mut spec: Spec = text.parse().unwrap();
    spec.routes_known = true;
    (spec.warm_up, spec.window) = (Duration::ZERO, Duration::from_secs(24 * 60 * 60));
    let ends = run(&spec).ends;
    assert!(ends.scheduled > 430_000, "{ends:?}");
    assert_eq!((ends.good, ends.unfinished), (ends.scheduled, 0), "{ends:?}");
}
