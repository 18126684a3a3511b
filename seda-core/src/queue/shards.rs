//! Which worker may take which shard of a keyed stage.
//!
//! A shard is in at most one worker's hands. It is claimed when a batch takes from it and free
//! again at the batch's end; an event that was deferred keeps it until it is completed; an event
//! that a handler holds keeps it with that handler's worker, which may go on taking from it, as
//! what the handler waits for may be in the same shard. So a shard moves from worker to worker
//! only while nothing of it is outside the queue, and what has one key is handled in order.

use crate::event::{SHARDS, ShardSet};

#[derive(Debug)]
pub(crate) struct Shards {
    /// In a worker's hand.
    in_hand: ShardSet,
    /// Deferred events, by shard; and the shards that have any.
    deferred: Vec<u32>,
    waiting_outside: ShardSet,
    /// Held events and who holds them, by shard.
    held: Vec<(u32, usize)>,
    all_held: usize,
    /// Who is taking now, and what it has claimed.
    worker: usize,
    claimed: ShardSet,
    /// Events accepted so far, by shard.
    accepted: Vec<u64>,
}

impl Shards {
    pub(super) fn new() -> Self {
        Self {
            in_hand: ShardSet::default(),
            deferred: vec![0; SHARDS],
            waiting_outside: ShardSet::default(),
            held: vec![(0, 0); SHARDS],
            all_held: 0,
            worker: 0,
            claimed: ShardSet::default(),
            accepted: vec![0; SHARDS],
        }
    }

    pub(super) fn accept(&mut self, shard: u8) {
        if let Some(accepted) = self.accepted.get_mut(usize::from(shard)) {
            *accepted += 1;
        }
    }

    /// The share of all events that went into the busiest shard, 0 to 1.
    pub(crate) fn busiest_share(&self) -> f64 {
        let all: u64 = self.accepted.iter().sum();
        let busiest = self.accepted.iter().copied().max().unwrap_or(0);
        if all > 0 { busiest as f64 / all as f64 } else { 0.0 }
    }

    /// `worker` begins to take.
    pub(super) fn begin(&mut self, worker: usize) {
        (self.worker, self.claimed) = (worker, ShardSet::default());
    }

    /// The next of the `waiting` shards that the taking worker may take from.
    pub(super) fn next(&self, waiting: ShardSet, turn: u8) -> Option<u8> {
        let blocked = self.in_hand.without(&self.claimed).with(&self.waiting_outside);
        waiting.without(&blocked).from(turn).find(|shard| self.may_hold(*shard, self.worker))
    }

    /// The shards of `waiting` that `worker` may take from.
    pub(super) fn takeable(&self, waiting: ShardSet, worker: usize) -> impl Iterator<Item = u8> {
        let blocked = self.in_hand.with(&self.waiting_outside);
        waiting.without(&blocked).from(0).filter(move |shard| self.may_hold(*shard, worker))
    }

    fn may_hold(&self, shard: u8, worker: usize) -> bool {
        self.all_held == 0
            || self
                .held
                .get(usize::from(shard))
                .is_none_or(|(held, holder)| *held == 0 || *holder == worker)
    }

    /// The taking worker has `shard` in hand.
    pub(super) fn claim(&mut self, shard: u8) {
        self.in_hand.insert(shard);
        self.claimed.insert(shard);
    }

    /// What the worker that took last has claimed.
    pub(super) fn claimed(&self) -> ShardSet {
        self.claimed
    }

    /// A worker has ended all it had in hand of these shards.
    pub(super) fn release(&mut self, claimed: &ShardSet) {
        self.in_hand = self.in_hand.without(claimed);
    }

    pub(super) fn defer(&mut self, shard: u8) {
        if let Some(deferred) = self.deferred.get_mut(usize::from(shard)) {
            *deferred += 1;
            self.waiting_outside.insert(shard);
        }
    }

    pub(super) fn complete(&mut self, shard: u8) {
        if let Some(deferred) = self.deferred.get_mut(usize::from(shard)) {
            *deferred = deferred.saturating_sub(1);
            if *deferred == 0 {
                self.waiting_outside.remove(shard);
            }
        }
    }

    /// `worker`'s handler keeps an event of `shard`.
    pub(super) fn hold(&mut self, shard: u8, worker: usize) {
        if let Some(held) = self.held.get_mut(usize::from(shard)) {
            *held = (held.0 + 1, worker);
            self.all_held += 1;
        }
    }

    pub(super) fn release_held(&mut self, shard: u8) {
        if let Some((held, _)) = self.held.get_mut(usize::from(shard)) {
            *held = held.saturating_sub(1);
            self.all_held = self.all_held.saturating_sub(1);
        }
    }
}
