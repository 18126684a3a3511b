//! What events say of themselves, as a queue keeps it: the shard of a key, and bytes.

use crate::event::{EventMeta, ShardSet};
use crate::queue::lane::{Lane, Rows};
use crate::queue::lanes::Lanes;
use crate::queue::shards::Shards;

impl<E> Lanes<E> {
    /// Orders events by shard; to be called while empty.
    pub(crate) fn set_keyed(&mut self) {
        self.shards = Some(Box::new(Shards::new()));
        self.lanes = self.lanes.iter().map(|lane| Lane::new(lane.weight, true)).collect();
    }

    /// Counts the weight of events.
    pub(crate) fn set_weighing(&mut self) {
        self.weighs = true;
    }

    /// Bytes of all events in the stage, as far as it weighs them.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn shards(&self) -> Option<&Shards> {
        self.shards.as_deref()
    }

    /// Nothing of these shards is in its worker's hand any more.
    pub(crate) fn release(&mut self, claimed: &ShardSet) {
        if let Some(shards) = &mut self.shards {
            shards.release(claimed);
        }
    }

    /// Notes what an accepted event says of itself; there is nothing where nothing was asked.
    #[inline]
    pub(super) fn note_label(&mut self, meta: &EventMeta, queued: bool) {
        if self.weighs {
            self.bytes += meta.weight.bytes();
            if queued {
                self.queue_bytes(meta);
            }
        }
        if let Some(shards) = &mut self.shards {
            shards.accept(meta.shard);
        }
    }

    pub(super) fn queue_bytes(&mut self, meta: &EventMeta) {
        let weight = self.weight_of(meta);
        if let Some(bytes) = self.queued_bytes.get_mut(meta.class.index()) {
            *bytes += weight;
        }
    }

    pub(super) fn unqueue_bytes(&mut self, meta: &EventMeta) {
        let weight = self.weight_of(meta);
        if let Some(bytes) = self.queued_bytes.get_mut(meta.class.index()) {
            *bytes -= weight;
        }
    }

    pub(super) fn weight_of(&self, meta: &EventMeta) -> u64 {
        if self.weighs { meta.weight.bytes() } else { 0 }
    }

    /// Ends a take of a keyed stage.
    pub(super) fn pass_turns_on(&mut self) -> ShardSet {
        let Some(shards) = &self.shards else {
            return ShardSet::default();
        };
        for lane in &mut self.lanes {
            if let Rows::PerShard(sharded) = &mut lane.rows {
                sharded.pass_on();
            }
        }
        shards.claimed()
    }
}
