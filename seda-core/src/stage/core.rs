//! The core of a stage: its lanes under their lock, and the operations of workers on them.
//!
//! The other operations are in files beside it: `enqueue` (events enter), `charge` (the budget),
//! `shed` (events are shed), `settings`.

use crate::config::Class;
use crate::event::{Envelope, EventMeta, LossReason, Refusal, RefusalReason, ShardSet};
use crate::platform::Time;
use crate::platform::sync::{Arc, AtomicUsize, CachePadded, Mutex, OnceLock, Ordering};
use crate::pool::PoolCore;
use crate::queue::{Lanes, Outcome, Shards, Shed};
use crate::stage::any::{AnyStage, Completion, Crowding, CutGuard, Observed, QueueFigures, Worked};
use crate::stage::extractors::Extractors;
use crate::stage::pending::PendingEvents;
use crate::stage::shared::GraphShared;
use crate::stage::timers::Timers;
use crate::stats::ThreadTimes;
use std::any::Any;
use std::collections::VecDeque;
use std::fmt;

/// The number of first services outside whose end asks for a tick before its time, as at the
/// services of workers.
const FIRST_SERVICES: u64 = 4;

/// Shorter services need no early tick: the first burst is served before the regular one.
const LONG_NANOS: u64 = 1_500_000;

pub(super) type OnLost<E> = Box<dyn Fn(E, LossReason) + Send + Sync>;

pub(crate) struct StageCore<E> {
    pub(crate) name: Arc<str>,
    pub(crate) index: usize,
    pub(crate) graph: Arc<GraphShared>,
    pub(super) lanes: CachePadded<Mutex<Lanes<E>>>,
    /// The depth, readable without the lock and without touching the cache line it guards.
    depth: AtomicUsize,
    /// Events in the stage, for the choice among replicas; `None` unless it is a replica.
    present: Option<AtomicUsize>,
    pub(super) pool: OnceLock<Arc<PoolCore>>,
    pub(super) on_lost: OnceLock<OnLost<E>>,
    pub(super) pending: PendingEvents,
    pub(super) extractors: Extractors<E>,
    pub(super) timers: Timers<E>,
}

impl<E: Send + 'static> StageCore<E> {
    pub(crate) fn new(name: &str, index: usize, capacity: usize, graph: Arc<GraphShared>) -> Self {
        Self {
            name: name.into(),
            index,
            graph,
            lanes: CachePadded(Mutex::new(Lanes::new(capacity))),
            depth: AtomicUsize::new(0),
            present: None,
            pool: OnceLock::new(),
            on_lost: OnceLock::new(),
            pending: PendingEvents::default(),
            extractors: Extractors::default(),
            timers: Timers::default(),
        }
    }

    /// Returns the stage as one of several replicas.
    pub(crate) fn replica(self) -> Self {
        Self { present: Some(AtomicUsize::new(0)), ..self }
    }

    /// True if `worker` would find an event to take at `now`.
    #[inline]
    pub(crate) fn is_ready_for(&self, worker: usize, now: Time) -> bool {
        if self.depth_hint() == 0 {
            return self.next_due() <= now;
        }
        if self.pending.is_outside_limited() && self.free_places(&self.lanes.lock()) == 0 {
            return self.next_due() <= now;
        }
        // In a keyed stage the queued events may belong to another worker.
        !self.extractors.is_keyed()
            || self.next_due() <= now
            || self.lanes.lock().is_ready_for(worker)
    }

    /// Returns how many more events may be taken, because each may go outside.
    fn free_places(&self, lanes: &Lanes<E>) -> usize {
        self.pending.free_places(lanes.present().saturating_sub(lanes.depth()))
    }

    /// Takes a batch of up to `most` events for `worker`. Events that are not worth starting go to
    /// `shed` and are credited. Returns the shards that the worker now owns.
    pub(crate) fn take(
        &self,
        worker: usize,
        most: usize,
        now: Time,
        batch: &mut VecDeque<Envelope<E>>,
        shed: &mut Vec<Shed<E>>,
    ) -> ShardSet {
        self.fire_due(now);
        let mut lanes = self.lanes.lock();
        let most = most.min(self.free_places(&lanes));
        let claimed = lanes.take(worker, most, now, batch, shed);
        self.show(&lanes);
        drop(lanes);
        self.graph.credit_weighed(shed.len(), self.weight_of(shed));
        self.graph.space.announce();
        claimed
    }

    /// Releases the shards of a batch after all its events have ended.
    pub(crate) fn release(&self, claimed: &ShardSet) {
        if !claimed.is_empty() {
            self.lanes.lock().release(claimed);
        }
    }

    /// Returns how many events are queued, in hand and pending, as of the last publication; 0
    /// unless the stage is a replica.
    pub(crate) fn present_hint(&self) -> usize {
        self.present.as_ref().map_or(0, |present| present.load(Ordering::Relaxed))
    }

    /// Makes the depth, and the number of events in a replica, readable without the lock.
    pub(super) fn show(&self, lanes: &Lanes<E>) {
        self.depth.store(lanes.depth(), Ordering::Relaxed);
        self.show_present(lanes);
    }

    pub(super) fn show_present(&self, lanes: &Lanes<E>) {
        if let Some(present) = &self.present {
            present.store(lanes.present(), Ordering::Relaxed);
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.lanes.lock().capacity()
    }

    /// True if `pool` runs this stage.
    pub(super) fn runs_on(&self, pool: &PoolCore) -> bool {
        self.pool.get().is_some_and(|own| std::ptr::eq(own.as_ref(), pool))
    }

    /// Counts `n` refused events and returns the refusal for their sender.
    pub(crate) fn refuse(
        &self,
        class: Class,
        edge: usize,
        reason: RefusalReason,
        n: usize,
    ) -> Refusal {
        self.lanes.lock().ledger_mut().refuse(class, edge, reason, n as u64);
        Refusal::new(Arc::clone(&self.name), reason)
    }

    #[cfg(test)]
    pub(crate) fn lose_one(&self) {
        self.lanes.lock().lose_one();
    }
}

