//! Delayed events: accepted, in a reserved place, not yet in the queue.
//!
//! A heap by due time, and one atomic with the earliest of them. No thread serves the heap: a
//! worker that looks for work compares the clock with the atomic, and a worker that parks does so
//! until then. While all workers are busy none could take the event anyway.

use crate::event::Envelope;
use crate::platform::Time;
use crate::platform::sync::{AtomicU64, Mutex, Ordering};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

struct Timed<E> {
    due: Time,
    /// The order of sending, for events that are due at the same time.
    number: u64,
    envelope: Envelope<E>,
}

impl<E> PartialEq for Timed<E> {
    fn eq(&self, other: &Self) -> bool {
        (self.due, self.number) == (other.due, other.number)
    }
}

impl<E> Eq for Timed<E> {}

impl<E> PartialOrd for Timed<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Timed<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}

struct Heap<E> {
    events: BinaryHeap<Reverse<Timed<E>>>,
    /// Events added so far.
    added: u64,
    closed: bool,
}

pub(super) struct Timers<E> {
    heap: Mutex<Heap<E>>,
    /// When the earliest event is due, in nanoseconds; [`Time::NEVER`] without any.
    next: AtomicU64,
}

impl<E> Default for Timers<E> {
    fn default() -> Self {
        let heap = Heap { events: BinaryHeap::new(), added: 0, closed: false };
        Self { heap: Mutex::new(heap), next: AtomicU64::new(u64::MAX) }
    }
}

impl<E> Timers<E> {
    /// Keeps an event until `due`, which becomes its time of arrival. `accept` counts the event,
    /// under the lock, before a worker can fire it. Returns true if it is now the earliest.
    ///
    /// # Errors
    /// The event, if the timers are closed.
    pub(super) fn add(
        &self,
        mut envelope: Envelope<E>,
        due: Time,
        accept: impl FnOnce(&Envelope<E>),
    ) -> Result<bool, Envelope<E>> {
        let mut heap = self.heap.lock();
        if heap.closed {
            return Err(envelope);
        }
        envelope.enqueued = due;
        accept(&envelope);
        let number = heap.added;
        heap.added += 1;
        heap.events.push(Reverse(Timed { due, number, envelope }));
        let next = self.note_next(&heap);
        Ok(next == due)
    }

    /// Returns when the earliest event is due; [`Time::NEVER`] without any.
    #[inline]
    pub(super) fn next(&self) -> Time {
        Time::from_nanos(self.next.load(Ordering::SeqCst))
    }

    /// Removes and returns the events that are due, in order.
    pub(super) fn take_due(&self, now: Time) -> Vec<Envelope<E>> {
        let mut heap = self.heap.lock();
        let mut due = Vec::new();
        while heap.events.peek().is_some_and(|Reverse(earliest)| earliest.due <= now) {
            due.extend(heap.events.pop().map(|Reverse(timed)| timed.envelope));
        }
        self.note_next(&heap);
        due
    }

    /// Removes and returns all events, and accepts no more.
    pub(super) fn close(&self) -> Vec<Envelope<E>> {
        let mut heap = self.heap.lock();
        heap.closed = true;
        let events = std::mem::take(&mut heap.events);
        self.note_next(&heap);
        events.into_sorted_vec().into_iter().rev().map(|Reverse(timed)| timed.envelope).collect()
    }

    fn note_next(&self, heap: &Heap<E>) -> Time {
        let next = heap.events.peek().map_or(Time::NEVER, |Reverse(earliest)| earliest.due);
        self.next.store(next.as_nanos(), Ordering::SeqCst);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Class;
    use crate::event::EventMeta;

    fn envelope(event: u32) -> Envelope<u32> {
        let meta = EventMeta::new(Time::ZERO, Class::HIGHEST, Time::NEVER);
        Envelope { event, meta, enqueued: Time::ZERO }
    }

    fn events(envelopes: Vec<Envelope<u32>>) -> Vec<(u32, u64)> {
        envelopes.into_iter().map(|e| (e.event, e.enqueued.as_nanos())).collect()
    }

    #[test]
    fn due_events_come_by_time_and_then_in_the_order_of_sending() {
        let timers = Timers::default();
        let add = |event, due| timers.add(envelope(event), Time::from_nanos(due), |_| {}).unwrap();
        assert_eq!([add(1, 30), add(2, 10), add(3, 30), add(4, 20)], [true, true, false, false]);
        assert_eq!(timers.next(), Time::from_nanos(10));
        assert_eq!(events(timers.take_due(Time::from_nanos(9))), []);
        assert_eq!(events(timers.take_due(Time::from_nanos(20))), [(2, 10), (4, 20)]);
        assert_eq!(timers.next(), Time::from_nanos(30));
        assert_eq!(events(timers.close()), [(1, 30), (3, 30)]);
        assert_eq!(timers.next(), Time::NEVER);
        assert!(timers.add(envelope(5), Time::ZERO, |_| {}).is_err());
    }
}
