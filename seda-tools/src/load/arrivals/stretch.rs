//! A part of a profile in the units of a run.

use super::Profile;

/// Nanoseconds in a second.
const NANOS: f64 = 1_000_000_000.0;

/// A part of a profile, placed on the run's time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    /// When it begins, in nanoseconds since the run began.
    pub(super) start: u64,
    /// How long it lasts, in nanoseconds: exact in an `f64`, because a profile is bounded.
    pub(super) nanos: f64,
    /// Arrivals per second.
    pub(super) rate: f64,
}

impl Stretch {
    /// All parts, each beginning where the one before it ends.
    pub(super) fn all(profile: &Profile) -> Vec<Self> {
        let mut start = 0u64;
        let parts = profile.parts().iter().map(|part| {
            let nanos = u64::try_from(part.duration.as_nanos()).unwrap_or(u64::MAX);
            let stretch = Self { start, nanos: nanos as f64, rate: part.rate };
            start = start.saturating_add(nanos);
            stretch
        });
        parts.collect()
    }

    /// The mean gap, in nanoseconds: infinite in a pause.
    pub(super) fn gap(&self) -> f64 {
        NANOS / self.rate
    }

    /// The mean number of arrivals.
    pub(super) fn expected(&self) -> f64 {
        self.rate * self.nanos / NANOS
    }

    /// The arrival number `k` of evenly spaced ones, in nanoseconds since the run began: computed
    /// from `k`, so that no error adds up.
    pub(super) fn evenly(&self, k: u64) -> u64 {
        let offset = (k as f64 * NANOS / self.rate).round();
        // An arrival less than half a nanosecond before the end would be rounded onto it.
        self.start.saturating_add(offset.min(self.nanos - 1.0) as u64)
    }
}
