//! The queue of a stage as plain data: one lane per class, bounded, with reservable places.

use crate::config::{Class, PerClass, RateConfig};
use crate::event::{Envelope, EventMeta, LossReason, RefusalReason, ShardSet};
use crate::platform::Time;
use crate::queue::aqm::{Aqm, AqmState};
use crate::queue::byte_count::ByteCount;
use crate::queue::class_lanes::ClassLanes;
use crate::queue::emptiness::Emptiness;
use crate::queue::expiry::Expiry;
use crate::queue::ledger::{Ledger, Outcome};
use crate::queue::occupancy::Occupancy;
use crate::queue::places::Places;
use crate::queue::rate_limit::RateLimit;
use crate::queue::shards::Shards;
use crate::queue::victim::{Evict, Shed, VictimFilter};
use std::collections::VecDeque;
use std::time::Duration;

/// The queue of a stage with its ledger.
///
/// The path of an event: `reserve` a place, `push` into it, `take` into a worker's batch, then
/// `settle`, or `defer` and `complete`. It can be shed at any step and is counted by its reason.
///
/// The fields are in the order of use: those of every batch together, rare counts last.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Lanes<E> {
    classes: ClassLanes<E>,
    places: Places,
    rate: RateLimit,
    /// How long before its deadline an event has to begin, in nanoseconds.
    lead: u64,
    pub(crate) aqm: Aqm,
    open: bool,
    emptiness: Emptiness,
    occupancy: Occupancy,
    ledger: Ledger,
    /// Nanoseconds of service that earlier stages had spent on shed events.
    wasted: u64,
    bytes: ByteCount,
    expiry: Expiry,
}

/// A part of a look for expired events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Looked {
    /// Events looked at.
    pub(crate) events: usize,
    /// Whether the look has reached the last event.
    pub(crate) is_over: bool,
}

/// Settings.
impl<E> Lanes<E> {
    /// Closed lanes for a single class with a hard and soft bound of `capacity` events.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            classes: ClassLanes::new(),
            places: Places::new(capacity),
            rate: RateLimit::default(),
            lead: 0,
            aqm: Aqm::default(),
            open: false,
            emptiness: Emptiness::default(),
            occupancy: Occupancy::default(),
            ledger: Ledger::default(),
            wasted: 0,
            bytes: ByteCount::default(),
            expiry: Expiry::default(),
        }
    }

    /// Declares one class per weight, the highest first. Must be called while empty.
    pub(crate) fn set_classes(&mut self, weights: &[u32]) {
        self.classes.set_classes(weights);
    }

    /// Orders events by shard. Must be called while empty.
    pub(crate) fn set_keyed(&mut self) {
        self.classes.set_keyed();
    }

    /// Counts the weight of events. Must be called while empty.
    pub(crate) fn set_weighing(&mut self) {
        self.bytes.set_weighing();
    }

    /// Changes the weights of the classes, the highest first, live. The lane in its turn gives no
    /// more than its new weight.
    pub(crate) fn set_shares(&mut self, weights: &[u32]) {
        self.classes.set_weights(weights);
    }

    /// Sets the hard capacity, live. While the places in use exceed it, no event is admitted; the
    /// events inside stay, and the bound falls with them.
    pub(crate) fn set_capacity(&mut self, capacity: usize) {
        self.places.set_capacity(capacity);
    }

    /// Sets the soft capacity, live. No event is admitted above it. It has no effect above the hard
    /// capacity.
    pub(crate) fn set_soft(&mut self, soft: usize) {
        self.places.set_soft(soft);
    }

    /// Sets how long before its deadline an event has to begin.
    pub(crate) fn set_lead(&mut self, lead: Duration) {
        self.lead = u64::try_from(lead.as_nanos()).unwrap_or(u64::MAX);
    }

    /// Limits the rate at which events enter, live; `None` removes the limit.
    pub(crate) fn set_rate(&mut self, config: Option<RateConfig>, now: Time) {
        self.rate.set(config, now);
    }

    /// Opens or closes the lanes to new reservations.
    pub(crate) fn set_open(&mut self, open: bool) {
        self.open = open;
    }
}

