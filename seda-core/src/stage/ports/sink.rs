//! One typed edge of the graph, and a worker's side of it.
//!
//! A worker does not touch the target's queue for every event. The answer to each send is final all
//! the same, because the event has its place. The steps of an outbox:
//!
//! 1. *lease*: the first send of a batch reserves places at the target, some of them ahead;
//! 2. *push*: each send uses up one leased place, without any lock;
//! 3. *publish*: at the end of the batch all sent events enter the queue in one critical section,
//!    and as many places as were used are leased again;
//! 4. *wake*: with no lock held, a worker of the target's pool is woken;
//! 5. *return*: a worker that finds no event to handle returns its leased places.

use crate::event::{Envelope, RefusalReason};
use crate::platform::Time;
use crate::platform::sync::Arc;
use crate::pool::PoolCore;
use crate::stage::replicas::ReplicaSet;
use crate::stage::{Observed, StageCore};
use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// Sends events to one stage from inside a handler, with `Context::send`. Declared and counted when
/// the graph is wired; clone it into each worker's handler.
///
/// ```
/// use seda_core::{Graph, ManualClock};
/// use std::sync::Arc;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("words");
/// let split = graph.stage::<&str>("split", 8);
/// let count = graph.stage::<usize>("count", 2);
/// graph.attach_each(split, |wire| {
///     let count = wire.sink(count);
///     // All or none: three words do not fit, and come back.
///     move |line, cx| {
///         if let Err(refused) = cx.send_all(&count, line.split(' ').map(str::len).collect()) {
///             assert_eq!(refused.into_event(), [1, 2, 3]);
///         }
///     }
/// })?;
/// graph.attach_each(count, |_wire| |_length, _cx| {})?;
/// let lines = graph.source(split)?;
/// let mut graph = graph.start_manual(Arc::new(ManualClock::new()))?;
/// lines.send("a bc")?;
/// lines.send("a bc def")?;
/// graph.run_until_idle();
/// let report = graph.report();
/// assert_eq!((report.edges[0].sent, report.edges[0].refused), (2, 3));
/// # Ok(())
/// # }
/// ```
pub struct Sink<E: Send + 'static> {
    pub(crate) stage: Arc<StageCore<E>>,
    /// The edge's number among those into the stage.
    pub(crate) edge: usize,
    /// The edge's number among all of the graph.
    pub(crate) outbox: usize,
    /// The stages that it was declared for: one, or the replicas of one.
    pub(crate) senders: Range<usize>,
    /// The sinks to all replicas, if the stage is replicated. Then `stage` is the first of them,
    /// and `outbox` is [`Sink::NO_OUTBOX`].
    pub(crate) replicas: Option<Box<ReplicaSet<Sink<E>>>>,
}

impl<E: Send + 'static> Sink<E> {
    /// The outbox number of a sink to replicas. No outbox has it, so the fast path of a send fails
    /// without a check of its own.
    pub(crate) const NO_OUTBOX: usize = usize::MAX;

    /// Returns the name of the stage that it leads to.
    pub fn stage(&self) -> &str {
        self.replicas.as_ref().map_or(&self.stage.name, |replicas| replicas.name())
    }

    /// Returns the number of the edge for events that the stage at `index` sends: each of several
    /// sending replicas has one of its own, and their numbers are consecutive.
    pub(crate) fn edge_from(&self, index: usize) -> usize {
        if self.senders.contains(&index) {
            self.edge + (index - self.senders.start)
        } else {
            // A pending handle may send over a sink that was declared for another stage.
            self.edge
        }
    }
}

impl<E: Send + 'static> Clone for Sink<E> {
    fn clone(&self) -> Self {
        Self {
            stage: Arc::clone(&self.stage),
            edge: self.edge,
            outbox: self.outbox,
            senders: self.senders.clone(),
            replicas: self.replicas.clone(),
        }
    }
}

impl<E: Send + 'static> fmt::Debug for Sink<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("stage", &self.stage()).finish_non_exhaustive()
    }
}

/// A sink that may wait for space, for a limited time per send: for a stage that feeds a slower
/// one and has no other work, such as a file reader. Send over it with `Context::send_waiting`.
///
/// A waiting worker does nothing else. A waiting edge that lies on a cycle, or leads into its own
/// pool, would wait for itself: such a graph does not start.
///
/// ```
/// use seda_core::{Context, Graph};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("lines");
/// let read = graph.stage::<String>("read", 8);
/// let count = graph.stage::<String>("count", 8);
/// graph.attach_each(read, |wire| {
///     let count = wire.waiting_sink(count, Duration::from_secs(1));
///     move |text: String, cx: &mut Context| {
///         for line in text.lines() {
///             let sent = cx.send_waiting(&count, line.to_owned());
///             sent.unwrap_or_else(|refused| refused.give_up());
///         }
///     }
/// })?;
/// graph.attach_each(count, |_wire| |_line, _cx| {})?;
/// let source = graph.source(read)?;
/// let running = graph.start()?;
/// source.send("a\n".repeat(100))?;
/// assert_eq!(running.drain(Duration::from_secs(5)).report.events.handled, 1 + 100);
/// # Ok(())
/// # }
/// ```
pub struct WaitingSink<E: Send + 'static> {
    pub(crate) sink: Sink<E>,
    pub(crate) limit: Duration,
}

impl<E: Send + 'static> WaitingSink<E> {
    /// Returns the longest time that one send waits.
    pub fn limit(&self) -> Duration {
        self.limit
    }
}

