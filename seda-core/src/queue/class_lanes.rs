//! One lane per class, served in turn by weight.

use crate::config::{Class, PerClass};
use crate::event::{Envelope, ShardSet};
use crate::platform::Time;
use crate::queue::expiry::Expiry;
use crate::queue::lane::{Lane, Rows};
use crate::queue::shards::Shards;
use crate::queue::victim::Evict;
use std::collections::VecDeque;

/// The lanes of a queue, without bounds and counts. Each of the eight classes has one, so that an
/// event without a lane cannot exist; a lane of an undeclared class stays empty and owns no memory.
#[derive(Debug)]
pub(super) struct ClassLanes<E> {
    lanes: Box<PerClass<Lane<E>>>,
    /// Which worker may take which shard, in a keyed stage.
    shards: Option<Box<Shards>>,
    /// The number of declared classes, 1 to 8.
    declared: usize,
    /// The number of events that the lane whose turn it is may still give.
    left: u32,
    /// The lane whose turn it is.
    turn: Class,
}

impl<E> ClassLanes<E> {
    /// Lanes of a graph with a single class.
    pub(super) fn new() -> Self {
        Self {
            lanes: Box::new(PerClass::from_fn(|_| Lane::new(1, false))),
            shards: None,
            declared: 1,
            left: 1,
            turn: Class::HIGHEST,
        }
    }

    /// Declares one class per weight, the highest first. Must be called while empty.
    pub(super) fn set_classes(&mut self, weights: &[u32]) {
        self.declared = weights.len().clamp(1, Class::ALL.len());
        self.rebuild(|class| weights.get(class.index()).copied().unwrap_or(1));
        (self.turn, self.left) = (Class::HIGHEST, self.lanes[Class::HIGHEST].weight());
    }

    /// Gives each shard a row of its own. Must be called while empty.
    pub(super) fn set_keyed(&mut self) {
        self.shards = Some(Box::new(Shards::default()));
        let weights = self.lanes.map(Lane::weight);
        self.rebuild(|class| weights[class]);
    }

    /// Replaces all lanes by empty ones. Rows per shard take 8 KB, so only declared classes of a
    /// keyed stage have them.
    fn rebuild(&mut self, weight: impl Fn(Class) -> u32) {
        let keyed = |class: Class| self.shards.is_some() && class.index() < self.declared;
        *self.lanes = PerClass::from_fn(|class| Lane::new(weight(class), keyed(class)));
    }

    /// Changes the weights, the highest class first, live. The lane in its turn gives no more than
    /// its new weight.
    pub(super) fn set_weights(&mut self, weights: &[u32]) {
        for (lane, weight) in self.lanes.iter_mut().zip(weights) {
            lane.set_weight(*weight);
        }
        self.left = self.left.min(self.lanes[self.turn].weight());
    }

    pub(super) fn declared(&self) -> usize {
        self.declared
    }

    pub(super) fn lane(&self, class: Class) -> &Lane<E> {
        &self.lanes[class]
    }

    /// Returns the lanes of the declared classes, the highest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Lane<E>> {
        self.lanes.iter().take(self.declared)
    }

    /// Returns the only row, if there is a single class and no shards: the usual case.
    pub(super) fn only_row(&mut self) -> Option<&mut VecDeque<Envelope<E>>> {
        match &mut self.lanes[Class::HIGHEST].rows {
            Rows::One(row) if self.declared == 1 => Some(row),
            _ => None,
        }
    }

    pub(super) fn shards(&self) -> Option<&Shards> {
        self.shards.as_deref()
    }

    pub(super) fn shards_mut(&mut self) -> Option<&mut Shards> {
        self.shards.as_deref_mut()
    }

    /// Returns whether there is an event that `worker` may take.
    pub(super) fn is_ready_for(&self, worker: usize) -> bool {
        self.iter().any(|lane| lane.is_ready_for(worker, self.shards()))
    }

    /// Returns when the oldest event was queued; `None` if all is empty or rows are per shard.
    pub(super) fn oldest(&self) -> Option<Time> {
        self.iter().filter_map(Lane::oldest).min()
    }

    /// Returns when the oldest event that a worker without shards may take was queued; `None`
    /// without such an event.
    pub(super) fn oldest_takeable(&self) -> Option<Time> {
        self.iter().filter_map(|lane| lane.oldest_takeable(self.shards())).min()
    }

    /// Appends an event to the lane of its class; a class beyond the declared ones is the last one.
    pub(super) fn push(&mut self, envelope: Envelope<E>) {
        let class = envelope.meta.class.within(self.declared);
        self.lanes[class].push(envelope);
    }

    /// Removes the next event by weighted round robin: each lane in turn gives up to its weight, an
    /// empty one passes. The turn is used up only by [`ClassLanes::use_turn`].
    pub(super) fn pop(&mut self, newest_first: bool) -> Option<Envelope<E>> {
        if let Some(row) = self.only_row() {
            return if newest_first { row.pop_back() } else { row.pop_front() };
        }
        for _ in 0..=self.declared {
            if self.left > 0 {
                let lane = &mut self.lanes[self.turn];
                let popped = if newest_first {
                    lane.remove_newest(|_meta| true)
                } else {
                    lane.pop(self.shards.as_deref_mut())
                };
                if popped.is_some() {
                    return popped;
                }
            }
            self.turn = self.turn.next_of(self.declared);
            self.left = self.lanes[self.turn].weight();
        }
        None
    }

    /// Counts one event against the current turn.
    pub(super) fn use_turn(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    /// Ends a batch. Returns the shards that it claimed.
    pub(super) fn end_batch(&mut self) -> ShardSet {
        let Some(shards) = &self.shards else {
            return ShardSet::default();
        };
        self.lanes.iter_mut().for_each(Lane::pass_turn);
        shards.claimed()
    }

    /// Removes the oldest event of the highest class that has any.
    pub(super) fn remove_any(&mut self) -> Option<Envelope<E>> {
        self.lanes.iter_mut().find_map(Lane::remove_oldest)
    }

    /// Removes an expired event from the head of a row of `class`.
    pub(super) fn remove_expired_head(&mut self, class: Class, now: Time) -> Option<Envelope<E>> {
        self.lanes[class].remove_expired_head(now)
    }

    /// Moves expired events to `expired`, from where `expiry` has come to. Looks at up to `most`
    /// events; returns at how many. Has looked at the last one if that is fewer than `most`.
    pub(super) fn take_expired(
        &mut self,
        most: usize,
        now: Time,
        expiry: &mut Expiry,
        expired: &mut Vec<Envelope<E>>,
    ) -> usize {
        let mut looked = 0;
        let first = expiry.class;
        for (class, lane) in self.lanes.iter_mut().enumerate().take(self.declared).skip(first) {
            let from = if class == first { expiry.place } else { 0 };
            let before = expired.len();
            let at = lane.take_expired(from, most - looked, now, expiry, expired);
            (expiry.class, expiry.place) = (class, from + at - (expired.len() - before));
            looked += at;
            if looked >= most {
                break;
            }
        }
        looked
    }

    /// Removes the victim in `class` that is first in `order`.
    pub(super) fn remove_victim(&mut self, class: Class, order: Evict) -> Option<Envelope<E>> {
        let lane = &mut self.lanes[class];
        match order {
            Evict::Oldest => lane.remove_oldest(),
            Evict::Newest => lane.remove_newest(|_meta| true),
            Evict::NewestBoundFor(stage) => lane.remove_newest(|meta| meta.is_bound_for(stage)),
            Evict::Nth(n) => lane.remove_nth(n),
        }
    }
}
