//! How many requests are under way: the time integral of their number.

use seda_core::Time;

/// The integral of the number under way over one stretch of time.
///
/// Taken from the number itself at each change, not from rates or response times: Little's law
/// would hold by construction otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Occupancy {
    from: Time,
    to: Time,
    changed: Time,
    now: u64,
    max: u64,
    /// In requests times nanoseconds.
    integral: u128,
}

impl Occupancy {
    /// Of the time between `from` and `to`.
    pub(crate) fn new(from: Time, to: Time) -> Self {
        Self { from, to, changed: Time::ZERO, now: 0, max: 0, integral: 0 }
    }

    /// A request was meant to start at `intended` and is begun at `at`.
    pub(crate) fn enter(&mut self, intended: Time, at: Time) {
        self.advance(at);
        // It is under way since it was meant to be, however late the generator is.
        self.integral += u128::from(self.inside(intended, at));
        self.now += 1;
        self.max = self.max.max(self.now);
    }

    /// A request ended.
    pub(crate) fn leave(&mut self, at: Time) {
        self.advance(at);
        self.now = self.now.saturating_sub(1);
    }

    /// Adds another thread's.
    pub(crate) fn add(&mut self, other: &Occupancy) {
        self.integral += other.integral;
        self.max += other.max;
    }

    /// The mean, of what had been when the run was ended at `until`.
    pub(crate) fn mean(&self, until: Time) -> f64 {
        let nanos = self.to.min(until).nanos_since(self.from);
        if nanos == 0 { 0.0 } else { self.integral as f64 / nanos as f64 }
    }

    /// The most at once; of several threads the sum of each one's most, which is no less.
    pub(crate) fn max(&self) -> u64 {
        self.max
    }

    fn advance(&mut self, at: Time) {
        let nanos = self.inside(self.changed, at);
        self.integral += u128::from(nanos) * u128::from(self.now);
        self.changed = self.changed.max(at);
    }

    /// Nanoseconds between two moments that are within the stretch.
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
    fn the_mean_is_of_the_stretch_alone() {
        let mut occupancy = Occupancy::new(at(100), at(200));
        occupancy.enter(at(50), at(60));
        occupancy.enter(at(150), at(160));
        occupancy.leave(at(180));
        occupancy.leave(at(400));
        // One for all 100, the other from 150 to 180, or the other way round.
        assert_eq!(occupancy.mean(Time::NEVER), 1.3);
        assert_eq!(occupancy.max(), 2);
    }

    #[test]
    fn a_stretch_that_was_cut_short_is_averaged_over_what_there_was() {
        let mut occupancy = Occupancy::new(at(0), at(1_000));
        occupancy.enter(at(0), at(0));
        occupancy.leave(at(50));
        assert_eq!(occupancy.mean(at(100)), 0.5);
        assert_eq!(Occupancy::new(at(5), at(9)).mean(at(5)), 0.0);
    }
}
