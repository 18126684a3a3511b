//! What a worker takes from the lanes, and in which order.

use crate::event::{Envelope, LossReason, ShardSet};
use crate::platform::Time;
use crate::queue::aqm::AqmState;
use crate::queue::evict::Shed;
use crate::queue::lane::{Lane, Rows};
use crate::queue::lanes::Lanes;
use std::collections::VecDeque;
use std::time::Duration;

impl<E> Lanes<E> {
    /// `worker` takes up to `most` events that are worth starting into `batch`; those that are
    /// not go to `given_up`, and do not count. Returns the shards it has claimed thereby.
    pub(crate) fn take(
        &mut self,
        worker: usize,
        most: usize,
        now: Time,
        batch: &mut VecDeque<Envelope<E>>,
        given_up: &mut Vec<Shed<E>>,
    ) -> ShardSet {
        let before = batch.len();
        let begun_by = now.after(Duration::from_nanos(self.lead));
        if let Some(shards) = &mut self.shards {
            shards.begin(worker);
        }
        let newest_first = self.switches_to_lifo(now);
        if newest_first {
            // What has waited in vain stays at the heads.
            self.evict_expired_heads(usize::MAX, now, given_up);
        }
        if self.standing.is_set() {
            // Each is asked about.
        } else if let [Lane { rows: Rows::One(row), .. }] = self.lanes.as_mut_slice() {
            // The usual case, in one move: all of them are worth starting.
            let waiting = row.iter().take(most);
            let worth = |head: &&Envelope<E>| reason_not_to_start(head, begun_by).is_none();
            let sound = waiting.take_while(worth).count();
            batch.extend(row.drain(..sound));
            self.depth -= sound;
        }
        while batch.len() - before < most {
            let Some(envelope) = self.pop_in_turn(newest_first) else { break };
            self.depth -= 1;
            let reason = reason_not_to_start(&envelope, begun_by).or_else(|| {
                let drops = self.standing.drops(envelope.enqueued, self.depth, now);
                drops.then_some(LossReason::Delay)
            });
            match reason {
                None => {
                    self.turn.1 = self.turn.1.saturating_sub(1);
                    batch.push_back(envelope);
                }
                // It costs its class no part of its turn: nobody was served.
                Some(reason) => self.shed(envelope, reason, now, given_up),
            }
        }
        let counts = self.count_by_class(batch.len() - before, batch.iter().skip(before));
        self.ledger.take(&counts);
        if self.weighs {
            batch.iter().skip(before).for_each(|taken| self.unqueue_bytes(&taken.meta));
        }
        self.pass_turns_on()
    }

    /// Whether the newest events are to be taken first.
    fn switches_to_lifo(&self, now: Time) -> bool {
        self.standing.is_set()
            && self.oldest().is_some_and(|oldest| self.standing.switches_to_lifo(oldest, now))
    }

    /// What is being done about the queue, if it stands.
    pub(crate) fn stood(&self, now: Time) -> AqmState {
        self.standing.stood(self.oldest(), now)
    }

    /// Since when the oldest event is queued.
    fn oldest(&self) -> Option<Time> {
        self.lanes.iter().filter_map(Lane::oldest).min()
    }

    /// Weighted round robin: each lane in turn gives up to `weight` events, an empty one passes. The
    /// caller counts what of a turn is used.
    fn pop_in_turn(&mut self, newest_first: bool) -> Option<Envelope<E>> {
        if let [Lane { rows: Rows::One(row), .. }] = self.lanes.as_mut_slice() {
            return if newest_first { row.pop_back() } else { row.pop_front() };
        }
        for _ in 0..=self.lanes.len() {
            let (turn, left) = self.turn;
            if left > 0 {
                let shards = self.shards.as_deref_mut();
                let head = self.lanes.get_mut(turn).and_then(|lane| match newest_first {
                    true => lane.remove_newest(|_meta| true),
                    false => lane.pop(shards),
                });
                if head.is_some() {
                    return head;
                }
            }
            let next = if turn + 1 < self.lanes.len() { turn + 1 } else { 0 };
            self.turn = (next, self.lanes.get(next).map_or(1, |lane| lane.weight));
        }
        None
    }
}

fn reason_not_to_start<E>(envelope: &Envelope<E>, now: Time) -> Option<LossReason> {
    if envelope.meta.is_abandoned() {
        Some(LossReason::Abandoned)
    } else if envelope.meta.is_expired(now) {
        Some(LossReason::Expired)
    } else {
        None
    }
}