/// Figures.
impl<E> Lanes<E> {
    /// Returns the number of queued events.
    pub(crate) fn depth(&self) -> usize {
        self.places.depth()
    }

    /// Returns the number of queued events of a class.
    pub(crate) fn queued(&self, class: Class) -> usize {
        self.classes.lane(class).len()
    }

    /// Returns the hard capacity.
    pub(crate) fn capacity(&self) -> usize {
        self.places.capacity()
    }

    /// Returns the bound that holds now: the capacity, or the places that were in use when it was
    /// lowered, which fall as events leave.
    pub(crate) fn bound(&mut self) -> usize {
        self.places.bound()
    }

    /// Returns the nanoseconds in which the queue was empty.
    pub(crate) fn empty_nanos(&self, now: Time) -> u64 {
        self.emptiness.nanos(self.depth() == 0, now)
    }

    /// Returns since when the queue has not been empty; `None` if it is empty.
    pub(crate) fn standing_since(&self) -> Option<Time> {
        (self.depth() > 0).then_some(self.emptiness.until())
    }

    pub(crate) fn soft(&self) -> usize {
        self.places.soft()
    }

    #[cfg(test)]
    pub(crate) fn reserved(&self) -> usize {
        self.places.reserved()
    }

    /// Returns the service, in nanoseconds, that earlier stages had spent on shed events.
    pub(crate) fn wasted_nanos(&self) -> u64 {
        self.wasted
    }

    /// Returns the number of accepted events that wait for their time.
    pub(crate) fn delayed(&self) -> usize {
        self.places.delayed()
    }

    /// Returns the bytes of all events in the stage; 0 unless it weighs them.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.total()
    }

    pub(crate) fn shards(&self) -> Option<&Shards> {
        self.classes.shards()
    }

    /// Returns whether there is an event that `worker` may take.
    pub(crate) fn is_ready_for(&self, worker: usize) -> bool {
        self.classes.is_ready_for(worker)
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// Returns the time integral of the number of events in the stage, in event-nanoseconds.
    pub(crate) fn occupancy(&mut self, now: Time) -> u128 {
        self.occupancy.until(now)
    }

    /// Returns the number of events in the stage: queued, in hand and pending.
    pub(crate) fn present(&self) -> usize {
        self.occupancy.present()
    }

    /// Returns the state of queue management at `now`.
    pub(crate) fn aqm_state(&self, now: Time) -> AqmState {
        self.aqm.state(self.classes.oldest(), now)
    }

    /// Returns how long the oldest event that one more worker could take has waited; zero without
    /// such an event.
    pub(crate) fn longest_wait(&self, now: Time) -> Duration {
        self.classes.oldest_takeable().map(|oldest| now.since(oldest)).unwrap_or_default()
    }

    /// Returns the number of queued events of the classes in `victims`.
    pub(crate) fn eligible(&self, victims: VictimFilter) -> usize {
        let classes = Class::first(self.classes.declared()).filter(|class| victims.include(*class));
        classes.map(|class| self.classes.lane(class).len()).sum()
    }

    /// Returns the bytes of the queued events of the classes in `victims`.
    pub(crate) fn eligible_bytes(&self, victims: VictimFilter) -> u64 {
        self.bytes.queued(|class| victims.include(class))
    }
}

/// Into the queue.
impl<E> Lanes<E> {
    /// Reserves at least `least` places, and up to `most` if they are free. Returns the number.
    /// `now` is called only under a rate limit.
    ///
    /// # Errors
    /// `Closed`, `TooLarge`, `Full`, or `Admission` by the rate.
    pub(crate) fn reserve(
        &mut self,
        least: usize,
        most: usize,
        now: impl FnOnce() -> Time,
    ) -> Result<usize, RefusalReason> {
        let free = self.free_for(least)?;
        let taken = self.rate.admit(least, most.clamp(least, free), now)?;
        self.places.reserve(taken);
        Ok(taken)
    }

    /// Checks whether one place could be reserved now, and reserves none.
    ///
    /// # Errors
    /// As [`Lanes::reserve`].
    pub(crate) fn check_place(&mut self, now: impl FnOnce() -> Time) -> Result<(), RefusalReason> {
        self.free_for(1)?;
        if self.rate.has_token(now) { Ok(()) } else { Err(RefusalReason::Admission) }
    }

