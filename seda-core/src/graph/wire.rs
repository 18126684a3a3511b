//! Declaring the edges that leave a stage.

use super::Graph;
use crate::sink::{Sink, WaitingSink};
use crate::stage::{Stage, StageCore};
use crate::sync::Arc;
use std::fmt;
use std::time::Duration;

/// Given to the closure that wires a stage: each sink taken here is an edge that the graph knows
/// and counts.
pub struct Wire<'a> {
    pub(super) graph: &'a mut Graph,
    pub(super) from: usize,
    /// Whether a stage of another graph was asked for.
    pub(super) foreign: bool,
}

impl Wire<'_> {
    /// An edge to `to`. Asking twice gives the same edge.
    pub fn sink<E: Send + 'static>(&mut self, to: Stage<E>) -> Sink<E> {
        self.declare(to, false)
    }

    /// An edge to `to` over which each send may wait for room, up to `limit`. The graph starts
    /// only if the edge lies on no cycle of stages or pools.
    pub fn waiting_sink<E: Send + 'static>(
        &mut self,
        to: Stage<E>,
        limit: Duration,
    ) -> WaitingSink<E> {
        WaitingSink { sink: self.declare(to, true), limit }
    }

    fn declare<E: Send + 'static>(&mut self, to: Stage<E>, waits: bool) -> Sink<E> {
        let Ok(stage) = self.graph.typed(to) else {
            // A closed stage that belongs nowhere stands in until the attach has failed.
            self.foreign = true;
            let stage = StageCore::new("foreign", 0, 0, Arc::clone(&self.graph.core));
            return Sink { stage: Arc::new(stage), edge: 0, outbox: 0 };
        };
        let edge = self.graph.edge(Some(self.from), to.index, waits);
        let outbox = self
            .graph
            .edges
            .iter()
            .position(|known| (known.from, known.to) == (Some(self.from), to.index));
        Sink { stage, edge, outbox: outbox.unwrap_or(0) }
    }
}

impl fmt::Debug for Wire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("from", &self.from).finish_non_exhaustive()
    }
}
