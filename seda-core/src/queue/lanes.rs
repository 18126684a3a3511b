//! A stage's queue as plain data: one lane per class, bounded, with places that can be reserved.

use crate::config::{Class, MAX_CLASSES, PerClass, RateConfig};
use crate::event::{Envelope, EventMeta, LossReason, RefusalReason};
use crate::gate::Limits;
use crate::platform::Time;
use crate::queue::aqm::Aqm;
use crate::queue::entry_limits::EntryLimits;
use crate::queue::lane::{Lane, Rows};
use crate::queue::ledger::{Ledger, Outcome};
use crate::queue::occupancy::Occupancy;
use crate::queue::shards::Shards;
use std::time::Duration;

/// Bounded lanes with their ledger. Depth plus reserved places never exceeds `bound`; above
/// `capacity` or `soft` nothing is admitted and what is there stays.
///
/// In this order: what every batch touches lies together, the ledger's rare counts behind it.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Lanes<E> {
    pub(super) lanes: Vec<Lane<E>>,
    /// The lane whose turn it is, and how many takes are left of that turn.
    pub(super) turn: (usize, u32),
    pub(super) depth: usize,
    reserved: usize,
    /// Of the reserved places, those of accepted events whose time has not come.
    delayed: usize,
    capacity: usize,
    /// The capacity, or what was held when that was set lower: sinks to it as events leave.
    bound: usize,
    /// May be beyond the capacity, which then is what holds.
    soft: usize,
    /// Whom the admission controller lets in; an empty stage admits anything.
    entrance: EntryLimits,
    /// How long before its deadline an event has to be begun, in nanoseconds.
    pub(super) lead: u64,
    /// What is done about a queue that stands.
    pub(crate) standing: Aqm,
    open: bool,
    pub(super) occupancy: Occupancy,
    pub(super) ledger: Ledger,
    /// Nanoseconds of service that shed events had cost in earlier stages.
    pub(super) wasted: u64,
    /// Bytes of the events in the stage, where it weighs them; and of the queued ones, by class.
    pub(super) bytes: u64,
    pub(super) queued_bytes: PerClass<u64>,
    pub(super) weighs: bool,
    /// Of a keyed stage: who may take what.
    pub(super) shards: Option<Box<Shards>>,
}

