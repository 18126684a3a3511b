//! A part of a profile on the time axis of a run.

use super::Profile;

/// Nanoseconds in a second.
const NANOS: f64 = 1_000_000_000.0;

/// A part of a profile on the time axis of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    /// The beginning, in nanoseconds since the run began.
    pub(super) start: u64,
    /// The length in nanoseconds: exact in an `f64`, because a profile is bounded.
    pub(super) nanos: f64,
    /// Arrivals per second.
    pub(super) rate: f64,
}

impl Stretch {
    /// Returns all parts of a profile, each beginning where the previous one ends.
    pub(super) fn all(profile: &Profile) -> Vec<Self> {
        let mut stretches = Vec::with_capacity(profile.parts().len());
        let mut start = 0;
        for part in profile.parts() {
            // A profile lasts 100 days at most, which 64 bits of nanoseconds hold.
            let nanos = part.duration.as_nanos() as u64;
            stretches.push(Self { start, nanos: nanos as f64, rate: part.rate });
            start += nanos;
        }
        stretches
    }

    /// Returns the mean gap in nanoseconds: infinite in a pause.
    pub(super) fn gap(&self) -> f64 {
        NANOS / self.rate
    }

    /// Returns the mean number of arrivals.
    pub(super) fn expected(&self) -> f64 {
        self.rate * self.nanos / NANOS
    }

    /// Returns arrival number `k` of a uniform process, in nanoseconds since the run began. It is
    /// computed from `k`, so that errors do not add up.
    pub(super) fn evenly(&self, k: u64) -> u64 {
        let offset = (k as f64 * NANOS / self.rate).round();
        // An arrival less than half a nanosecond before the end would be rounded to the end.
        self.start.saturating_add(offset.min(self.nanos - 1.0) as u64)
    }
}
