//! The number of requests under way, integrated over time.

use seda_core::Time;

/// The integral of the number of requests under way over one window of time.
///
/// It is updated at each change of the number. It does not use rates or response times, because
/// Little's law would then hold by construction.
#[derive(Clone, Debug)]
pub(crate) struct Occupancy {
    from: Time,
    to: Time,
    changed: Time,
    now: u64,
    max: u64,
    /// In requests · nanoseconds.
    integral: u128,
}

impl Occupancy {
    /// Integrates from `from` to `to`.
    pub(crate) fn new(from: Time, to: Time) -> Self {
        Self { from, to, changed: Time::ZERO, now: 0, max: 0, integral: 0 }
    }

    /// Adds a request that is started at `at` and was due at `intended`.
    pub(crate) fn enter(&mut self, intended: Time, at: Time) {
        self.advance(at);
        // The request counts from its intended start, even if the generator is late.
        self.integral += u128::from(self.inside(intended, at));
        self.now += 1;
        self.max = self.max.max(self.now);
    }

    /// Removes a request that has ended.
    pub(crate) fn leave(&mut self, at: Time) {
        self.advance(at);
        self.now = self.now.saturating_sub(1);
    }

    /// Ends the window at `to`, if it ends later.
    pub(crate) fn shorten(&mut self, to: Time) {
        self.to = self.to.min(to);
    }

    /// Adds the count of another thread.
    pub(crate) fn add(&mut self, other: &Occupancy) {
        self.integral += other.integral;
        self.max += other.max;
    }

    /// Returns the mean over the window, or over its part before `until`.
    pub(crate) fn mean(&self, until: Time) -> f64 {
        let nanos = self.to.min(until).nanos_since(self.from);
        if nanos == 0 { 0.0 } else { self.integral as f64 / nanos as f64 }
    }

    /// Returns the maximum. For several threads it is the sum of their maxima: an upper bound.
    pub(crate) fn max(&self) -> u64 {
        self.max
    }

    fn advance(&mut self, at: Time) {
        let nanos = self.inside(self.changed, at);
        self.integral += u128::from(nanos) * u128::from(self.now);
        self.changed = self.changed.max(at);
    }

    /// Returns the nanoseconds between two times that lie within the window.
    fn inside(&self, from: Time, to: Time) -> u64 {
        to.min(self.to).nanos_since(from.max(self.from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Time {
        Time::from_nanos(nanos)
    }

    #[test]
    fn the_mean_is_taken_over_the_window_alone() {
        let mut occupancy = Occupancy::new(at(100), at(200));
        occupancy.enter(at(50), at(60));
        occupancy.enter(at(150), at(160));
        occupancy.leave(at(180));
        occupancy.leave(at(400));
        // One request for all 100 ns, another from 150 to 180.
        assert_eq!(occupancy.mean(Time::NEVER), 1.3);
        assert_eq!(occupancy.max(), 2);
    }

    #[test]
    fn a_window_that_was_cut_short_is_averaged_over_its_actual_length() {
        let mut occupancy = Occupancy::new(at(0), at(1_000));
        occupancy.enter(at(0), at(0));
        occupancy.leave(at(50));
        assert_eq!(occupancy.mean(at(100)), 0.5);
        assert_eq!(Occupancy::new(at(5), at(9)).mean(at(5)), 0.0);
    }
}