    fn free_for(&self, least: usize) -> Result<usize, RefusalReason> {
        if !self.open {
            return Err(RefusalReason::Closed);
        }
        self.places.free_for(least)
    }

    /// Gives `n` reserved places back unused.
    pub(crate) fn unreserve(&mut self, n: usize) {
        self.rate.refund(n);
        self.places.unreserve(n);
    }

    /// Puts events into reserved places. Closed lanes take them too, because the answer to a send
    /// is final. The code that closes the lanes sheds these events.
    pub(crate) fn push_reserved(
        &mut self,
        envelopes: &mut Vec<Envelope<E>>,
        edge: usize,
        now: Time,
    ) {
        let pushed = envelopes.len();
        let counts = self.count_by_class(pushed, envelopes.iter());
        self.ledger.accept(&counts, edge);
        envelopes.iter().for_each(|envelope| self.accept_queued(&envelope.meta));
        if let Some(row) = self.classes.only_row() {
            row.extend(envelopes.drain(..));
        } else {
            envelopes.drain(..).for_each(|envelope| self.classes.push(envelope));
        }
        self.note_empty(now);
        self.places.fill(pushed);
        self.occupancy.add(pushed, now);
    }

    /// Puts one event into a reserved place.
    pub(crate) fn push_one(&mut self, envelope: Envelope<E>, edge: usize, now: Time) {
        let counts = self.count_by_class(1, std::iter::once(&envelope));
        self.ledger.accept(&counts, edge);
        self.accept_queued(&envelope.meta);
        self.classes.push(envelope);
        self.note_empty(now);
        self.places.fill(1);
        self.occupancy.add(1, now);
    }

    /// Accepts an event into a reserved place that it fills later. It counts as pending. A
    /// requested delay adds nothing to the occupancy.
    pub(crate) fn accept_timed(&mut self, meta: &EventMeta, edge: usize) {
        self.ledger.accept_timed(meta.class, edge);
        self.places.delay();
        self.accept(meta);
    }

    /// Queues delayed events at their time, in their reserved places.
    pub(crate) fn fire(&mut self, envelopes: impl Iterator<Item = Envelope<E>>, now: Time) {
        let mut fired = 0;
        for envelope in envelopes {
            self.ledger.fire(envelope.meta.class);
            self.bytes.enqueue(&envelope.meta);
            self.expiry.note(envelope.meta.deadline);
            self.classes.push(envelope);
            fired += 1;
        }
        self.note_empty(now);
        self.places.fire(fired);
        self.occupancy.add(fired, now);
    }

    /// Sheds a delayed event before its time.
    pub(crate) fn cancel(&mut self, meta: &EventMeta, reason: LossReason) {
        self.ledger.cancel(meta.class, reason);
        self.bytes.end(meta);
        self.places.cancel();
    }

    /// Notes that the queue is empty until `now`, if it is; called before it is filled.
    #[inline]
    fn note_empty(&mut self, now: Time) {
        if self.places.depth() == 0 {
            self.emptiness.end(now);
        }
    }

    #[inline]
    fn accept_queued(&mut self, meta: &EventMeta) {
        self.accept(meta);
        self.bytes.enqueue(meta);
        self.expiry.note(meta.deadline);
    }

    #[inline]
    fn accept(&mut self, meta: &EventMeta) {
        self.bytes.accept(meta);
        if let Some(shards) = self.classes.shards_mut() {
            shards.accept(meta.shard);
        }
    }

    /// Counts `n` envelopes by class. With a single declared class no envelope is read.
    fn count_by_class<'a>(
        &self,
        n: usize,
        envelopes: impl Iterator<Item = &'a Envelope<E>>,
    ) -> PerClass<u32>
    where
        E: 'a,
    {
        let mut counts = PerClass::default();
        if self.classes.declared() == 1 {
            counts[Class::HIGHEST] = u32::try_from(n).unwrap_or(u32::MAX);
        } else {
            envelopes.for_each(|envelope| counts[envelope.meta.class] += 1);
        }
        counts
    }
}

