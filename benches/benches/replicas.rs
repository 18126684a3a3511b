//! The balances of a replicated stage side by side: response times in exact virtual time, and on
//! threads.
//!
//! `cargo bench -p benches --bench replicas` simulates 4 replicas, with exponential and
//! heavy-tailed services, equally fast or with one at half speed. It prints the tables of
//! `docs/replicas.md` and takes a few minutes. It fails if the central queue (M/M/4) or the round
//! robin (E4/M/1) is more than 2 % off its closed form. `-- live` runs the threads only.
//!
//! On threads a service is a sleep, so four replicas do not need four cores. Each measured figure
//! stands beside a simulation of the same arrivals and service times.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark ends if its setup fails"
)]

#[path = "../../examples/overload_lab/replicas.rs"]
mod replicas;

use parking_lot::Mutex;
use replicas::{Figures, REPLICAS, Scenario, Servers, Service};
use seda_core::{Balance, Clock, Context, Graph, MonotonicClock, Replicas, each};
use std::sync::Arc;
use std::time::Duration;

const EVENTS: usize = 4_000_000;
/// An odd number, so that the median is one of the runs.
const SEEDS: u64 = 9;
/// Largest relative difference between the mean over all seeds and its closed form.
const TOLERANCE: f64 = 0.02;
/// Mean service on threads, in seconds: far above the 0.1 ms by which a sleep is late.
const SERVICE: f64 = 5e-3;
/// Number of events on threads.
const LIVE_EVENTS: usize = 10_000;
const LIVE_LOAD: f64 = 0.8;

fn main() {
    if !std::env::args().any(|word| word == "live") {
        let mut checks = Vec::new();
        replicas::compare(EVENTS, SEEDS, |scenario, slow, balance, runs| {
            let expected = match (scenario.service, slow, balance) {
                (Service::Exponential, false, Balance::Central) => mm4(scenario.load),
                (Service::Exponential, false, Balance::RoundRobin) => e4m1(scenario.load),
                _ => return,
            };
            let mean = runs.iter().map(|figures| figures.0[0]).sum::<f64>() / runs.len() as f64;
            checks.push((balance, scenario.load, mean, expected));
        });
        println!("\n| balance | load | mean response | closed form | off by |");
        println!("| --- | --- | --- | --- | --- |");
        for (balance, load, mean, expected) in &checks {
            let off = mean / expected - 1.0;
            println!("| {balance} | {load} | {mean:.4} | {expected:.4} | {:.2} % |", off * 100.0);
        }
        assert!(checks.iter().all(|(_, _, mean, form)| (mean / form - 1.0).abs() < TOLERANCE));
        println!();
    }
    println!("On threads: {LIVE_EVENTS} events at a load of {LIVE_LOAD}, mean service 5 ms\n");
    println!("| replicas | balance | mean, measured | simulated | p99, measured | simulated |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for slow in [false, true] {
        for balance in Balance::ALL {
            let scenario = Scenario::new(Service::Exponential, slow, LIVE_LOAD);
            let (measured, simulated) = live(&scenario, balance);
            println!(
                "| {} | {balance} | {:.1} ms | {:.1} ms | {:.1} ms | {:.1} ms |",
                if slow { "one slow" } else { "alike" },
                measured.0[0],
                simulated.0[0],
                measured.0[2],
                simulated.0[2]
            );
        }
    }
}

/// Returns the mean response in an M/M/4 with a service rate of 1 (Erlang 1917).
fn mm4(load: f64) -> f64 {
    let offered = 4.0 * load;
    let all_busy = offered.powi(4) / 24.0 / (1.0 - load);
    let fewer = 1.0 + offered + offered.powi(2) / 2.0 + offered.powi(3) / 6.0;
    1.0 + all_busy / (fewer + all_busy) / (4.0 * (1.0 - load))
}

/// Returns the mean response at one of 4 servers that get Poisson arrivals in turn. The gaps are
/// Erlang-4, and the mean is 1 / (1 - σ) with σ the root of their transform (Kendall 1953).
fn e4m1(load: f64) -> f64 {
    let rate = 4.0 * load;
    let root = (0..100_000).fold(load, |root, _| (rate / (rate + 1.0 - root)).powi(4));
    1.0 / (1.0 - root)
}

/// One served event, in seconds.
#[derive(Clone, Copy)]
struct Served {
    /// Scheduled arrival.
    at: f64,
    work: f64,
    response: f64,
}

/// Runs the scenario on threads and simulates the same arrivals and services. Returns both figures
/// in milliseconds.
fn live(scenario: &Scenario, balance: Balance) -> (Figures, Figures) {
    let clock = Arc::new(MonotonicClock::new());
    let served = Arc::new(Mutex::new(Vec::with_capacity(LIVE_EVENTS)));
    let mut graph = Graph::new("live");
    let declared = Replicas { count: REPLICAS, balance };
    let stage = graph.replicated_stage::<(f64, f64)>("serve", 65_536, declared);
    let speeds = scenario.speeds;
    let (timer, record) = (Arc::clone(&clock), Arc::clone(&served));
    graph
        .attach_replicas(stage, move |_wire| {
            move |replica| {
                let (clock, served) = (Arc::clone(&timer), Arc::clone(&record));
                Ok(each(move |(at, work): (f64, f64), _: &mut Context| {
                    let begun = clock.now();
                    sleep(work / speeds[replica] * SERVICE);
                    let ended = clock.now();
                    // The time of the service, converted to the work of an ordinary replica.
                    let took = ended.nanos_since(begun) as f64 / 1e9 * speeds[replica];
                    let response = ended.as_secs_f64() - at;
                    served.lock().push(Served { at, work: took, response });
                }))
            }
        })
        .unwrap();
    let source = graph.source(stage).unwrap();
    let running = graph.start().unwrap();
    let start = clock.now().as_secs_f64() + 0.1;
    for (at, work) in scenario.arrivals(1).take(LIVE_EVENTS) {
        let at = start + at * SERVICE;
        sleep(at - clock.now().as_secs_f64());
        source.send((at, work)).expect("room for all");
    }
    assert!(running.drain(Duration::from_secs(60)).complete, "not drained");
    let mut served = served.lock().clone();
    served.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut servers = Servers::new(balance, speeds, 0);
    let simulated = served.iter().map(|event| servers.serve(event.at, event.work) * 1e3);
    let simulated = Figures::of(simulated.collect());
    (Figures::of(served.iter().map(|event| event.response * 1e3).collect()), simulated)
}

#[allow(clippy::disallowed_methods, reason = "a service without a core, and the pause of a sender")]
fn sleep(seconds: f64) {
    if seconds > 0.0 {
        std::thread::sleep(Duration::from_secs_f64(seconds));
    }
}
