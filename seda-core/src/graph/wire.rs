//! Declaring the edges that leave a stage.

use crate::config::Balance;
use crate::graph::builder::Graph;
use crate::platform::sync::Arc;
use crate::stage::ports::{Sink, WaitingSink};
use crate::stage::replicas::ReplicaSet;
use crate::stage::{Stage, StageCore};
use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// Given to the closure that wires a stage: each sink taken here is an edge that the graph knows
/// and counts.
pub struct Wire<'a> {
    pub(super) graph: &'a mut Graph,
    /// The stage, or the replicas of it, that the edges leave.
    pub(super) senders: Range<usize>,
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

    /// The edges from the stage, or from each of its replicas, to `to`, or to each of its replicas.
    fn declare<E: Send + 'static>(&mut self, to: Stage<E>, waits: bool) -> Sink<E> {
        let sinks = self.graph.members(to).map(|to| self.declare_one(to, waits)).collect();
        let to = self.graph.replicated(to).map(|r| (r.name.clone(), r.replicas.balance));
        match to {
            Some((name, balance)) => self.sink_to_all(&name, balance, sinks),
            None => sinks.into_iter().next().unwrap_or_else(|| self.stand_in()),
        }
    }

    fn declare_one<E: Send + 'static>(&mut self, to: Stage<E>, waits: bool) -> Sink<E> {
        let Ok(stage) = self.graph.typed(to) else {
            return self.stand_in();
        };
        let (senders, edges) = (self.senders.clone(), self.graph.edges.len());
        // Declared in one go, so that their numbers are consecutive.
        let numbers = senders.clone().map(|from| self.graph.edge(Some(from), to.index, waits));
        let edge = numbers.collect::<Vec<_>>().into_iter().next().unwrap_or(0);
        let mut known = self.graph.edges.iter();
        let outbox = known.position(|edge| (edge.from, edge.to) == (Some(senders.start), to.index));
        Sink { stage, edge, outbox: outbox.unwrap_or(edges), senders, replicas: None }
    }

    fn sink_to_all<E: Send + 'static>(
        &mut self,
        name: &str,
        balance: Balance,
        sinks: Vec<Sink<E>>,
    ) -> Sink<E> {
        let first = sinks.first().cloned().unwrap_or_else(|| self.stand_in());
        // Of two edges each has draws of its own.
        let seed = first.outbox as u64;
        let replicas = ReplicaSet::new(name, balance, sinks, seed).map(Box::new);
        Sink { replicas, outbox: Sink::<E>::NO_OUTBOX, ..first }
    }

    /// A closed stage that belongs nowhere stands in until the attach has failed.
    fn stand_in<E: Send + 'static>(&mut self) -> Sink<E> {
        self.foreign = true;
        let stage = StageCore::new("foreign", 0, 0, Arc::clone(&self.graph.core));
        Sink { stage: Arc::new(stage), edge: 0, outbox: 0, senders: 0..0, replicas: None }
    }
}

impl fmt::Debug for Wire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("senders", &self.senders).finish_non_exhaustive()
    }
}
