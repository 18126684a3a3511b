//! A Poisson process whose rate is constant in each stretch.

use super::stretch::Stretch;
use super::unit;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::vec;

/// Arrival times in nanoseconds. Gaps are drawn as exponentials of mean one and paid off at the
/// rate of each stretch they pass through, which is the exact process for a rate that changes: what
/// is left of a gap at a boundary has no memory of what was waited, and goes on at the new rate.
#[derive(Clone, Debug)]
pub(super) struct Poisson {
    rng: Xoshiro256PlusPlus,
    now: Option<Stretch>,
    later: vec::IntoIter<Stretch>,
    /// The last arrival, in nanoseconds since the stretch began. It keeps its fraction, so that
    /// rounding to nanoseconds does not add up.
    offset: f64,
}

impl Poisson {
    pub(super) fn new(stretches: Vec<Stretch>, seed: u64) -> Self {
        let mut later = stretches.into_iter();
        let now = later.next();
        Self { rng: Xoshiro256PlusPlus::seed_from_u64(seed), now, later, offset: 0.0 }
    }

    /// An exponential of mean one. `1 - u` is never 0, so the result is finite.
    fn exponential(&mut self) -> f64 {
        -(1.0 - unit(&mut self.rng)).ln()
    }
}

impl Iterator for Poisson {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.now?;
        let mut owed = self.exponential();
        loop {
            let stretch = self.now?;
            let at = self.offset + owed * stretch.gap();
            // In a pause `at` is infinite, or NaN if nothing is owed: neither is before the end.
            if at < stretch.nanos {
                self.offset = at;
                return Some(stretch.start.saturating_add(at as u64));
            }
            let paid = (stretch.nanos - self.offset) / stretch.gap();
            owed = (owed - paid).max(0.0);
            self.now = self.later.next();
            self.offset = 0.0;
        }
    }
}
