//! Active queue management of a standing queue: CoDel and newest first. On the manual clock, so
//! every count is exact.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::assert_balanced;
use parking_lot::Mutex;
use seda_core::CodelConfig;
use seda_core::{
    Context, Controller, Graph, GraphConfig, Manual, ManualClock, Mode, SendOptions, Source,
    StageConfig, WorkerRange,
};
use std::sync::Arc;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// Returns a stage with one worker, which takes one event at a time.
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
    /// Runs `times` steps of 10 ms; in each one event is served and `come` arrive.
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
fn the_newest_is_served_first_while_the_oldest_has_waited_for_too_long() {
    let config = StageConfig { newest_first_above: Some(MS * 15), ..StageConfig::default() };
    let mut plant = plant(config);
    for event in 1..=4 {
        plant.source.send(event).unwrap();
    }
    plant.run(1, 0);
    // At 10 ms the oldest is still first. Then 2 to 4 have waited for too long.
    plant.run(1, 0);
    plant.source.send(5).unwrap();
    plant.run(4, 0);
    assert_eq!(*plant.handled.lock(), [1, 2, 5, 4, 3]);
}

#[test]
fn the_oldest_events_expire_behind_the_newest() {
    let config = StageConfig { newest_first_above: Some(MS * 15), ..StageConfig::default() };
    let mut plant = plant(config);
    let terms = SendOptions { deadline: Some(MS * 35), ..SendOptions::default() };
    let source = plant.source.with_options(terms);
    for event in 1..=6 {
        source.send(event).unwrap();
    }
    plant.run(6, 0);
    let work = plant.work();
    assert_eq!(*plant.handled.lock(), [1, 2, 6, 5]);
    assert_eq!((work.shed["expired"], work.queue.depth), (2, 0));
}

