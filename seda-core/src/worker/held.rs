//! An event that its handler keeps: for a join, a window, a batch for a database.

use crate::event::EventMeta;
use crate::worker::pending::Pending;
use std::fmt;

/// The handle of an event that its handler keeps, made by [`Context::hold`]. Keep it beside the
/// event and [release](Held::release) it when the event's work is done. If it is dropped instead,
/// as when the handler panics, the event counts as failed.
///
/// Until then the event is pending in its stage and has its place in the budget. The stage's
/// `pending` setting bounds the events that are held or deferred. The time of a hold is neither
/// waiting nor service. When the worker retires or the graph drains, send the held events on from
/// [`Handler::finish`].
///
/// In a stage with several workers each handler sees some of the events. Make the stage
/// [keyed](crate::Graph::keyed) by the value to join on: then all events of a key come to the
/// handler that holds one of them.
///
/// [`Context::hold`]: crate::Context::hold
/// [`Handler::finish`]: crate::Handler::finish
///
/// ```
/// use seda_core::{Context, Graph, Handler, Held, Sink};
/// use std::sync::Arc;
///
/// /// Sends events on two by two.
/// struct Pair { first: Option<(u32, Held)>, pairs: Sink<(u32, u32)> }
///
/// impl Handler<u32> for Pair {
///     fn handle(&mut self, second: u32, cx: &mut Context) {
///         let Some((first, held)) = self.first.take() else {
///             // At the limit of pending events the number is lost.
///             self.first = cx.hold().ok().map(|held| (second, held));
///             return;
///         };
///         cx.send(&self.pairs, (first, second)).unwrap_or_else(|refused| refused.give_up());
///         held.release();
///     }
///
///     fn finish(&mut self, cx: &mut Context) {
///         if let Some((odd, mut held)) = self.first.take() {
///             held.send(cx, &self.pairs, (odd, odd)).unwrap_or_else(|refused| refused.give_up());
///             held.release();
///         }
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use seda_core::{ManualClock, WorkerRange, StageConfig};
/// let mut graph = Graph::new("pairs");
/// let numbers = graph.stage::<u32>("numbers", 8);
/// let pairs = graph.stage::<(u32, u32)>("pairs", 8);
/// let one = Some(WorkerRange::exactly(1));
/// graph.configure(numbers, StageConfig { workers: one, ..StageConfig::default() })?;
/// graph.attach(numbers, |wire| {
///     let pairs = wire.sink(pairs);
///     move || Ok(Pair { first: None, pairs: pairs.clone() })
/// })?;
/// graph.attach_each(pairs, |_wire| |_pair, _cx| {})?;
/// let source = graph.source(numbers)?;
/// let mut graph = graph.start_manual(Arc::new(ManualClock::new()))?;
/// source.send_all(vec![1, 2, 3])?;
/// graph.run_until_idle();
/// assert_eq!(graph.report().stages[0].held, 1);
/// let drained = graph.drain(usize::MAX);
/// assert_eq!((drained.complete, drained.report.events.handled), (true, 3 + 2));
/// # Ok(())
/// # }
/// ```
#[must_use = "an event whose handle is dropped counts as failed"]
pub struct Held(Pending);

impl Held {
    pub(super) fn new(pending: Pending) -> Self {
        Self(pending)
    }

    /// Returns the class, deadline and birth of the event.
    pub fn meta(&self) -> &EventMeta {
        self.0.meta()
    }

    /// True if the client that waits for the answer has gone.
    pub fn is_abandoned(&self) -> bool {
        self.0.is_abandoned()
    }

    /// Ends the event: it counts as handled.
    pub fn release(self) {
        self.0.complete();
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(self.meta()).finish()
    }
}
