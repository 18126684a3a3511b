//! A deferred event: its handling continues outside its worker.

use crate::event::{Envelope, EventMeta, RefusalReason, Refused};
use crate::platform::Time;
use crate::platform::sync::Arc;
use crate::stage::ports::Sink;
use crate::stage::{AnyStage, Completion, GraphShared};
use crate::stats::ThreadTimes;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// Why an event could not be deferred.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeferError {
    /// The stage's limit of pending events is reached.
    #[error(
        "stage `{stage}` has as many pending events as its `pending` setting allows; \
         let the client retry, or raise it"
    )]
    Limit {
        /// The stage.
        stage: String,
    },
    /// The event's place in the budget went to an event it sent, and the budget has no other.
    #[error("stage `{stage}` cannot defer: the graph's budget is used up; defer before sending")]
    Budget {
        /// The stage.
        stage: String,
    },
    /// There is no event in hand, or more than one, or it is deferred already.
    #[error("nothing to defer: call `defer` once, while handling a single event")]
    NoEvent,
}

/// The handle of a deferred event, which is handled outside its worker. Made by
/// [`Context::defer`](crate::Context::defer). Move it to any thread, send over any sink of the
/// graph, and [complete](Pending::complete) it; if it is dropped instead, the event counts as
/// failed.
///
/// Until then the event counts in its stage and in the budget, and a drain waits for it.
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
    pub(super) fn new(
        graph: Arc<GraphShared>,
        stage: Arc<dyn AnyStage>,
        meta: EventMeta,
        taken: Time,
        held: bool,
    ) -> Self {
        let how = Completion { succeeded: false, held, taken, threads: None };
        Self { graph, stage, meta, how }
    }

    /// Returns the class, deadline and birth of the event.
    pub fn meta(&self) -> &EventMeta {
        &self.meta
    }

    /// True if the client that waits for the answer has gone.
    pub fn is_abandoned(&self) -> bool {
        self.meta.is_abandoned()
    }

    /// Sends an event that inherits from this one. Never blocks.
    ///
    /// # Errors
    /// The event and the reason why it was refused.
    pub fn send<E: Send + 'static>(&mut self, sink: &Sink<E>, event: E) -> Result<(), Refused<E>> {
        let now = self.graph.now();
        let (sink, reserved) = match &sink.replicas {
            None => (sink, self.reserve_charged(sink, now)),
            Some(replicas) => replicas.ask(
                self,
                |_, target| target.stage.present_hint(),
                |pending, target| pending.reserve_charged(target, now),
            ),
        };
        let edge = sink.edge_from(self.stage.index());
        let charged = reserved.and_then(|()| {
            sink.stage.charge_event(&event, self.meta.class, true).inspect_err(|_| {
                sink.stage.put_back(1);
                self.graph.budget.credit(1);
            })
        });
        let label = match charged {
            Ok(label) => label,
            Err(reason) => {
                if let Some(request) = &self.meta.request
                    && sink.stage.graph.id == self.graph.id
                {
                    request.visit(sink.stage.index);
                }
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

    /// Adds time that the event has spent outside on a thread, and time for which it could have run
    /// but waited for one. Tell both before the event is completed.
    ///
    /// Events outside that compute need threads, and no more of them help than fill the threads. A
    /// stage with [`outstanding`](crate::StageConfig::outstanding) places then has no more places
    /// than that, and its gate counts on no more. The threads are those of
    /// [`Graph::cores`](crate::Graph::cores), or the cores of the process.
    ///
    /// ```
    /// # use seda_core::{Context, Graph};
    /// # use std::time::Duration;
    /// # let mut graph = Graph::new("remote");
    /// # let ask = graph.stage::<u32>("ask", 64);
    /// # graph.attach_each(ask, |_wire| {
    /// |question: u32, cx: &mut Context| {
    ///     let Ok(mut pending) = cx.defer() else { return };
    ///     // On another thread, later:
    ///     pending.add_thread_time(Duration::from_micros(300), Duration::ZERO);
    ///     pending.complete();
    /// }
    /// # })?;
    /// # Ok::<(), seda_core::GraphError>(())
    /// ```
    pub fn add_thread_time(&mut self, running: Duration, waiting: Duration) {
        let (running, waiting) = (running.as_nanos(), waiting.as_nanos());
        let told = ThreadTimes { running, waiting, ..ThreadTimes::default() };
        self.how.threads.get_or_insert_default().add(told);
    }

    /// Ends the event: it counts as handled.
    pub fn complete(mut self) {
        self.how.succeeded = true;
    }

    /// Reserves a place at `sink` and charges the budget for it.
    fn reserve_charged<E: Send + 'static>(
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
        if sink.stage.is_closed_for(&self.meta, 0) {
            return Err(RefusalReason::Admission);
        }
        // The event keeps its place in the budget until it is completed, so the sent event needs a
        // place of its own.
        sink.stage.reserve_charged(self.meta.class, 1, true)
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
