//! An event that a handler keeps back: for a join, a window, a batch for a database.

use crate::event::{EventMeta, Refused};
use crate::stage::ports::Sink;
use crate::worker::context::Context;
use crate::worker::pending::Pending;
use std::fmt;

/// The handle of an event that its handler keeps. It is kept beside the event in the handler, and
/// [released](Held::release) when the event has been dealt with; if it is dropped instead, as
/// when the handler panics, the event counts as failed.
///
/// Until then the event is in its stage, pending, and in the budget; at most as many are held and
/// deferred as the stage's `pending` setting allows. Time held on purpose is neither waiting nor
/// service. When the worker retires or the graph drains, [`Handler::finish`] is the time to send
/// on what is held.
///
/// In a stage with several workers each handler sees some of the events: make it
/// [keyed](crate::graph::Graph::keyed) by what is to be joined, and what has one key comes to the handler
/// that holds one of it.
///
/// [`Handler::finish`]: crate::worker::handler::Handler::finish
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
///             // Without a place to hold it there is nothing to do but to lose it.
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
/// graph.configure(numbers, StageConfig { workers: Some(WorkerRange::exactly(1)), ..StageConfig::default() })?;
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
    pub(crate) fn new(pending: Pending) -> Self {
        Self(pending)
    }

    /// Class, deadline and birth of the event.
    pub fn meta(&self) -> &EventMeta {
        self.0.meta()
    }

    /// Whether the client that waits for the answer has gone.
    pub fn is_abandoned(&self) -> bool {
        self.0.is_abandoned()
    }

    /// Sends an event on for the held one, whose class, deadline and request it inherits.
    ///
    /// # Errors
    /// The event and the reason why it was not taken.
    pub fn send<E: Send + 'static>(
        &mut self,
        cx: &mut Context,
        sink: &Sink<E>,
        event: E,
    ) -> Result<(), Refused<E>> {
        cx.send_as(self.meta(), sink, event)
    }

    /// The event has been dealt with: it counts as handled.
    pub fn release(self) {
        self.0.complete();
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(self.meta()).finish()
    }
}
