//! The number of events that a worker takes at once, on a manual clock and with known service
//! times.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::assert_balanced;
use seda_core::control::{BatchObservation, BatchSizePolicy};
use seda_core::{
    Context, Controller, Graph, GraphConfig, Manual, ManualClock, Mode, Source, StageConfig,
    WorkerRange,
};
use std::sync::Arc;
use std::time::Duration;

struct Plant {
    graph: Manual,
    source: Source<u32>,
}

/// A graph with one worker and one service time. `own` replaces the policy by a fixed batch size.
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
        Some((self.0, "a fixed size".to_owned()))
    }
}

impl Plant {
    /// Overloads the queue for a few ticks. Returns the number of events that the next step takes.
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
        let decisions = decisions.filter(|decision| decision.controller == Controller::BatchSize);
        decisions.map(|decision| (decision.changed, decision.acted)).collect()
    }
}

#[test]
fn batches_shrink_to_the_smallest_that_sustains_throughput_and_the_decision_is_journaled() {
    let mut plant = plant(Duration::from_micros(30), Mode::On, None);
    assert_eq!(plant.taken(), 1);
    assert_eq!(plant.decisions(), [("batch 32 → 1".to_owned(), true)]);
    assert_eq!(plant.graph.report().stages[0].batch, 1);
}

#[test]
fn events_of_a_few_nanoseconds_keep_large_batches() {
    let mut plant = plant(Duration::from_nanos(50), Mode::On, None);
    assert_eq!((plant.taken(), plant.decisions()), (32, vec![]));
}

#[test]
fn an_observing_controller_journals_its_decision_once_and_changes_nothing() {
    let mut plant = plant(Duration::from_micros(30), Mode::Observe, None);
    assert_eq!(plant.taken(), 32);
    assert_eq!(plant.decisions(), [("batch 32 → 1".to_owned(), false)]);
}

#[test]
fn without_the_controller_the_setting_decides() {
    let mut plant = plant(Duration::from_micros(30), Mode::Off, None);
    assert_eq!((plant.taken(), plant.decisions()), (32, vec![]));
}

#[test]
fn the_setting_decides_again_after_the_controller_is_switched_off_live() {
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
fn a_custom_policy_stays_within_the_setting() {
    let mut small = plant(Duration::from_nanos(50), Mode::On, Some(7));
    assert_eq!(small.taken(), 7);
    let mut large = plant(Duration::from_nanos(50), Mode::On, Some(1_000));
    assert_eq!((large.taken(), large.decisions()), (32, vec![]));
}
