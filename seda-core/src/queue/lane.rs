//! The queued events of one class: in one row, or in one row per shard of a keyed stage.

use crate::event::{Envelope, EventMeta, PerShard, ShardSet};
use crate::platform::Time;
use crate::queue::expiry::{Expiry, take_expired};
use crate::queue::shards::Shards;
use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct Lane<E> {
    pub(super) rows: Rows<E>,
    /// The number of events that the lane may give per turn of the round robin; at least 1.
    weight: u32,
}

#[derive(Debug)]
pub(super) enum Rows<E> {
    /// First in, first out. An empty row owns no memory.
    One(VecDeque<Envelope<E>>),
    /// First in, first out within each shard; the shards take turns.
    PerShard(Box<Sharded<E>>),
}

#[derive(Debug)]
pub(super) struct Sharded<E> {
    rows: PerShard<VecDeque<Envelope<E>>>,
    /// The shards with an event in their row.
    waiting: ShardSet,
    len: usize,
    /// The shard that is served first.
    turn: u8,
}

impl<E> Lane<E> {
    pub(super) fn new(weight: u32, keyed: bool) -> Self {
        let rows = if keyed {
            Rows::PerShard(Box::new(Sharded::new()))
        } else {
            Rows::One(VecDeque::new())
        };
        let mut lane = Self { rows, weight: 1 };
        lane.set_weight(weight);
        lane
    }

    pub(super) fn weight(&self) -> u32 {
        self.weight
    }

    /// Sets the weight, live. Zero counts as 1.
    pub(super) fn set_weight(&mut self, weight: u32) {
        self.weight = weight.max(1);
    }

    pub(super) fn len(&self) -> usize {
        match &self.rows {
            Rows::One(row) => row.len(),
            Rows::PerShard(sharded) => sharded.len,
        }
    }

    #[inline]
    pub(super) fn push(&mut self, envelope: Envelope<E>) {
        match &mut self.rows {
            Rows::One(row) => row.push_back(envelope),
            Rows::PerShard(sharded) => sharded.push(envelope),
        }
    }

    /// Removes the next event that the dequeuing worker may take.
    pub(super) fn pop(&mut self, shards: Option<&mut Shards>) -> Option<Envelope<E>> {
        match (&mut self.rows, shards) {
            (Rows::One(row), _) => row.pop_front(),
            (Rows::PerShard(sharded), Some(shards)) => sharded.pop(shards),
            (Rows::PerShard(sharded), None) => sharded.remove_oldest(),
        }
    }

    /// Returns whether the lane has an event that `worker` may take.
    pub(super) fn is_ready_for(&self, worker: usize, shards: Option<&Shards>) -> bool {
        match (&self.rows, shards) {
            (Rows::PerShard(sharded), Some(shards)) => {
                shards.takeable(sharded.waiting, worker).next().is_some()
            }
            _ => self.len() > 0,
        }
    }

    /// Returns when the oldest event was queued; `None` if the lane is empty or has a row per
    /// shard.
    pub(super) fn oldest(&self) -> Option<Time> {
        match &self.rows {
            Rows::One(row) => row.front().map(|head| head.enqueued),
            Rows::PerShard(_) => None,
        }
    }

    /// Returns when the oldest event that a worker without shards may take was queued; `None`
    /// without such an event.
    pub(super) fn oldest_takeable(&self, shards: Option<&Shards>) -> Option<Time> {
        match (&self.rows, shards) {
            (Rows::PerShard(sharded), Some(shards)) => sharded.oldest_takeable(shards),
            _ => self.oldest(),
        }
    }

    pub(super) fn remove_oldest(&mut self) -> Option<Envelope<E>> {
        match &mut self.rows {
            Rows::One(row) => row.pop_front(),
            Rows::PerShard(sharded) => sharded.remove_oldest(),
        }
    }

    /// Removes the newest event that `is_eligible`.
    pub(super) fn remove_newest(
        &mut self,
        is_eligible: impl Fn(&EventMeta) -> bool,
    ) -> Option<Envelope<E>> {
        match &mut self.rows {
            Rows::One(row) => row.remove(newest(row, is_eligible)?),
            Rows::PerShard(sharded) => sharded.remove_newest(is_eligible),
        }
    }

    /// Removes the n-th event, counted from the head; `n` wraps around at the lane's length.
    pub(super) fn remove_nth(&mut self, n: usize) -> Option<Envelope<E>> {
        let n = n % self.len().max(1);
        match &mut self.rows {
            Rows::One(row) => row.remove(n),
            Rows::PerShard(sharded) => sharded.remove_nth(n),
        }
    }

    /// Removes an expired event from the head of a row; `None` if no head has expired.
    pub(super) fn remove_expired_head(&mut self, now: Time) -> Option<Envelope<E>> {
        match &mut self.rows {
            Rows::One(row) => row
                .front()
                .is_some_and(|head| head.meta.is_expired(now))
                .then(|| row.pop_front())?,
            Rows::PerShard(sharded) => sharded.remove_expired_head(now),
        }
    }