/// Out of the queue.
impl<E> Lanes<E> {
    /// Moves up to `most` events that are worth starting into `batch` of `worker`; events that are
    /// not go to `shed` and do not count. Returns the shards that the batch claims.
    pub(crate) fn take(
        &mut self,
        worker: usize,
        most: usize,
        now: Time,
        batch: &mut VecDeque<Envelope<E>>,
        shed: &mut Vec<Shed<E>>,
    ) -> ShardSet {
        let before = batch.len();
        let begun_by = now.after(Duration::from_nanos(self.lead));
        if let Some(shards) = self.classes.shards_mut() {
            shards.begin(worker);
        }
        let newest_first = self.switches_to_lifo(now);
        if newest_first {
            // Newest-first service never reaches the expired events at the heads.
            self.shed_expired_heads(usize::MAX, now, shed);
        }
        if !self.aqm.is_set() {
            self.take_sound_prefix(most, begun_by, batch);
        }
        // One by one: several classes, shards, queue management, or an event not worth starting.
        while batch.len() - before < most {
            let Some(envelope) = self.classes.pop(newest_first) else { break };
            self.places.vacate(1);
            let reason = reason_not_to_start(&envelope, begun_by).or_else(|| {
                let drops = self.aqm.drops(envelope.enqueued, self.places.depth(), now);
                drops.then_some(LossReason::Delay)
            });
            match reason {
                None => {
                    self.classes.use_turn();
                    batch.push_back(envelope);
                }
                // No event was served, so the class keeps its turn.
                Some(reason) => self.shed(envelope, reason, now, shed),
            }
        }
        if self.depth() == 0 && batch.len() > before {
            self.emptiness.begin(now);
        }
        let counts = self.count_by_class(batch.len() - before, batch.iter().skip(before));
        self.ledger.take(&counts);
        if self.bytes.weighs() {
            batch.iter().skip(before).for_each(|taken| self.bytes.dequeue(&taken.meta));
        }
        self.classes.end_batch()
    }

    /// The usual case: moves the events of the only row in one step, up to the first that is not
    /// worth starting.
    fn take_sound_prefix(
        &mut self,
        most: usize,
        begun_by: Time,
        batch: &mut VecDeque<Envelope<E>>,
    ) {
        if let Some(row) = self.classes.only_row() {
            let is_sound = |head: &&Envelope<E>| reason_not_to_start(head, begun_by).is_none();
            let sound = row.iter().take(most).take_while(is_sound).count();
            batch.extend(row.drain(..sound));
            self.places.vacate(sound);
        }
    }

    /// Returns whether the newest events are to be taken first.
    fn switches_to_lifo(&self, now: Time) -> bool {
        self.aqm.is_set()
            && self.classes.oldest().is_some_and(|oldest| self.aqm.switches_to_lifo(oldest, now))
    }

    /// Returns the shards of an ended batch to all workers.
    pub(crate) fn release(&mut self, claimed: &ShardSet) {
        if let Some(shards) = self.classes.shards_mut() {
            shards.release(claimed);
        }
    }

    /// Counts the outcome of events in hand.
    pub(crate) fn settle(&mut self, outcome: &Outcome, now: Time) {
        self.ledger.settle(outcome);
        self.bytes.end_bytes(outcome.bytes);
        let all = outcome.handled.iter().chain(&outcome.failed);
        self.occupancy.remove(all.map(|n| *n as usize).sum(), now);
    }

    /// Makes an event in hand pending; it stays in the stage. `holder` is the worker of the handler
    /// that holds it; `None` if it is handled outside.
    pub(crate) fn defer(&mut self, meta: &EventMeta, holder: Option<usize>) {
        self.ledger.defer(meta.class);
        match (self.classes.shards_mut(), holder) {
            (Some(shards), Some(worker)) => shards.hold(meta.shard, worker),
            (Some(shards), None) => shards.defer(meta.shard),
            (None, _) => {}
        }
    }

    /// Ends a pending event, which a handler `held` or not.
    pub(crate) fn complete(&mut self, meta: &EventMeta, held: bool, succeeded: bool, now: Time) {
        self.ledger.complete(meta.class, succeeded);
        self.bytes.end(meta);
        match self.classes.shards_mut() {
            Some(shards) if held => shards.release_held(meta.shard),
            Some(shards) => shards.complete(meta.shard),
            None => {}
        }
        self.occupancy.remove(1, now);
    }
}

