//! The served part of the costs inside a gate.

use crate::platform::Time;
use crate::platform::sync::{AtomicU64, Mutex, Ordering};

/// The requests with a cost that are in service at one stage. The served part of their cost takes
/// no further time, so it does not fill the gate.
#[derive(Debug, Default)]
pub(super) struct InService {
    sums: Mutex<Sums>,
    /// Units of cost that a second of service is worth, as the bits of an `f64`.
    pace: AtomicU64,
    /// The number of requests that are served at once at that pace, as the bits of an `f64`.
    /// Further requests share the pace.
    parallelism: AtomicU64,
}

#[derive(Debug, Default)]
struct Sums {
    requests: u64,
    cost: u64,
    /// The sum of the times at which the requests began, in nanoseconds.
    begun: u128,
}

impl InService {
    pub(super) fn begin(&self, cost: u64, now: Time) {
        let mut sums = self.sums.lock();
        sums.requests += 1;
        sums.cost += cost;
        sums.begun += u128::from(now.as_nanos());
    }

    /// Ends the service of a request that began at `begun`.
    pub(super) fn end(&self, cost: u64, begun: Time) {
        let mut sums = self.sums.lock();
        debug_assert!(sums.requests > 0 && cost <= sums.cost, "more services end than began");
        sums.requests = sums.requests.saturating_sub(1);
        sums.cost = sums.cost.saturating_sub(cost);
        sums.begun = sums.begun.saturating_sub(u128::from(begun.as_nanos()));
    }

    pub(super) fn set_pace(&self, units_per_second: f64, parallelism: f64) {
        self.pace.store(units_per_second.to_bits(), Ordering::Relaxed);
        self.parallelism.store(parallelism.to_bits(), Ordering::Relaxed);
    }

    /// Returns the served units of cost at `now`. A single request that takes longer than its cost
    /// counts as served for no more than its cost; of several requests the sum is bounded.
    pub(super) fn served(&self, now: Time) -> u64 {
        let sums = self.sums.lock();
        let nanos =
            (u128::from(now.as_nanos()) * u128::from(sums.requests)).saturating_sub(sums.begun);
        let pace = f64::from_bits(self.pace.load(Ordering::Relaxed));
        let parallelism = f64::from_bits(self.parallelism.load(Ordering::Relaxed));
        let each = (parallelism / sums.requests.max(1) as f64).min(1.0);
        // The cast saturates and turns NaN into 0.
        ((nanos as f64 / 1e9 * pace * each) as u64).min(sums.cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn requests_in_service_are_served_at_the_pace_and_never_beyond_their_cost() {
        let here = InService::default();
        here.begin(50, at(100));
        assert_eq!(here.served(at(120)), 0, "the pace is unknown");
        here.set_pace(1_000.0, 2.0);
        assert_eq!([100, 120, 150, 900].map(|now| here.served(at(now))), [0, 20, 50, 50]);
        here.begin(30, at(110));
        assert_eq!([120, 200].map(|now| here.served(at(now))), [30, 80]);
        here.end(50, at(100));
        assert_eq!([120, 200].map(|now| here.served(at(now))), [10, 30]);
        here.end(30, at(110));
        assert_eq!(here.served(at(200)), 0);
    }

    #[test]
    fn a_clock_reading_before_the_beginning_counts_as_nothing_served() {
        let here = InService::default();
        here.set_pace(1_000.0, 1.0);
        here.begin(50, at(100));
        assert_eq!(here.served(at(99)), 0);
    }

    #[test]
    fn more_requests_than_are_served_at_once_share_the_pace() {
        let here = InService::default();
        here.set_pace(1_000.0, 1.0);
        (0..4).for_each(|_| here.begin(50, at(100)));
        assert_eq!([120, 180].map(|now| here.served(at(now))), [20, 80]);
    }
}
