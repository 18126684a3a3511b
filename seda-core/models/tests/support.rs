//! What the models share: small settings, and both ledgers' equations.

use crate::checker::sync::{Condvar, Mutex};
use seda_core::{Class, Graph, GraphConfig, Report, StageConfig, Terms, WorkerRange};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A graph that keeps ledgers but no distributions: they are no part of any protocol.
pub fn graph(budget: usize) -> Graph {
    let mut graph = Graph::new("model");
    let config = GraphConfig { budget: Some(budget), statistics: false, ..GraphConfig::default() };
    graph.apply(config).unwrap();
    graph
}

pub fn workers(min: usize, max: usize) -> StageConfig {
    StageConfig { workers: Some(WorkerRange::new(min, max)), ..StageConfig::default() }
}

pub fn class(index: u8) -> Terms {
    Terms { class: Class::new(index), deadline: None }
}

/// A figure of the model itself: no protocol, so not modelled.
#[derive(Debug, Default)]
pub struct Count(AtomicUsize);

impl Count {
    pub fn add(&self, n: usize) {
        self.0.fetch_add(n, Ordering::SeqCst);
    }

    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Counts what happened, for a thread that waits for it.
pub struct Bell(Mutex<usize>, Condvar);

impl Bell {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(0), Condvar::new()))
    }

    pub fn ring(&self) {
        *self.0.lock().unwrap() += 1;
        self.1.notify_all();
    }

    /// Waits until it has rung `n` times; for ever if that never happens.
    pub fn wait_for(&self, n: usize) {
        let mut rung = self.0.lock().unwrap();
        while *rung < n {
            rung = self.1.wait(rung).unwrap();
        }
    }
}

/// Everything ended, and all that was accepted ended in one way.
pub fn assert_ended(report: &Report) {
    assert_balanced(report);
    let events = &report.events;
    let inside = events.queued + events.in_hand + events.pending;
    assert_eq!((inside, report.budget.used), (0, 0), "events are stranded: {events:?}");
}

/// Both ledgers' equations, as in `tests/support` of seda-core.
pub fn assert_balanced(report: &Report) {
    for stage in &report.stages {
        let shed: u64 = stage.shed.values().sum();
        let inside = stage.queued + stage.in_hand + stage.pending;
        let refused: u64 = stage.refused.values().sum();
        let ended = stage.handled + shed + stage.failed;
        assert_eq!(stage.accepted, ended + inside, "ledger of {}", stage.name);
        assert_eq!(stage.offered, stage.accepted + refused, "ledger of {}", stage.name);
        assert_eq!(stage.queue.depth as u64, stage.queued, "depth of {}", stage.name);
        assert!(stage.queue.depth <= stage.queue.capacity, "capacity of {}", stage.name);
    }
    let events = &report.events;
    let inside = (events.queued + events.in_hand + events.pending) as usize;
    let budget = report.budget;
    let covered = inside <= budget.used && budget.used <= budget.limit;
    assert!(covered, "the budget does not cover what is inside: {inside}, {budget:?}");
}
