//! The weight of a stage's events in bytes.

use crate::config::{Class, PerClass};
use crate::event::EventMeta;

/// Bytes of a stage's events; all zero unless the stage weighs its events.
#[derive(Debug, Default)]
pub(super) struct ByteCount {
    weighs: bool,
    /// Bytes of all events in the stage: queued, delayed, in hand and pending.
    total: u64,
    /// Bytes of the queued events, by class.
    queued: PerClass<u64>,
}

impl ByteCount {
    /// Counts bytes from now on. Must be called while empty.
    pub(super) fn set_weighing(&mut self) {
        self.weighs = true;
    }

    pub(super) fn weighs(&self) -> bool {
        self.weighs
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Returns the bytes of the queued events of the classes that `include` holds for.
    pub(super) fn queued(&self, include: impl Fn(Class) -> bool) -> u64 {
        self.queued.by_class().filter(|(class, _)| include(*class)).map(|(_, bytes)| bytes).sum()
    }

    /// Counts an accepted event.
    #[inline]
    pub(super) fn accept(&mut self, meta: &EventMeta) {
        if self.weighs {
            self.total += meta.weight.bytes();
        }
    }

    /// Counts an accepted event that enters the queue.
    #[inline]
    pub(super) fn enqueue(&mut self, meta: &EventMeta) {
        if self.weighs {
            self.queued[meta.class] += meta.weight.bytes();
        }
    }

    /// Counts an event that leaves the queue and stays in the stage.
    pub(super) fn dequeue(&mut self, meta: &EventMeta) {
        let weight = self.weight_of(meta);
        let queued = &mut self.queued[meta.class];
        debug_assert!(weight <= *queued, "more bytes left the queue than were queued");
        *queued -= weight;
    }

    /// Counts an event that leaves the stage.
    pub(super) fn end(&mut self, meta: &EventMeta) {
        self.end_bytes(self.weight_of(meta));
    }

    /// Counts events of `bytes` together that leave the stage.
    pub(super) fn end_bytes(&mut self, bytes: u64) {
        debug_assert!(bytes <= self.total, "more bytes left the stage than were in it");
        self.total -= bytes;
    }

    fn weight_of(&self, meta: &EventMeta) -> u64 {
        if self.weighs { meta.weight.bytes() } else { 0 }
    }
}
