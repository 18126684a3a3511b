//! Random graphs of one to six stages, with SLOs and without: an SLO is kept, or the report says
//! that it cannot be; without one, an overload costs no goodput.
//!
//! `SEDA_GRAPHS=2000 cargo test --release -p seda-sim random_graphs:: -- --nocapture` runs as
//! many graphs, prints each one that misses, and writes its spec to `target/tmp`.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use seda_sim::{SimReport, Spec};
use std::fmt::Write;

/// The number of graphs of each test in CI.
const GRAPHS: u64 = 16;
/// The SLO of every graph, in milliseconds.
const SLO: f64 = 200.0;

/// A random chain, which may end in a branch, with its load.
struct Case {
    text: String,
    /// Mean services on the longest path, in seconds.
    path_seconds: f64,
    /// Requests per second that the scarcest stage serves.
    capacity: f64,
    offered: f64,
    /// Whether arrivals come in bursts of 200 ms, with pauses as long.
    bursty: bool,
}

struct Draw(Xoshiro256PlusPlus);

impl Draw {
    fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.unit()
    }

    /// Returns a number whose logarithm is uniform.
    fn scale(&mut self, least: f64, most: f64) -> f64 {
        (self.between(least.ln(), most.ln())).exp()
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[(self.unit() * all.len() as f64) as usize]
    }

    /// Returns a demand of `mean` seconds, as a spec has it.
    fn demand(&mut self, mean: f64) -> String {
        let ms = mean * 1e3;
        match self.one_of(&[0, 1, 2, 3]) {
            0 => format!("{{ kind = 'deterministic', mean = '{ms:.6}ms' }}"),
            1 => format!("{{ kind = 'exponential', mean = '{ms:.6}ms' }}"),
            2 => format!("{{ kind = 'lognormal', mean = '{ms:.6}ms', sigma = 0.8 }}"),
            _ => {
                // A twentieth takes eight times as long as the others.
                let fast = ms / 1.35;
                let slow = fast * 8.0;
                format!(
                    "{{ kind = 'bimodal', fast = '{fast:.6}ms', slow = '{slow:.6}ms', \
                     slow_share = 0.05 }}"
                )
            }
        }
    }

    /// Returns the arrivals of a mean `rate`, and whether they are bursty.
    fn arrivals(&mut self, rate: f64) -> (String, bool) {
        let kind = self.one_of(&[0, 0, 1, 2]);
        let text = match kind {
            0 => format!("[arrivals]\nrate = {rate}"),
            1 => {
                let twice = rate * 2.0;
                let parts: Vec<String> =
                    (0..200).map(|_| format!("{twice}/s:200ms,0/s:200ms")).collect();
                format!("[arrivals]\nprofile = '{}'", parts.join(","))
            }
            _ => format!("[arrivals]\nprofile = '{}/s:10s,{}/s:70s'", rate * 0.5, rate),
        };
        (text, kind == 1)
    }
}

/// Returns a random graph whose offered load is `load` times its capacity. With `slo`, each request
/// takes at most nine tenths of it in the mean.
fn case(seed: u64, load: (f64, f64), slo: bool) -> Case {
    let mut draw = Draw(Xoshiro256PlusPlus::seed_from_u64(seed));
    let stages = 1 + (draw.unit() * 6.0) as usize;
    let cores = draw.one_of(&[1, 2, 4]);
    let path_seconds = draw.scale(0.0005, if slo { SLO * 0.9e-3 } else { SLO * 0.02e-3 });
    let mut shares: Vec<f64> = (0..stages).map(|_| draw.between(0.05, 1.0)).collect();
    let all: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share *= path_seconds / all);
    let (mut text, mut on_cores, mut capacity) = (String::new(), 0.0, f64::INFINITY);
    for (n, mean) in shares.iter().enumerate() {
        // Most stages wait for something outside; some burn CPU.
        let cpu_share = draw.one_of(&[0.0, 0.0, 0.2, 1.0]);
        let workers = draw.one_of(&[1, 2, 8, 64]);
        on_cores += mean * cpu_share;
        capacity = capacity.min(workers as f64 / mean);
        let demand = draw.demand(*mean);
        writeln!(
            text,
            "[[stage]]\nname = 's{n}'\ncapacity = 4096\nworkers = '1..{workers}'\n\
             demand = {demand}\ncpu_share = {cpu_share:.1}"
        )
        .unwrap();
        if n + 1 < stages {
            writeln!(text, "routes = [{{ to = 's{}' }}]", n + 1).unwrap();
        }
    }
    if on_cores > 0.0 {
        capacity = capacity.min(f64::from(cores) / on_cores);
    }
    let offered = capacity * draw.between(load.0, load.1);
    let (arrivals, bursty) = draw.arrivals(offered);
    // A thousand answers after the warm-up, and at least 20 s.
    let window = (1_200.0 / capacity.min(offered)).clamp(20.0, 60.0);
    let graph = if slo { format!("[graph]\nslo.p99 = '{SLO}ms'\n") } else { String::new() };
    let head = format!(
        "name = 'g{seed}'\ncores = {cores}\nseed = {seed}\nrefusal_cpu = '1us'\nwarm_up = '10s'\n\
         window = '{window:.1}s'\nslo = '{SLO}ms'\n{arrivals}\n\
         [client]\ngives_up_after = '2s'\n"
    );
    Case { text: format!("{head}{text}{graph}"), path_seconds, capacity, offered, bursty }
}

