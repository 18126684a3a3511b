//! Processor sharing: k bursts on c cores, each of which progresses at the rate min(1, c/k).
//!
//! All runnable bursts progress alike, so one counter is enough: virtual time, the work that each
//! of them was given since the cores were last empty. A burst that begins at virtual time V with
//! work w ends at V + w, regardless of other bursts. A heap of ends makes a beginning and an end
//! O(log k), and nothing is recomputed (the virtual clock of fair queueing, Parekh & Gallager
//! 1993).

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// A remainder of a burst below this, in core-nanoseconds, is a rounding error: an `f64` that
/// counts a day of nanoseconds is exact to 1/64.
const ROUNDING: f64 = 0.05;

/// The owner of a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A worker, by its slot.
    Worker(usize),
    /// The entry, which takes or refuses a request.
    Entry,
}

/// Cores that bursts share. Work and virtual time are in core-nanoseconds.
#[derive(Debug)]
pub(crate) struct Cores {
    count: f64,
    /// Virtual time at the moment `at`.
    given: f64,
    /// The moment up to which the cores were advanced, in nanoseconds.
    at: u64,
    running: BinaryHeap<Reverse<BurstEnd>>,
    /// The number of the next burst. Bursts that end together leave in the order of their numbers.
    next_number: u64,
    /// The work done so far.
    done: f64,
}

#[derive(Clone, Copy, Debug)]
struct BurstEnd {
    /// The virtual time of the end.
    given: f64,
    number: u64,
    owner: Owner,
}

impl Cores {
    /// Returns `count` idle cores.
    pub(crate) fn new(count: usize) -> Self {
        Self {
            count: count as f64,
            given: 0.0,
            at: 0,
            running: BinaryHeap::new(),
            next_number: 0,
            done: 0.0,
        }
    }

    /// Begins a burst that needs `work` core-nanoseconds; returns the virtual time.
    pub(crate) fn begin(&mut self, now: u64, owner: Owner, work: f64) -> f64 {
        self.advance(now);
        let end = BurstEnd { given: self.given + work.max(0.0), number: self.next_number, owner };
        self.next_number += 1;
        self.running.push(Reverse(end));
        self.given
    }

    /// Returns the time at which the next burst ends if no other begins before.
    pub(crate) fn next_end(&self) -> Option<u64> {
        let Reverse(end) = self.running.peek()?;
        let left = (end.given - self.given).max(0.0) / self.rate();
        Some(self.at.saturating_add(left.ceil() as u64))
    }

    /// Removes one burst that has ended by `now` and returns its owner.
    pub(crate) fn take_ended(&mut self, now: u64) -> Option<Owner> {
        self.advance(now);
        let Reverse(end) = self.running.peek()?;
        if end.given > self.given + ROUNDING {
            return None;
        }
        let ended = self.running.pop().map(|Reverse(end)| end.owner);
        if self.running.is_empty() {
            // Virtual time stays small and its fraction exact, however long the run is.
            self.given = 0.0;
        }
        ended
    }

    /// Returns the virtual time at `now`.
    pub(crate) fn given(&mut self, now: u64) -> f64 {
        self.advance(now);
        self.given
    }

    /// Returns the core-nanoseconds of work done until `now`.
    pub(crate) fn done(&mut self, now: u64) -> f64 {
        self.advance(now);
        self.done
    }

    /// Returns the progress of a burst per nanosecond.
    fn rate(&self) -> f64 {
        (self.count / self.running.len().max(1) as f64).min(1.0)
    }

    fn advance(&mut self, now: u64) {
        let progress = now.saturating_sub(self.at) as f64 * self.rate();
        if !self.running.is_empty() {
            self.given += progress;
            self.done += progress * self.running.len() as f64;
        }
        self.at = self.at.max(now);
    }
}

impl Ord for BurstEnd {
    fn cmp(&self, other: &Self) -> Ordering {
        self.given.total_cmp(&other.given).then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for BurstEnd {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for BurstEnd {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for BurstEnd {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_run_at_full_speed_while_there_are_cores_and_share_them_otherwise() {
        let mut cores = Cores::new(1);
        cores.begin(0, Owner::Worker(7), 100.0);
        assert_eq!(cores.next_end(), Some(100));
        // From 50 on two bursts share the core: the 50 left of the first take 100.
        cores.begin(50, Owner::Worker(8), 100.0);
        assert_eq!(cores.next_end(), Some(150));
        assert_eq!(cores.take_ended(149), None);
        assert_eq!(cores.take_ended(150), Some(Owner::Worker(7)));
        // The second was given 50 of its 100, and has the core for itself again.
        assert_eq!(cores.next_end(), Some(200));
        assert_eq!(cores.take_ended(200), Some(Owner::Worker(8)));
        assert_eq!((cores.next_end(), cores.done(300)), (None, 200.0));
    }

    #[test]
    fn bursts_that_end_together_leave_in_the_order_of_their_beginnings() {
        let mut cores = Cores::new(4);
        for worker in 0..4 {
            cores.begin(0, Owner::Worker(worker), 10.0);
        }
        let ended: Vec<_> = std::iter::from_fn(|| cores.take_ended(10)).collect();
        assert_eq!(ended, [0, 1, 2, 3].map(Owner::Worker));
    }
}
