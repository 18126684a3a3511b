//! The times at which requests are meant to start.

use super::poisson::Poisson;
use super::recorded::Recorded;
use super::stretch::Stretch;
use super::uniform::Uniform;
use super::{Process, Profile};
use std::sync::Arc;

/// When requests are meant to start: an iterator of nanoseconds since the run began. They never
/// descend; two may be equal. Nothing is allocated for an arrival.
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
    source: Source,
    /// How many to pass over before the next one.
    passed: usize,
    /// How many to pass over between two that are given.
    between: usize,
}

#[derive(Clone, Debug)]
enum Source {
    Poisson(Poisson),
    Uniform(Uniform),
    Recorded(Recorded),
}

impl Arrivals {
    /// The arrivals of a profile, all before its end.
    ///
    /// [`Process::Poisson`] is exact for a rate that changes between parts. The seed determines
    /// the times, from one version to the next: xoshiro256++ seeded through SplitMix64. They are
    /// computed with the platform's logarithm, whose last bit may differ on another platform.
    ///
    /// [`Process::Uniform`] needs no seed. In each part the first arrival is at the part's
    /// beginning, and number `k` is at `k/rate`, to the nearest nanosecond: there are
    /// `rate · duration` of them, rounded up.
    pub fn drawn(process: Process, profile: &Profile, seed: u64) -> Self {
        let stretches = Stretch::all(profile);
        Self::all(match process {
            Process::Poisson => Source::Poisson(Poisson::new(stretches, seed)),
            Process::Uniform => Source::Uniform(Uniform::new(stretches)),
        })
    }

    /// The arrivals of a trace, `speed` times as fast: 2.0 halves every time. `times` must not
    /// descend, as those of [`crate::load::trace::Trace::times`] and [`crate::load::trace::read_arrivals`].
    ///
    /// A speed that is not a finite number above 0 gives no arrivals; a command line refuses it.
    pub fn recorded(times: Arc<[u64]>, speed: f64) -> Self {
        Self::all(Source::Recorded(Recorded::new(times, speed)))
    }

    /// Every `of`-th arrival beginning with the `nth`, which counts from 0: what one of several
    /// generator threads sends. The shards `0..of` of equal arrivals are all of them, each once.
    ///
    /// The others are drawn all the same (of Poisson arrivals each takes a logarithm), because
    /// only then do the threads share one process. An `of` of 0 is taken for 1.
    #[must_use]
    pub fn shard(self, nth: usize, of: usize) -> Self {
        let stride = self.between.saturating_add(1);
        Self {
            passed: self.passed.saturating_add(nth.saturating_mul(stride)),
            between: stride.saturating_mul(of.max(1)) - 1,
            source: self.source,
        }
    }

    fn all(source: Source) -> Self {
        Self { source, passed: 0, between: 0 }
    }
}

impl Iterator for Arrivals {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let passed = std::mem::replace(&mut self.passed, self.between);
        match &mut self.source {
            Source::Poisson(poisson) => poisson.nth(passed),
            Source::Uniform(uniform) => uniform.nth(passed),
            Source::Recorded(recorded) => recorded.nth(passed),
        }
    }
}
