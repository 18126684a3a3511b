//! Estimates of a stage from its last ticks: smoothed, with outliers left out.

use crate::config::{Class, PerClass};
use crate::control::admission::law::{AdmissionObservation, FIRST_BURST, HORIZON};
use crate::control::admission::observation::{StageObservation, whole};
use crate::control::admission::route_time::{RouteTime, StageTime};
use crate::gate::CostModel;
use crate::platform::Time;
use crate::stats::{Ewma, OutlierFilter, Quantiles, are_outliers};
use std::time::Duration;

/// The mean service time, smoothed over eight events. One outlier must not close a gate, and a
/// change of demand must show after a few events.
const SERVICE: Ewma = Ewma::over(8.0);
/// The wait, smoothed over three ticks.
const WAIT: Ewma = Ewma::over(3.0);
/// The time, in seconds, over which the requests elsewhere are averaged.
const ELSEWHERE_MEMORY: f64 = 0.5;
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
    /// The 90th percentile of the wait, in seconds, smoothed.
    wait: Option<f64>,
    elsewhere: Elsewhere,
    /// The events of each class.
    classes: PerClass<ClassCounts>,
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

    /// Returns the requests that busy workers serve in `seconds`; 0 before the first service.
    pub(crate) fn in_seconds(&self, seconds: f64) -> f64 {
        let rate = self.service.known.zip(self.parallelism).map(|(service, all)| all / service);
        rate.map_or(0.0, |rate| rate * seconds)
    }

    /// Returns the part of handled events that is of higher classes, 0 to 1.
    pub(crate) fn part_of_higher(&self, class: Class) -> f64 {
        self.classes.iter().take(class.index()).map(|counts| counts.part).sum::<f64>().min(1.0)
    }

    /// Returns the services and waits of the stage; `None` before the first service.
    pub(super) fn stage_time(&self) -> Option<StageTime> {
        let service = self.service.known.or(self.service.guess)?;
        let p99 = self.tail.p99.unwrap_or(service).max(service);
        Some(StageTime { service, p99, wait: self.wait.unwrap_or(0.0) })
    }

    /// Returns the observation for the law of a `class` with this SLO, where `route` takes the most
    /// time of all routes through the stage.
    pub(crate) fn observation(
        &self,
        observed: &StageObservation,
        class: Class,
        slo: Option<Duration>,
        route: RouteTime,
    ) -> AdmissionObservation {
        let mut seen = observed.observation();
        // A class is served before lower ones, so that these are no load for it.
        let with_higher = || self.classes.iter().take(class.index() + 1);
        seen.offered = with_higher().map(|counts| counts.offered.new).sum();
        let refused = with_higher().map(|counts| counts.refused.new).sum();
        seen.admitted = seen.offered.saturating_sub(refused);
        seen.slo_seconds = slo.map(|slo| slo.as_secs_f64());
        seen.slack_p99 = seen.slo_seconds.map(|slo| route.slack_p99(slo));
        seen.slack_mean = seen.slo_seconds.map(|slo| route.slack_mean(slo));
        seen.service_mean = self.service.known;
        seen.service_p99 = self.tail.p99;
        seen.service_variation = self.tail.variation;
        seen.cost_variation = self.cost_model.variation().filter(|_| self.costs.differ);
        seen.parallelism = self.parallelism.unwrap_or(seen.parallelism);
        // The workers are smoothed too: CPU shares vary from tick to tick, and one worker matters.
        seen.workers = whole(seen.parallelism).max(1);
        seen.service_mean = seen.service_mean.or_else(|| self.long_guess(&seen));
        seen.grows = self.grows.is_some();
        let rate = self.service.known.map_or(0.0, |service| seen.parallelism / service);
        seen.elsewhere = self.elsewhere.at(rate).max(seen.elsewhere);
        seen
    }

    /// Returns the guessed service if it is so long that the requests admitted before the first
    /// measurement would be late. A shorter one must not admit more of them: the stage may be the
    /// slowest of its pool.
    fn long_guess(&self, seen: &AdmissionObservation) -> Option<f64> {
        let in_time = seen.slo_seconds.unwrap_or(HORIZON) * seen.parallelism;
        self.service.guess.filter(|mean| mean * FIRST_BURST > in_time)
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
        let is_new = self.service.known.is_none();
        self.update_service(observed);
        // Before the first service the parallelism was what the settings allow. A first burst of
        // long services cannot wait for the second tick.
        if is_new && self.service.known.is_some_and(|mean| mean * FIRST_BURST > HORIZON) {
            self.parallelism = None;
        }
        if let Some(wait) = observed.wait.quantile_seconds(0.9) {
            self.wait = Some(WAIT.update(self.wait, wait, 1.0));
        }
        self.elsewhere.add(observed);
        let parallelism = self.parallelism_after(observed);
        self.parallelism = Some(parallelism);
        if parallelism >= observed.pool_workers as f64 * GROWTH_FACTOR {
            self.grows = Some(now);
        }
        self.grows = self.grows.filter(|then| now.since(*then) < GROWTH_LASTS);
        self.update_presence(observed, now);
        self.update_parts(observed.handled);
    }

    fn update_parts(&mut self, handled: PerClass<u64>) {
        self.classes.iter_mut().zip(handled).for_each(|(counts, n)| counts.handled.update(n));
        let n: u64 = self.classes.iter().map(|counts| counts.handled.new).sum();
        if n > 0 {
            let weight = n as f64 / (n as f64 + PART_SAMPLES);
            for counts in self.classes.iter_mut() {
                counts.part += (counts.handled.new as f64 / n as f64 - counts.part) * weight;
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

    /// Returns the parallelism after a tick. A fall counts only after two ticks, because another
    /// process may take the core for one.
    fn parallelism_after(&mut self, observed: &StageObservation) -> f64 {
        let now = observed.parallelism;
        let Some(old) = self.parallelism else { return now };
        let falls = now < old / STEADY_FACTOR;
        let again = std::mem::replace(&mut self.fell, falls);
        let momentary = falls && !again;
        let far = falls || now > old * STEADY_FACTOR;
        if far && !momentary { now } else { old + (now - old) * TICK_WEIGHT }
    }

    /// Marks the classes with new events as present.
    fn update_presence(&mut self, observed: &StageObservation, now: Time) {
        for class in Class::ALL {
            let counts = &mut self.classes[class];
            counts.offered.update(observed.offered_by_class[class]);
            counts.refused.update(observed.refused_by_class[class]);
            let seen = &mut self.last_seen[class];
            if counts.offered.new > 0 {
                *seen = Some(now);
            } else if seen.is_some_and(|then| now.since(then) > PRESENT_FOR) {
                *seen = None;
            }
        }
    }
}

/// The events of one class.
#[derive(Clone, Copy, Debug, Default)]
struct ClassCounts {
    offered: Count,
    /// Of the events offered, those refused at the gate.
    refused: Count,
    handled: Count,
    /// The part of the class in all events handled, smoothed; zero before the first.
    part: f64,
}

/// A count since the graph began, and its growth during the last tick.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    total: u64,
    new: u64,
}

impl Count {
    fn update(&mut self, total: u64) {
        self.new = total.saturating_sub(self.total);
        self.total = total;
    }
}

/// The time that requests spend at other stages, in decaying sums.
#[derive(Clone, Copy, Debug, Default)]
struct Elsewhere {
    /// Requests elsewhere, times the seconds that they were there.
    request_seconds: f64,
    /// Events that the stage served in this time.
    served: f64,
}

impl Elsewhere {
    fn add(&mut self, observed: &StageObservation) {
        let kept = (-observed.seconds.max(0.0) / ELSEWHERE_MEMORY).exp();
        self.request_seconds =
            self.request_seconds * kept + observed.elsewhere * observed.seconds.max(0.0);
        self.served = self.served * kept + observed.completed as f64;
    }

    /// Returns how many requests are elsewhere while the stage serves `rate` events per second, by
    /// Little's law.
    fn at(&self, rate: f64) -> f64 {
        if self.served < 0.5 || !rate.is_finite() {
            return 0.0;
        }
        rate * self.request_seconds / self.served
    }
}

/// The last few hundred service times, in two generations: a full one replaces the one before it.
#[derive(Default)]
struct Tail {
    old: Quantiles,
    new: Quantiles,
    /// The 99th percentile of both generations, in seconds; `None` without service times.
    p99: Option<f64>,
    /// The squared coefficient of variation of both; `None` without service times.
    variation: Option<f64>,
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
        self.variation = both.variation();
        let first = both.quantile_seconds(0.01).filter(|_| both.count() >= TAIL_SAMPLES);
        self.extremes = first.zip(self.p99).map(|(first, last)| Extremes { first, last });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parallelism after each of these ticks.
    fn parallelism(ticks: [f64; 4]) -> [f64; 4] {
        let mut estimate = Estimate { parallelism: Some(1.0), ..Estimate::default() };
        ticks.map(|parallelism| {
            let observed = StageObservation { parallelism, ..StageObservation::default() };
            estimate.update(&observed, CostKind::default(), Time::ZERO);
            (estimate.parallelism.unwrap_or(0.0) * 100.0).round() / 100.0
        })
    }

    #[test]
    fn a_core_lost_for_one_tick_changes_little_and_for_two_ticks_is_followed() {
        assert_eq!(parallelism([0.2, 1.0, 0.2, 0.2]), [0.92, 0.93, 0.86, 0.2]);
        assert_eq!(parallelism([4.0, 4.0, 4.0, 1.0]), [4.0, 4.0, 4.0, 3.7]);
    }

    #[test]
    fn requests_elsewhere_are_as_many_as_a_busy_stage_has_there() {
        let mut elsewhere = Elsewhere::default();
        // Ten requests are elsewhere, and the stage serves ten a second: each is there for 1 s.
        let seen = StageObservation {
            seconds: 0.1,
            elsewhere: 10.0,
            completed: 1,
            ..StageObservation::default()
        };
        (0..10).for_each(|_| elsewhere.add(&seen));
        assert_eq!(elsewhere.at(50.0).round(), 50.0);
        assert_eq!(Elsewhere::default().at(50.0), 0.0);
    }

    #[test]
    fn before_its_first_service_a_stage_counts_as_slow_as_its_pool_but_never_as_faster() {
        let mut estimate = Estimate::default();
        let mut seen = StageObservation { parallelism: 0.5, ..StageObservation::default() };
        let known = |estimate: &Estimate, seen: &StageObservation| {
            let slo = Some(Duration::from_millis(200));
            estimate.observation(seen, Class::HIGHEST, slo, RouteTime::default()).service_mean
        };
        // The 256 services of the first burst take 180 ms on half a worker, or 410 ms.
        estimate.guess_service(0.000_35);
        assert_eq!(known(&estimate, &seen), None);
        estimate.guess_service(0.000_80);
        assert_eq!(known(&estimate, &seen), Some(0.000_80));
        seen.service.record(100_000, 1);
        estimate.update(&seen, CostKind::default(), Time::ZERO);
        assert_eq!(known(&estimate, &seen), Some(0.000_1));
    }
}
