//! The core of a stage: its lanes under their lock, and everything that happens to them.

use crate::config::{Class, PerClass, RateConfig, StandingConfig};
use crate::event::{Envelope, EventMeta, LossReason, Refusal, RefusalReason, ShardSet};
use crate::gate::Limits;
use crate::platform::Time;
use crate::platform::sync::{Arc, AtomicUsize, CachePadded, Mutex, OnceLock, Ordering};
use crate::pool::PoolCore;
use crate::queue::{Evict, Lanes, Outcome, Shards, Shed, VictimFilter};
use crate::stage::any::{AnyStage, Completion, Held, QueueFigures};
use crate::stage::extractors::Extractors;
use crate::stage::shared::GraphShared;
use crate::stage::timers::Timers;
use crate::stats::Quantiles;
use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

type OnLost<E> = Box<dyn Fn(E, LossReason) + Send + Sync>;

pub(crate) struct StageCore<E> {
    pub(crate) name: Arc<str>,
    pub(crate) index: usize,
    pub(crate) graph: Arc<GraphShared>,
    pub(super) lanes: CachePadded<Mutex<Lanes<E>>>,
    /// The depth, readable without the lock and without touching what it guards.
    pub(super) depth: AtomicUsize,
    /// Of a replica: how many events are in the stage, for those who choose among replicas.
    pub(super) present: Option<AtomicUsize>,
    pub(super) pool: OnceLock<Arc<PoolCore>>,
    pub(super) on_lost: OnceLock<OnLost<E>>,
    pending: AtomicUsize,
    pending_limit: AtomicUsize,
    /// How many events may be outside or in hand before nothing more is taken.
    outside_limit: AtomicUsize,
    /// Of the pending events, those that handlers keep.
    pub(super) held: AtomicUsize,
    deferred_service: Mutex<Quantiles>,
    pub(super) questions: Extractors<E>,
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
            pending: AtomicUsize::new(0),
            pending_limit: AtomicUsize::new(0),
            outside_limit: AtomicUsize::new(usize::MAX),
            held: AtomicUsize::new(0),
            deferred_service: Mutex::default(),
            questions: Extractors::default(),
            timers: Timers::default(),
        }
    }

    /// Whether `worker` would find something to take at `now`.
    #[inline]
    pub(crate) fn is_ready_for(&self, worker: usize, now: Time) -> bool {
        if self.depth_hint() == 0 {
            return self.next_due() <= now;
        }
        if self.outside_limit.load(Ordering::Relaxed) < usize::MAX
            && self.free_places(&self.lanes.lock()) == 0
        {
            return self.next_due() <= now;
        }
        // What is queued in a keyed stage may be another worker's.
        !self.questions.is_keyed()
            || self.next_due() <= now
            || self.lanes.lock().is_ready_for(worker)
    }

    /// How many more events may be taken: each may go outside.
    fn free_places(&self, lanes: &Lanes<E>) -> usize {
        let limit = self.outside_limit.load(Ordering::Relaxed);
        let begun = lanes.present().saturating_sub(lanes.depth());
        limit.saturating_sub(begun.saturating_sub(self.held.load(Ordering::SeqCst)))
    }

    /// A worker has ended everything that it had in hand of these shards.
    pub(crate) fn release(&self, claimed: &ShardSet) {
        if !claimed.is_empty() {
            self.lanes.lock().release(claimed);
        }
    }

    /// The same, as one of several replicas.
    pub(crate) fn replica(self) -> Self {
        Self { present: Some(AtomicUsize::new(0)), ..self }
    }

    /// How many events are queued, in hand and pending, as of the last publication; of a replica
    /// only, else 0.
    pub(crate) fn present_hint(&self) -> usize {
        self.present.as_ref().map_or(0, |present| present.load(Ordering::Relaxed))
    }

    /// Makes the depth readable without the lock, and of a replica how many events are in it.
    pub(super) fn show(&self, lanes: &Lanes<E>) {
        self.depth.store(lanes.depth(), Ordering::Relaxed);
        self.show_present(lanes);
    }

    pub(super) fn show_present(&self, lanes: &Lanes<E>) {
        if let Some(present) = &self.present {
            present.store(lanes.present(), Ordering::Relaxed);
        }
    }

    pub(crate) fn set_on_lost(&self, on_lost: OnLost<E>) -> bool {
        self.on_lost.set(on_lost).is_ok()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.lanes.lock().capacity()
    }

    /// Whether `pool` is the one that runs this stage.
    pub(crate) fn runs_on(&self, pool: &PoolCore) -> bool {
        self.pool.get().is_some_and(|own| std::ptr::eq(own.as_ref(), pool))
    }

    /// Counts a refusal and puts it into words.
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

    /// `worker` takes a batch; those not worth starting go to `given_up` and are credited.
    /// Returns the shards that are now in its hand.
    pub(crate) fn take(
        &self,
        worker: usize,
        most: usize,
        now: Time,
        batch: &mut VecDeque<Envelope<E>>,
        given_up: &mut Vec<Shed<E>>,
    ) -> ShardSet {
        self.fire_due(now);
        let mut lanes = self.lanes.lock();
        let most = most.min(self.free_places(&lanes));
        let claimed = lanes.take(worker, most, now, batch, given_up);
        self.show(&lanes);
        drop(lanes);
        self.graph.credit_weighed(given_up.len(), self.weight_of(given_up));
        self.graph.room.announce();
        claimed
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

    fn depth_hint(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    fn set_pool(&self, pool: Arc<PoolCore>) {
        let _ = self.pool.set(pool);
    }

    fn set_classes(&self, weights: &[u32]) {
        self.lanes.lock().set_classes(weights);
    }

    fn set_shares(&self, weights: &[u32]) {
        self.lanes.lock().set_shares(weights);
    }

    fn set_capacity(&self, capacity: usize) {
        self.lanes.lock().set_capacity(capacity);
        self.graph.room.announce();
    }

    fn set_soft(&self, soft: usize) {
        self.lanes.lock().set_soft(soft);
        self.graph.room.announce();
    }

    fn set_admission(&self, limits: &Limits, lead: Duration) {
        self.lanes.lock().set_admission(limits, lead);
    }

    fn set_pending_limit(&self, limit: usize) {
        self.pending_limit.store(limit, Ordering::Relaxed);
    }

    fn set_outside_limit(&self, limit: usize) {
        let before = self.outside_limit.swap(limit, Ordering::Relaxed);
        if before < limit && self.depth_hint() > 0 {
            self.wake();
        }
    }

    fn outside(&self) -> (usize, usize) {
        let pending = self.pending.load(Ordering::Relaxed);
        let outside = pending.saturating_sub(self.held.load(Ordering::SeqCst));
        (outside, self.outside_limit.load(Ordering::Relaxed))
    }

    fn set_standing(&self, config: &StandingConfig) {
        self.lanes.lock().aqm.set(config);
    }

    fn set_rate(&self, config: Option<RateConfig>) {
        self.lanes.lock().set_rate(config, self.graph.now());
        self.graph.room.announce();
    }

    fn is_keyed(&self) -> bool {
        self.questions.is_keyed()
    }

    fn add_edge(&self) -> usize {
        self.lanes.lock().ledger_mut().add_edge()
    }

    fn open(&self) {
        self.lanes.lock().set_open(true);
    }

    fn close(&self) {
        self.lanes.lock().set_open(false);
        self.graph.room.announce();
    }

    fn cut(&self, now: Time) -> (QueueFigures, Box<dyn Held + '_>) {
        let deferred_service = self.deferred_service.lock().clone();
        let mut lanes = self.lanes.lock();
        let figures = QueueFigures {
            depth: lanes.depth(),
            soft: lanes.soft(),
            capacity: lanes.bound(),
            classes: lanes.ledger().classes().clone(),
            edges: lanes.ledger().edges().iter().map(|edge| (edge.sent, edge.refused)).collect(),
            wasted_nanos: lanes.wasted_nanos(),
            stood: lanes.aqm_state(now),
            occupancy: lanes.occupancy(now),
            deferred_service,
            held: self.held.load(Ordering::Relaxed),
            delayed: lanes.delayed(),
            bytes: self.weighs().then(|| lanes.bytes()),
            busiest_shard: lanes.shards().map(Shards::busiest_share),
        };
        (figures, Box::new(lanes))
    }

    fn settle(&self, outcome: &Outcome, now: Time) {
        let mut lanes = self.lanes.lock();
        lanes.settle(outcome, now);
        self.show_present(&lanes);
        drop(lanes);
        self.graph.bytes.credit(outcome.bytes);
    }

    fn defer(&self, meta: &EventMeta, holder: Option<usize>) -> bool {
        let limit = self.pending_limit.load(Ordering::Relaxed);
        let raise = |pending| (pending < limit).then_some(pending + 1);
        if self.pending.fetch_update(Ordering::AcqRel, Ordering::Relaxed, raise).is_err() {
            return false;
        }
        let mut lanes = self.lanes.lock();
        lanes.defer(meta, holder);
        if holder.is_some() {
            // Under the lock, so that a cut sees no event held that is not pending.
            self.held.fetch_add(1, Ordering::SeqCst);
        }
        true
    }

    fn complete(&self, meta: &EventMeta, how: Completion, now: Time) {
        let mut lanes = self.lanes.lock();
        lanes.complete(meta, how.held, how.succeeded, now);
        self.show_present(&lanes);
        if how.held {
            self.held.fetch_sub(1, Ordering::SeqCst);
        }
        drop(lanes);
        if !how.held && self.graph.is_timed() {
            let outside = now.nanos_since(how.taken);
            self.deferred_service.lock().record(outside, 1);
            if let Some(request) = &meta.request {
                request.record_service(outside);
            }
        }
        self.pending.fetch_sub(1, Ordering::AcqRel);
        if self.weighs() {
            self.graph.bytes.credit(meta.weight.bytes());
        }
        // Its shard may have others waiting, that nobody could take until now, or its place.
        let limited = self.outside_limit.load(Ordering::Relaxed) < usize::MAX;
        if (self.questions.is_keyed() || limited) && self.depth_hint() > 0 {
            self.wake();
        }
    }

    fn weighs(&self) -> bool {
        self.questions.weighs()
    }

    fn eligible_bytes(&self, victims: VictimFilter) -> u64 {
        if self.weighs() { self.lanes.lock().eligible_bytes(victims) } else { 0 }
    }

    fn next_timer(&self) -> Time {
        self.next_due()
    }

    fn cancel_timers(&self) -> usize {
        self.cancel_all()
    }

    fn crowding(&self) -> (usize, usize) {
        let lanes = self.lanes.lock();
        (lanes.depth(), lanes.soft())
    }

    fn eligible(&self, victims: VictimFilter) -> (usize, usize) {
        let lanes = self.lanes.lock();
        (lanes.depth(), lanes.eligible(victims))
    }

    fn evict_lower(
        self: Arc<Self>,
        victims: VictimFilter,
        order: Evict,
        most: usize,
        now: Time,
    ) -> PerClass<usize> {
        let mut given_up = Vec::with_capacity(most);
        let mut lanes = self.lanes.lock();
        lanes.evict(victims, order, most, now, &mut given_up);
        self.show(&lanes);
        drop(lanes);
        let mut evicted = PerClass::default();
        for (envelope, _) in &given_up {
            evicted[envelope.meta.class] += 1;
        }
        if !given_up.is_empty() {
            self.graph.bytes.credit(self.weight_of(&given_up));
            let graph = Arc::clone(&self.graph);
            graph.disposal.deliver_notices(Box::new(move || self.notify_loss(given_up)));
        }
        evicted
    }

    fn shed_all(self: Arc<Self>, reason: LossReason) -> usize {
        self.shed_queued(reason)
    }
}

impl<E> fmt::Debug for StageCore<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StageCore").field("name", &self.name).finish_non_exhaustive()
    }
}