#[test]
fn a_keyed_stage_never_serves_the_newest_first() {
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
fn a_setting_out_of_bounds_is_named() {
    for (wrong, named) in [
        ("codel.target = \"0s\"", "stages.work.codel.target"),
        ("codel.interval = \"20m\"", "stages.work.codel.interval"),
        ("codel = { target = \"1s\", interval = \"1s\" }", "stages.work.codel.target"),
        ("codel.keep_one_in = 0", "stages.work.codel.keep_one_in"),
        ("codel.keep_one_in = 1", "stages.work.codel.keep_one_in"),
        ("codel.keep_one_in = 1000001", "stages.work.codel.keep_one_in"),
        ("newest_first_above = \"0s\"", "stages.work.newest_first_above"),
    ] {
        let mut plant = plant(StageConfig::default());
        let config: GraphConfig = toml::from_str(&format!("[stages.work]\n{wrong}\n")).unwrap();
        let error = plant.graph.reconfigure(&config).unwrap_err().to_string();
        assert!(error.contains(&format!("`{named}`")), "{wrong}: {error}");
    }
}

#[test]
fn the_settings_change_while_the_graph_runs() {
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

const CODEL: &str = "[stages.work]\ncodel = { target = \"20ms\" }\n";
const NEWEST_FIRST: &str = "[stages.work]\nnewest_first_above = \"15ms\"\n";

impl Plant {
    fn set(&mut self, mode: Mode, options: &str) {
        let mut config: GraphConfig = toml::from_str(options).unwrap();
        config.control.queue_delay = mode;
        self.graph.reconfigure(&config).unwrap();
    }

    /// Runs `times` ticks of 100 ms; in each ten events are served and `come` arrive.
    fn tick(&mut self, times: usize, come: u32) {
        for _ in 0..times {
            self.run(10, come / 10);
            self.graph.tick();
        }
    }

    /// Returns the entries of the journal on queue delay: action, change, and whether it acted.
    fn told(&self) -> Vec<(String, String, bool)> {
        let journal = self.graph.report().journal.into_iter();
        let ours = journal.filter(|decision| decision.controller == Controller::QueueDelay);
        ours.map(|decision| (decision.action, decision.changed, decision.acted)).collect()
    }

    /// Returns the observation of the last entry with this action.
    fn seen(&self, action: &str) -> String {
        let journal = self.graph.report().journal;
        journal.into_iter().rfind(|decision| decision.action == action).unwrap().seen
    }
}

fn line(action: &str, changed: &str, acted: bool) -> (String, String, bool) {
    (action.to_owned(), changed.to_owned(), acted)
}

#[test]
fn codel_journals_the_begin_and_the_end_of_shedding_once_each() {
    let mut plant = plant(StageConfig::default());
    plant.set(Mode::On, CODEL);
    plant.tick(20, 20);
    let began = line("began shedding", "shedding false → true", true);
    assert_eq!(plant.told(), std::slice::from_ref(&began));
    assert!(plant.seen("began shedding").ends_with("slough, 20ms of 100ms, keeps one in 10"));
    plant.tick(20, 0);
    assert_eq!(plant.told(), [began, line("stopped shedding", "shedding true → false", true)]);
    let shed = plant.work().shed["delay"];
    let seen = plant.seen("stopped shedding");
    assert!(seen.ends_with(&format!("; {shed} shed meanwhile")), "{shed}: {seen}");
}

#[test]
fn codel_that_observes_counts_the_events_it_would_shed_and_keeps_them() {
    let (mut plain, mut observed) = (plant(StageConfig::default()), plant(StageConfig::default()));
    observed.set(Mode::Observe, CODEL);
    plain.tick(20, 20);
    observed.tick(20, 20);
    let (plain, work) = (plain.work(), observed.work());
    assert_eq!((work.handled, work.queued, work.shed.len()), (plain.handled, plain.queued, 0));
    assert!((100..200).contains(&work.spared), "{}", work.spared);
    observed.tick(30, 0);
    assert_eq!(
        observed.told(),
        [
            line("began shedding", "shedding false → true", false),
            line("stopped shedding", "shedding true → false", false),
        ]
    );
    let seen = observed.seen("stopped shedding");
    let spared = observed.work().spared;
    assert!(seen.ends_with(&format!("; {spared} would have been shed meanwhile")), "{seen}");
}

#[test]
fn codel_that_is_off_sheds_and_journals_nothing() {
    let mut plant = plant(StageConfig::default());
    let mut config: GraphConfig = toml::from_str(CODEL).unwrap();
    config.control.set_mode(Mode::Off);
    plant.graph.reconfigure(&config).unwrap();
    plant.tick(20, 20);
    let work = plant.work();
    assert_eq!((work.handled, work.queued, work.spared), (200, 200, 0));
    assert_eq!(plant.told(), []);
}

#[test]
fn the_mode_changes_while_the_queue_stands() {
    let mut plant = plant(StageConfig::default());
    plant.set(Mode::Observe, CODEL);
    plant.tick(10, 20);
    plant.set(Mode::On, CODEL);
    plant.tick(10, 20);
    let shed = plant.work().shed["delay"];
    assert!(shed > 0);
    plant.set(Mode::Off, CODEL);
    plant.tick(10, 20);
    assert_eq!(plant.work().shed["delay"], shed);
    assert_eq!(
        plant.told(),
        [
            line("began shedding", "shedding false → true", false),
            line("began shedding", "shedding false → true", true),
            line("stopped shedding", "shedding true → false", true),
        ]
    );
}

#[test]
fn a_switch_to_the_newest_first_and_back_is_journaled() {
    let mut plant = plant(StageConfig::default());
    plant.set(Mode::On, NEWEST_FIRST);
    plant.tick(2, 20);
    let turned = line("serves the newest first", "oldest → newest", true);
    assert_eq!(plant.told(), std::slice::from_ref(&turned));
    plant.tick(4, 0);
    assert_eq!(
        plant.told(),
        [turned, line("serves the oldest first again", "newest → oldest", true)]
    );
}

#[test]
fn an_observer_serves_the_oldest_first_and_journals_the_switch() {
    let mut plant = plant(StageConfig::default());
    plant.set(Mode::Observe, NEWEST_FIRST);
    (1..=20).for_each(|event| plant.source.send(event).unwrap());
    plant.tick(3, 0);
    assert_eq!(*plant.handled.lock(), (1..=20).collect::<Vec<_>>());
    assert_eq!(
        plant.told(),
        [
            line("serves the newest first", "oldest → newest", false),
            line("serves the oldest first again", "newest → oldest", false),
        ]
    );
}
