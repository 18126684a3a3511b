//! The number of events that a deferring stage has outside: bounded, waited for, and sized like a
//! pool. On the manual clock, with a remote side of known capacity.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{LONG, assert_balanced, wait_until};
use parking_lot::Mutex;
use seda_core::{
    Context, Controller, Graph, GraphConfig, Manual, ManualClock, Mode, Pending, Source,
    StageConfig, WorkerRange,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

type Outside = Arc<Mutex<VecDeque<Pending>>>;

/// Returns a stage that defers every event.
fn deferring(config: StageConfig, mode: Mode) -> (Graph, Source<u32>, Outside) {
    let mut graph = Graph::new("remote");
    let ask = graph.stage::<u32>("ask", 8_192);
    let outside = Outside::default();
    let kept = Arc::clone(&outside);
    graph
        .attach_each(ask, |_wire| {
            move |_event, cx: &mut Context| kept.lock().push_back(cx.defer().unwrap())
        })
        .unwrap();
    let workers = Some(WorkerRange::exactly(2));
    graph.configure(ask, StageConfig { workers, ..config }).unwrap();
    let mut config = GraphConfig::default();
    config.control.outstanding = mode;
    graph.apply(config).unwrap();
    let source = graph.source(ask).unwrap();
    (graph, source, outside)
}

fn places(outstanding: usize, pending: usize) -> StageConfig {
    StageConfig { outstanding: Some(outstanding), pending: Some(pending), ..StageConfig::default() }
}

/// A remote side that serves `servers` events at once, each for 10 ms, in order of arrival.
struct Plant {
    graph: Manual,
    clock: Arc<ManualClock>,
    source: Source<u32>,
    outside: Outside,
    /// The events in service, and the milliseconds left of each.
    served: Vec<(Pending, u32)>,
    most: usize,
    /// The milliseconds for which an event runs on a thread, if the events tell it.
    running: Option<u64>,
    /// When the events outside came there, in milliseconds, if they tell their times.
    came: VecDeque<u64>,
    now: u64,
}

impl Plant {
    fn of(config: StageConfig, mode: Mode) -> Self {
        let (graph, source, outside) = deferring(config, mode);
        Self::new(graph, source, outside)
    }

    fn new(graph: Graph, source: Source<u32>, outside: Outside) -> Self {
        let clock = Arc::new(ManualClock::new());
        let graph = graph.start_manual(clock.clone()).unwrap();
        let (served, came) = (Vec::new(), VecDeque::new());
        Self { graph, clock, source, outside, served, most: 0, running: None, came, now: 0 }
    }

    /// Notes when events came outside, and tells the times of one that begins its service.
    fn tell(&mut self, pending: &mut Pending) {
        let (Some(running), Some(came)) = (self.running, self.came.pop_front()) else { return };
        pending.add_thread_time(MS * running as u32, MS * (self.now - came) as u32);
    }

    /// Runs `millis` milliseconds with `come` arrivals in each.
    fn run(&mut self, millis: usize, come: u32, servers: usize) {
        for millisecond in 0..millis {
            for event in 0..come {
                // A full queue refuses.
                let _ = self.source.send(event);
            }
            self.graph.run_until_idle();
            let outside = self.outside.lock().len();
            self.came.resize(outside, self.now);
            self.clock.advance(MS);
            self.now += 1;
            self.served.iter_mut().for_each(|(_, left)| *left -= 1);
            let done = self.served.extract_if(.., |(_, left)| *left == 0);
            done.for_each(|(pending, _)| pending.complete());
            while self.served.len() < servers {
                let Some(mut pending) = self.outside.lock().pop_front() else { break };
                self.tell(&mut pending);
                self.served.push((pending, 10));
            }
            self.most = self.most.max(self.served.len() + self.outside.lock().len());
            if millisecond % 100 == 99 {
                self.graph.tick();
            }
        }
    }

    fn limit(&self) -> Option<usize> {
        self.graph.report().stages[0].outstanding
    }

    fn handled(&self) -> u64 {
        let report = self.graph.report();
        assert_balanced(&report);
        report.events.handled
    }
}

#[test]
fn the_number_outside_grows_while_the_remote_side_answers_more() {
    // Eight servers do 800 events/s; 1,000 arrive.
    let mut plant = Plant::of(places(1, 1_024), Mode::On);
    plant.run(3_000, 1, 8);
    let (limit, before) = (plant.limit().unwrap(), plant.handled());
    assert!((8..=32).contains(&limit), "{limit}");
    plant.run(2_000, 1, 8);
    assert!(plant.handled() - before >= 1_584, "{} in two seconds", plant.handled() - before);
    assert!(plant.most <= 64, "{} outside", plant.most);
}

/// A plant whose events run for `running` of their ten milliseconds on one of `threads` threads.
fn on_threads(outstanding: usize, running: u64, threads: usize) -> Plant {
    let (mut graph, source, outside) = deferring(places(outstanding, 1_024), Mode::On);
    graph.cores(threads);
    let plant = Plant::new(graph, source, outside);
    Plant { running: Some(running), ..plant }
}

#[test]
fn events_that_compute_get_no_more_places_than_fill_the_threads() {
    // One thread does 100 events/s; 1,000 arrive. The places begin at 32.
    let mut plant = on_threads(32, 10, 1);
    plant.run(500, 1, 1);
    assert!(plant.limit().unwrap() <= 3, "{:?}", plant.limit());
    let before = plant.handled();
    plant.run(2_000, 1, 1);
    assert!(plant.limit().unwrap() <= 3, "{:?}", plant.limit());
    assert!(plant.handled() - before >= 198, "{} in two seconds", plant.handled() - before);
}

#[test]
fn places_grow_again_when_events_that_computed_sleep_instead() {
    let mut plant = on_threads(32, 10, 1);
    plant.run(1_000, 1, 1);
    assert!(plant.limit().unwrap() <= 3, "{:?}", plant.limit());
    plant.running = Some(0);
    plant.run(1_000, 1, 1_024);
    assert!(plant.limit().unwrap() >= 32, "{:?}", plant.limit());
}

#[test]
fn unused_places_outside_are_released() {
    let mut plant = Plant::of(places(1, 1_024), Mode::On);
    plant.run(3_000, 1, 8);
    let busy = plant.limit().unwrap();
    plant.run(10_000, 0, 8);
    plant.run(5_000, 0, 8);
    assert!(plant.limit().unwrap() < busy, "{:?} of {busy}", plant.limit());
}

#[test]
fn an_observer_journals_its_decision_and_keeps_the_minimum() {
    let mut plant = Plant::of(places(2, 1_024), Mode::Observe);
    plant.run(500, 1, 8);
    assert_eq!((plant.limit(), plant.most), (Some(2), 2));
    let journal = plant.graph.report().journal;
    let said = journal.iter().filter(|decision| decision.controller == Controller::Outstanding);
    assert!(said.clone().count() > 0 && said.clone().all(|decision| !decision.acted));
}

#[test]
fn it_has_a_mode_apart_from_that_of_the_pools() {
    let mut plant = Plant::of(places(1, 1_024), Mode::Off);
    plant.run(1_000, 1, 8);
    assert_eq!((plant.limit(), plant.graph.report().journal.len()), (Some(1), 0));
    let mut config = GraphConfig::default();
    config.control.pool_size = Mode::Off;
    plant.graph.reconfigure(&config).unwrap();
    plant.run(2_000, 1, 8);
    assert!(plant.limit().unwrap() >= 8, "{:?}", plant.limit());
}

#[test]
fn without_it_only_pending_bounds_the_number_outside() {
    let config = StageConfig { pending: Some(1_024), ..StageConfig::default() };
    let mut plant = Plant::of(config, Mode::On);
    plant.run(3_000, 1, 8);
    assert_eq!((plant.limit(), plant.most > 500), (None, true));
}

#[test]
fn a_live_setting_holds_from_the_next_event_on() {
    let mut plant = Plant::of(StageConfig::default(), Mode::Off);
    plant.run(50, 1, 0);
    assert_eq!(plant.outside.lock().len(), 50);
    let mut config = GraphConfig::default();
    config.control.outstanding = Mode::Off;
    config.stages.insert("ask".to_owned(), places(60, 1_024));
    plant.graph.reconfigure(&config).unwrap();
    plant.run(50, 1, 0);
    assert_eq!((plant.outside.lock().len(), plant.graph.report().stages[0].queued), (60, 40));
    config.stages.insert("ask".to_owned(), places(70, 1_024));
    plant.graph.reconfigure(&config).unwrap();
    plant.run(1, 0, 0);
    assert_eq!((plant.outside.lock().len(), plant.graph.report().stages[0].queued), (70, 30));
}

#[test]
fn a_minimum_above_pending_is_refused_by_name() {
    for (least, pending) in [(0, 8), (9, 8)] {
        let (graph, _source, _outside) = deferring(places(least, pending), Mode::On);
        let error = graph.start_manual(Arc::new(ManualClock::new())).unwrap_err().to_string();
        assert!(error.contains("stages.ask.outstanding") && error.contains("1 to"), "{error}");
    }
}

#[test]
fn on_threads_a_released_place_goes_to_a_waiting_event() {
    let (graph, source, outside) = deferring(places(3, 3), Mode::Off);
    let running = graph.start().unwrap();
    source.send_all(vec![0; 1_000]).unwrap();
    for done in 0..1_000 {
        wait_until("one is outside", || !outside.lock().is_empty());
        assert!(outside.lock().len() <= 3, "after {done}");
        outside.lock().pop_front().unwrap().complete();
    }
    let drained = running.drain(LONG);
    assert!(drained.complete, "{}", drained.report);
    assert_eq!(drained.report.events.handled, 1_000);
    assert_balanced(&drained.report);
}
