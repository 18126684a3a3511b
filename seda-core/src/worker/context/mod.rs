//! What a handler can do beside handling: send, reserve, defer, ask.
//!
//! Its other side, what the worker does around its handlers, is in `turn`; how a send finds its
//! replica is in `replicated`, the sends themselves in `sends`.

mod batch;
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
use crate::worker::{BatchStats, DeferError, Held, Pending};
use std::fmt;

/// Where the event in hand goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detached {
    /// Outside the worker: deferred.
    Outside,
    /// In its handler: held.
    Held,
}

/// A handler's view of the graph while it handles an event. Everything it sends inherits the
/// event's class, deadline and request.
pub struct Context {
    graph: Arc<GraphShared>,
    book: Arc<WorkerStats>,
    /// The worker's pool.
    pool: Arc<PoolCore>,
    /// The stage that is run, and its place among the worker's stages.
    stage: Option<(Arc<dyn AnyStage>, usize)>,
    now: Time,
    /// When the event in hand was begun, and when work was last made known.
    begun: Time,
    published: Time,
    meta: EventMeta,
    /// How many events are begun and not ended; more than one only for a cohort.
    open: usize,
    /// The event in hand goes on without this worker, or stays with its handler.
    aside: Option<Detached>,
    /// Whether the stage that is run weighs its events.
    weighs: bool,
    /// How many events of the batch have not been begun.
    ahead: usize,
    /// Whether events are timed one by one.
    timed: bool,
    /// Budget that ended events left behind, for what is sent.
    credit: usize,
    outboxes: Vec<Option<Box<dyn AnyOutbox>>>,
    /// The outboxes with something in them.
    dirty: Vec<usize>,
    tally: BatchStats,
    /// By the stage's place: see [`Context::pressure`].
    pressures: Vec<f64>,
}

impl Context {
    pub(crate) fn new(
        graph: Arc<GraphShared>,
        book: Arc<WorkerStats>,
        pool: Arc<PoolCore>,
        edges: usize,
    ) -> Self {
        Self {
            graph,
            book,
            pool,
            stage: None,
            now: Time::ZERO,
            begun: Time::ZERO,
            published: Time::ZERO,
            meta: EventMeta::new(Time::ZERO, Class::HIGHEST, Time::NEVER),
            open: 0,
            aside: None,
            weighs: false,
            ahead: 0,
            timed: true,
            credit: 0,
            outboxes: (0..edges).map(|_| None).collect(),
            dirty: Vec::new(),
            tally: BatchStats::default(),
            pressures: Vec::new(),
        }
    }

    /// When the event in hand, or its batch, was begun.
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Class, deadline and birth of the event in hand.
    pub fn meta(&self) -> &EventMeta {
        &self.meta
    }

    /// Whether the client that waits for the answer has gone, so that work for it can stop.
    pub fn is_abandoned(&self) -> bool {
        self.meta.is_abandoned()
    }

    /// Lets the handling of the event in hand go on outside this worker: on another thread, in
    /// an async runtime. It stays in the stage, in service, until the returned handle is
    /// completed, from any thread.
    ///
    /// # Errors
    /// [`DeferError`] at the stage's limit of pending events, without budget, or outside of
    /// [`Handler::handle`](crate::worker::Handler::handle).
    pub fn defer(&mut self) -> Result<Pending, DeferError> {
        self.set_aside(Detached::Outside)
    }

    /// Keeps the event in hand in its handler, for a join, a window or a batch. It stays in the
    /// stage, as a pending event, until the returned handle is released. See [`Held`].
    ///
    /// # Errors
    /// As [`Context::defer`].
    pub fn hold(&mut self) -> Result<Held, DeferError> {
        let pending = self.set_aside(Detached::Held)?;
        self.graph.budget.hold();
        Ok(Held::new(pending))
    }

    fn set_aside(&mut self, aside: Detached) -> Result<Pending, DeferError> {
        let Some((stage, _)) = &self.stage else {
            return Err(DeferError::NoEvent);
        };
        if self.open != 1 || self.aside.is_some() {
            return Err(DeferError::NoEvent);
        }
        if self.credit == 0 && !self.graph.budget.charge(1) {
            return Err(DeferError::Budget { stage: stage.name().to_string() });
        }
        self.credit = self.credit.max(1);
        let holder = (aside == Detached::Held).then_some(self.book.number);
        if !stage.defer(&self.meta, holder) {
            return Err(DeferError::Limit { stage: stage.name().to_string() });
        }
        self.credit -= 1;
        self.aside = Some(aside);
        let (graph, stage) = (Arc::clone(&self.graph), Arc::clone(stage));
        Ok(Pending::new(graph, stage, self.meta.clone(), self.begun, holder.is_some()))
    }

    /// Makes everything sent so far known to its targets now, for a handler that will be busy
    /// for long after sending. From here on the events in hand need places in the budget beside
    /// what they sent; if there are none, what was sent waits for the end of the batch.
    pub fn flush(&mut self) {
        let due = self.counted_in_hand().saturating_sub(self.credit);
        if due > 0 && !self.graph.budget.charge(due) {
            return;
        }
        self.credit += due;
        let now = self.graph.now();
        for index in std::mem::take(&mut self.dirty) {
            if let Some(outbox) = self.outboxes.get_mut(index).and_then(Option::as_mut) {
                outbox.publish(now, now.nanos_since(self.begun), true);
                outbox.wake(false);
            }
        }
    }

    /// How many begun events the stage counts as in hand: the present ones, unless set aside, and
    /// those that ended since the last publication.
    fn counted_in_hand(&self) -> usize {
        let present = if self.aside.is_none() { self.open } else { 0 };
        present + self.tally.unsettled()
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
