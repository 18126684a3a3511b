//! The intended start times of requests.

use super::recorded::Recorded;
use super::renewal::Renewal;
use super::stretch::Stretch;
use super::uniform::Uniform;
use super::{Process, Profile};
use std::sync::Arc;

/// The intended start times of requests: an iterator of nanoseconds since the run began. They never
/// descend; two may be equal. An arrival allocates nothing.
///
/// ```
/// use seda_tools::arrivals::{Arrivals, Process, Profile};
///
/// let profile: Profile = "2/s:1s,0/s:1s,4/s:500ms".parse()?;
/// let times: Vec<u64> = Arrivals::drawn(Process::Uniform, &profile, 1).collect();
/// assert_eq!(times, [0, 500_000_000, 2_000_000_000, 2_250_000_000]);
/// # Ok::<(), seda_tools::arrivals::ProfileError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Arrivals {
    times: Times,
    /// Arrivals to skip before the next one.
    passed: usize,
    /// Arrivals to skip between two that are returned.
    between: usize,
}

#[derive(Clone, Debug)]
enum Times {
    Renewal(Renewal),
    Uniform(Uniform),
    Recorded(Recorded),
}

impl Arrivals {
    /// Draws the arrivals of a profile, all before its end.
    ///
    /// [`Process::Poisson`] is exact for a rate that changes between parts. The seed determines the
    /// times in every version: xoshiro256++ seeded through SplitMix64. They are computed with the
    /// platform's logarithm; its last bit may differ on another platform.
    ///
    /// [`Process::Uniform`] ignores the seed. In each part the first arrival is at the beginning,
    /// and arrival number `k` is at `k/rate`, to the nearest nanosecond: a part has `rate ·
    /// duration` arrivals, rounded up.
    pub fn drawn(process: Process, profile: &Profile, seed: u64) -> Self {
        let stretches = Stretch::all(profile);
        Self::all(match process {
            // Its times are computed, not drawn, so that shards are cheap.
            Process::Uniform => Times::Uniform(Uniform::new(stretches)),
            drawn => Times::Renewal(Renewal::new(drawn.into(), stretches, seed)),
        })
    }

    /// Returns the arrivals of a trace, `speed` times as fast: 2.0 halves every time. `times` must
    /// not descend, like those of [`crate::load::trace::Trace::times`] and
    /// [`crate::load::trace::read_arrivals`].
    ///
    /// A speed that is not a finite number above 0 gives no arrivals; the command line refuses it.
    pub fn recorded(times: Arc<[u64]>, speed: f64) -> Self {
        Self::all(Times::Recorded(Recorded::new(times, speed)))
    }

    /// Returns every `of`-th arrival from the `nth` on, which counts from 0: the share of one of
    /// several generator threads. The shards `0..of` of equal arrivals hold each arrival once.
    ///
    /// The arrivals of the other shards are drawn, too (a Poisson arrival takes a logarithm),
    /// because only then do the threads share one process. An `of` of 0 is taken as 1.
    #[must_use]
    pub fn shard(self, nth: usize, of: usize) -> Self {
        let stride = self.between.saturating_add(1);
        Self {
            passed: self.passed.saturating_add(nth.saturating_mul(stride)),
            between: stride.saturating_mul(of.max(1)) - 1,
            times: self.times,
        }
    }

    fn all(times: Times) -> Self {
        Self { times, passed: 0, between: 0 }
    }
}

impl Iterator for Arrivals {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let passed = std::mem::replace(&mut self.passed, self.between);
        match &mut self.times {
            Times::Renewal(renewal) => renewal.nth(passed),
            Times::Uniform(uniform) => uniform.nth(passed),
            Times::Recorded(recorded) => recorded.nth(passed),
        }
    }
}
