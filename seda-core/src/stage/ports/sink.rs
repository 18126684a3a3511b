//! One edge of the graph, typed: where a handler may send.
//!
//! A worker does not touch the target's queue for every event. The first send of a batch leases
//! places there, further sends use them up, and the batch's end publishes everything at once.
//! The answer to each send is final all the same: it has its place.

use crate::config::Class;
use crate::event::{Envelope, RefusalReason};
use crate::platform::Time;
use crate::platform::sync::Arc;
use crate::pool::PoolCore;
use crate::stage::replicas::ReplicaSet;
use crate::stage::{AnyStage, StageCore};
use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// Sends events to one stage from inside a handler, with [`crate::worker::context::Context::send`]. Declared and
/// counted when the graph is wired; clone it into each worker's handler.
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
    /// The edge's number among those into the stage, and among all of the graph.
    pub(crate) edge: usize,
    pub(crate) outbox: usize,
    /// The stages that it was declared for: one, or the replicas of one.
    pub(crate) senders: Range<usize>,
    /// To the replicas, if it leads to several; the stage above is then the first of them, and
    /// the outbox none.
    pub(crate) ways: Option<Box<ReplicaSet<Sink<E>>>>,
}

impl<E: Send + 'static> Sink<E> {
    /// The outbox of a sink that leads to replicas: none, so that the way of a send to an ordinary
    /// stage need not ask whether it does.
    pub(crate) const NO_OUTBOX: usize = usize::MAX;

    /// The stage it leads to.
    pub fn stage(&self) -> &str {
        self.ways.as_ref().map_or(&self.stage.name, |ways| ways.name())
    }

    /// The number of the edge for what the stage at `index` sends: each of several replicas has
    /// one of its own, and their numbers are consecutive.
    pub(crate) fn edge_from(&self, index: usize) -> usize {
        self.edge + if self.senders.contains(&index) { index - self.senders.start } else { 0 }
    }
}

impl<E: Send + 'static> Clone for Sink<E> {
    fn clone(&self) -> Self {
        Self {
            stage: Arc::clone(&self.stage),
            edge: self.edge,
            outbox: self.outbox,
            senders: self.senders.clone(),
            ways: self.ways.clone(),
        }
    }
}

impl<E: Send + 'static> fmt::Debug for Sink<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("stage", &self.stage()).finish_non_exhaustive()
    }
}

/// A sink whose sends may wait for room, for a limited time each: for a stage that feeds a
/// slower one and has nothing better to do, such as a file reader. While it waits its worker
/// does nothing else, so a waiting edge that lies on a cycle, or leads into its own pool, could
/// only wait for itself: such a graph does not start.
pub struct WaitingSink<E: Send + 'static> {
    pub(crate) sink: Sink<E>,
    pub(crate) limit: Duration,
}

impl<E: Send + 'static> WaitingSink<E> {
    /// The longest that one send waits.
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

/// A worker's side of one edge: leased places, and what was sent into them since the last
/// publication.
pub(crate) struct Outbox<E: Send + 'static> {
    stage: Arc<StageCore<E>>,
    edge: usize,
    /// The most places one lease may hold beyond what a send needs: capacity / (4 · workers),
    /// so that all workers' leases together never hold more than a quarter of the queue.
    ahead: usize,
    /// How often settings had changed when `ahead` was worked out.
    changes: usize,
    sender: Arc<PoolCore>,
    /// Whether the sender's own pool runs the target.
    own_pool: bool,
    leased: usize,
    sent: Vec<Envelope<E>>,
    /// Whether the worker has noted that something is in here.
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

    /// Follows the settings: asked where the target's lock is taken anyway, once for a batch.
    fn refresh(&mut self) {
        let changes = self.stage.graph.changes();
        if changes != self.changes {
            (self.changes, self.ahead) = (changes, ahead(&self.stage, &self.sender));
        }
    }

    /// Makes sure of `n` free leased places for events of `class`; `ahead` more are likely to be
    /// needed soon.
    pub(crate) fn lease(
        &mut self,
        class: Class,
        n: usize,
        ahead: usize,
    ) -> Result<(), RefusalReason> {
        if self.leased >= n {
            return Ok(());
        }
        self.refresh();
        let short = n - self.leased;
        let most = short.max(ahead.min(self.ahead));
        self.leased += self.stage.reserve(class, short, most)?;
        Ok(())
    }

    /// The same for events of a request that has passed the target's gate.
    pub(crate) fn lease_counted(&mut self, n: usize) -> Result<(), RefusalReason> {
        let short = n.saturating_sub(self.leased);
        self.leased += self.stage.reserve_counted(short)?;
        Ok(())
    }

    #[inline]
    pub(crate) fn is_leased(&self) -> bool {
        self.leased > 0
    }

    /// Whether it is the first time since the last publication that this is asked.
    #[inline]
    pub(crate) fn is_new(&mut self) -> bool {
        !std::mem::replace(&mut self.noted, true)
    }

    /// A leased place is another's from here on.
    pub(crate) fn pass_on(&mut self) {
        debug_assert!(self.leased > 0, "passed on without a lease");
        self.leased = self.leased.saturating_sub(1);
    }

    /// What is sent until the next publication is counted for this edge.
    pub(crate) fn count_for(&mut self, edge: usize) {
        self.edge = edge;
    }

    /// How many events are at the target, with those that lie in here.
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

/// capacity / (4 · workers), as they are set now.
fn ahead<E: Send + 'static>(stage: &StageCore<E>, sender: &PoolCore) -> usize {
    stage.capacity() / (4 * sender.range().max.max(1))
}

/// An outbox without its event type.
pub(crate) trait AnyOutbox: Send {
    fn as_any(&self) -> &dyn Any;

    fn as_any_mut(&mut self) -> &mut dyn Any;

    /// How many events were sent and not published.
    fn len(&self) -> usize;

    /// Publishes what was sent and returns unused places; `spent` is the service, in
    /// nanoseconds, that each sent event's cause had here. With `stay` as many places as were
    /// used are leased anew in the same breath, for the next batch. Wakes nobody.
    fn publish(&mut self, now: Time, spent: u64, stay: bool);

    /// Wakes a worker of the target's pool. When the sender's batch is `ending` and the pool is
    /// its own that is spared: it looks there itself before it parks, and passes the work on
    /// when there is more than it can take. So an idle chain of stages wakes no thread per hop.
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
        // A small queue's places are not held back: other senders may need every one of them.
        let keep = if stay { self.sent.len().min(self.ahead) } else { 0 };
        for envelope in &mut self.sent {
            envelope.enqueued = now;
            envelope.meta.spent.add(spent);
        }
        self.leased = self.stage.publish(&mut self.sent, self.edge, (self.leased, keep), now);
    }

    fn wake(&self, ending: bool) {
        let spared = ending && self.own_pool && !self.stage.graph.has_ended();
        if self.stage.depth_hint() > 0 && !spared {
            self.stage.wake();
        }
    }
}
