//! A stage that keeps its events.

use crate::config::{GraphError, StageConfig, WorkerRange};
use crate::event::EventMeta;
use crate::graph::Graph;
use crate::platform::sync::{Arc, Mutex};
use crate::stage::{Configurable, Drainable, Stage, StageCore};
use crate::worker::context::Context;
use std::fmt;

/// Declares a stage with a [`Probe`] as its handler and returns both. The stage stands in for a
/// stage that the handler under test sends to.
///
/// `capacity` is in events. See [`crate::testing`] for a test that uses a probe.
///
/// # Errors
/// As [`Graph::attach`]; names and bounds are checked when the graph starts.
pub fn probe<E: Send + 'static>(
    graph: &mut Graph,
    name: &str,
    capacity: usize,
) -> Result<(Stage<E>, Probe<E>), GraphError> {
    let stage = graph.stage(name, capacity);
    Ok((stage, Probe::attach(graph, stage)?))
}

/// A handler that keeps the events of its stage until the test takes them.
///
/// It keeps them without a bound, so it is for tests only. Responders in kept events are
/// unanswered, and the test may answer. Clones share the kept events. The stage has one worker, so
/// events of a class are kept in order of arrival.
pub struct Probe<E: Send + 'static> {
    stage: Arc<StageCore<E>>,
    kept: Arc<Mutex<Vec<(E, EventMeta)>>>,
}

impl<E: Send + 'static> Probe<E> {
    /// Attaches a probe to `stage` as its handler and returns the probe.
    ///
    /// # Errors
    /// If the stage has a handler already, or belongs to another graph.
    pub fn attach(graph: &mut Graph, stage: Stage<E>) -> Result<Self, GraphError> {
        let core = graph.typed(stage)?;
        let kept = Arc::<Mutex<Vec<(E, EventMeta)>>>::default();
        let keep = Arc::clone(&kept);
        graph.attach_each(stage, |_wire| {
            move |event, cx: &mut Context| keep.lock().push((event, cx.meta().clone()))
        })?;
        let workers = Some(WorkerRange::exactly(1));
        graph.configure(stage, StageConfig { workers, ..StageConfig::default() })?;
        Ok(Self { stage: core, kept })
    }

    /// Returns the events kept since the last call, oldest first.
    pub fn take(&self) -> Vec<E> {
        self.take_with_meta().into_iter().map(|(event, _)| event).collect()
    }

    /// Returns the events kept since the last call, oldest first, each with its class, deadline and
    /// birth.
    pub fn take_with_meta(&self) -> Vec<(E, EventMeta)> {
        std::mem::take(&mut *self.kept.lock())
    }

    /// Returns the number of kept events.
    pub fn len(&self) -> usize {
        self.kept.lock().len()
    }

    /// Returns true if no event is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes the stage refuse events as [`Full`](crate::event::RefusalReason::Full), as if its
    /// queue were full. Queued events are still handled. A sender may first use the places that it
    /// has leased; for exact counts, call this while the graph is idle.
    ///
    /// # Panics
    /// Before the graph is started, because the start opens the stage again.
    #[track_caller]
    pub fn refuse(&self) {
        self.assert_started();
        self.stage.set_soft(0);
    }

    /// Makes the stage refuse events as [`Closed`](crate::event::RefusalReason::Closed), for which
    /// no sender waits. Queued events are still handled.
    ///
    /// # Panics
    /// Before the graph is started, because the start opens the stage again.
    #[track_caller]
    pub fn close(&self) {
        self.assert_started();
        Drainable::close(&*self.stage);
    }

    /// Makes the stage accept events again, up to its capacity.
    ///
    /// # Panics
    /// Before the graph is started.
    #[track_caller]
    pub fn accept(&self) {
        self.assert_started();
        self.stage.set_soft(self.stage.capacity());
        self.stage.open();
    }

    #[track_caller]
    fn assert_started(&self) {
        let started = self.stage.graph.is_built();
        assert!(
            started,
            "probe `{}`: start the graph first, because the start opens its stages",
            self.stage.name
        );
    }
}

impl<E: Send + 'static> Clone for Probe<E> {
    fn clone(&self) -> Self {
        Self { stage: Arc::clone(&self.stage), kept: Arc::clone(&self.kept) }
    }
}

impl<E: Send + 'static> fmt::Debug for Probe<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe")
            .field("stage", &self.stage.name)
            .field("kept", &self.len())
            .finish_non_exhaustive()
    }
}
