//! Events that enter a stage: reserved places, publication, delayed events, and the wake-up.
//!
//! An event that a stage has accepted goes through these states:
//!
//! 1. *reserved*: a place in the queue is set aside, by a permit, a lease or a send;
//! 2. *delayed*, only after `send_later`: accepted and counted as pending, in the timers;
//! 3. *queued*: in the lanes, under their lock;
//! 4. *shown*: the depth hint includes it, stored under the same lock;
//! 5. *woken*: after the lock is released, a worker of the stage's pool is woken if one is idle.
//!
//! A worker that parks enters the list of idle workers before it looks at the depth hint for the
//! last time, so an event between 4 and 5 is seen by one side or the other.

use crate::event::{Envelope, EventMeta, LossReason, RefusalReason};
use crate::platform::Time;
use crate::platform::sync::{Flaw, is_seeded};
use crate::stage::core::StageCore;

/// An event that did not enter, with the reason.
pub(crate) struct Rejected<E> {
    pub(crate) event: E,
    pub(crate) meta: EventMeta,
    pub(crate) reason: RefusalReason,
}

impl<E: Send + 'static> StageCore<E> {
    /// Reserves between `least` and `most` places; returns how many. A refusal is not counted yet.
    pub(crate) fn reserve(&self, least: usize, most: usize) -> Result<usize, RefusalReason> {
        self.lanes.lock().reserve(least, most, || self.graph.now())
    }

    /// Checks whether one place could be reserved now, and reserves none. A refusal is not counted
    /// yet.
    pub(super) fn check_place(&self) -> Result<(), RefusalReason> {
        self.lanes.lock().check_place(|| self.graph.now())
    }

    /// Returns `n` reserved places that were not used, and announces the space.
    pub(crate) fn unreserve(&self, n: usize) {
        if n > 0 {
            self.lanes.lock().unreserve(n);
            self.graph.space.announce();
        }
    }

    /// Returns the places of a failed attempt without an announcement: with one, every waiting
    /// source would be woken by its own failure and by those of the others. A sender that was
    /// refused meanwhile because of these places attempts again by itself, within 20 ms.
    pub(crate) fn put_back(&self, n: usize) {
        self.lanes.lock().unreserve(n);
        if is_seeded(Flaw::FailureIsNews) {
            self.graph.space.announce();
        }
    }

    /// Puts one event from outside into the queue and charges the budget, in one critical section.
    /// At the budget the event keeps its place while the valve decides.
    pub(crate) fn enter(&self, event: E, meta: EventMeta, edge: usize) -> Result<(), Rejected<E>> {
        let now = meta.birth;
        let mut lanes = self.lanes.lock();
        if let Err(reason) = lanes.reserve(1, 1, || now) {
            return Err(Rejected { event, meta, reason });
        }
        if !self.graph.budget.charge(1) {
            // The valve locks the lanes of other stages.
            drop(lanes);
            if let Err(reason) = self.make_room_or_put_back(meta.class) {
                return Err(Rejected { event, meta, reason });
            }
            lanes = self.lanes.lock();
        }
        lanes.push_one(Envelope { event, meta, enqueued: now }, edge, now);
        self.show(&lanes);
        drop(lanes);
        self.wake();
        Ok(())
    }

    /// Puts events into reserved places. The caller then has `held` places left over; of those and
    /// the free ones it keeps `wanted`. Returns how many it keeps. Does not wake a worker: the
    /// caller does so with [`StageCore::wake`] once it holds no lock.
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
        let mut kept = 0;
        if wanted > 0 {
            kept = lanes.reserve(0, wanted, || now).unwrap_or(0);
        }
        self.show(&lanes);
        kept
    }

    /// Puts one event into a reserved place and wakes a worker.
    pub(crate) fn publish_one(&self, envelope: Envelope<E>, edge: usize, now: Time) {
        let mut lanes = self.lanes.lock();
        lanes.push_one(envelope, edge, now);
        self.show(&lanes);
        drop(lanes);
        self.wake();
    }

    /// Accepts an event into a place reserved for it, to be queued at `due`.
    ///
    /// # Errors
    /// The event, if the graph accepts no more delayed events; the caller keeps the place.
    pub(crate) fn send_later(
        &self,
        envelope: Envelope<E>,
        edge: usize,
        due: Time,
    ) -> Result<(), Envelope<E>> {
        let is_earliest = self.timers.add(envelope, due, |envelope| {
            self.lanes.lock().accept_timed(&envelope.meta, edge);
        })?;
        if is_earliest {
            // A parked worker must now wake earlier.
            self.wake();
        }
        Ok(())
    }

    /// Returns when the earliest delayed event is due; [`Time::NEVER`] without any.
    #[inline]
    pub(crate) fn next_due(&self) -> Time {
        self.timers.next()
    }

    /// Queues the delayed events that are due.
    pub(super) fn fire_due(&self, now: Time) {
        if self.next_due() > now {
            return;
        }
        let due = self.timers.take_due(now);
        let mut lanes = self.lanes.lock();
        lanes.fire(due.into_iter(), now);
        self.show(&lanes);
    }

    /// Wakes a worker of the stage's pool if one is idle. Once the graph has ended no worker looks
    /// at the queue, so an event that used a place reserved before the end is shed here.
    pub(crate) fn wake(&self) {
        if self.graph.has_ended() && !is_seeded(Flaw::EndUnseen) {
            self.shed_queued(LossReason::Drain);
            return;
        }
        let Some(pool) = self.pool.get() else {
            // A graph that has not started has no workers.
            return;
        };
        if self.extractors.is_keyed() && self.pending.held() > 0 {
            // Only the worker that holds events of this key can take it.
            pool.idle.wake_all();
        } else {
            pool.idle.wake_one();
        }
    }
}
