//! One class's queued events: in one row, or in one row per shard of a keyed stage.

use crate::event::{Envelope, EventMeta, SHARDS, ShardSet};
use crate::platform::Time;
use crate::queue::shards::Shards;
use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct Lane<E> {
    pub(super) rows: Rows<E>,
    /// How many events it gives per turn of the round robin.
    pub(super) weight: u32,
}

#[derive(Debug)]
pub(super) enum Rows<E> {
    /// First in, first out.
    One(VecDeque<Envelope<E>>),
    /// First in, first out per shard, shards in turn.
    PerShard(Box<Sharded<E>>),
}

#[derive(Debug)]
pub(super) struct Sharded<E> {
    rows: Vec<VecDeque<Envelope<E>>>,
    /// The shards with something in their rows.
    waiting: ShardSet,
    len: usize,
    /// The shard whose turn it is.
    turn: u8,
}

impl<E> Lane<E> {
    pub(super) fn new(weight: u32, keyed: bool) -> Self {
        let rows = if keyed {
            Rows::PerShard(Box::new(Sharded::new()))
        } else {
            Rows::One(VecDeque::new())
        };
        Self { rows, weight: weight.max(1) }
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

    /// The next event that the asking worker may take.
    pub(super) fn pop(&mut self, shards: Option<&mut Shards>) -> Option<Envelope<E>> {
        match (&mut self.rows, shards) {
            (Rows::One(row), _) => row.pop_front(),
            (Rows::PerShard(sharded), Some(shards)) => sharded.pop(shards),
            (Rows::PerShard(sharded), None) => sharded.remove_oldest(),
        }
    }

    /// Whether `worker` would find something to take.
    pub(super) fn is_ready_for(&self, worker: usize, shards: Option<&Shards>) -> bool {
        match (&self.rows, shards) {
            (Rows::PerShard(sharded), Some(shards)) => {
                shards.takeable(sharded.waiting, worker).next().is_some()
            }
            _ => self.len() > 0,
        }
    }

    /// Since when the oldest event is queued; unknown where keys have rows of their own.
    pub(super) fn oldest(&self) -> Option<Time> {
        match &self.rows {
            Rows::One(row) => row.front().map(|head| head.enqueued),
            Rows::PerShard(_) => None,
        }
    }

    pub(super) fn remove_oldest(&mut self) -> Option<Envelope<E>> {
        match &mut self.rows {
            Rows::One(row) => row.pop_front(),
            Rows::PerShard(sharded) => sharded.remove_oldest(),
        }
    }

    /// Removes the newest of those that may go.
    pub(super) fn remove_newest(
        &mut self,
        may_go: impl Fn(&EventMeta) -> bool,
    ) -> Option<Envelope<E>> {
        match &mut self.rows {
            Rows::One(row) => row.remove(newest(row, may_go)?),
            Rows::PerShard(sharded) => sharded.remove_newest(may_go),
        }
    }

    /// Removes the n-th event, counted round and round from a head.
    pub(super) fn remove_nth(&mut self, n: usize) -> Option<Envelope<E>> {
        let n = n % self.len().max(1);
        match &mut self.rows {
            Rows::One(row) => row.remove(n),
            Rows::PerShard(sharded) => sharded.remove_nth(n),
        }
    }

    /// Removes an expired event from the head of a row, if there is one.
    pub(super) fn remove_expired_head(&mut self, now: Time) -> Option<Envelope<E>> {
        let is_expired = |head: &Envelope<E>| head.meta.is_expired(now);
        match &mut self.rows {
            Rows::One(row) => row.front().is_some_and(is_expired).then(|| row.pop_front())?,
            Rows::PerShard(sharded) => {
                let heads = sharded.waiting.from(0);
                let mut expired =
                    heads.filter(|shard| sharded.head(*shard).is_some_and(is_expired));
                let shard = expired.next()?;
                sharded.remove(shard, VecDeque::pop_front)
            }
        }
    }
}

impl<E> Sharded<E> {
    fn new() -> Self {
        let rows = (0..SHARDS).map(|_| VecDeque::new()).collect();
        Self { rows, waiting: ShardSet::default(), len: 0, turn: 0 }
    }

    fn push(&mut self, envelope: Envelope<E>) {
        let shard = envelope.meta.shard;
        if let Some(row) = self.rows.get_mut(usize::from(shard)) {
            row.push_back(envelope);
            self.waiting.insert(shard);
            self.len += 1;
        }
    }

    /// Stays with a shard while it has events, so that a batch claims few shards and leaves the
    /// others to other workers; the next batch begins behind it, so that no key starves others.
    fn pop(&mut self, shards: &mut Shards) -> Option<Envelope<E>> {
        let shard = shards.next(self.waiting, self.turn)?;
        shards.claim(shard);
        self.turn = shard;
        self.remove(shard, VecDeque::pop_front)
    }

    /// The turn passes on to the next shard.
    pub(super) fn pass_on(&mut self) {
        self.turn = self.turn.wrapping_add(1);
    }

    fn head(&self, shard: u8) -> Option<&Envelope<E>> {
        self.rows.get(usize::from(shard))?.front()
    }

    fn remove(
        &mut self,
        shard: u8,
        which: impl FnOnce(&mut VecDeque<Envelope<E>>) -> Option<Envelope<E>>,
    ) -> Option<Envelope<E>> {
        let row = self.rows.get_mut(usize::from(shard))?;
        let removed = which(row)?;
        if row.is_empty() {
            self.waiting.remove(shard);
        }
        self.len -= 1;
        Some(removed)
    }

    fn remove_oldest(&mut self) -> Option<Envelope<E>> {
        let enqueued = |shard: &u8| self.head(*shard).map(|head| head.enqueued);
        let shard = self.waiting.from(0).min_by_key(enqueued)?;
        self.remove(shard, VecDeque::pop_front)
    }

    fn remove_newest(&mut self, may_go: impl Fn(&EventMeta) -> bool) -> Option<Envelope<E>> {
        let newest_of = |shard: u8| {
            let row = self.rows.get(usize::from(shard))?;
            let place = newest(row, &may_go)?;
            Some((row.get(place)?.enqueued, shard, place))
        };
        let candidates = self.waiting.from(0).filter_map(newest_of);
        let (_, shard, place) = candidates.max_by_key(|(enqueued, ..)| *enqueued)?;
        self.remove(shard, |row| row.remove(place))
    }

    fn remove_nth(&mut self, mut n: usize) -> Option<Envelope<E>> {
        for shard in self.waiting.from(0) {
            let here = self.rows.get(usize::from(shard)).map_or(0, VecDeque::len);
            if n < here {
                return self.remove(shard, |row| row.remove(n));
            }
            n -= here;
        }
        None
    }
}

/// The place in a row of the newest event that may go.
fn newest<E>(row: &VecDeque<Envelope<E>>, may_go: impl Fn(&EventMeta) -> bool) -> Option<usize> {
    row.iter().rposition(|envelope| may_go(&envelope.meta))
}
