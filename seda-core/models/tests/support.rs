//! What all models share: small settings, and a bell.

use crate::checker::sync::{Condvar, Mutex};
use seda_core::{Graph, GraphConfig, StageConfig, WorkerRange};
use std::sync::Arc;

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
