//! Events that come in, and whom that wakes.

use crate::config::Class;
use crate::event::{Envelope, EventMeta, LossReason, RefusalReason};
use crate::platform::Time;
use crate::platform::sync::{Flaw, Ordering, is_seeded};
use crate::stage::core::StageCore;

/// An event that could not enter yet, with the reason.
pub(crate) struct Entry<E> {
    pub(crate) event: E,
    pub(crate) meta: EventMeta,
    pub(crate) reason: RefusalReason,
}

impl<E: Send + 'static> StageCore<E> {
    /// Reserves at least `least` places for events of `class`, and at most `most`; a refusal is not
    /// counted yet.
    pub(crate) fn reserve(
        &self,
        class: Class,
        least: usize,
        most: usize,
    ) -> Result<usize, RefusalReason> {
        self.lanes.lock().reserve(class, least, most, || self.graph.now())
    }

    /// Reserves `n` places for events of a request that has passed the stage's gate.
    pub(crate) fn reserve_counted(&self, n: usize) -> Result<usize, RefusalReason> {
        self.lanes.lock().reserve_counted(n, || self.graph.now())
    }

    /// Reserves `n` places for events like `meta`, whether counted at the gate or not.
    pub(crate) fn reserve_for(&self, meta: &EventMeta, n: usize) -> Result<usize, RefusalReason> {
        match self.reserve(meta.class, n, n) {
            Err(RefusalReason::Admission) if meta.is_bound_for(self.index) => {
                self.reserve_counted(n)
            }
            reserved => reserved,
        }
    }

    pub(crate) fn unreserve(&self, n: usize) {
        if n > 0 {
            self.lanes.lock().unreserve(n);
            self.graph.room.announce();
        }
    }

    /// Gives back places that an attempt held until it failed. That is no news: were it announced,
    /// every source that waits would be woken by its own failure, and by that of the others. Who
    /// was refused meanwhile for want of just these places looks again by itself, in 20 ms.
    pub(crate) fn put_back(&self, n: usize) {
        self.lanes.lock().unreserve(n);
        if is_seeded(Flaw::FailureIsNews) {
            self.graph.room.announce();
        }
    }

    /// Puts one event from outside into the queue and charges the budget, in one critical
    /// section. On `Budget` the place stays reserved, for the valve to make it worth something.
    pub(crate) fn enter(&self, event: E, meta: EventMeta, edge: usize) -> Result<(), Entry<E>> {
        let now = meta.birth;
        let mut lanes = self.lanes.lock();
        match lanes.reserve(meta.class, 1, 1, || now) {
            Err(reason) => Err(Entry { event, meta, reason }),
            Ok(_) if !self.graph.budget.charge(1) => {
                Err(Entry { event, meta, reason: RefusalReason::Budget })
            }
            Ok(_) => {
                let envelope = Envelope { event, meta, enqueued: now };
                lanes.push_one(envelope, edge, now);
                self.show(&lanes);
                drop(lanes);
                self.wake();
                Ok(())
            }
        }
    }

    /// Puts events into places that were reserved. Of `held` places that are then left, and of
    /// the free ones, the caller wants to hold `wanted`; returns how many it holds. Does not wake
    /// anyone: the caller does, with [`StageCore::wake`], once it holds no lock.
    pub(crate) fn publish(
        &self,
        envelopes: &mut Vec<Envelope<E>>,
        edge: usize,
        (held, wanted): (usize, usize),
        now: Time,
    ) -> usize {
        let mut lanes = self.lanes.lock();
        lanes.push_reserved(envelopes, edge, now);
        lanes.unreserve(held);
        let mut again = || lanes.reserve(Class::HIGHEST, 0, wanted, || now).unwrap_or(0);
        let held = if wanted > 0 { again() } else { 0 };
        self.show(&lanes);
        held
    }

    /// Puts one event into a place that was reserved, and makes sure that a worker looks.
    pub(crate) fn publish_one(&self, envelope: Envelope<E>, edge: usize, now: Time) {
        let mut lanes = self.lanes.lock();
        lanes.push_one(envelope, edge, now);
        self.show(&lanes);
        drop(lanes);
        self.wake();
    }

    /// Makes sure that a worker looks at the queue. When the graph has ended nobody will: a place
    /// that was held beyond the end leads nowhere, and the event is given up here and now.
    pub(crate) fn wake(&self) {
        if self.graph.has_ended() && !is_seeded(Flaw::EndUnseen) {
            self.shed_queued(LossReason::Drain);
            return;
        }
        let Some(pool) = self.pool.get() else {
            return;
        };
        if self.questions.is_keyed() && self.held.load(Ordering::SeqCst) > 0 {
            // It may be for the one worker that holds what this event belongs to.
            pool.idle.wake_all();
        } else {
            pool.idle.wake_one();
        }
    }
}
