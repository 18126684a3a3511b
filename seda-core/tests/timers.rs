//! Delayed events: reserved from the start, delivered in time, cancelled by a drain.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{Gate, assert_balanced, wait_until};
use parking_lot::Mutex;
use seda_core::{
    Context, Graph, LossReason, Manual, ManualClock, RefusalReason, SendOptions, Source, Stage,
    StageConfig, WorkerRange,
};
use std::sync::Arc;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

type Seen = Arc<Mutex<Vec<(u64, u128)>>>;

/// Returns a graph where `plan` sends each number to `later` after that number of milliseconds.
fn planning(capacity: usize) -> (Graph, Source<u64>, Stage<u64>, Seen) {
    let mut graph = Graph::new("timers");
    let plan = graph.stage::<u64>("plan", 200_000);
    let later = graph.stage::<u64>("later", capacity);
    let seen = Seen::default();
    let seeing = Arc::clone(&seen);
    graph
        .attach_each(plan, |wire| {
            let later = wire.sink(later);
            move |millis, cx: &mut Context| {
                let delay = Duration::from_millis(millis);
                cx.send_after(delay, &later, millis).unwrap_or_else(|refused| refused.give_up());
            }
        })
        .unwrap();
    graph
        .attach_each(later, |_wire| {
            move |millis, cx: &mut Context| {
                let now = Duration::from_nanos(cx.now().as_nanos()).as_millis();
                seeing.lock().push((millis, now));
            }
        })
        .unwrap();
    graph.budget(200_000);
    let source = graph.source(plan).unwrap();
    (graph, source, later, seen)
}

fn manual(graph: Graph) -> (Manual, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    (graph.start_manual(clock.clone()).unwrap(), clock)
}

#[test]
fn a_delayed_event_arrives_in_time_and_its_delay_is_not_waiting_time() {
    let (graph, source, _, seen) = planning(8);
    let (mut graph, clock) = manual(graph);
    source.send_all(vec![5, 3, 5]).unwrap();
    assert_eq!(graph.run_until_idle(), 3);
    let report = graph.report();
    assert_eq!((report.stages[1].accepted, report.stages[1].pending), (3, 3));
    assert_eq!(report.budget.used, 3);
    assert_balanced(&report);
    clock.advance(MS * 2);
    assert_eq!(graph.run_until_idle(), 0);
    clock.advance(MS);
    assert_eq!(graph.run_until_idle(), 1);
    clock.advance(MS * 3);
    assert_eq!(graph.run_until_idle(), 2);
    assert_eq!(*seen.lock(), [(3, 3), (5, 6), (5, 6)]);
    let report = graph.report();
    // Due at 5 ms and taken at 6: each waits for a millisecond.
    assert_eq!(report.stages[1].wait_seconds.mean, Some(0.002 / 3.0));
    assert_eq!((report.stages[1].pending, report.budget.used), (0, 0));
    assert_balanced(&report);
}

#[test]
fn a_delayed_event_reserves_its_place_at_once_or_is_refused() {
    let (graph, source, _, _) = planning(2);
    let (mut graph, clock) = manual(graph);
    source.send_all(vec![9; 5]).unwrap();
    graph.run_until_idle();
    let later = &graph.report().stages[1];
    assert_eq!((later.accepted, later.refused.get("full")), (2, Some(&3)));
    clock.advance(MS * 9);
    assert_eq!(graph.run_until_idle(), 2);
    assert_balanced(&graph.report());
}

#[test]
fn a_drain_cancels_delayed_events_counts_them_and_notifies_each_owner_once() {
    let (mut graph, source, later, seen) = planning(8);
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&told);
    graph.on_lost(later, move |event, reason| telling.lock().push((event, reason))).unwrap();
    let (mut graph, clock) = manual(graph);
    source.send_all(vec![1, 700, 300]).unwrap();
    graph.run_until_idle();
    clock.advance(MS);
    let journal = graph.journal();
    // The first is due, but no worker has looked yet: the end cancels it too.
    let drained = graph.drain(usize::MAX);
    assert_eq!((drained.cancelled, drained.complete, drained.given_up), (3, true, 0));
    assert_eq!(
        *told.lock(),
        [1, 300, 700].map(|event| (event, LossReason::Cancelled)),
        "{}",
        drained.report
    );
    assert!(seen.lock().is_empty());
    assert_eq!(journal.try_iter().filter(|d| d.action == "cancelled them").count(), 1);
    assert_eq!(drained.report.budget.used, 0);
    assert_balanced(&drained.report);
}

