//! The cost of one stage boundary: events circulate through six stages with all statistics on. The
//! cost of the same six steps as plain calls is subtracted. The figure is CPU time of the whole
//! process per hop.
//!
//! `cargo bench -p benches --bench stage_hop` measures a shared pool and a pool per stage, on one
//! core and on two; `-- 1` or `-- 2` selects one of these. Rounds are interleaved. The events
//! circulate, so the sends of a source are no part of the figure.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark ends if its setup fails"
)]

use benches::{Pinned, Rounds, cpu_seconds, pin};
use seda_core::{
    Context, Drained, Graph, GraphConfig, Running, Sink, Source, StageConfig, WorkerRange, each,
};
use std::hint::black_box;
use std::time::Duration;

const STAGES: usize = 6;
/// Enough events to fill the batches of every worker.
const EVENTS: u64 = 1_024;
/// Number of hops of each event.
const HOPS: u64 = 6_000;
const BATCH: usize = 32;
const ROUNDS: usize = 7;

fn main() {
    println!(
        "{EVENTS} events, {HOPS} hops each round {STAGES} stages, batches of {BATCH}; CPU ns per hop"
    );
    println!("{:<34} {:>8} {:>8} {:>8}", "case", "min", "median", "max");
    // The number of cores to measure on; both without it.
    let only: Option<usize> = std::env::args().find_map(|word| word.parse().ok());
    for cores in [&[0][..], &[0, 1][..]] {
        if only.is_some_and(|only| only != cores.len()) {
            continue;
        }
        let Pinned::Yes = pin(cores) else {
            println!("(cannot pin to {cores:?}: skipped)");
            continue;
        };
        let mut rounds =
            Rounds::new(["plain calls", "shared pool, 1 worker", "shared pool", "own pools"]);
        for _ in 0..ROUNDS {
            rounds.add(0, plain());
            rounds.add(1, staged(Some(1)));
            rounds.add(2, staged(Some(cores.len())));
            rounds.add(3, staged(None));
        }
        rounds.print_minus(0, &format!("{} core(s): ", cores.len()));
    }
}

/// Does the same work without stages; returns CPU nanoseconds per hop.
fn plain() -> f64 {
    let steps: [fn(u64) -> u64; STAGES] = [|n| black_box(n).wrapping_sub(1); STAGES];
    let before = cpu_seconds();
    for _ in 0..EVENTS {
        let mut left = HOPS;
        while left > 0 {
            left = steps.iter().fold(left, |n, step| black_box(step)(n));
        }
    }
    per_hop(cpu_seconds() - before)
}

fn per_hop(seconds: f64) -> f64 {
    seconds * 1e9 / (EVENTS * HOPS) as f64
}

/// Sends events round the graph; returns CPU nanoseconds per hop. `shared` is the number of workers
/// of the one pool; `None` is a pool per stage.
fn staged(shared: Option<usize>) -> f64 {
    let (running, source) = ring(shared);
    let before = cpu_seconds();
    source.send_all(vec![HOPS - 1; EVENTS as usize]).expect("room for all");
    let Drained { complete, report, .. } = running.drain(Duration::from_secs(60));
    let spent = cpu_seconds() - before;
    assert!(complete, "not drained: {report}");
    assert_eq!(report.events.handled, EVENTS * HOPS);
    per_hop(spent)
}

fn ring(shared: Option<usize>) -> (Running, Source<u64>) {
    let mut graph = Graph::new("hops");
    graph.apply(GraphConfig { budget: Some(2_048), ..GraphConfig::default() }).unwrap();
    let pool = shared.map(|workers| graph.pool("all", WorkerRange::exactly(workers)));
    let stages: Vec<_> = (0..STAGES).map(|n| graph.stage::<u64>(&format!("s{n}"), 8_192)).collect();
    for (n, stage) in stages.iter().enumerate() {
        let next = stages[(n + 1) % STAGES];
        let config = StageConfig {
            workers: shared.is_none().then_some(WorkerRange::exactly(1)),
            batch: Some(BATCH),
            ..StageConfig::default()
        };
        graph.configure(*stage, config).unwrap();
        let wire = |wire: &mut seda_core::Wire<'_>| {
            let sink: Sink<u64> = wire.sink(next);
            move || {
                let sink = sink.clone();
                Ok(each(move |left: u64, cx: &mut Context| {
                    if left > 0 {
                        cx.send(&sink, black_box(left) - 1).expect("room for all");
                    }
                }))
            }
        };
        match &pool {
            Some(pool) => graph.attach_in(pool, *stage, wire).unwrap(),
            None => graph.attach(*stage, wire).unwrap(),
        }
    }
    let source = graph.source(stages[0]).unwrap();
    (graph.start().unwrap(), source)
}
