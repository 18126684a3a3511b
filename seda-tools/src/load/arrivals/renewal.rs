//! Arrivals with independent gaps and a constant rate in each stretch.

use super::stretch::Stretch;
use super::unit;
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use seda_sim::spec::Process;
use std::vec;

/// Arrival times in nanoseconds. The process of the simulator draws a gap of mean one, which is
/// scaled by the rate of each stretch that it crosses. For exponential gaps this is the exact
/// Poisson process for a changing rate: because the exponential has no memory, the rest of a gap at
/// a boundary continues at the new rate.
#[derive(Clone, Debug)]
pub(super) struct Renewal {
    process: Process,
    rng: Xoshiro256PlusPlus,
    now: Option<Stretch>,
    later: vec::IntoIter<Stretch>,
    /// The last arrival, in nanoseconds since the stretch began, with its fraction, so that errors
    /// of rounding do not add up.
    offset: f64,
}

impl Renewal {
    pub(super) fn new(process: Process, stretches: Vec<Stretch>, seed: u64) -> Self {
        let mut later = stretches.into_iter();
        let now = later.next();
        let rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        Self { process, rng, now, later, offset: 0.0 }
    }
}

impl Iterator for Renewal {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.now?;
        let mut rest = self.process.gap(|| unit(&mut self.rng));
        loop {
            let stretch = self.now?;
            let at = self.offset + rest * stretch.gap();
            // In a pause `at` is infinite, or NaN if the gap is used up: neither is before the end.
            if at < stretch.nanos {
                self.offset = at;
                return Some(stretch.start.saturating_add(at as u64));
            }
            let used = (stretch.nanos - self.offset) / stretch.gap();
            rest = (rest - used).max(0.0);
            self.now = self.later.next();
            self.offset = 0.0;
        }
    }
}
