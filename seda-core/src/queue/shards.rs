//! The workers that may take from each shard of a keyed stage.
//!
//! A shard belongs to at most one worker at a time, so that events with the same key are handled
//! in order. Its states:
//!
//! - *free*: all its events are queued. Any worker may claim it.
//! - *in hand*: a batch has claimed it. It is released at the batch's end.
//! - *deferred*: an event of it is handled outside. No worker may take from it until that ends.
//! - *held*: a handler holds an event of it. Only the worker of that handler may take from it,
//!   because the handler may wait for another event of the same shard.

use crate::event::{PerShard, ShardSet};

#[derive(Debug, Default)]
pub(crate) struct Shards {
    /// The shards in the hands of workers.
    in_hand: ShardSet,
    /// The shards with deferred events, and the number of these events.
    outside: ShardSet,
    deferred: PerShard<u32>,
    held: PerShard<HeldEvents>,
    all_held: usize,
    /// The worker that takes now or took last, and the shards that its batch has claimed.
    worker: usize,
    claimed: ShardSet,
    /// The number of events accepted so far.
    accepted: PerShard<u64>,
}

/// The events of one shard that handlers hold.
#[derive(Debug, Default)]
struct HeldEvents {
    count: u32,
    /// The worker of their handler; meaningless while there are none.
    worker: usize,
}

impl Shards {
    pub(super) fn accept(&mut self, shard: u8) {
        self.accepted[shard] += 1;
    }

    /// Returns the number of events accepted so far, by shard.
    pub(crate) fn accepted(&self) -> &PerShard<u64> {
        &self.accepted
    }

    /// Begins a batch of `worker`.
    pub(super) fn begin(&mut self, worker: usize) {
        (self.worker, self.claimed) = (worker, ShardSet::default());
    }

    /// Returns the next of the `waiting` shards, from `turn`, that the current batch may take from.
    pub(super) fn next(&self, waiting: ShardSet, turn: u8) -> Option<u8> {
        let blocked = self.in_hand.without(&self.claimed).with(&self.outside);
        waiting.without(&blocked).from(turn).find(|shard| self.may_claim(*shard, self.worker))
    }

    /// Returns the shards of `waiting` that a new batch of `worker` may take from.
    pub(super) fn takeable(&self, waiting: ShardSet, worker: usize) -> impl Iterator<Item = u8> {
        let blocked = self.in_hand.with(&self.outside);
        waiting.without(&blocked).from(0).filter(move |shard| self.may_claim(*shard, worker))
    }

    fn may_claim(&self, shard: u8, worker: usize) -> bool {
        let held = &self.held[shard];
        self.all_held == 0 || held.count == 0 || held.worker == worker
    }

    /// Puts `shard` into the hand of the current batch.
    pub(super) fn claim(&mut self, shard: u8) {
        self.in_hand.insert(shard);
        self.claimed.insert(shard);
    }

    /// Returns the shards that the current batch has claimed.
    pub(super) fn claimed(&self) -> ShardSet {
        self.claimed
    }

    /// Ends a batch that had claimed these shards.
    pub(super) fn release(&mut self, claimed: &ShardSet) {
        self.in_hand = self.in_hand.without(claimed);
    }

    /// Blocks `shard` until its event, which is handled outside, is completed.
    pub(super) fn defer(&mut self, shard: u8) {
        self.deferred[shard] += 1;
        self.outside.insert(shard);
    }

    /// Ends a deferred event.
    pub(super) fn complete(&mut self, shard: u8) {
        let deferred = &mut self.deferred[shard];
        debug_assert!(*deferred > 0, "more events of the shard completed than deferred");
        *deferred = deferred.saturating_sub(1);
        if *deferred == 0 {
            self.outside.remove(shard);
        }
    }

    /// Reserves `shard` for `worker`: its handler holds an event of it.
    pub(super) fn hold(&mut self, shard: u8, worker: usize) {
        let held = &mut self.held[shard];
        *held = HeldEvents { count: held.count + 1, worker };
        self.all_held += 1;
    }

    /// Ends a held event.
    pub(super) fn release_held(&mut self, shard: u8) {
        let held = &mut self.held[shard];
        debug_assert!(held.count > 0, "more events of the shard released than held");
        held.count = held.count.saturating_sub(1);
        self.all_held = self.all_held.saturating_sub(1);
    }
}
