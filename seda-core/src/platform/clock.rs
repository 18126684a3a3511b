//! Injected time: a graph reads only the clock that it was started with.
//!
//! Reading the machine's clock costs about 25 ns. The runtime reads it twice per batch, and all
//! events of the batch share the readings.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A moment, in whole nanoseconds since its clock's origin.
///
/// Moments of different clocks must not be compared. 64 bits last 584 years.
///
/// ```
/// use seda_core::Time;
/// use std::time::Duration;
///
/// let start = Time::from_nanos(500);
/// let end = start.after(Duration::from_nanos(20));
/// assert_eq!(end.since(start), Duration::from_nanos(20));
/// assert_eq!(start.since(end), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The clock's origin.
    pub const ZERO: Time = Time(0);
    /// A moment later than every reading of a clock. As a deadline: none.
    pub const NEVER: Time = Time(u64::MAX);

    /// Returns the moment `nanos` nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Time(nanos)
    }

    /// Returns the nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns the seconds since the origin.
    pub fn as_secs_f64(self) -> f64 {
        Duration::from_nanos(self.0).as_secs_f64()
    }

    /// Returns this moment plus `delay`, or [`Time::NEVER`] if the sum exceeds 64 bits.
    pub fn after(self, delay: Duration) -> Self {
        Time(self.0.saturating_add(u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// Returns the time from `earlier` to this moment; zero if `earlier` is not earlier.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }

    /// Returns the nanoseconds from `earlier` to this moment; 0 if `earlier` is not earlier.
    pub const fn nanos_since(self, earlier: Time) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The source of a graph's time.
///
/// Readings never decrease, also between threads. [`MonotonicClock`] is the clock of production,
/// [`ManualClock`] that of tests and simulations.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Returns the present moment.
    fn now(&self) -> Time;
}

/// The machine's monotonic clock. Its origin is its creation.
#[derive(Debug)]
pub struct MonotonicClock {
    origin: Instant,
}

impl MonotonicClock {
    /// Returns a clock with the present moment as its origin.
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
        // In a model no time passes, because its outcome must not depend on durations.
        if cfg!(seda_model) {
            return Time::ZERO;
        }
        let elapsed = Instant::now().saturating_duration_since(self.origin);
        Time::ZERO.after(elapsed)
    }
}

/// A clock that stands still until it is advanced: for tests, stepped graphs and simulations.
///
/// ```
/// use seda_core::{Clock, ManualClock};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// clock.advance(Duration::from_millis(5));
/// assert_eq!(clock.now().as_secs_f64(), 0.005);
/// ```
#[derive(Debug, Default)]
pub struct ManualClock {
    nanos: AtomicU64,
}

impl ManualClock {
    /// Returns a clock that stands at its origin.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward by `step`.
    pub fn advance(&self, step: Duration) {
        let step = u64::try_from(step.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(step, Ordering::SeqCst);
    }

    /// Moves the clock forward to `time`; does nothing if the clock is already later.
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
    fn time_arithmetic_saturates_at_both_ends() {
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
