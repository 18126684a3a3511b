//! Processor sharing: k bursts on c cores, each going on at the rate min(1, c/k).
//!
//! All runnable bursts progress alike, so one counter is enough: virtual time, the work that each
//! of them was given since the cores were last empty. A burst that comes at virtual time V with
//! work w ends at V + w, whoever comes and goes meanwhile: a heap of ends makes an arrival and an
//! end O(log k), and nothing is ever recomputed (the virtual clock of fair queueing, Parekh &
//! Gallager 1993).

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Work and virtual time are in nanoseconds of a core. An `f64` that counts a day of them is exact
/// to 1/64; what is left of a burst below this is a rounding error.
const ROUNDING: f64 = 0.05;

#[derive(Debug)]
pub(crate) struct Cores {
    count: f64,
    /// Virtual time, and the moment it was brought up to, in nanoseconds.
    given: f64,
    at: u64,
    running: BinaryHeap<Reverse<End>>,
    /// Numbers bursts, so that those with one end leave in the order of their coming.
    begun: u64,
    /// Core-nanoseconds of work that were done.
    done: f64,
}

#[derive(Clone, Copy, Debug)]
struct End {
    given: f64,
    number: u64,
    burst: usize,
}

impl Cores {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            count: count as f64,
            given: 0.0,
            at: 0,
            running: BinaryHeap::new(),
            begun: 0,
            done: 0.0,
        }
    }

    /// A burst that needs `work` nanoseconds of a core becomes runnable; returns the virtual time.
    pub(crate) fn begin(&mut self, now: u64, burst: usize, work: f64) -> f64 {
        self.advance(now);
        let end = End { given: self.given + work.max(0.0), number: self.begun, burst };
        self.begun += 1;
        self.running.push(Reverse(end));
        self.given
    }

    /// When the next burst ends, if none comes before that.
    pub(crate) fn next_end(&self) -> Option<u64> {
        let Reverse(end) = self.running.peek()?;
        let left = (end.given - self.given).max(0.0) / self.rate();
        Some(self.at.saturating_add(left.ceil() as u64))
    }

    /// A burst that has ended by `now`.
    pub(crate) fn take_ended(&mut self, now: u64) -> Option<usize> {
        self.advance(now);
        let Reverse(end) = self.running.peek()?;
        if end.given > self.given + ROUNDING {
            return None;
        }
        let ended = self.running.pop().map(|Reverse(end)| end.burst);
        if self.running.is_empty() {
            // So virtual time stays small, and its fraction exact, however long the run.
            self.given = 0.0;
        }
        ended
    }

    /// Virtual time at `now`: what a burst that has run since was given.
    pub(crate) fn given(&mut self, now: u64) -> f64 {
        self.advance(now);
        self.given
    }

    /// Core-nanoseconds of work done until `now`.
    pub(crate) fn done(&mut self, now: u64) -> f64 {
        self.advance(now);
        self.done
    }

    fn rate(&self) -> f64 {
        (self.count / self.running.len().max(1) as f64).min(1.0)
    }

    fn advance(&mut self, now: u64) {
        let passed = now.saturating_sub(self.at) as f64 * self.rate();
        if !self.running.is_empty() {
            self.given += passed;
            self.done += passed * self.running.len() as f64;
        }
        self.at = self.at.max(now);
    }
}

impl Ord for End {
    fn cmp(&self, other: &Self) -> Ordering {
        self.given.total_cmp(&other.given).then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for End {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for End {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for End {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_bursts_as_cores_run_at_full_speed_and_more_share() {
        let mut cores = Cores::new(1);
        cores.begin(0, 7, 100.0);
        assert_eq!(cores.next_end(), Some(100));
        // From 50 on two share: the first has 50 left, which take 100.
        cores.begin(50, 8, 100.0);
        assert_eq!(cores.next_end(), Some(150));
        assert_eq!(cores.take_ended(149), None);
        assert_eq!(cores.take_ended(150), Some(7));
        // The second had 50 of its 100, and has the core for itself again.
        assert_eq!(cores.next_end(), Some(200));
        assert_eq!(cores.take_ended(200), Some(8));
        assert_eq!((cores.next_end(), cores.done(300)), (None, 200.0));
    }

    #[test]
    fn bursts_that_end_at_once_leave_in_the_order_of_their_coming() {
        let mut cores = Cores::new(4);
        (0..4).for_each(|burst| {
            cores.begin(0, burst, 10.0);
        });
        let ended: Vec<_> = std::iter::from_fn(|| cores.take_ended(10)).collect();
        assert_eq!(ended, [0, 1, 2, 3]);
    }
}
