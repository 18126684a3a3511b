//! Estimates of a stage from its last ticks: smoothed, with outliers left out.

use crate::config::{Class, PerClass};
use crate::control::admission::law::{AdmissionObservation, FIRST_QUEUE};
use crate::control::admission::observation::{StageObservation, whole};
use crate::gate::CostModel;
use crate::platform::Time;
use crate::stats::{Ewma, OutlierFilter, Quantiles, are_outliers};
use std::time::Duration;

/// The mean service time, smoothed over eight events. One outlier must not close a gate, and a
/// change of demand must show after a few events.
const SERVICE: Ewma = Ewma::over(8.0);
/// The least number of service times for a 99th percentile: two of 200 are longer.
const TAIL_SAMPLES: u64 = 200;
/// The number of events over which the parts of classes are smoothed, to about a tenth.
const PART_SAMPLES: f64 = 64.0;
/// How long a class counts as present after its last event.
const PRESENT_FOR: Duration = Duration::from_secs(10);
/// A change of the parallelism by more than this factor is followed at once.
const STEADY_FACTOR: f64 = 1.5;
/// A smaller change is smoothed with this weight of the last tick, because shares of CPU time vary
/// from tick to tick.
const TICK_WEIGHT: f64 = 0.1;
/// A pool grows if the stage could serve this many times the events that its workers serve.
const GROWTH_FACTOR: f64 = 1.5;
/// How long a pool counts as growing. The requests that were admitted for new workers are served by
/// then.
const GROWTH_LASTS: Duration = Duration::from_secs(1);

/// The costs that requests have at their admission.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CostKind {
    /// Requests declare them; otherwise they follow from the route.
    pub(super) are_declared: bool,
    /// They differ between requests.
    pub(super) differ: bool,
}

/// Lower bounds of a class's service, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeastService {
    pub(super) mean: f64,
    /// The 99th percentile.
    pub(super) tail: f64,
}

/// The mean service time of a stage, in seconds.
#[derive(Default)]
struct ServiceMean {
    /// `None` before the first service.
    known: Option<f64>,
    /// The mean of the other stages of its pool: a guess until the first service.
    guess: Option<f64>,
}

/// The estimates of one stage.
#[derive(Default)]
pub(crate) struct Estimate {
    service: ServiceMean,
    /// Leaves out a tick that is far from those before it.
    outliers: OutlierFilter,
    /// Events served at once when all workers are busy.
    parallelism: Option<f64>,
    /// Whether the parallelism fell sharply in the last tick.
    fell: bool,
    /// When the pool was last about to grow.
    grows: Option<Time>,
    cost_model: CostModel,
    costs: CostKind,
    tail: Tail,
    /// Events of each class offered until the last tick.
    offered: PerClass<u64>,
    /// Events of each class handled until the last tick.
    handled: PerClass<u64>,
    /// The part of each class in the events handled; zero before the first.
    parts: PerClass<f64>,
    /// When each class was last seen.
    last_seen: PerClass<Option<Time>>,
}

impl Estimate {
    /// Returns the mean service time in seconds; `None` before the first service.
    pub(crate) fn service(&self) -> Option<f64> {
        self.service.known
    }

    /// Sets the mean service of the other stages of the pool, in seconds. It counts until the first
    /// service of the stage, which may be seconds away in a pool of many stages.
    pub(super) fn guess_service(&mut self, seconds: f64) {
        self.service.guess = Some(seconds);
    }

    /// Returns lower bounds, in seconds, of the mean and the 99th percentile of a class's service.
    ///
    /// Service times are not recorded by class. With several classes present, both are the first
    /// percentile over all of them. `None` if the class is absent, or too few events were served.
    pub(super) fn least_service(&self, class: Class) -> Option<LeastService> {
        let mean = self.service.known.filter(|_| self.is_present(class))?;
        if self.last_seen.iter().flatten().count() > 1 {
            let least = self.tail.extremes?.first;
            return Some(LeastService { mean: least, tail: least });
        }
        Some(LeastService { mean, tail: self.tail.extremes.map_or(mean, |known| known.last) })
    }

    /// Returns how many events are served at once when all workers are busy; `None` before the
    /// first tick.
    pub(crate) fn parallelism(&self) -> Option<f64> {
        self.parallelism
    }

