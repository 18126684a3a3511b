//! The common parts of the models: small settings, and a bell.

use crate::checker::sync::{Condvar, Mutex};
use seda_core::{Graph, GraphConfig, StageConfig, WorkerRange};
use std::sync::Arc;

/// Returns a graph with ledgers and without distributions, which are part of no protocol.
pub fn graph(budget: usize) -> Graph {
    let mut graph = Graph::new("model");
    let config = GraphConfig { budget: Some(budget), statistics: false, ..GraphConfig::default() };
    graph.apply(config).unwrap();
    graph
}

pub fn workers(min: usize, max: usize) -> StageConfig {
    StageConfig { workers: Some(WorkerRange::new(min, max)), ..StageConfig::default() }
}

/// Counts events for a thread that waits for them.
pub struct Bell(Mutex<usize>, Condvar);

impl Bell {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(0), Condvar::new()))
    }

    pub fn ring(&self) {
        *self.0.lock().unwrap() += 1;
        self.1.notify_all();
    }

    /// Waits until the bell has rung `n` times; for ever if it never does.
    pub fn wait_for(&self, n: usize) {
        let mut rung = self.0.lock().unwrap();
        while *rung < n {
            rung = self.1.wait(rung).unwrap();
        }
    }
}
