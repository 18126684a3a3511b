//! A stage: name, queue, handler. The token a user holds, its settings, and its core.

mod any;
mod charge;
mod core;
mod delayed;
mod enqueue;
mod extractors;
mod finish_barrier;
mod journal;
mod loss_notifier;
pub(crate) mod ports;
pub(crate) mod replicas;
mod shared;
mod shed;
mod timers;
pub(crate) mod valve;

pub(crate) use any::{AnyStage, Completion, QueueFigures};
pub(crate) use core::StageCore;
pub(crate) use enqueue::Entry;
pub use journal::{Controller, Decision};
pub(crate) use shared::GraphShared;

use crate::gate::StageId;
use std::fmt;
use std::marker::PhantomData;

/// A stage of a graph that takes events of type `E`: a token, made by [`crate::graph::Graph::stage`].
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
    /// The stage without the type of its events.
    pub fn id(self) -> StageId {
        StageId { graph: self.graph, index: self.index }
    }
}