#[test]
fn a_draining_graph_refuses_delayed_events() {
    let (graph, source, _, _) = planning(8);
    let (graph, _) = manual(graph);
    source.send(1).unwrap();
    let drained = graph.drain(usize::MAX);
    let later = &drained.report.stages[1];
    assert_eq!((later.accepted, later.refused.get("closed")), (0, Some(&1)));
    assert_eq!((drained.cancelled, drained.complete), (0, true));
    assert_balanced(&drained.report);
}

#[test]
fn a_delay_beyond_the_deadline_is_refused_at_once() {
    let (graph, source, _, _) = planning(8);
    let (mut graph, _) = manual(graph);
    let source =
        source.with_options(SendOptions { deadline: Some(MS * 10), ..SendOptions::default() });
    source.send_all(vec![9, 10]).unwrap();
    graph.run_until_idle();
    let later = &graph.report().stages[1];
    assert_eq!((later.accepted, later.refused.get("expired")), (1, Some(&1)));
    assert_eq!(RefusalReason::Expired.as_str(), "expired");
}

#[test]
fn a_delayed_event_uses_the_budget_besides_its_sender() {
    for (budget, taken) in [(1, 0), (2, 1)] {
        let (mut graph, source, _, _) = planning(8);
        graph.budget(budget);
        let (mut graph, _) = manual(graph);
        source.send(9).unwrap();
        graph.run_until_idle();
        let report = graph.report();
        let refused = report.stages[1].refused.get("budget").copied().unwrap_or(0);
        assert_eq!((report.stages[1].accepted, refused), (taken, 1 - taken));
        assert_balanced(&report);
    }
}

#[test]
fn a_hundred_thousand_delayed_events_arrive_in_order() {
    let (graph, source, _, seen) = planning(200_000);
    let (mut graph, clock) = manual(graph);
    // Mixed order: the step has no common divisor with the number of events.
    let millis = |n: u64| 1 + (n * 7_919) % 100_000;
    (0..100_000).for_each(|n| source.send(millis(n)).unwrap());
    graph.run_until_idle();
    assert_eq!(graph.report().stages[1].pending, 100_000);
    for _ in 0..100 {
        clock.advance(Duration::from_secs(1));
        graph.run_until_idle();
    }
    let seen: Vec<u64> = seen.lock().iter().map(|(millis, _)| *millis).collect();
    assert_eq!(seen, (1..=100_000).collect::<Vec<_>>());
}

#[test]
fn parked_workers_wake_for_delayed_events_without_a_timer_thread() {
    let (graph, source, _, seen) = planning(200_000);
    let running = graph.start().unwrap();
    (0..1_000).for_each(|n| source.send(n % 40).unwrap());
    wait_until("all have arrived", || seen.lock().len() == 1_000);
    let report = running.report();
    assert_eq!((report.stages[1].handled, report.stages[1].pending), (1_000, 0));
    assert_balanced(&report);
}

#[test]
fn a_busy_worker_leaves_the_timers_to_another() {
    let mut graph = Graph::new("timers");
    let work = graph.stage::<&'static str>("work", 8);
    let gate = Gate::default();
    let at_gate = gate.clone();
    graph
        .attach_each(work, |wire| {
            let later = wire.sink(work);
            move |what, cx: &mut Context| match what {
                "plan" => cx.send_after(MS * 20, &later, "tick").unwrap(),
                "block" => at_gate.pass(),
                _ => {}
            }
        })
        .unwrap();
    let config = StageConfig { workers: Some(WorkerRange::exactly(2)), ..StageConfig::default() };
    graph.configure(work, config).unwrap();
    let source = graph.source(work).unwrap();
    let running = graph.start().unwrap();
    source.send("plan").unwrap();
    source.send("block").unwrap();
    // Plan and tick are handled while one of the two workers is blocked.
    wait_until("plan and tick are handled", || running.report().stages[0].handled == 2);
    gate.open();
    assert!(running.drain(crate::support::LONG).complete);
}