/// Shedding.
impl<E> Lanes<E> {
    /// Evicts up to `most` events of the classes in `victims`. Returns the number.
    pub(crate) fn evict(
        &mut self,
        victims: VictimFilter,
        order: Evict,
        most: usize,
        now: Time,
        shed: &mut Vec<Shed<E>>,
    ) -> usize {
        let before = shed.len();
        if order == Evict::Oldest {
            self.shed_expired_heads(most, now, shed);
        }
        let lowest_first = Class::first(self.classes.declared()).rev();
        for class in lowest_first.filter(|class| victims.include(*class)) {
            while shed.len() - before < most {
                let Some(victim) = self.classes.remove_victim(class, order) else { break };
                self.places.vacate(1);
                self.shed(victim, order.reason(), now, shed);
            }
        }
        shed.len() - before
    }

    /// Sheds all queued events.
    pub(crate) fn shed_all(&mut self, reason: LossReason, now: Time, shed: &mut Vec<Shed<E>>) {
        while let Some(envelope) = self.classes.remove_any() {
            self.places.vacate(1);
            self.shed(envelope, reason, now, shed);
        }
    }

    /// Sheds queued events that can no longer be in time, wherever they are queued. Looks at up to
    /// `most` events and goes on there at the next call.
    pub(crate) fn shed_expired(
        &mut self,
        most: usize,
        now: Time,
        shed: &mut Vec<Shed<E>>,
    ) -> Looked {
        let begun_by = now.after(Duration::from_nanos(self.lead));
        if !self.expiry.is_due(begun_by) {
            return Looked { events: 0, is_over: true };
        }
        let in_one_part = self.expiry.begin_part();
        let mut expired = Vec::new();
        let events = self.classes.take_expired(most, begun_by, &mut self.expiry, &mut expired);
        let is_over = events < most;
        if is_over {
            self.expiry.end_pass(in_one_part);
        }
        self.places.vacate(expired.len());
        for envelope in expired {
            self.shed(envelope, LossReason::Expired, now, shed);
        }
        Looked { events, is_over }
    }

    fn shed_expired_heads(&mut self, most: usize, now: Time, shed: &mut Vec<Shed<E>>) {
        let before = shed.len();
        for class in Class::first(self.classes.declared()) {
            while shed.len() - before < most {
                let Some(victim) = self.classes.remove_expired_head(class, now) else { break };
                self.places.vacate(1);
                self.shed(victim, LossReason::Expired, now, shed);
            }
        }
    }

    /// Counts a shed event, which has left its place, and hands it on.
    fn shed(
        &mut self,
        envelope: Envelope<E>,
        reason: LossReason,
        now: Time,
        shed: &mut Vec<Shed<E>>,
    ) {
        self.ledger.shed(envelope.meta.class, reason);
        self.wasted = self.wasted.saturating_add(envelope.meta.sunk_nanos());
        self.bytes.end(&envelope.meta);
        self.bytes.dequeue(&envelope.meta);
        self.occupancy.remove(1, now);
        shed.push((envelope, reason));
    }

    /// Counts an event in hand that is shed before, or without, being handled.
    pub(crate) fn shed_in_hand(&mut self, meta: &EventMeta, reason: LossReason, now: Time) {
        self.ledger.shed_in_hand(meta.class, reason);
        self.wasted = self.wasted.saturating_add(meta.sunk_nanos());
        self.bytes.end(meta);
        self.occupancy.remove(1, now);
    }

    /// Loses an event without counting it, so that a test can check that the loss is found.
    #[cfg(test)]
    pub(crate) fn lose_one(&mut self) {
        let lost = self.classes.remove_any();
        self.places.vacate(usize::from(lost.is_some()));
    }
}

/// Returns why an event is not worth starting at `now`; `None` if it is.
fn reason_not_to_start<E>(envelope: &Envelope<E>, now: Time) -> Option<LossReason> {
    if envelope.meta.is_abandoned() {
        Some(LossReason::Abandoned)
    } else if envelope.meta.is_expired(now) {
        Some(LossReason::Expired)
    } else {
        None
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