impl<E: Send + 'static> Clone for WaitingSink<E> {
    fn clone(&self) -> Self {
        Self { sink: self.sink.clone(), limit: self.limit }
    }
}

impl<E: Send + 'static> fmt::Debug for WaitingSink<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitingSink")
            .field("stage", &self.sink.stage())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// A worker's side of one edge: leased places, and the events sent into them since the last
/// publication.
pub(crate) struct Outbox<E: Send + 'static> {
    stage: Arc<StageCore<E>>,
    edge: usize,
    /// The most places leased ahead of the sends: capacity / (4 · workers), so that the leases of
    /// all workers together never hold more than a quarter of the queue.
    ahead: usize,
    /// The number of changes to settings at which `ahead` was computed.
    changes: usize,
    sender: Arc<PoolCore>,
    /// True if the sender's own pool runs the target.
    own_pool: bool,
    leased: usize,
    sent: Vec<Envelope<E>>,
    /// True if the worker's list of dirty outboxes has this one.
    noted: bool,
}

impl<E: Send + 'static> Outbox<E> {
    pub(crate) fn new(sink: &Sink<E>, sender: &Arc<PoolCore>) -> Self {
        let stage = Arc::clone(&sink.stage);
        let changes = stage.graph.changes();
        Self {
            edge: sink.edge,
            ahead: ahead(&stage, sender),
            changes,
            sender: Arc::clone(sender),
            own_pool: stage.runs_on(sender),
            stage,
            leased: 0,
            sent: Vec::new(),
            noted: false,
        }
    }

    /// Computes `ahead` again if settings have changed. Called once per batch, where the target's
    /// lock is taken anyway.
    fn refresh(&mut self) {
        let changes = self.stage.graph.changes();
        if changes != self.changes {
            self.changes = changes;
            self.ahead = ahead(&self.stage, &self.sender);
        }
    }

    /// Leases places for events of `class` until `n` are free, or up to `ahead` if there are that
    /// many.
    pub(crate) fn lease(&mut self, n: usize, ahead: usize) -> Result<(), RefusalReason> {
        if self.leased >= n {
            return Ok(());
        }
        self.refresh();
        let short = n - self.leased;
        let most = short.max(ahead.min(self.ahead));
        self.leased += self.stage.reserve(short, most)?;
        Ok(())
    }

    #[inline]
    pub(crate) fn is_leased(&self) -> bool {
        self.leased > 0
    }

    /// Marks the outbox as dirty; true if it was not since the last publication.
    #[inline]
    pub(crate) fn is_new(&mut self) -> bool {
        !std::mem::replace(&mut self.noted, true)
    }

    /// Passes a leased place to a delayed event.
    pub(crate) fn pass_on(&mut self) {
        debug_assert!(self.leased > 0, "passed on without a lease");
        self.leased = self.leased.saturating_sub(1);
    }

    /// Sets the edge that the sends until the next publication count for.
    pub(crate) fn count_for(&mut self, edge: usize) {
        self.edge = edge;
    }

    /// Returns how many events are at the target, with the unpublished ones in this outbox.
    pub(crate) fn present(&self) -> usize {
        self.stage.present_hint() + self.sent.len()
    }

    /// Puts an event into a leased place.
    pub(crate) fn push(&mut self, envelope: Envelope<E>) {
        debug_assert!(self.leased > 0, "pushed without a lease");
        self.leased = self.leased.saturating_sub(1);
        self.sent.push(envelope);
    }
}

/// Returns capacity / (4 · workers), as they are set now.
fn ahead<E: Send + 'static>(stage: &StageCore<E>, sender: &PoolCore) -> usize {
    stage.capacity() / (4 * sender.range().max.max(1))
}

/// An outbox without its event type.
pub(crate) trait AnyOutbox: Send {
    fn as_any(&self) -> &dyn Any;

    fn as_any_mut(&mut self) -> &mut dyn Any;

    /// Returns how many events are sent and not published.
    fn len(&self) -> usize;

    /// Publishes the sent events and returns unused places. `spent` is the service time, in
    /// Publishes the sent events and returns unused places. `spent` is the service time, in
    /// nanoseconds, of the event that caused each of them. With `stay` as many places as were used
    /// are leased again in the same critical section, for the next batch. Wakes no worker.
    fn publish(&mut self, now: Time, spent: u64, stay: bool);

    /// Wakes a worker of the target's pool, unless the sender's batch is `ending` and the pool is
    /// its own. The sender then looks at the target itself before it parks, and passes on the work
    /// that it cannot take. After its turn it wakes another worker if events are left.
    fn wake(&self, ending: bool);
}

impl<E: Send + 'static> AnyOutbox for Outbox<E> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn len(&self) -> usize {
        self.sent.len()
    }

    fn publish(&mut self, now: Time, spent: u64, stay: bool) {
        self.noted = false;
        if self.sent.is_empty() && self.leased == 0 {
            return;
        }
        self.refresh();
        // No more than `ahead`: other senders may need every place of a small queue.
        let keep = if stay { self.sent.len().min(self.ahead) } else { 0 };
        for envelope in &mut self.sent {
            envelope.enqueued = now;
            envelope.meta.spent.add(spent);
        }
        self.leased = self.stage.publish(&mut self.sent, self.edge, (self.leased, keep), now);
    }

    fn wake(&self, ending: bool) {
        let not_needed = ending && self.own_pool && !self.stage.graph.has_ended();
        if self.stage.depth_hint() > 0 && !not_needed {
            self.stage.wake();
        }
    }
}
