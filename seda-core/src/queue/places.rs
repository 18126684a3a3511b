//! The bounded places of a queue.

use crate::event::RefusalReason;

/// Counts of a queue's places: occupied by queued events, reserved, and free.
///
/// Queued plus reserved places never exceed the bound. No event is admitted above the capacity or
/// the soft capacity; events that are inside stay.
#[derive(Debug)]
pub(super) struct Places {
    /// Places of queued events.
    depth: usize,
    reserved: usize,
    /// The reserved places of accepted events that wait for their time.
    delayed: usize,
    capacity: usize,
    /// The capacity; after it was lowered, the number of places in use until that fits.
    bound: usize,
    /// The soft capacity; without effect above the capacity.
    soft: usize,
}

impl Places {
    pub(super) fn new(capacity: usize) -> Self {
        Self { depth: 0, reserved: 0, delayed: 0, capacity, bound: capacity, soft: usize::MAX }
    }

    pub(super) fn set_capacity(&mut self, capacity: usize) {
        (self.capacity, self.bound) = (capacity, capacity.max(self.used()));
    }

    pub(super) fn set_soft(&mut self, soft: usize) {
        self.soft = soft;
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    #[cfg(test)]
    pub(super) fn reserved(&self) -> usize {
        self.reserved
    }

    pub(super) fn delayed(&self) -> usize {
        self.delayed
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn soft(&self) -> usize {
        self.soft.min(self.capacity)
    }

    /// Returns the bound that holds now. It falls only when it is read, so that events cost nothing
    /// for it.
    pub(super) fn bound(&mut self) -> usize {
        self.bound = self.capacity.max(self.bound.min(self.used()));
        self.bound
    }

    /// Returns the number of places in use: queued and reserved.
    fn used(&self) -> usize {
        self.depth + self.reserved
    }

    /// Returns the number of free places.
    ///
    /// # Errors
    /// `Full` if fewer than `least` are free, `TooLarge` if `least` exceeds the capacity.
    pub(super) fn free_for(&self, least: usize) -> Result<usize, RefusalReason> {
        if least > self.capacity {
            return Err(RefusalReason::TooLarge);
        }
        let free = self.soft().saturating_sub(self.used());
        if free < least { Err(RefusalReason::Full) } else { Ok(free) }
    }

    pub(super) fn reserve(&mut self, n: usize) {
        self.reserved += n;
    }

    /// Frees `n` reserved places.
    pub(super) fn unreserve(&mut self, n: usize) {
        debug_assert!(n <= self.reserved, "more places given back than reserved");
        self.reserved = self.reserved.saturating_sub(n);
    }

    /// Puts `n` events into reserved places.
    pub(super) fn fill(&mut self, n: usize) {
        self.unreserve(n);
        self.depth += n;
    }

    /// Gives one reserved place to an event that waits for its time.
    pub(super) fn delay(&mut self) {
        self.delayed += 1;
        debug_assert!(self.delayed <= self.reserved, "a delayed event has no reserved place");
    }

    /// Puts `n` delayed events into their reserved places.
    pub(super) fn fire(&mut self, n: usize) {
        self.end_delay(n);
        self.fill(n);
    }

    /// Frees the place of one delayed event.
    pub(super) fn cancel(&mut self) {
        self.end_delay(1);
        self.unreserve(1);
    }

    fn end_delay(&mut self, n: usize) {
        debug_assert!(n <= self.delayed, "more events fired or cancelled than delayed");
        self.delayed -= n;
    }

    /// Frees the places of `n` queued events.
    pub(super) fn vacate(&mut self, n: usize) {
        debug_assert!(n <= self.depth, "more events left the queue than were queued");
        self.depth -= n;
    }
}
