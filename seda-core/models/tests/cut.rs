//! A scrape against a worker: a report shows one moment.
//!
//! Protocol. A scrape locks all queues at once and reads the budgets meanwhile. An event is charged
//! before it enters and credited after it has left, so the budget always covers the events inside.
//!
//! The model has one worker, a thread that closes the stage and sheds its queue, and scrapes in
//! between. It runs the crate's queue, ledgers, byte budget and monitor, under shuttle's random and
//! PCT schedules.

use crate::checker::{Bound, fails, holds, thread::spawn};
use crate::support::{graph, workers};
use seda_core::modelled::{Flaw, Modelled};
use seda_core::testing::assert_balanced;
use std::sync::Arc;

const SCHEDULES: Bound = Bound(5_000);

fn a_scrape_meets_a_worker_and_a_closing() {
    let mut graph = graph(4);
    let stage = graph.stage::<usize>("s", 4);
    graph.configure(stage, workers(1, 1)).unwrap();
    graph.weigh(stage, |_event| 64).unwrap();
    graph.attach_each(stage, |_wire| |_event: usize, _cx| {}).unwrap();
    let source = graph.source(stage).unwrap();
    let graph = Arc::new(Modelled::start(graph));
    (0..3).for_each(|event| source.send(event).unwrap());
    let closed = Arc::clone(&graph);
    let closing = spawn(move || closed.close("s"));
    for _ in 0..2 {
        assert_balanced(&graph.report());
    }
    closing.join().unwrap();
    graph.wait_quiet();
    let report = graph.report();
    assert_balanced(&report);
    assert_eq!(report.budget.bytes_used, 0, "every byte is credited once");
    graph.end();
}

#[test]
fn a_report_shows_one_moment() {
    holds(SCHEDULES, a_scrape_meets_a_worker_and_a_closing);
}

#[test]
fn if_the_bytes_are_read_after_the_queues_are_unlocked_the_report_misses_some() {
    fails(
        SCHEDULES,
        Flaw::BytesReadLate,
        "bytes are inside",
        a_scrape_meets_a_worker_and_a_closing,
    );
}