impl<E> Lanes<E> {
    /// Closed lanes for one class; `capacity` is their hard and soft bound.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            lanes: vec![Lane::new(1, false)],
            turn: (0, 1),
            depth: 0,
            reserved: 0,
            delayed: 0,
            capacity,
            bound: capacity,
            soft: usize::MAX,
            entrance: EntryLimits::default(),
            lead: 0,
            standing: Aqm::default(),
            open: false,
            ledger: Ledger::default(),
            wasted: 0,
            bytes: 0,
            queued_bytes: PerClass::default(),
            weighs: false,
            shards: None,
            occupancy: Occupancy::default(),
        }
    }

    /// One lane per weight, in order of class; to be called while empty.
    pub(crate) fn set_classes(&mut self, weights: &[u32]) {
        let keyed = self.shards.is_some();
        let weights = weights.iter().take(MAX_CLASSES);
        self.lanes = weights.map(|&weight| Lane::new(weight, keyed)).collect();
        self.turn = (0, self.lanes.first().map_or(1, |lane| lane.weight));
    }

    /// Changes the lanes' weights, in order of class, whatever is queued. A lane in its turn
    /// gets no more of it than its new weight.
    pub(crate) fn set_shares(&mut self, weights: &[u32]) {
        for (lane, weight) in self.lanes.iter_mut().zip(weights) {
            lane.weight = (*weight).max(1);
        }
        let (turn, left) = self.turn;
        self.turn.1 = self.lanes.get(turn).map_or(left, |lane| left.min(lane.weight));
    }

    /// Sets the hard capacity, live. Below what is held nothing is admitted, what is there
    /// stays, and the bound sinks with it.
    pub(crate) fn set_capacity(&mut self, capacity: usize) {
        (self.capacity, self.bound) = (capacity, capacity.max(self.depth + self.reserved));
    }

    /// Sets the bound above which nothing is admitted, live; beyond the hard capacity that is it.
    pub(crate) fn set_soft(&mut self, soft: usize) {
        self.soft = soft;
    }

    /// Sets what the admission controller says: how many events may be held, and how long before
    /// its deadline each has to be begun.
    pub(crate) fn set_admission(&mut self, limits: &Limits, lead: Duration) {
        self.entrance.set_limits(limits);
        self.lead = u64::try_from(lead.as_nanos()).unwrap_or(u64::MAX);
    }

    /// Bounds the rate at which events enter, live.
    pub(crate) fn set_rate(&mut self, config: Option<RateConfig>, now: Time) {
        self.entrance.set_rate(config, now);
    }

    pub(crate) fn set_open(&mut self, open: bool) {
        self.open = open;
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// What holds now: the capacity, unless it was set lower than what was held. Sinks only
    /// when it is asked for, so nobody pays for it on an event's way.
    pub(crate) fn bound(&mut self) -> usize {
        self.bound = self.capacity.max(self.bound.min(self.depth + self.reserved));
        self.bound
    }

    pub(crate) fn soft(&self) -> usize {
        self.soft.min(self.capacity)
    }

    #[cfg(test)]
    pub(crate) fn reserved(&self) -> usize {
        self.reserved
    }

    pub(crate) fn wasted_nanos(&self) -> u64 {
        self.wasted
    }

    /// How many accepted events wait for their time.
    pub(crate) fn delayed(&self) -> usize {
        self.delayed
    }

    /// Whether `worker` would find something to take.
    pub(crate) fn is_ready_for(&self, worker: usize) -> bool {
        self.lanes.iter().any(|lane| lane.is_ready_for(worker, self.shards()))
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// Integral over time of the number of events in the stage, in event-nanoseconds, until `now`.
    pub(crate) fn occupancy(&mut self, now: Time) -> u128 {
        self.occupancy.until(now)
    }

    /// How many events are in the stage: queued, in hand and pending.
    pub(crate) fn present(&self) -> usize {
        self.occupancy.present()
    }

    /// Reserves at least `least` places for events of `class`, and at most `most` for whomever;
    /// returns how many. The time is only asked for where a rate bounds who enters.
    pub(crate) fn reserve(
        &mut self,
        class: Class,
        least: usize,
        most: usize,
        now: impl FnOnce() -> Time,
    ) -> Result<usize, RefusalReason> {
        let free = self.free_for(least)?;
        let admitted = self.admitted(class, least).min(free);
        if admitted < least {
            return Err(RefusalReason::Admission);
        }
        let taken = self.entrance.admit(least, most.clamp(least, admitted), now)?;
        self.reserved += taken;
        Ok(taken)
    }

    /// Reserves `n` places for events whose request was counted at the stage's gate: whom that has
    /// let in the admission controller's limits are not asked for again. A rate holds for everybody.
    pub(crate) fn reserve_counted(
        &mut self,
        n: usize,
        now: impl FnOnce() -> Time,
    ) -> Result<usize, RefusalReason> {
        self.free_for(n)?;
        let taken = self.entrance.admit(n, n, now)?;
        self.reserved += taken;
        Ok(taken)
    }

    /// How many places are free, if they are `least`.
    fn free_for(&self, least: usize) -> Result<usize, RefusalReason> {
        if !self.open {
            return Err(RefusalReason::Closed);
        }
        if least > self.capacity {
            return Err(RefusalReason::TooLarge);
        }
        let free = self.soft().saturating_sub(self.depth + self.reserved);
        if free < least { Err(RefusalReason::Full) } else { Ok(free) }
    }

    /// How many more may enter: as many as whoever asked might have, else `least` if it is `class`
    /// that needs them. Events whose time has not come wait for nobody.
    fn admitted(&self, class: Class, least: usize) -> usize {
        let held = self.depth + self.reserved - self.delayed;
        let for_all = self.entrance.for_all().saturating_sub(held);
        if for_all >= least {
            return for_all;
        }
        let queued = || self.lanes.get(class.index()).map_or(0, Lane::len);
        // Whose the reserved places are is not known: counted as its own, they are not too many.
        let own = || queued() + self.reserved.saturating_sub(self.delayed) + least;
        let admits = held == 0 || self.entrance.admits(class, held + least, own());
        if admits { least } else { for_all }
    }

    /// Gives reserved places back unused.
    pub(crate) fn unreserve(&mut self, n: usize) {
        self.entrance.refund(n);
        self.fill(n);
    }

    /// Reserved places are reserved no more.
    fn fill(&mut self, n: usize) {
        debug_assert!(n <= self.reserved, "more places given back than reserved");
        self.reserved = self.reserved.saturating_sub(n);
    }

    /// Puts events into reserved places. Taken even by closed lanes: the answer to a send is
    /// final, and whoever closed them empties them.
    pub(crate) fn push_reserved(
        &mut self,
        envelopes: &mut Vec<Envelope<E>>,
        edge: usize,
        now: Time,
    ) {
        let pushed = envelopes.len();
        let counts = self.count_by_class(pushed, envelopes.iter());
        self.ledger.accept(&counts, edge);
        envelopes.iter().for_each(|envelope| self.note_label(&envelope.meta, true));
        if let [Lane { rows: Rows::One(row), .. }] = self.lanes.as_mut_slice() {
            row.extend(envelopes.drain(..));
        } else {
            envelopes.drain(..).for_each(|envelope| self.push(envelope));
        }
        self.fill(pushed);
        self.depth += pushed;
        self.occupancy.add(pushed, now);
    }

    /// Puts one event into a reserved place.
    pub(crate) fn push_one(&mut self, envelope: Envelope<E>, edge: usize, now: Time) {
        let counts = self.count_by_class(1, std::iter::once(&envelope));
        self.ledger.accept(&counts, edge);
        self.note_label(&envelope.meta, true);
        self.push(envelope);
        self.fill(1);
        self.depth += 1;
        self.occupancy.add(1, now);
    }

    /// An event is accepted into a reserved place that it will fill later. It is in the stage,
    /// counted as pending; the time until then was asked for, so it is no occupancy.
    pub(crate) fn accept_timed(&mut self, meta: &EventMeta, edge: usize) {
        self.ledger.accept_timed(meta.class, edge);
        self.delayed += 1;
        self.note_label(meta, false);
    }

    /// The time of some accepted events has come: they take their places.
    pub(crate) fn fire(&mut self, envelopes: impl Iterator<Item = Envelope<E>>, now: Time) {
        let mut fired = 0;
        for envelope in envelopes {
            self.ledger.fire(envelope.meta.class);
            self.queue_bytes(&envelope.meta);
            self.push(envelope);
            fired += 1;
        }
        self.fill(fired);
        self.delayed -= fired;
        self.depth += fired;
        self.occupancy.add(fired, now);
    }

    /// An accepted event is given up before its time has come.
    pub(crate) fn cancel(&mut self, meta: &EventMeta, reason: LossReason) {
        self.ledger.cancel(meta.class, reason);
        self.delayed -= 1;
        self.bytes -= self.weight_of(meta);
        self.fill(1);
    }

    /// Puts an event into its class's lane.
    fn push(&mut self, envelope: Envelope<E>) {
        let class = envelope.meta.class.within(self.lanes.len());
        if let Some(lane) = self.lanes.get_mut(class.index()) {
            lane.push(envelope);
        }
    }

    /// Counts what became of events in hand.
    pub(crate) fn settle(&mut self, outcome: &Outcome, now: Time) {
        self.ledger.settle(outcome);
        self.bytes -= outcome.bytes;
        let all = outcome.handled.iter().chain(&outcome.failed);
        self.occupancy.remove(all.map(|n| *n as usize).sum(), now);
    }

    /// An event in hand becomes pending: it is still in the stage. `holder` is the worker whose
    /// handler keeps it, if it is kept and not handled outside.
    pub(crate) fn defer(&mut self, meta: &EventMeta, holder: Option<usize>) {
        self.ledger.defer(meta.class);
        match (&mut self.shards, holder) {
            (Some(shards), Some(worker)) => shards.hold(meta.shard, worker),
            (Some(shards), None) => shards.defer(meta.shard),
            (None, _) => {}
        }
    }

    /// A pending event ends.
    pub(crate) fn complete(&mut self, meta: &EventMeta, held: bool, succeeded: bool, now: Time) {
        self.ledger.complete(meta.class, succeeded);
        self.bytes -= self.weight_of(meta);
        match &mut self.shards {
            Some(shards) if held => shards.release_held(meta.shard),
            Some(shards) => shards.complete(meta.shard),
            None => {}
        }
        self.occupancy.remove(1, now);
    }

    /// Loses an event without counting it, for the test of the tests.
    #[cfg(test)]
    pub(crate) fn lose_one(&mut self) {
        let lost = self.lanes.iter_mut().find_map(Lane::remove_oldest);
        self.depth -= usize::from(lost.is_some());
    }

    /// How many of `n` envelopes are of each class; with a single class nobody looks at them.
    pub(super) fn count_by_class<'a>(
        &self,
        n: usize,
        envelopes: impl Iterator<Item = &'a Envelope<E>>,
    ) -> PerClass<u32>
    where
        E: 'a,
    {
        let mut counts = PerClass::default();
        if self.lanes.len() <= 1 {
            let [only, ..] = &mut counts;
            *only = u32::try_from(n).unwrap_or(u32::MAX);
            return counts;
        }
        for envelope in envelopes {
            if let Some(count) = counts.get_mut(envelope.meta.class.index()) {
                *count += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
