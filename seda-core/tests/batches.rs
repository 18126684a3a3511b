//! How many events a worker takes at once, on the manual clock: handlers whose time is known, in
//! steps of one batch.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use seda_core::control::{BatchObservation, BatchSizePolicy};
use seda_core::{
    Context, Controller, Graph, GraphConfig, Manual, ManualClock, Mode, Source, StageConfig,
    WorkerRange,
};
use std::sync::Arc;
use std::time::Duration;
use support::assert_balanced;

struct Plant {
    graph: Manual,
    source: Source<u32>,
}

/// One worker; every event takes so long.
fn plant(service: Duration, mode: Mode, own: Option<usize>) -> Plant {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("work", 4_096);
    let clock = Arc::new(ManualClock::new());
    let time = Arc::clone(&clock);
    graph
        .attach_each(stage, |_wire| move |_event, _cx: &mut Context| time.advance(service))
        .unwrap();
    let workers = Some(WorkerRange::exactly(1));
    graph.configure(stage, StageConfig { workers, ..StageConfig::default() }).unwrap();
    let mut config = GraphConfig::default();
    config.control.batch_size = mode;
    graph.apply(config).unwrap();
    if let Some(own) = own {
        graph.batch_size_policy(move |_stage| Always(own));
    }
    let source = graph.source(stage).unwrap();
    Plant { graph: graph.start_manual(clock).unwrap(), source }
}

struct Always(usize);

impl BatchSizePolicy for Always {
    fn decide(&mut self, _seen: &BatchObservation) -> Option<(usize, String)> {
        Some((self.0, "it always says so".to_owned()))
    }
}

impl Plant {
    /// A queue that stands, through a few ticks; then how many events the next step takes.
    fn taken(&mut self) -> usize {
        for _ in 0..5 {
            self.source.send_all(vec![0; 200]).unwrap();
            while self.graph.step() > 0 {}
            self.graph.tick();
        }
        self.source.send_all(vec![0; 200]).unwrap();
        let taken = self.graph.step();
        while self.graph.step() > 0 {}
        let report = self.graph.report();
        assert_balanced(&report);
        assert_eq!(report.events.handled, 1_200);
        taken
    }

    fn decisions(&self) -> Vec<(String, bool)> {
        let decisions = self.graph.report().journal.into_iter();
        let of_batches = decisions.filter(|decision| decision.controller == Controller::BatchSize);
        of_batches.map(|decision| (decision.changed, decision.acted)).collect()
    }
}

#[test]
fn batches_shrink_to_what_sustains_throughput_and_the_journal_says_so() {
    let mut plant = plant(Duration::from_micros(30), Mode::On, None);
    assert_eq!(plant.taken(), 1);
    assert_eq!(plant.decisions(), [("batch 32 → 1".to_owned(), true)]);
    assert_eq!(plant.graph.report().stages[0].batch, 1);
}

#[test]
fn events_that_take_next_to_nothing_keep_their_batches() {
    let mut plant = plant(Duration::from_nanos(50), Mode::On, None);
    assert_eq!((plant.taken(), plant.decisions()), (32, vec![]));
}

#[test]
fn an_observer_says_once_what_it_would_do_and_does_nothing() {
    let mut plant = plant(Duration::from_micros(30), Mode::Observe, None);
    assert_eq!(plant.taken(), 32);
    assert_eq!(plant.decisions(), [("batch 32 → 1".to_owned(), false)]);
}

#[test]
fn switched_off_batches_are_what_the_setting_says() {
    let mut plant = plant(Duration::from_micros(30), Mode::Off, None);
    assert_eq!((plant.taken(), plant.decisions()), (32, vec![]));
}

#[test]
fn switched_off_while_it_runs_the_setting_is_back_in_force() {
    let mut plant = plant(Duration::from_micros(30), Mode::On, None);
    assert_eq!(plant.taken(), 1);
    let mut config = GraphConfig::default();
    config.control.batch_size = Mode::Off;
    plant.graph.reconfigure(&config).unwrap();
    plant.graph.tick();
    plant.source.send_all(vec![0; 200]).unwrap();
    assert_eq!(plant.graph.step(), 32);
}

#[test]
fn a_policy_of_the_programs_own_is_kept_within_the_setting() {
    let mut small = plant(Duration::from_nanos(50), Mode::On, Some(7));
    assert_eq!(small.taken(), 7);
    let mut large = plant(Duration::from_nanos(50), Mode::On, Some(1_000));
    assert_eq!((large.taken(), large.decisions()), (32, vec![]));
}
