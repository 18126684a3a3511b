//! The rows of the overload matrix at 64 cores and 100 stages that are about who comes and when:
//! seldom ones, recorded ones, those of a closed loop, and hardly anybody for a day.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod wide;

use seda_sim::Spec;
use seda_sim::spec::{Demand, Moments, Process, Trace};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;
use std::time::Duration;
use wide::{CORES, SLO, bound, classed, deterministic, run, spec};

#[test]
fn a_class_that_comes_seldom_is_served_in_time_above_or_below_the_others() {
    for (rare, gold) in [("gold", 0.005), ("basic", 0.995)] {
        let mut spec = spec(&deterministic("1ms"), 2.0);
        classed(&mut spec, gold);
        spec.window = Duration::from_secs(1);
        let report = run(&spec);
        let seldom = report.classes[rare];
        let p90 = report.class_response_seconds[rare].p90.unwrap();
        println!("{rare}: {} came, p90 {p90}", seldom.scheduled);
        assert!(seldom.scheduled > 500, "{seldom:?}");
        assert_eq!(seldom.good, seldom.scheduled, "{rare}: {seldom:?}");
        assert!(p90 <= SLO, "{rare}: {p90}");
    }
}

/// Arrivals in seconds with what each demands: recorded ones if they are beside the checkout, else
/// drawn ones of the same shape.
fn recorded() -> Vec<(f64, f64)> {
    let file = "../../shared/data/llm-arrivals.tsv";
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let Ok(text) = std::fs::read_to_string(beside) else {
        println!("{file} is not there: arrivals are drawn");
        return drawn();
    };
    println!("arrivals of {file}");
    let row = |line: &str| {
        let mut cells = line.split('\t').map(|cell| cell.parse::<f64>().ok());
        let (at, input, output) = (cells.next()??, cells.next()??, cells.next()??);
        Some((at, input * 1e-6 + output * 100e-6))
    };
    text.lines().filter_map(row).collect()
}

/// Bursts of Poisson arrivals, on for as long as off, with lognormal demands of 4.8 ms in the mean
/// and 27 ms in the 99th percentile, as the recorded ones have.
fn drawn() -> Vec<(f64, f64)> {
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
        (at, 4.8e-3 * (0.9 * normal - 0.9 * 0.9 / 2.0).exp())
    };
    (0..8_819).map(&mut row).collect()
}

/// How many are answered in time by a server that takes them in order, knows what each demands, and
/// refuses for nothing (`benches/peers/src/bin/matrix/reference.rs` has the one of one core).
fn clairvoyant(jobs: impl Iterator<Item = (f64, f64)>, from: f64) -> f64 {
    let nanos = |seconds: f64| (seconds * 1e9) as u64;
    let mut free: BinaryHeap<Reverse<u64>> = (0..CORES as usize).map(|_| Reverse(0)).collect();
    let mut good = 0.0;
    for (at, demand) in jobs {
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

#[test]
fn of_recorded_arrivals_with_recorded_demands_nine_tenths_of_what_can_be_are_good() {
    let rows = recorded();
    let trace =
        Trace::new(rows.iter().map(|row| row.0).collect(), rows.iter().map(|row| row.1).collect());
    let mean = rows.iter().map(|row| row.1).sum::<f64>() / rows.len() as f64;
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
        let all = (0..).flat_map(|lap| {
            let came = recorded.times.iter().map(move |at| at + f64::from(lap) * period);
            came.zip(recorded.demands.iter().copied())
        });
        let jobs = all.take_while(|(at, _)| *at < end);
        let known = clairvoyant(jobs, spec.warm_up.as_secs_f64()) / spec.window.as_secs_f64();
        let most = known.min(bound(&spec, load));
        let share = report.goodput_per_second / most;
        println!("{load}x: {share:.3} of {most:.0} good answers a second");
        assert!(share >= 0.9, "{load}x: {share}");
    }
}

#[test]
fn clients_of_a_closed_loop_get_the_same() {
    let mut spec = spec(&deterministic("4ms"), 1.0);
    spec.arrivals.rate = None;
    (spec.client.clients, spec.client.think) = (1_024, Duration::from_millis(20));
    // Long enough for 200 good answers of each.
    (spec.warm_up, spec.window) = (Duration::from_secs(1), Duration::from_secs(16));
    let fairness = run(&spec).fairness.unwrap();
    println!("{fairness:?}");
    assert!(fairness.fewest >= 200, "{fairness:?}");
    assert!(fairness.jain >= 0.99, "{fairness:?}");
}

#[test]
fn for_a_day_at_half_load_nobody_is_refused() {
    // One core and services of 100 ms: 432,000 requests, 86,400 looks of the controllers. At 64
    // cores and 1 ms a day were 2,800 million requests; `at_half_load_nobody_is_refused` has some
    // seconds of that.
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
