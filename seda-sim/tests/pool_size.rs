//! The size of a pool follows the offered events: no worker that would help is missing for more
//! than two ticks, and none is taken back because events expired or were refused.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use seda_core::{Controller, Report};
use seda_sim::{SimReport, Spec};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(100);
const SEEDS: u64 = 200;

/// Requests at `rate` for ten seconds from a standstill. Each waits 100 ms, 64 workers are allowed.
fn waiting(rate: u32) -> SimReport {
    let spec = format!(
        "name = 'waiting'
        cores = 2
        refusal_cpu = '6us'
        warm_up = '0s'
        window = '10s'
        slo = '200ms'
        [arrivals]
        rate = {rate}
        [client]
        gives_up_after = '1s'
        [[stage]]
        name = 's'
        capacity = 1024
        workers = '1..64'
        cpu_share = 0.0
        demand = {{ kind = 'deterministic', mean = '100ms' }}
        [graph]
        slo.p99 = '200ms'"
    );
    let spec: Spec = spec.parse().unwrap();
    seda_sim::run(&spec, 1).unwrap()
}

/// Returns when the pool was sized, and its new sizes.
fn sizes(report: &SimReport) -> Vec<(f64, usize)> {
    let journal = report.graph.journal.iter();
    let resized = journal.filter(|entry| entry.controller == Controller::PoolSize);
    let size = |changed: &str| changed.rsplit_once(" → ").and_then(|(_, size)| size.parse().ok());
    resized.filter_map(|entry| Some((entry.at_seconds, size(&entry.changed)?))).collect()
}

#[test]
fn overload_from_a_standstill_gets_all_workers_at_the_first_tick_and_keeps_them() {
    let report = waiting(1_500);
    assert_eq!(sizes(&report), [(0.1, 64)]);
    // 640 a second from 0.1 s on; those answered late were admitted before the first service ended.
    let answered = report.throughput_per_second;
    assert!(answered >= 0.97 * 640.0, "{answered}");
    assert!(report.goodput_per_second >= 590.0, "{report}");
}

#[test]
fn a_load_that_few_workers_serve_gets_few() {
    let report = waiting(100);
    // Ten are busy on average.
    let last = sizes(&report).last().unwrap().1;
    assert!((11..=26).contains(&last), "{:?}", sizes(&report));
    assert_eq!((report.ends.refused, report.ends.late, report.ends.lost), (0, 0, 0));
}

/// A pseudo-random number generator; the workloads follow from its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        self.0 >> 33
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.next() as usize % values.len()]
    }
}

/// A workload of one pool, and what an observer of it has to know.
struct Workload {
    spec: Spec,
    cores: f64,
    cpu_share: f64,
    max: usize,
}

/// Returns a random workload: waiting, computing or both, with steps of its load up to a multiple
/// of what all workers serve.
fn workload(seed: u64) -> Workload {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let cores = random.of(&[1, 2, 4, 8]);
    let max = random.of(&[2, 4, 16, 64]);
    let cpu_share = random.of(&[0.0, 0.05, 0.3, 0.5, 1.0]);
    // A computing event begins with its work on a core. Long ones would fill the cores by turns.
    let means = [2.0, 10.0, 50.0, 100.0, 400.0, 2_000.0];
    let mean = random.of(if cpu_share > 0.0 { &means[..2] } else { &means });
    let demand = match random.next() % 4 {
        0 => format!("kind = 'deterministic', mean = '{mean}ms'"),
        1 => format!("kind = 'exponential', mean = '{mean}ms'"),
        2 => format!("kind = 'lognormal', mean = '{mean}ms', sigma = 1.0"),
        _ => {
            let (fast, slow) = (mean / 2.0, mean * 5.5);
            format!("kind = 'bimodal', fast = '{fast}ms', slow = '{slow}ms', slow_share = 0.1")
        }
    };
    let at_once =
        (max as f64).min(if cpu_share > 0.0 { f64::from(cores) / cpu_share } else { 1e9 });
    let capacity = at_once / (mean / 1e3);
    let parts: Vec<String> = (0..4)
        .map(|_| {
            let load = random.of(&[0.02, 0.1, 0.3, 0.6, 0.9, 1.5]);
            format!("{}/s:5s", (capacity * load).clamp(0.2, 3_000.0))
        })
        .collect();
    let text = format!(
        "name = 'workload'
        cores = {cores}
        warm_up = '0s'
        window = '20s'
        [arrivals]
        profile = '{}'
        [[stage]]
        name = 's'
        capacity = 20000
        workers = '1..{max}'
        cpu_share = {cpu_share}
        demand = {{ {demand} }}",
        parts.join(", ")
    );
    Workload { spec: text.parse().unwrap(), cores: f64::from(cores), cpu_share, max }
}

/// What an observer sees at a tick.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "a failure shows the time")]
struct Seen {
    at: f64,
    workers: usize,
    in_hand: u64,
    queued: u64,
    /// Events taken from the queue so far.
    taken: u64,
    /// Share of busy time spent waiting for a core.
    run_queue: f64,
}

impl Seen {
    fn of(at: f64, report: &Report) -> Self {
        let stage = &report.stages[0];
        let taken = stage.accepted - stage.queued;
        let (workers, in_hand) = (stage.workers.now, stage.in_hand);
        let run_queue = stage.runqueue_share.unwrap_or(0.0);
        Self { at, workers, in_hand, queued: stage.queued, taken, run_queue }
    }
}

/// Returns the looks at which a worker has been missing for more than two ticks: an event that was
/// queued at the look three ticks before waits still, all workers were busy at every look, the pool
/// may grow, a fifth of the cores is free, and workers do not wait for cores.
fn missing(workload: &Workload, seed: u64) -> Vec<[Seen; 4]> {
    let mut seen = Vec::new();
    let look = |at: f64, report: &Report| seen.push(Seen::of(at, report));
    seda_sim::watch(&workload.spec, seed, TICK, look).unwrap();
    let looks = seen.windows(4).map(|looks| [looks[0], looks[1], looks[2], looks[3]]);
    let lacks = |looks: &[Seen; 4]| {
        let waits = looks[3].taken - looks[0].taken < looks[0].queued;
        let cores = |seen: &Seen| seen.in_hand as f64 * workload.cpu_share;
        let would_help = |seen: &Seen| {
            seen.in_hand >= seen.workers as u64
                && seen.workers < workload.max
                && cores(seen) <= 0.8 * workload.cores
                && seen.run_queue <= 0.25
        };
        waits && looks.iter().all(would_help)
    };
    looks.filter(lacks).collect()
}

#[test]
fn no_worker_that_would_help_is_missing_for_more_than_two_ticks() {
    let mut failed = Vec::new();
    for seed in 0..SEEDS {
        let workload = workload(seed);
        let lacks = missing(&workload, seed);
        if !lacks.is_empty() {
            failed.push(seed);
            eprintln!("seed {seed}: {} times, first {:?}", lacks.len(), lacks[0]);
            eprintln!(
                "  {} cores, share {}, max {}, {:?} {:?}",
                workload.cores,
                workload.cpu_share,
                workload.max,
                workload.spec.stages[0].demand,
                workload.spec.arrivals
            );
        }
    }
    assert!(failed.is_empty(), "seeds {failed:?}");
}
