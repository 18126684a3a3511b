//! How many workers a pool may have and should have, in one word: it is read on every turn of
//! every worker, and nobody may see a target with the range of another moment.

use crate::config::WorkerRange;
use crate::platform::sync::{AtomicU64, Ordering};

/// Bits of each of the three numbers; [`crate::config::MAX_WORKERS`] needs eleven.
const BITS: u32 = 16;
const MASK: u64 = (1 << BITS) - 1;

/// From the lowest bits: the target, the range's minimum, its maximum.
#[derive(Debug)]
pub(crate) struct WorkerCount(AtomicU64);

impl WorkerCount {
    /// The target is the least that the range allows.
    pub(crate) fn new(range: WorkerRange) -> Self {
        Self(AtomicU64::new(pack(range, range.min)))
    }

    #[inline]
    pub(crate) fn target(&self) -> usize {
        number(self.0.load(Ordering::Relaxed), 0)
    }

    pub(crate) fn range(&self) -> WorkerRange {
        range(self.0.load(Ordering::Relaxed))
    }

    /// Sets the target, within the range; returns what was set.
    pub(crate) fn set_target(&self, target: usize) -> usize {
        self.update(|range, _| (range, target))
    }

    /// Sets the range; the target stays if it is inside. Returns the target.
    pub(crate) fn set_range(&self, range: WorkerRange) -> usize {
        self.update(|_, target| (range, target))
    }

    fn update(&self, change: impl Fn(WorkerRange, usize) -> (WorkerRange, usize)) -> usize {
        let changed = |word| {
            let (range, target) = change(range(word), number(word, 0));
            pack(range, target.max(range.min).min(range.max))
        };
        let update = |word| Some(changed(word));
        match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, update) {
            Ok(before) | Err(before) => number(changed(before), 0),
        }
    }
}

fn number(word: u64, place: u32) -> usize {
    ((word >> (place * BITS)) & MASK) as usize
}

fn range(word: u64) -> WorkerRange {
    WorkerRange::new(number(word, 1), number(word, 2))
}

fn pack(range: WorkerRange, target: usize) -> u64 {
    let part = |n: usize, place: u32| (n as u64 & MASK) << (place * BITS);
    part(target, 0) | part(range.min, 1) | part(range.max, 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MAX_WORKERS;

    #[test]
    fn a_target_is_kept_within_the_range_and_moves_only_if_the_range_leaves_it_behind() {
        let count = WorkerCount::new(WorkerRange::new(2, 8));
        assert_eq!((count.target(), count.range()), (2, WorkerRange::new(2, 8)));
        assert_eq!((count.set_target(99), count.set_target(0), count.set_target(5)), (8, 2, 5));
        assert_eq!(count.set_range(WorkerRange::new(1, 6)), 5);
        assert_eq!(count.set_range(WorkerRange::new(1, 3)), 3);
        assert_eq!(count.set_range(WorkerRange::new(7, MAX_WORKERS)), 7);
        assert_eq!((count.set_target(usize::MAX), count.target()), (MAX_WORKERS, MAX_WORKERS));
    }
}
