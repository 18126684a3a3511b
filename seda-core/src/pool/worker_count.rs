//! The worker range of a pool and the target in it, packed into one atomic word.
//!
//! Every worker reads the target on every turn. One word holds both, so a target is always read
//! with the range that it belongs to.

use crate::config::WorkerRange;
use crate::platform::sync::{AtomicU64, Ordering};

/// Bits of each of the three numbers; [`crate::config::MAX_WORKERS`] needs eleven.
const BITS: u32 = 16;
const MASK: u64 = (1 << BITS) - 1;

/// Positions of the three numbers in the word.
const TARGET: u32 = 0;
const MIN: u32 = 1;
const MAX: u32 = 2;

/// The range that a pool's number of workers stays in, and the target within it.
#[derive(Debug)]
pub(crate) struct WorkerCount(AtomicU64);

impl WorkerCount {
    /// Returns `range` with its minimum as the target.
    pub(super) fn new(range: WorkerRange) -> Self {
        Self(AtomicU64::new(pack(range, range.min)))
    }

    /// Returns the number of workers that the pool should have.
    #[inline]
    pub(super) fn target(&self) -> usize {
        number(self.0.load(Ordering::Relaxed), TARGET)
    }

    /// Returns the numbers of workers that the pool may have.
    pub(super) fn range(&self) -> WorkerRange {
        range(self.0.load(Ordering::Relaxed))
    }

    /// Sets the target, clamped to the range. Returns the new target.
    pub(super) fn set_target(&self, target: usize) -> usize {
        self.update(|range, _| (range, target))
    }

    /// Sets the range and clamps the target to it. Returns the new target.
    pub(super) fn set_range(&self, range: WorkerRange) -> usize {
        self.update(|_, target| (range, target))
    }

    fn update(&self, change: impl Fn(WorkerRange, usize) -> (WorkerRange, usize)) -> usize {
        let mut word = self.0.load(Ordering::SeqCst);
        loop {
            let (range, target) = change(range(word), number(word, TARGET));
            let target = target.max(range.min).min(range.max);
            let new = pack(range, target);
            match self.0.compare_exchange_weak(word, new, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return target,
                Err(other) => word = other,
            }
        }
    }
}

fn number(word: u64, position: u32) -> usize {
    ((word >> (position * BITS)) & MASK) as usize
}

fn range(word: u64) -> WorkerRange {
    WorkerRange::new(number(word, MIN), number(word, MAX))
}

fn pack(range: WorkerRange, target: usize) -> u64 {
    at(target, TARGET) | at(range.min, MIN) | at(range.max, MAX)
}

fn at(number: usize, position: u32) -> u64 {
    debug_assert!(number as u64 <= MASK, "{number} workers do not fit in {BITS} bits");
    (number as u64 & MASK) << (position * BITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MAX_WORKERS;

    #[test]
    fn a_target_stays_within_the_range_and_moves_only_if_a_new_range_excludes_it() {
        let count = WorkerCount::new(WorkerRange::new(2, 8));
        assert_eq!((count.target(), count.range()), (2, WorkerRange::new(2, 8)));
        assert_eq!((count.set_target(99), count.set_target(0), count.set_target(5)), (8, 2, 5));
        assert_eq!(count.set_range(WorkerRange::new(1, 6)), 5);
        assert_eq!(count.set_range(WorkerRange::new(1, 3)), 3);
        assert_eq!(count.set_range(WorkerRange::new(7, MAX_WORKERS)), 7);
        assert_eq!((count.set_target(usize::MAX), count.target()), (MAX_WORKERS, MAX_WORKERS));
    }
}
