//! A stage: a bounded queue under its lock, the ports into it, and the state that the stages of one
//! graph share.
//!
//! It imports the rooms below (pool, queue, event, gate, config) and never the worker that runs a
//! stage: handlers, contexts and the loop belong to `worker`. Queue disciplines and ledgers are
//! plain data and belong to `queue`; decisions that a controller takes once per tick belong to
//! `control`.
//!
//! - `core`: a stage of one event type; `any`: a stage without it, one trait for each caller.
//! - `ports`: sources, sinks and permits; `replicas`: several copies of a stage behind one port.
//! - `shared`: clock, budget and phase of the graph; `valve`: eviction at the budget.

mod any;
mod charge;
mod clock;
mod core;
mod core_claims;
mod early_tick;
mod enqueue;
mod extractors;
mod finish_barrier;
mod journal;
mod loss_notifier;
mod pending;
pub(crate) mod ports;
pub(crate) mod replicas;
mod settings;
mod shared;
mod shed;
mod space_notify;
mod timers;
pub(crate) mod valve;

pub(crate) use any::{
    AnyStage, Completion, Configurable, Crowding, Drainable, Observed, QueueFigures,
};
pub(crate) use core::StageCore;
pub use core_claims::CoreClaim;
pub(crate) use enqueue::Rejected;
pub use journal::{Controller, Decision};
pub(crate) use shared::GraphShared;

use crate::gate::StageId;
use std::fmt;
use std::marker::PhantomData;

/// The token of a stage that takes events of type `E`, made by `Graph::stage`. Copy it freely; it
/// is valid for its own graph only.
///
/// ```
/// let mut graph = seda_core::Graph::new("lines");
/// let split = graph.stage::<String>("split", 64);
/// assert_eq!(split.id(), split.id());
/// ```
pub struct Stage<E> {
    pub(crate) graph: u32,
    pub(crate) index: usize,
    pub(crate) event: PhantomData<fn(E)>,
}

impl<E> Clone for Stage<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Stage<E> {}

impl<E> fmt::Debug for Stage<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").field("index", &self.index).finish_non_exhaustive()
    }
}

impl<E> Stage<E> {
    /// Returns the stage's identity without the type of its events.
    pub fn id(self) -> StageId {
        StageId { graph: self.graph, index: self.index }
    }
}
