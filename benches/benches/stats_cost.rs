//! The cost of the statistics: the same graph and binary with statistics on and off by
//! configuration. The figure is CPU time of the whole process per event, paired round by round.
//!
//! `cargo bench -p benches --bench stats_cost` runs six stages in a shared pool of one worker, with
//! trivial work and with about 1 µs of work per stage. The ledgers are always on, because the
//! bounds depend on them.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark ends if its setup fails"
)]

use benches::{Rounds, cpu_seconds, pin};
use seda_core::{Graph, GraphConfig, WorkerRange, each};
use std::hint::black_box;
use std::time::Duration;

const STAGES: usize = 6;
const EVENTS: usize = 1_024;
const ROUNDS: usize = 25;

fn main() {
    pin(&[0]);
    for (what, work, hops) in [("trivial work", 0, 3_000), ("about 1 us of work", 3_500, 300)] {
        let mut rounds = Rounds::new(["statistics on", "statistics off"]);
        for _ in 0..ROUNDS {
            rounds.add(0, run(true, work, hops));
            rounds.add(1, run(false, work, hops));
        }
        println!("{what}: CPU ns per event and stage, {ROUNDS} rounds (min, median, max)");
        rounds.print("  ");
        rounds.print_ratio(0, 1);
    }
}

/// Returns CPU nanoseconds per event and stage.
fn run(statistics: bool, work: u64, hops: u64) -> f64 {
    let mut graph = Graph::new("stats");
    let config = GraphConfig { budget: Some(2_048), statistics, ..GraphConfig::default() };
    graph.apply(config).expect("names nothing");
    let pool = graph.pool("all", WorkerRange::exactly(1));
    let stages: Vec<_> = (0..STAGES).map(|n| graph.stage::<u64>(&format!("s{n}"), 8_192)).collect();
    for (n, stage) in stages.iter().enumerate() {
        let next = stages[(n + 1) % STAGES];
        let wire = |wire: &mut seda_core::Wire<'_>| {
            let sink = wire.sink(next);
            move || {
                let sink = sink.clone();
                Ok(each(move |left: u64, cx: &mut seda_core::Context| {
                    (0..work).for_each(|n| {
                        black_box(n);
                    });
                    if left > 0 {
                        cx.send(&sink, left - 1).expect("room for all");
                    }
                }))
            }
        };
        graph.attach_in(&pool, *stage, wire).expect("attached once");
    }
    let source = graph.source(stages[0]).expect("own stage");
    let running = graph.start().expect("a legal graph");
    let before = cpu_seconds();
    source.send_all(vec![hops - 1; EVENTS]).expect("room for all");
    let drained = running.drain(Duration::from_secs(60));
    let spent = cpu_seconds() - before;
    assert_eq!(drained.report.events.handled, EVENTS as u64 * hops);
    spent * 1e9 / (EVENTS as u64 * hops) as f64
}