impl<E: Send + 'static> AnyStage for StageCore<E> {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn index(&self) -> usize {
        self.index
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl<E: Send + 'static> Observed for StageCore<E> {
    fn depth_hint(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    fn is_keyed(&self) -> bool {
        self.extractors.is_keyed()
    }

    fn outside(&self) -> (usize, usize) {
        (self.pending.outside(), self.pending.outside_limit())
    }

    fn cut(&self, now: Time) -> (QueueFigures, Box<dyn CutGuard + '_>) {
        let deferred = self.pending.served();
        let mut lanes = self.lanes.lock();
        let figures = QueueFigures {
            depth: lanes.depth(),
            standing_since: lanes.standing_since(),
            empty_nanos: lanes.empty_nanos(now),
            soft: lanes.soft(),
            capacity: lanes.bound(),
            classes: lanes.ledger().classes().clone(),
            edges: lanes.ledger().edges().iter().map(|edge| (edge.sent, edge.refused)).collect(),
            wasted_nanos: lanes.wasted_nanos(),
            longest_wait: lanes.longest_wait(now),
            aqm: lanes.aqm_state(now),
            occupancy: lanes.occupancy(now),
            deferred,
            held: self.pending.held(),
            delayed: lanes.delayed(),
            bytes: self.weighs().then(|| lanes.bytes()),
            shards: lanes.shards().map(by_shard).unwrap_or_default(),
        };
        (figures, Box::new(lanes))
    }
}

/// Returns the number of events accepted so far, by shard.
fn by_shard(shards: &Shards) -> Vec<u64> {
    shards.accepted().iter().copied().collect()
}

impl<E: Send + 'static> Worked for StageCore<E> {
    fn weighs(&self) -> bool {
        self.extractors.weighs()
    }

    fn crowding(&self) -> Crowding {
        let lanes = self.lanes.lock();
        Crowding { depth: lanes.depth(), soft: lanes.soft() }
    }

    fn settle(&self, outcome: &Outcome, now: Time) {
        let mut lanes = self.lanes.lock();
        lanes.settle(outcome, now);
        self.show_present(&lanes);
        drop(lanes);
        self.graph.bytes.credit(outcome.bytes);
    }

    fn defer(&self, meta: &EventMeta, holder: Option<usize>) -> bool {
        if !self.pending.try_begin() {
            return false;
        }
        let mut lanes = self.lanes.lock();
        lanes.defer(meta, holder);
        if holder.is_some() {
            self.pending.hold();
        }
        true
    }

    fn complete(&self, meta: &EventMeta, how: Completion, now: Time) {
        let mut lanes = self.lanes.lock();
        lanes.complete(meta, how.held, how.succeeded, now);
        self.show_present(&lanes);
        if how.held {
            self.pending.release();
        }
        drop(lanes);
        if let Some(request) = &meta.request {
            if !how.held {
                request.end_service_at(self.index);
            }
            request.leave_gate(self.index);
        }
        if !how.held && self.graph.is_timed() {
            let outside = now.nanos_since(how.taken);
            let served = self.pending.record_service(outside, how.threads);
            if served == FIRST_SERVICES && outside >= LONG_NANOS {
                self.graph.calls.early_tick.request();
            }
            if let Some(request) = &meta.request {
                // The wait for a thread is caused by the others, and is no demand of its own.
                let waiting = how.threads.map_or(0, ThreadTimes::waiting_nanos);
                request.record_service(self.index, outside.saturating_sub(waiting));
            }
        }
        self.pending.end();
        if self.weighs() {
            self.graph.bytes.credit(meta.weight.bytes());
        }
        // Other events may have waited for its shard, or for its place outside.
        let unblocks = self.extractors.is_keyed() || self.pending.is_outside_limited();
        if unblocks && self.depth_hint() > 0 {
            self.wake();
        }
    }
}

impl<E> fmt::Debug for StageCore<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StageCore").field("name", &self.name).finish_non_exhaustive()
    }
}
