//! Time, injected: a graph reads the clock it was started with and no other.
//!
//! Reading the machine's clock costs about 25 ns, so the runtime reads it twice per batch and
//! shares the reading among the batch's events.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A moment, in whole nanoseconds since its clock's origin.
///
/// Only moments of one clock can be compared. 64 bits last 584 years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The clock's origin.
    pub const ZERO: Time = Time(0);
    /// Later than every moment a clock gives: "no deadline".
    pub const NEVER: Time = Time(u64::MAX);

    /// The moment `nanos` nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Time(nanos)
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the origin.
    pub fn as_secs_f64(self) -> f64 {
        Duration::from_nanos(self.0).as_secs_f64()
    }

    /// This moment plus `delay`; [`Time::NEVER`] if that is too far to be counted.
    pub fn after(self, delay: Duration) -> Self {
        Time(self.0.saturating_add(u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// Time passed since `earlier`; zero if `earlier` is not earlier.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }

    /// Nanoseconds passed since `earlier`; zero if `earlier` is not earlier.
    pub const fn nanos_since(self, earlier: Time) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Where a graph's time comes from.
///
/// Readings never go backwards, from whichever thread they are taken.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> Time;
}

/// The machine's monotonic clock; its origin is the moment it was made.
#[derive(Debug)]
pub struct MonotonicClock {
    origin: Instant,
}

impl MonotonicClock {
    /// A clock that starts now.
    #[expect(clippy::disallowed_methods, reason = "the one room that reads the machine's clock")]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for MonotonicClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for MonotonicClock {
    #[expect(clippy::disallowed_methods, reason = "the one room that reads the machine's clock")]
    fn now(&self) -> Time {
        // In a model no time passes: what happened must not depend on how long it took.
        if cfg!(seda_model) {
            return Time::ZERO;
        }
        let elapsed = Instant::now().saturating_duration_since(self.origin);
        Time::ZERO.after(elapsed)
    }
}

/// A clock that stands still until it is moved: for tests, stepped graphs and simulation.
#[derive(Debug, Default)]
pub struct ManualClock {
    nanos: AtomicU64,
}

impl ManualClock {
    /// A clock that stands at its origin.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward.
    pub fn advance(&self, step: Duration) {
        let step = u64::try_from(step.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(step, Ordering::SeqCst);
    }

    /// Moves the clock to `time`, or leaves it where it is if it is later already.
    pub fn advance_to(&self, time: Time) {
        self.nanos.fetch_max(time.as_nanos(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time(self.nanos.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Time::NEVER.after(Duration::from_secs(1)), Time::NEVER);
        assert_eq!(Time::ZERO.since(Time::from_nanos(5)), Duration::ZERO);
    }

    #[test]
    fn a_manual_clock_moves_only_forward() {
        let clock = ManualClock::new();
        clock.advance(Duration::from_nanos(10));
        clock.advance_to(Time::from_nanos(4));
        assert_eq!(clock.now(), Time::from_nanos(10));
        clock.advance_to(Time::from_nanos(40));
        assert_eq!(clock.now(), Time::from_nanos(40));
    }

    #[test]
    fn the_machine_clock_never_goes_backwards() {
        let clock = MonotonicClock::new();
        let first = clock.now();
        assert!(clock.now() >= first);
    }
}
