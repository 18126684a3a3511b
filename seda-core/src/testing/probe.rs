//! A stage that keeps what reaches it.

use crate::config::{GraphError, StageConfig, WorkerRange};
use crate::event::EventMeta;
use crate::graph::Graph;
use crate::platform::sync::{Arc, Mutex};
use crate::stage::{Configurable, Drainable, Stage, StageCore};
use crate::worker::context::Context;
use std::fmt;

/// Declares a stage with a [`Probe`] as its handler: to be put in the place of any stage that a
/// handler under test sends to.
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

/// Keeps the events that reach its stage until they are taken: without a bound, so it is for
/// tests. Responders in them are unanswered, and the test may answer. Clones are one probe.
///
/// The stage has one worker, so within a class events are kept in the order of their arrival.
pub struct Probe<E: Send + 'static> {
    stage: Arc<StageCore<E>>,
    kept: Arc<Mutex<Vec<(E, EventMeta)>>>,
}

impl<E: Send + 'static> Probe<E> {
    /// Gives `stage` a probe as its handler.
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

    /// Takes what has reached the stage since the last time, oldest first.
    pub fn take(&self) -> Vec<E> {
        self.take_with_meta().into_iter().map(|(event, _)| event).collect()
    }

    /// Takes what has reached the stage since the last time, oldest first, each with its class,
    /// deadline and birth.
    pub fn take_with_meta(&self) -> Vec<(E, EventMeta)> {
        std::mem::take(&mut *self.kept.lock())
    }

    /// How many events are kept.
    pub fn len(&self) -> usize {
        self.kept.lock().len()
    }

    /// Whether none are kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// From now on sends to the stage come back as [`Full`](crate::event::RefusalReason::Full), as if
    /// its queue were full; what is queued is still handled. A sender that holds leased places
    /// may use those up first: to be exact, call it when the graph is idle.
    ///
    /// # Panics
    /// Before the graph is started: the start would open the stage again.
    #[track_caller]
    pub fn refuse(&self) {
        self.assert_started();
        self.stage.set_soft(0);
    }

    /// From now on sends to the stage come back as [`Closed`](crate::event::RefusalReason::Closed),
    /// which no waiting helps; what is queued is still handled.
    ///
    /// # Panics
    /// Before the graph is started: the start would open the stage again.
    #[track_caller]
    pub fn close(&self) {
        self.assert_started();
        Drainable::close(&*self.stage);
    }

    /// From now on the stage takes events again, as many as its queue holds.
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
            "probe `{}`: start the graph first; that opens its stages",
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
