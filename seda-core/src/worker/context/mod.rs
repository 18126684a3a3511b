//! A handler's view of its worker and graph: send, reserve, defer, ask.
//!
//! - `send`: the sends; `target`: which replica a send goes to; `defer`: events kept beyond a call.
//! - `batch`: the worker's side: begin and end events and batches, publish.
//! - `pressure`: the load of the stage, for handlers that can do less work per event.

mod batch;
mod defer;
mod pressure;
mod send;
mod target;

use crate::config::Class;
use crate::event::EventMeta;
use crate::platform::Time;
use crate::platform::sync::Arc;
use crate::pool::{PoolCore, WorkerStats};
use crate::stage::ports::AnyOutbox;
use crate::stage::{AnyStage, GraphShared};
use crate::worker::batch_stats::BatchStats;
use std::fmt;

/// Where the event in hand stays after its handler returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detached {
    /// Outside the worker: deferred.
    Outside,
    /// In its handler: held.
    Held,
}

/// A handler's view of the graph while it handles an event. Every event it sends inherits the
/// class, deadline and request of the event in hand.
///
/// ```
/// use seda_core::{Context, Sink};
///
/// /// Sends a line on unless its client has gone.
/// fn pass_on(line: String, next: &Sink<String>, cx: &mut Context) {
///     if !cx.is_abandoned() {
///         cx.send(next, line).unwrap_or_else(|refused| refused.give_up());
///     }
/// }
/// ```
pub struct Context {
    graph: Arc<GraphShared>,
    worker_stats: Arc<WorkerStats>,
    /// The worker's pool.
    pool: Arc<PoolCore>,
    /// The running stage, and its place among the worker's stages.
    stage: Option<(Arc<dyn AnyStage>, usize)>,
    now: Time,
    /// When the service of the event in hand began.
    begun: Time,
    /// When work was last published.
    published: Time,
    /// The event in hand; if there are several, the last one begun.
    meta: EventMeta,
    /// Events begun and not ended; more than one only after `Batch::take_all`.
    open: usize,
    /// Set if the event in hand does not end with its handler's call.
    detached: Option<Detached>,
    /// True if the running stage weighs its events.
    weighs: bool,
    /// Events of the batch that are not begun.
    ahead: usize,
    /// True if events are timed one by one.
    timed: bool,
    /// Places in the budget that ended events have left, for events to be sent.
    credit: usize,
    outboxes: Vec<Option<Box<dyn AnyOutbox>>>,
    /// The outboxes that hold events.
    dirty: Vec<usize>,
    stats: BatchStats,
    /// The smoothed pressure of each stage, by its place: see [`Context::pressure`].
    pressures: Vec<f64>,
}

impl Context {
    pub(crate) fn new(
        graph: Arc<GraphShared>,
        worker_stats: Arc<WorkerStats>,
        pool: Arc<PoolCore>,
        edges: usize,
    ) -> Self {
        Self {
            graph,
            worker_stats,
            pool,
            stage: None,
            now: Time::ZERO,
            begun: Time::ZERO,
            published: Time::ZERO,
            meta: EventMeta::new(Time::ZERO, Class::HIGHEST, Time::NEVER),
            open: 0,
            detached: None,
            weighs: false,
            ahead: 0,
            timed: true,
            credit: 0,
            outboxes: (0..edges).map(|_| None).collect(),
            dirty: Vec::new(),
            stats: BatchStats::default(),
            pressures: Vec::new(),
        }
    }

    /// Returns when the event in hand, or its batch, was begun.
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Returns the class, deadline and birth of the event in hand.
    pub fn meta(&self) -> &EventMeta {
        &self.meta
    }

    /// True if the client that waits for the answer has gone, so that work for it can stop.
    pub fn is_abandoned(&self) -> bool {
        self.meta.is_abandoned()
    }

    /// Publishes all events sent so far, for a handler that stays busy after sending. From here on
    /// the events in hand need places in the budget beside those of the events they sent. If the
    /// budget has none, nothing is published before the end of the batch.
    pub fn flush(&mut self) {
        if !self.raise_credit(self.counted_in_hand()) {
            return;
        }
        let now = self.graph.now();
        for index in std::mem::take(&mut self.dirty) {
            let outbox = self.outboxes.get_mut(index).and_then(Option::as_mut);
            debug_assert!(outbox.is_some(), "a dirty outbox exists");
            if let Some(outbox) = outbox {
                outbox.publish(now, now.nanos_since(self.begun), true);
                outbox.wake(false);
            }
        }
    }

    /// Raises the credit to `n` places without the valve's help; false if the budget has no room.
    fn raise_credit(&mut self, n: usize) -> bool {
        let due = n.saturating_sub(self.credit);
        if due > 0 && !self.graph.budget.charge(due) {
            return false;
        }
        self.credit += due;
        true
    }

    /// Returns how many begun events the stage counts as in hand: the open ones, unless detached,
    /// and those that ended since the last publication.
    fn counted_in_hand(&self) -> usize {
        let open = if self.detached.is_none() { self.open } else { 0 };
        open + self.stats.unsettled()
    }

    fn dirty_outboxes(&self) -> impl Iterator<Item = &dyn AnyOutbox> {
        self.dirty.iter().filter_map(|index| self.outboxes.get(*index)?.as_deref())
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("stage", &self.stage.as_ref().map(|(stage, _)| stage.name()))
            .field("meta", &self.meta)
            .finish_non_exhaustive()
    }
}