    /// Moves expired events to `expired`. Looks at up to `most` events, from the place `from` on;
    /// returns at how many. The places of a keyed stage are those of its rows, one after the other.
    pub(super) fn take_expired(
        &mut self,
        from: usize,
        most: usize,
        now: Time,
        expiry: &mut Expiry,
        expired: &mut Vec<Envelope<E>>,
    ) -> usize {
        match &mut self.rows {
            Rows::One(row) => take_expired(row, from, most, now, expiry, expired),
            Rows::PerShard(sharded) => sharded.take_expired(from, most, now, expiry, expired),
        }
    }

    /// Ends a batch: the shards' turn moves on.
    pub(super) fn pass_turn(&mut self) {
        if let Rows::PerShard(sharded) = &mut self.rows {
            sharded.turn = sharded.turn.wrapping_add(1);
        }
    }
}

impl<E> Sharded<E> {
    fn new() -> Self {
        Self { rows: PerShard::default(), waiting: ShardSet::default(), len: 0, turn: 0 }
    }

    fn push(&mut self, envelope: Envelope<E>) {
        let shard = envelope.meta.shard;
        self.rows[shard].push_back(envelope);
        self.waiting.insert(shard);
        self.len += 1;
    }

    /// Stays with a shard while it has events, so that a batch claims few shards and leaves the
    /// others to other workers. The next batch begins behind it, so that no key starves others.
    fn pop(&mut self, shards: &mut Shards) -> Option<Envelope<E>> {
        let shard = shards.next(self.waiting, self.turn)?;
        shards.claim(shard);
        self.turn = shard;
        self.remove(shard, VecDeque::pop_front)
    }

    fn remove(
        &mut self,
        shard: u8,
        remove_from: impl FnOnce(&mut VecDeque<Envelope<E>>) -> Option<Envelope<E>>,
    ) -> Option<Envelope<E>> {
        let row = &mut self.rows[shard];
        let removed = remove_from(row)?;
        if row.is_empty() {
            self.waiting.remove(shard);
        }
        self.len -= 1;
        Some(removed)
    }

    fn oldest_takeable(&self, shards: &Shards) -> Option<Time> {
        let takeable = shards.takeable(self.waiting, usize::MAX);
        takeable.filter_map(|shard| self.rows[shard].front().map(|head| head.enqueued)).min()
    }

    fn remove_oldest(&mut self) -> Option<Envelope<E>> {
        let enqueued = |shard: &u8| self.rows[*shard].front().map(|head| head.enqueued);
        let shard = self.waiting.from(0).min_by_key(enqueued)?;
        self.remove(shard, VecDeque::pop_front)
    }

    fn remove_newest(&mut self, is_eligible: impl Fn(&EventMeta) -> bool) -> Option<Envelope<E>> {
        let newest_of = |shard: u8| {
            let row = &self.rows[shard];
            let place = newest(row, &is_eligible)?;
            Some((row.get(place)?.enqueued, shard, place))
        };
        let candidates = self.waiting.from(0).filter_map(newest_of);
        let (_, shard, place) = candidates.max_by_key(|(enqueued, ..)| *enqueued)?;
        self.remove(shard, |row| row.remove(place))
    }

    fn remove_nth(&mut self, mut n: usize) -> Option<Envelope<E>> {
        for shard in self.waiting.from(0) {
            let len = self.rows[shard].len();
            if n < len {
                return self.remove(shard, |row| row.remove(n));
            }
            n -= len;
        }
        None
    }

    fn take_expired(
        &mut self,
        mut from: usize,
        most: usize,
        now: Time,
        expiry: &mut Expiry,
        expired: &mut Vec<Envelope<E>>,
    ) -> usize {
        let mut looked = 0;
        for shard in self.waiting.from(0) {
            let row = &mut self.rows[shard];
            let len = row.len();
            if from < len {
                looked += take_expired(row, from, most - looked, now, expiry, expired);
                self.len -= len - row.len();
                if row.is_empty() {
                    self.waiting.remove(shard);
                }
            }
            from = from.saturating_sub(len);
            if looked >= most {
                break;
            }
        }
        looked
    }

    fn remove_expired_head(&mut self, now: Time) -> Option<Envelope<E>> {
        let is_expired =
            |shard: &u8| self.rows[*shard].front().is_some_and(|head| head.meta.is_expired(now));
        let shard = self.waiting.from(0).find(is_expired)?;
        self.remove(shard, VecDeque::pop_front)
    }
}

/// Returns the place of the newest eligible event of a row.
fn newest<E>(
    row: &VecDeque<Envelope<E>>,
    is_eligible: impl Fn(&EventMeta) -> bool,
) -> Option<usize> {
    row.iter().rposition(|envelope| is_eligible(&envelope.meta))
}
