//! Events that a handler keeps beyond its call: deferred to the outside, or held.
//!
//! The handles [`Pending`] and [`Held`] have no context. The methods that need both are here.

use crate::event::Refused;
use crate::platform::sync::Arc;
use crate::stage::ports::Sink;
use crate::worker::context::{Context, Detached};
use crate::worker::held::Held;
use crate::worker::pending::{DeferError, Pending};

impl Context {
    /// Lets the handling of the event in hand continue outside this worker: on another thread, in
    /// an async runtime. The event stays in the stage, in service, until the returned handle is
    /// completed, from any thread.
    ///
    /// # Errors
    /// [`DeferError`] at the stage's limit of pending events, without budget, or outside of
    /// [`Handler::handle`](crate::Handler::handle).
    pub fn defer(&mut self) -> Result<Pending, DeferError> {
        self.detach(Detached::Outside)
    }

    /// Keeps the event in hand in its handler, for a join, a window or a batch. The event stays in
    /// the stage, pending, until the returned handle is released. See [`Held`].
    ///
    /// # Errors
    /// As [`Context::defer`].
    pub fn hold(&mut self) -> Result<Held, DeferError> {
        let pending = self.detach(Detached::Held)?;
        self.graph.budget.hold();
        Ok(Held::new(pending))
    }

    fn detach(&mut self, detached: Detached) -> Result<Pending, DeferError> {
        let Some((stage, _)) = &self.stage else {
            return Err(DeferError::NoEvent);
        };
        if self.open != 1 || self.detached.is_some() {
            return Err(DeferError::NoEvent);
        }
        let stage = Arc::clone(stage);
        // The event keeps a place in the budget. Its own may have gone to an event it sent.
        if !self.raise_credit(1) {
            return Err(DeferError::Budget { stage: stage.name().to_string() });
        }
        let is_held = detached == Detached::Held;
        let holder = if is_held { Some(self.worker_stats.number) } else { None };
        if !stage.defer(&self.meta, holder) {
            return Err(DeferError::Limit { stage: stage.name().to_string() });
        }
        self.credit -= 1;
        self.detached = Some(detached);
        let graph = Arc::clone(&self.graph);
        Ok(Pending::new(graph, stage, self.meta.clone(), self.begun, is_held))
    }
}

impl Held {
    /// Sends an event that inherits class, deadline and request from the held one.
    ///
    /// # Errors
    /// The event and the reason why it was refused.
    pub fn send<E: Send + 'static>(
        &mut self,
        cx: &mut Context,
        sink: &Sink<E>,
        event: E,
    ) -> Result<(), Refused<E>> {
        cx.send_as(self.meta(), sink, event)
    }
}
