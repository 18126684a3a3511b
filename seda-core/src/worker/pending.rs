//! An event whose handling goes on outside its worker.

use crate::event::{Envelope, EventMeta, RefusalReason, Refused};
use crate::platform::Time;
use crate::platform::sync::Arc;
use crate::stage::ports::Sink;
use crate::stage::valve::Incoming;
use crate::stage::{AnyStage, Completion, GraphShared};
use std::fmt;
use thiserror::Error;

/// Why an event could not be deferred.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeferError {
    /// As many events are pending as the stage allows.
    #[error(
        "stage `{stage}` has as many pending events as its `pending` setting allows; \
         answer busy, or raise it"
    )]
    Limit {
        /// The stage.
        stage: String,
    },
    /// The event's place went to an event it sent, and the graph's budget has no other.
    #[error("stage `{stage}` cannot defer: the graph's budget is used up; defer before sending")]
    Budget {
        /// The stage.
        stage: String,
    },
    /// There is no single event in hand that could be deferred.
    #[error("nothing to defer: call `defer` once, while handling a single event")]
    NoEvent,
}

/// The handle of an event whose handling goes on outside its worker. It can be moved to any
/// thread, send over any sink of the graph, and must be [completed](Pending::complete); if it is
/// dropped instead the event counts as failed.
///
/// Until then the event is counted in its stage, in the budget and by a drain.
///
/// ```
/// use seda_core::{Context, Graph};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("remote");
/// let ask = graph.stage::<String>("ask", 64);
/// let show = graph.stage::<usize>("show", 64);
/// graph.attach_each(ask, |wire| {
///     let show = wire.sink(show);
///     move |question: String, cx: &mut Context| {
///         let Ok(mut pending) = cx.defer() else { return };
///         let show = show.clone();
///         // Another thread, a callback, an async task: no worker waits for it.
///         std::thread::spawn(move || {
///             if pending.send(&show, question.len()).is_ok() {
///                 pending.complete();
///             }
///         });
///     }
/// })?;
/// graph.attach_each(show, |_wire| |length, _cx| println!("{length}"))?;
/// let questions = graph.source(ask)?;
/// let running = graph.start()?;
/// questions.send("how long?".to_owned())?;
/// assert_eq!(running.drain(Duration::from_secs(5)).report.events.handled, 2);
/// # Ok(())
/// # }
/// ```
#[must_use = "a pending event that is dropped counts as failed"]
pub struct Pending {
    graph: Arc<GraphShared>,
    stage: Arc<dyn AnyStage>,
    meta: EventMeta,
    how: Completion,
}

impl Pending {
    pub(crate) fn new(
        graph: Arc<GraphShared>,
        stage: Arc<dyn AnyStage>,
        meta: EventMeta,
        taken: Time,
        held: bool,
    ) -> Self {
        Self { graph, stage, meta, how: Completion { succeeded: false, held, taken } }
    }

    /// Class, deadline and birth of the event.
    pub fn meta(&self) -> &EventMeta {
        &self.meta
    }

    /// Whether the client that waits for the answer has gone.
    pub fn is_abandoned(&self) -> bool {
        self.meta.is_abandoned()
    }

    /// Sends an event on, as the handler would have done. Never blocks.
    ///
    /// # Errors
    /// The event and the reason why it was not taken.
    pub fn send<E: Send + 'static>(&mut self, sink: &Sink<E>, event: E) -> Result<(), Refused<E>> {
        let now = self.graph.now();
        let (sink, secured) = match &sink.ways {
            None => (sink, self.secure(sink, now)),
            Some(ways) => ways.ask(
                self,
                |_, target| target.stage.present_hint(),
                |pending, target| pending.secure(target, now),
            ),
        };
        let edge = sink.edge_from(self.stage.index());
        let secured = secured.and_then(|()| {
            sink.stage.charge_event(&event, self.meta.class, true).inspect_err(|_| {
                sink.stage.put_back(1);
                self.graph.budget.credit(1);
            })
        });
        let label = match secured {
            Ok(label) => label,
            Err(reason) => {
                let refusal = sink.stage.refuse(self.meta.class, edge, reason, 1);
                return Err(Refused::new(event, refusal));
            }
        };
        let mut meta = self.meta.clone().labelled(label);
        meta.spent.add(now.nanos_since(self.how.taken));
        let envelope = Envelope { event, meta, enqueued: now };
        sink.stage.publish_one(envelope, edge, now);
        Ok(())
    }

    /// The handling has ended well: the event counts as handled.
    pub fn complete(mut self) {
        self.how.succeeded = true;
    }

    fn secure<E: Send + 'static>(
        &mut self,
        sink: &Sink<E>,
        now: Time,
    ) -> Result<(), RefusalReason> {
        if sink.stage.graph.id != self.graph.id {
            return Err(RefusalReason::Closed);
        }
        if self.meta.is_expired(now) {
            return Err(RefusalReason::Expired);
        }
        sink.stage.reserve_for(&self.meta, 1)?;
        // The event stays in the stage until it is completed, so what it sends is one more; only
        // its completion gives its own place back.
        let arrival = Incoming { stage: sink.stage.index, class: self.meta.class, fan_out: true };
        if self.graph.budget.charge(1) || self.graph.make_room(1, arrival) {
            Ok(())
        } else {
            sink.stage.put_back(1);
            Err(RefusalReason::Budget)
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let now = self.graph.now();
        self.stage.complete(&self.meta, self.how, now);
        if self.how.held {
            self.graph.budget.release();
        }
        self.graph.credit(1);
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("stage", self.stage.name())
            .field("meta", &self.meta)
            .finish_non_exhaustive()
    }
}
