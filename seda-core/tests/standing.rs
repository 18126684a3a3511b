//! Options against a queue that stands: CoDel, and the newest first. On the manual clock, so that
//! every count is exact.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use parking_lot::Mutex;
use seda_core::gate::CodelConfig;
use seda_core::{
    Context, Graph, GraphConfig, Manual, ManualClock, Source, StageConfig, Terms, WorkerRange,
};
use std::sync::Arc;
use std::time::Duration;
use support::assert_balanced;

const MS: Duration = Duration::from_millis(1);

/// One worker that takes one event after the other.
struct Plant {
    graph: Manual,
    source: Source<u32>,
    clock: Arc<ManualClock>,
    handled: Arc<Mutex<Vec<u32>>>,
}

fn plant(config: StageConfig) -> Plant {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("work", 4_096);
    let clock = Arc::new(ManualClock::new());
    let handled = Arc::<Mutex<Vec<u32>>>::default();
    let done = Arc::clone(&handled);
    graph
        .attach_each(stage, |_wire| move |event, _cx: &mut Context| done.lock().push(event))
        .unwrap();
    let workers = Some(WorkerRange::exactly(1));
    let config = StageConfig { workers, batch: Some(1), ..config };
    graph.configure(stage, config).unwrap();
    let source = graph.source(stage).unwrap();
    let graph = graph.start_manual(clock.clone()).unwrap();
    Plant { graph, source, clock, handled }
}

impl Plant {
    /// So many times 10 ms pass, in each of which one event is served and so many come.
    fn run(&mut self, times: usize, come: u32) {
        for _ in 0..times {
            (0..come).for_each(|event| self.source.send(event).unwrap());
            self.graph.step();
            self.clock.advance(MS * 10);
        }
    }

    fn work(&self) -> seda_core::report::StageReport {
        let report = self.graph.report();
        assert_balanced(&report);
        report.stages[0].clone()
    }
}

fn codel(config: CodelConfig) -> StageConfig {
    StageConfig { codel: Some(config), ..StageConfig::default() }
}

#[test]
fn codel_keeps_a_standing_queue_short_and_the_worker_busy() {
    let config = CodelConfig { target: MS * 20, ..CodelConfig::default() };
    let (mut plain, mut shedding) = (plant(StageConfig::default()), plant(codel(config)));
    for plant in [&mut plain, &mut shedding] {
        plant.run(1_000, 2);
    }
    let (plain, shedding) = (plain.work(), shedding.work());
    assert_eq!((plain.queue.depth, plain.handled), (1_000, 1_000));
    assert_eq!(shedding.handled, 1_000, "shedding costs no throughput");
    assert!(shedding.queue.depth < 30, "{}", shedding.queue.depth);
    assert_eq!(shedding.shed["delay"] + shedding.queue.depth as u64, 1_000);
}

#[test]
fn codel_lets_a_burst_through() {
    let mut plant = plant(codel(CodelConfig { target: MS * 20, ..CodelConfig::default() }));
    plant.run(1, 9);
    plant.run(20, 0);
    let work = plant.work();
    assert_eq!((work.handled, work.shed.len()), (9, 0));
}

#[test]
fn while_the_oldest_has_waited_for_long_the_newest_is_first() {
    let config = StageConfig { newest_first_above: Some(MS * 15), ..StageConfig::default() };
    let mut plant = plant(config);
    for event in 1..=4 {
        plant.source.send(event).unwrap();
    }
    plant.run(1, 0);
    // 10 ms: the oldest still is first. Then 2 to 4 have waited for too long.
    plant.run(1, 0);
    plant.source.send(5).unwrap();
    plant.run(4, 0);
    assert_eq!(*plant.handled.lock(), [1, 2, 5, 4, 3]);
}

#[test]
fn what_has_waited_in_vain_expires_behind_the_newest() {
    let config = StageConfig { newest_first_above: Some(MS * 15), ..StageConfig::default() };
    let mut plant = plant(config);
    let terms = Terms { deadline: Some(MS * 35), ..Terms::default() };
    let source = plant.source.with_terms(terms);
    for event in 1..=6 {
        source.send(event).unwrap();
    }
    plant.run(6, 0);
    let work = plant.work();
    assert_eq!(*plant.handled.lock(), [1, 2, 6, 5]);
    assert_eq!((work.shed["expired"], work.queue.depth), (2, 0));
}

#[test]
fn a_keyed_stage_does_not_turn_around() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("work", 16);
    graph.attach_each(stage, |_wire| |_event, _cx: &mut Context| {}).unwrap();
    graph.keyed(stage, |event| *event).unwrap();
    let config = StageConfig { newest_first_above: Some(MS), ..StageConfig::default() };
    graph.configure(stage, config).unwrap();
    let _source = graph.source(stage).unwrap();
    let error = graph.start_manual(Arc::new(ManualClock::new())).unwrap_err().to_string();
    assert!(error.contains("`stages.work.newest_first_above`"), "{error}");
    assert!(error.contains("keyed"), "{error}");
}

#[test]
fn what_is_out_of_bounds_is_named() {
    for (wrong, named) in [
        ("codel.target = \"0s\"", "stages.work.codel.target"),
        ("codel.interval = \"20m\"", "stages.work.codel.interval"),
        ("codel = { target = \"1s\", interval = \"1s\" }", "stages.work.codel.target"),
        ("newest_first_above = \"0s\"", "stages.work.newest_first_above"),
    ] {
        let mut plant = plant(StageConfig::default());
        let config: GraphConfig = toml::from_str(&format!("[stages.work]\n{wrong}\n")).unwrap();
        let error = plant.graph.reconfigure(&config).unwrap_err().to_string();
        assert!(error.contains(&format!("`{named}`")), "{wrong}: {error}");
    }
}

#[test]
fn the_options_change_while_the_graph_runs() {
    let mut plant = plant(StageConfig::default());
    plant.run(100, 2);
    let text = "[stages.work]\ncodel = { target = \"20ms\" }\n";
    let changes = plant.graph.reconfigure(&toml::from_str(text).unwrap()).unwrap();
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!((change.key.as_str(), change.before.as_str()), ("stages.work.codel", "off"));
    assert_eq!(change.after, "slough, 20ms of 100ms, keeps one in 10");
    plant.run(100, 2);
    assert!(plant.work().shed["delay"] > 100);
}