    /// Returns the declared cost per second of service; `None` before a request with a declared
    /// cost was served.
    pub(crate) fn units_per_second(&self) -> Option<f64> {
        self.cost_model.units_per_second()
    }

    /// Returns whether requests of this class came lately.
    pub(crate) fn is_present(&self, class: Class) -> bool {
        self.last_seen[class].is_some()
    }

    /// Returns the seconds in which busy workers serve `requests`.
    pub(crate) fn seconds_for(&self, requests: f64) -> Option<f64> {
        let seconds = requests * self.service.known? / self.parallelism?;
        (seconds > 0.0).then_some(seconds)
    }

    /// Returns the part of handled events that is of higher classes, 0 to 1.
    pub(crate) fn part_of_higher(&self, class: Class) -> f64 {
        self.parts.iter().take(class.index()).sum::<f64>().min(1.0)
    }

    /// Returns the observation for the law of a class with this SLO.
    pub(crate) fn observation(
        &self,
        observed: &StageObservation,
        slo_seconds: f64,
    ) -> AdmissionObservation {
        let mut seen = observed.observation(slo_seconds, self.service.known, self.tail.p99);
        seen.cost_variation = self.cost_model.variation().filter(|_| self.costs.differ);
        seen.parallelism = self.parallelism.unwrap_or(seen.parallelism);
        // The workers are smoothed too: CPU shares vary from tick to tick, and one worker matters.
        seen.workers = whole(seen.parallelism);
        seen.service_mean = seen.service_mean.or_else(|| self.long_guess(&seen));
        seen.grows = self.grows.is_some();
        seen
    }

    /// Returns the guessed service if it is so long that the requests admitted before the first
    /// measurement would be late. A shorter one must not admit more of them: the stage may be the
    /// slowest of its pool.
    fn long_guess(&self, seen: &AdmissionObservation) -> Option<f64> {
        self.service.guess.filter(|mean| mean * FIRST_QUEUE > seen.slo_seconds * seen.parallelism)
    }

    /// Returns how long before its deadline an event must begin: the mean service. It is zero if
    /// that is more than half of the SLO; then only the wait counts.
    pub(crate) fn lead(&self, slo: Duration) -> Duration {
        let service = self.service.known.or(self.service.guess);
        let service = service.filter(|mean| *mean < slo.as_secs_f64() / 2.0);
        Duration::try_from_secs_f64(service.unwrap_or(0.0)).unwrap_or(Duration::ZERO)
    }

    /// Updates all estimates with the observation of a tick.
    ///
    /// Declared costs and those of routes have different units, so the cost model starts over on a
    /// change between them.
    pub(crate) fn update(&mut self, observed: &StageObservation, costs: CostKind, now: Time) {
        let before = std::mem::replace(&mut self.costs, costs);
        if before.are_declared != costs.are_declared {
            self.cost_model = CostModel::default();
        }
        self.update_service(observed);
        let parallelism = self.parallelism_after(observed);
        self.parallelism = Some(parallelism);
        if parallelism >= observed.pool_workers as f64 * GROWTH_FACTOR {
            self.grows = Some(now);
        }
        self.grows = self.grows.filter(|then| now.since(*then) < GROWTH_LASTS);
        self.update_presence(observed.offered_by_class, now);
        self.update_parts(observed.handled);
    }

    fn update_parts(&mut self, handled: PerClass<u64>) {
        let before = std::mem::replace(&mut self.handled, handled);
        let new = PerClass::from_fn(|class| handled[class].saturating_sub(before[class]) as f64);
        let n: f64 = new.iter().sum();
        if n > 0.0 {
            let weight = n / (n + PART_SAMPLES);
            for (part, new) in self.parts.iter_mut().zip(new) {
                *part += (new / n - *part) * weight;
            }
        }
    }

    fn update_service(&mut self, observed: &StageObservation) {
        let tick = &observed.service;
        if self.outliers.counts(are_outliers(tick, self.service.known, self.tail.p99)) {
            self.cost_model.update(&observed.served, tick.total_nanos() as f64 / 1e9);
            if let Some(mean) = tick.mean_seconds() {
                self.service.known =
                    Some(SERVICE.update(self.service.known, mean, tick.count() as f64));
            }
        }
        if tick.count() > 0 {
            self.tail.add(tick);
        }
    }

