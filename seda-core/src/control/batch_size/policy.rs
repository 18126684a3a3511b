//! The policy of batch sizes.

use crate::stats::Ewma;
use std::fmt;

/// A stage over the last tick, as the batch-size controller sees it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BatchObservation {
    /// Length of the tick, in seconds; never zero.
    pub seconds: f64,
    /// The most events that a worker takes at once now.
    pub size: usize,
    /// The upper bound: the stage's `batch` setting.
    pub max: usize,
    /// Batches that ended.
    pub batches: u64,
    /// Events of these batches.
    pub events: u64,
    /// Seconds that the workers spent on these batches.
    pub busy_seconds: f64,
    /// Of these, the seconds in handlers. `None` if some events were too short to be timed one by
    /// one; then only `busy_seconds` is known.
    pub service_seconds: Option<f64>,
}

/// Decides on a stage's batch size once per tick. Pure: the same observations give the same
/// answers.
///
/// ```
/// use seda_core::Graph;
/// use seda_core::control::{BatchObservation, BatchSizePolicy};
///
/// /// The largest batch that the setting allows.
/// struct Largest;
///
/// impl BatchSizePolicy for Largest {
///     fn decide(&mut self, seen: &BatchObservation) -> Option<(usize, String)> {
///         (seen.size < seen.max).then(|| (seen.max, "the setting allows it".to_owned()))
///     }
/// }
///
/// let mut graph = Graph::new("pages");
/// graph.batch_size_policy(|_stage| Largest);
/// ```
pub trait BatchSizePolicy: Send {
    /// Returns the most events that a worker should take at once, and the reason for the journal.
    /// `None` keeps the present size.
    fn decide(&mut self, seen: &BatchObservation) -> Option<(usize, String)>;
}

/// The share of the throughput of infinite batches that a size must sustain.
const SUSTAINED: f64 = 0.98;
/// The least overhead of a batch, in seconds: choosing a stage, taking the batch, publishing its
/// sends. `cargo bench -p benches --bench stage_hop` measures 340 ns per hop with batches of 1, and
/// 37 ns with batches of 32.
const LEAST_OVERHEAD: f64 = 300e-9;
/// The most overhead of a batch, in seconds, under any contention. A higher measurement comes from
/// workers that waited for a core.
const MOST_OVERHEAD: f64 = 10e-6;
/// Overhead smoothed over 1,024 batches, and service time over as many events.
const SMOOTHED: Ewma = Ewma::over(1_024.0);
/// A tick with fewer events changes nothing.
const LEAST_EVENTS: u64 = 32;
/// A size that is too large by less than this factor is kept. Otherwise the next power of two below
/// it might be too small at the next tick.
const MARGIN: f64 = 2.0;

/// The smallest batch that sustains throughput.
///
/// The size is large enough that the overhead of a batch is small beside the service of its events.
/// It is no larger, because events of any class that arrive during a batch wait for its end, and
/// other workers find fewer events. The SEDA paper's batching controller (SOSP 2001, section 4.2)
/// finds the size by trial; here it follows from two measurements.
///
/// A batch takes only queued events, so at an idle stage it has one event at any size.
#[derive(Clone, Debug, Default)]
pub(crate) struct SmallestBatch {
    /// The overhead of a batch, in seconds.
    overhead: Option<f64>,
    /// The service time of an event, in seconds.
    service: Option<f64>,
}

impl SmallestBatch {
    /// Updates both measurements; returns the overhead of a batch and the service time of an event.
    fn update(&mut self, seen: &BatchObservation) -> (f64, f64) {
        if let Some(service) = seen.service_seconds.filter(|_| seen.batches > 0) {
            let n = seen.batches as f64;
            let now = ((seen.busy_seconds - service) / n).clamp(0.0, MOST_OVERHEAD);
            self.overhead = Some(SMOOTHED.update(self.overhead, now, n));
        }
        // Without times of single events the overhead of their batch is part of their service.
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
        let (overhead, service) = self.update(seen);
        if seen.events < LEAST_EVENTS {
            return None;
        }
        let needed = overhead / service * SUSTAINED / (1.0 - SUSTAINED);
        // A float beyond every batch saturates in the cast; NaN becomes 0.
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

    /// A tick with 1,000 batches of ten events; an event takes `micros` microseconds.
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
    fn a_batch_is_so_large_that_its_overhead_is_two_percent() {
        // 49 times 0.3 us, in powers of two.
        assert_eq!([0.1, 1.0, 4.0, 10.0, 20.0, 1e3].map(settled), [32, 32, 8, 4, 2, 1]);
    }

    #[test]
    fn events_too_short_to_be_timed_come_in_the_largest_batches() {
        let seen = BatchObservation { service_seconds: None, ..tick(32, 0.1) };
        assert_eq!(SmallestBatch::default().decide(&seen), None);
        assert_eq!(
            SmallestBatch::default().decide(&BatchObservation { size: 4, ..seen }).unwrap().0,
            32
        );
    }

    #[test]
    fn overhead_under_contention_makes_batches_larger() {
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
        // Without the margin 7.9 would give 8, and 8.1 would give 16.
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
        fn the_size_is_within_the_setting_for_any_observation(
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