fn run(case: &Case, seed: u64) -> SimReport {
    let spec: Spec = case.text.parse().unwrap();
    seda_sim::run(&spec, seed).unwrap()
}

/// Returns whether the report says that the SLO cannot be kept.
fn says_so(report: &SimReport) -> bool {
    let gates = report.graph.stages.iter().filter_map(|stage| stage.gate.as_ref());
    let by_stage = gates.into_iter().any(|gate| !gate.cannot_keep.is_empty());
    by_stage || report.graph.journal.iter().any(|one| one.action.contains("no setting can meet"))
}

/// Writes the spec of a graph that misses, for `seda sim`.
fn keep(case: &Case, seed: u64) {
    let file = format!("{}/g{seed}.toml", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(file, &case.text).unwrap();
}

fn graphs() -> u64 {
    std::env::var("SEDA_GRAPHS").ok().and_then(|n| n.parse().ok()).unwrap_or(GRAPHS)
}

#[test]
fn an_slo_is_kept_or_the_report_says_that_it_cannot_be() {
    let mut missed = Vec::new();
    for seed in 0..graphs() {
        let case = case(seed, (0.3, 2.5), true);
        let report = run(&case, seed);
        let p99 = report.response_seconds.p99.unwrap_or(0.0) * 1e3;
        // The histogram has two digits.
        if p99 > SLO * 1.01 && !says_so(&report) {
            keep(&case, seed);
            let Case { path_seconds, capacity, offered, .. } = case;
            missed.push(format!(
                "g{seed}: p99 {p99:.0} ms, services {:.1} ms, {offered:.0} of {capacity:.0}/s",
                path_seconds * 1e3
            ));
        }
    }
    missed.iter().for_each(|line| println!("{line}"));
    assert!(missed.len() as u64 * 50 <= graphs(), "{} of {}", missed.len(), graphs());
}

#[test]
fn without_an_slo_an_overload_costs_no_goodput() {
    let mut low = Vec::new();
    for seed in 0..graphs() {
        let case = case(seed, (1.2, 5.0), false);
        let report = run(&case, seed);
        // In a pause of the arrivals the workers live on what waits; it waits up to 0.5 s.
        let (kept, least) = if case.bursty {
            (report.throughput_per_second / case.capacity, 0.6)
        } else {
            (report.goodput_per_second / case.capacity, 0.95)
        };
        // Stages that share cores lengthen each other's services, which `capacity` leaves out.
        let busiest = report.graph.stages.iter().map(|stage| stage.utilization).fold(0.0, f64::max);
        if kept < least && busiest < 0.98 {
            keep(&case, seed);
            let Case { path_seconds, capacity, offered, .. } = case;
            low.push(format!(
                "g{seed}: {kept:.3} kept, services {:.1} ms, {offered:.0} of {capacity:.0}/s",
                path_seconds * 1e3
            ));
        }
    }
    low.iter().for_each(|line| println!("{line}"));
    assert!(low.len() as u64 * 50 <= graphs(), "{} of {}", low.len(), graphs());
}