    /// Returns the parallelism after a tick. If the stage has its pool for itself, a fall counts
    /// only after two ticks, because another process may take the core for one.
    fn parallelism_after(&mut self, observed: &StageObservation) -> f64 {
        let now = observed.parallelism;
        let Some(old) = self.parallelism else { return now };
        let falls = now < old / STEADY_FACTOR;
        let again = std::mem::replace(&mut self.fell, falls);
        let momentary = falls && observed.alone && !again;
        let far = falls || now > old * STEADY_FACTOR;
        if far && !momentary { now } else { old + (now - old) * TICK_WEIGHT }
    }

    /// Marks the classes with new events as present.
    fn update_presence(&mut self, offered: PerClass<u64>, now: Time) {
        let before = std::mem::replace(&mut self.offered, offered);
        for (seen, (before, after)) in
            self.last_seen.iter_mut().zip(before.iter().zip(&self.offered))
        {
            if after > before {
                *seen = Some(now);
            } else if seen.is_some_and(|then| now.since(then) > PRESENT_FOR) {
                *seen = None;
            }
        }
    }
}

/// The last few hundred service times, in two generations: a full one replaces the one before it.
#[derive(Default)]
struct Tail {
    old: Quantiles,
    new: Quantiles,
    /// The 99th percentile of both generations, in seconds; `None` without service times.
    p99: Option<f64>,
    /// `None` before there are enough service times for both.
    extremes: Option<Extremes>,
}

/// The 1st and the 99th percentile, in seconds.
#[derive(Clone, Copy)]
struct Extremes {
    first: f64,
    last: f64,
}

impl Tail {
    fn add(&mut self, tick: &Quantiles) {
        self.new.add(tick);
        if self.new.count() >= TAIL_SAMPLES {
            self.old = std::mem::take(&mut self.new);
        }
        let mut both = self.old.clone();
        both.add(&self.new);
        self.p99 = both.quantile_seconds(0.99);
        let first = both.quantile_seconds(0.01).filter(|_| both.count() >= TAIL_SAMPLES);
        self.extremes = first.zip(self.p99).map(|(first, last)| Extremes { first, last });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parallelism after each of these ticks.
    fn parallelism(alone: bool, ticks: [f64; 4]) -> [f64; 4] {
        let mut estimate = Estimate { parallelism: Some(1.0), ..Estimate::default() };
        ticks.map(|parallelism| {
            let observed = StageObservation { parallelism, alone, ..StageObservation::default() };
            estimate.update(&observed, CostKind::default(), Time::ZERO);
            (estimate.parallelism.unwrap_or(0.0) * 100.0).round() / 100.0
        })
    }

    #[test]
    fn a_core_lost_for_one_tick_changes_little_and_for_two_ticks_is_followed() {
        assert_eq!(parallelism(true, [0.2, 1.0, 0.2, 0.2]), [0.92, 0.93, 0.86, 0.2]);
        assert_eq!(parallelism(true, [4.0, 4.0, 4.0, 1.0]), [4.0, 4.0, 4.0, 3.7]);
    }

    #[test]
    fn before_its_first_service_a_stage_counts_as_slow_as_its_pool_but_never_as_faster() {
        let slo = Duration::from_millis(200);
        let mut estimate = Estimate::default();
        let mut seen = StageObservation { parallelism: 0.5, ..StageObservation::default() };
        // Twelve services of 8 ms take 192 ms on half a worker, those of 9 ms 216 ms.
        let mut guessed = |millis: f64| {
            estimate.guess_service(millis / 1e3);
            (estimate.observation(&seen, slo.as_secs_f64()).service_mean, estimate.lead(slo))
        };
        assert_eq!(guessed(8.0), (None, Duration::from_millis(8)));
        assert_eq!(guessed(9.0), (Some(0.009), Duration::from_millis(9)));
        assert_eq!(guessed(150.0), (Some(0.15), Duration::ZERO));
        seen.service.record(1_000_000, 1);
        estimate.update(&seen, CostKind::default(), Time::ZERO);
        let known = estimate.observation(&seen, slo.as_secs_f64()).service_mean;
        assert_eq!((known, estimate.lead(slo)), (Some(0.001), Duration::from_millis(1)));
    }

    #[test]
    fn the_part_of_a_shared_pool_is_followed_at_once() {
        assert_eq!(parallelism(false, [0.2, 1.0, 0.2, 1.0]), [0.2, 1.0, 0.2, 1.0]);
    }
}
