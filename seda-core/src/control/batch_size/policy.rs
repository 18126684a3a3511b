//! How many events a worker should take at once.

use crate::stats::Ewma;
use std::fmt;

/// A stage over the last tick, as the batch-size controller sees it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BatchObservation {
    /// Length of the tick, in seconds; never zero.
    pub seconds: f64,
    /// The most events that are taken at once now.
    pub size: usize,
    /// The most that the stage's `batch` setting allows.
    pub max: usize,
    /// Batches that were ended, and events that ended with them.
    pub batches: u64,
    /// See `batches`.
    pub events: u64,
    /// Seconds that the workers spent on these batches.
    pub busy_seconds: f64,
    /// Of these, those in which handlers ran; `None` if some events were too short to be timed one
    /// by one: then only the whole is known.
    pub service_seconds: Option<f64>,
}

/// Decides on a stage's batches once per tick. Pure: the same observations give the same answers.
pub trait BatchSizePolicy: Send {
    /// The most events that a worker should take at once, and why; `None`: as many as now.
    fn decide(&mut self, seen: &BatchObservation) -> Option<(usize, String)>;
}

/// The share of the throughput of endless batches that is to be sustained.
const SUSTAINED: f64 = 0.98;
/// What a batch costs beside its events, in seconds, before more was measured: to choose a stage,
/// take the batch, publish its sends. `cargo bench -p benches --bench stage_hop` with batches of 1
/// instead of 32: 340 instead of 37 ns per hop.
const LEAST_OVERHEAD: f64 = 300e-9;
/// More than a batch costs under any contention; more than this is measured of workers that had to
/// wait for a core.
const MOST_OVERHEAD: f64 = 10e-6;
/// Over how many batches what they cost is smoothed, and over how many events what those take.
const SMOOTHED: Ewma = Ewma::over(1_024.0);
/// Fewer events in a tick are no reason to change anything.
const LEAST_EVENTS: u64 = 32;
/// A size that was too large by less than this is kept: the next power of two below it must not be
/// too small again with the next tick.
const MARGIN: f64 = 2.0;

/// The smallest batch that sustains throughput: so large that what it costs to take and to end it
/// is lost beside its events, and no larger, as whoever comes meanwhile waits for it, of whatever
/// class, and other workers have less to take. The SEDA paper's batching controller (SOSP 2001,
/// section 4.2) finds it by trial; here it follows from two figures that are measured.
///
/// A batch takes what is there: at an idle stage that is one event, whatever the size.
#[derive(Clone, Debug, Default)]
pub(crate) struct SmallestBatch {
    /// What a batch cost beside its events, in seconds.
    overhead: Option<f64>,
    /// What an event took.
    service: Option<f64>,
}

impl SmallestBatch {
    /// What a batch costs, and what an event takes.
    fn learn(&mut self, seen: &BatchObservation) -> (f64, f64) {
        if let Some(service) = seen.service_seconds.filter(|_| seen.batches > 0) {
            let n = seen.batches as f64;
            let now = ((seen.busy_seconds - service) / n).clamp(0.0, MOST_OVERHEAD);
            self.overhead = Some(SMOOTHED.update(self.overhead, now, n));
        }
        // Of events that are not timed one by one the whole is known: they look longer than they
        // are, by what their batch cost.
        let n = seen.events as f64;
        let now = seen.service_seconds.unwrap_or(seen.busy_seconds) / n;
        if now.is_finite() {
            self.service = Some(SMOOTHED.update(self.service, now, n));
        }
        (self.overhead.unwrap_or(0.0).max(LEAST_OVERHEAD), self.service.unwrap_or(0.0))
    }
}

