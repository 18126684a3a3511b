//! SplitMix64 (Steele, Lea, Flood 2014): small, seeded, repeatable random numbers.

use crate::platform::sync::{AtomicU64, Ordering};
use std::hash::{BuildHasher, RandomState};

/// The odd fraction of 2⁶⁴ at the golden ratio. Successive multiples are spread evenly over the
/// range, so that neighbouring counters give states far apart.
pub(crate) const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The output function of SplitMix64: mixes all bits of a state.
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Returns a number that no client can predict.
pub(crate) fn unpredictable() -> u64 {
    RandomState::new().hash_one(GOLDEN)
}

/// A generator that threads share. No two calls return the same number of the sequence.
#[derive(Debug)]
pub(crate) struct SplitMix64 {
    state: AtomicU64,
}

impl SplitMix64 {
    /// Returns a generator with `mix(seed)` as its first number.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }

    /// Returns the next number of the sequence.
    pub(crate) fn next(&self) -> u64 {
        mix(self.state.fetch_add(GOLDEN, Ordering::Relaxed))
    }
}
