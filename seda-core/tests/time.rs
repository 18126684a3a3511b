//! Invariant 10: time is injected, and read twice per batch; every figure is measured.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::assert_balanced;
use seda_core::{Clock, Context, Graph, ManualClock, StageConfig, Time, WorkerRange};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A clock that counts its readings.
#[derive(Debug, Default)]
struct CountingClock {
    clock: ManualClock,
    reads: AtomicU64,
}

impl Clock for CountingClock {
    fn now(&self) -> Time {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.clock.now()
    }
}

/// Returns the clock readings of one batch of 32 events that take `service` each, after enough
/// batches for the stage to know its service time.
fn reads_per_batch(service: Duration) -> u64 {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 64);
    let clock = Arc::new(CountingClock::default());
    let work = Arc::clone(&clock);
    graph.attach_each(stage, |_wire| move |_event, _cx| work.clock.advance(service)).unwrap();
    let workers = Some(WorkerRange::exactly(1));
    graph.configure(stage, StageConfig { workers, ..StageConfig::default() }).unwrap();
    let source = graph.source(stage).unwrap();
    let mut graph = graph.start_manual(clock.clone()).unwrap();
    for _ in 0..4 {
        source.send_all(vec![0; 32]).unwrap();
        graph.run_until_idle();
    }
    source.send_all(vec![0; 32]).unwrap();
    let before = clock.reads.load(Ordering::SeqCst);
    assert_eq!(graph.step(), 32);
    clock.reads.load(Ordering::SeqCst) - before
}

#[test]
fn a_batch_of_fast_events_reads_the_clock_twice() {
    assert_eq!(reads_per_batch(Duration::from_nanos(100)), 2);
}

#[test]
fn events_of_a_microsecond_or_more_are_timed_one_by_one() {
    assert_eq!(reads_per_batch(Duration::from_micros(2)), 1 + 32);
}

#[test]
fn the_report_says_whether_services_were_timed_or_averaged() {
    for (service, resolution) in [(100, "batch_mean"), (5_000, "event")] {
        let mut graph = Graph::new("g");
        let stage = graph.stage::<u32>("s", 64);
        let clock = Arc::new(ManualClock::new());
        let work = Arc::clone(&clock);
        let handle = move |_event: u32, _cx: &mut Context| {
            work.advance(Duration::from_nanos(service));
        };
        graph.attach_each(stage, |_wire| handle).unwrap();
        let source = graph.source(stage).unwrap();
        let mut graph = graph.start_manual(clock).unwrap();
        for _ in 0..8 {
            source.send_all(vec![0; 16]).unwrap();
            graph.run_until_idle();
        }
        let report = serde_json::to_value(graph.report()).unwrap();
        let measured = &report["stages"][0]["service_seconds"];
        assert_eq!(measured["resolution"], resolution);
        assert_eq!(measured["count"], 128);
        assert!((measured["mean"].as_f64().unwrap() - service as f64 / 1e9).abs() < 1e-12);
    }
}

#[test]
fn wait_service_occupancy_and_utilization_are_those_computed_by_hand() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 64);
    let clock = Arc::new(ManualClock::new());
    let work = Arc::clone(&clock);
    let handle = move |_event: u32, _cx: &mut Context| work.advance(Duration::from_millis(100));
    graph.attach_each(stage, |_wire| handle).unwrap();
    let workers = Some(WorkerRange::exactly(1));
    graph.configure(stage, StageConfig { workers, ..StageConfig::default() }).unwrap();
    let source = graph.source(stage).unwrap();
    let mut graph = graph.start_manual(clock.clone()).unwrap();
    source.send(1).unwrap();
    source.send(2).unwrap();
    clock.advance(Duration::from_millis(100));
    graph.run_until_idle();
    clock.advance(Duration::from_millis(100));
    let report = graph.report();
    let stage = &report.stages[0];
    // Both wait for 100 ms, and the second for another 100 while the first is served. So the waits
    // are 100 and 200 ms, the services 100 ms each, and the sojourns 200 and 300 ms.
    assert_eq!(report.uptime_seconds, 0.4);
    assert_eq!(stage.wait_seconds.mean, Some(0.15));
    assert_eq!(stage.wait_seconds.max, Some(0.2));
    assert_eq!(stage.service_seconds.quantiles.mean, Some(0.1));
    assert!((stage.utilization - 0.5).abs() < 1e-9, "{}", stage.utilization);
    assert!((stage.occupancy - 0.5 / 0.4).abs() < 1e-9, "{}", stage.occupancy);
    assert!((stage.throughput_per_second - 5.0).abs() < 1e-9);
    assert_balanced(&report);
}

#[test]
fn without_statistics_the_ledgers_still_balance() {
    let mut graph = Graph::new("g");
    let config = seda_core::GraphConfig { statistics: false, ..Default::default() };
    graph.apply(config).unwrap();
    let stage = graph.stage::<u32>("s", 64);
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(stage).unwrap();
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    source.send_all(vec![0; 64]).unwrap();
    graph.run_until_idle();
    let report = graph.report();
    assert_eq!((report.stages[0].handled, report.stages[0].wait_seconds.count), (64, 0));
    assert_balanced(&report);
}

#[test]
fn a_clock_that_stops_or_jumps_is_harmless() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 64);
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let source = graph.source(stage).unwrap();
    let clock = Arc::new(ManualClock::new());
    let mut graph = graph.start_manual(clock.clone()).unwrap();
    graph.tick();
    graph.tick();
    source.send(1).unwrap();
    clock.advance(Duration::from_secs(365 * 24 * 3600));
    graph.tick();
    graph.run_until_idle();
    graph.tick();
    assert_balanced(&graph.report());
    assert!(graph.report().stages[0].utilization.is_finite());
}