impl BatchSizePolicy for SmallestBatch {
    fn decide(&mut self, seen: &BatchObservation) -> Option<(usize, String)> {
        let (overhead, service) = self.learn(seen);
        if seen.events < LEAST_EVENTS {
            return None;
        }
        let needed = overhead / service * SUSTAINED / (1.0 - SUSTAINED);
        // A float beyond every batch saturates in the cast, NaN becomes 0.
        let whole = |size: f64| (size.ceil() as usize).clamp(1, seen.max.max(1));
        let size = |needed: f64| whole(needed).next_power_of_two().min(seen.max.max(1));
        let (enough, generous) = (size(needed), size(needed * MARGIN));
        let size = if enough > seen.size { enough } else { generous.min(seen.size) };
        (size != seen.size).then(|| {
            let why = format!("{} per event, {} per batch", Micros(service), Micros(overhead));
            (size, why)
        })
    }
}

struct Micros(f64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} us", self.0 * 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A tick with 1,000 batches of ten events that take so many microseconds.
    fn tick(size: usize, micros: f64) -> BatchObservation {
        let service = micros * 1e-6 * 10_000.0;
        BatchObservation {
            seconds: 0.1,
            size,
            max: 32,
            batches: 1_000,
            events: 10_000,
            busy_seconds: service + 1_000.0 * 300e-9,
            service_seconds: Some(service),
        }
    }

    fn settled(micros: f64) -> usize {
        let (mut policy, mut size) = (SmallestBatch::default(), 32);
        for _ in 0..10 {
            size = policy.decide(&tick(size, micros)).map_or(size, |(size, _)| size);
        }
        size
    }

    #[test]
    fn a_batch_is_as_long_as_makes_its_own_cost_two_percent() {
        // 49 times 0.3 us, in powers of two.
        assert_eq!([0.1, 1.0, 4.0, 10.0, 20.0, 1e3].map(settled), [32, 32, 8, 4, 2, 1]);
    }

    #[test]
    fn events_too_short_to_be_timed_keep_the_whole_batch() {
        let seen = BatchObservation { service_seconds: None, ..tick(32, 0.1) };
        assert_eq!(SmallestBatch::default().decide(&seen), None);
        assert_eq!(
            SmallestBatch::default().decide(&BatchObservation { size: 4, ..seen }).unwrap().0,
            32
        );
    }

    #[test]
    fn what_a_batch_costs_under_contention_makes_it_longer() {
        let mut seen = tick(8, 4.0);
        seen.busy_seconds += 1_000.0 * 1.2e-6;
        let mut policy = SmallestBatch::default();
        assert_eq!(
            policy.decide(&seen).unwrap(),
            (32, "4.00 us per event, 1.50 us per batch".to_owned())
        );
    }

    #[test]
    fn a_size_near_an_edge_stays() {
        let mut policy = SmallestBatch::default();
        // 7.9 and 8.1 would be 8 and 16.
        assert_eq!(policy.decide(&tick(32, 14.7 / 7.9)).unwrap().0, 16);
        assert_eq!(policy.decide(&tick(16, 14.7 / 7.9)), None);
        assert_eq!(policy.decide(&tick(16, 14.7 / 8.1)), None);
    }

    #[test]
    fn a_few_events_change_nothing() {
        let seen = BatchObservation { events: 31, ..tick(32, 1e3) };
        assert_eq!(SmallestBatch::default().decide(&seen), None);
    }

    proptest! {
        #[test]
        fn whatever_is_seen_the_size_is_within_the_setting(
            (busy, service) in (proptest::num::f64::ANY, proptest::num::f64::ANY),
            (size, max) in (0_usize..100, 0_usize..100),
            (batches, events) in (0_u64..1_000_000, 0_u64..1_000_000),
        ) {
            let mut policy = SmallestBatch::default();
            let seen = BatchObservation {
                seconds: 0.1, size, max, batches, events,
                busy_seconds: busy,
                service_seconds: Some(service),
            };
            for _ in 0..3 {
                if let Some((size, _)) = policy.decide(&seen) {
                    prop_assert!((1..=max.max(1)).contains(&size));
                }
            }
        }
    }
}
