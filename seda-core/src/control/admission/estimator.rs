//! Estimates of a stage from its last ticks: smoothed, with outliers left out.

use crate::config::{MAX_CLASSES, PerClass};
use crate::control::admission::law::AdmissionObservation;
use crate::control::admission::observation::{StageObservation, whole};
use crate::gate::CostModel;
use crate::platform::Time;
use crate::stats::{OutlierFilter, Quantiles, are_outliers};
use std::time::Duration;

/// The number of events over which the mean service time is smoothed. One odd event must not close
/// a gate, and a change of demand must show after a few events.
const EWMA_SAMPLES: f64 = 8.0;
/// The least number of service times for a 99th percentile: two of 200 are longer.
const SAMPLES: u64 = 200;
/// The number of events over which the parts of classes are smoothed, to about a tenth.
const PARTS_OVER: f64 = 64.0;
/// How long a class counts as present after its last event.
const SEEN_FOR: Duration = Duration::from_secs(10);
/// A change of the parallelism by more than this factor is followed at once.
const STEADY: f64 = 1.5;
/// A smaller change is smoothed with this weight of the last tick, because shares of CPU time vary
/// from tick to tick.
const OF_A_TICK: f64 = 0.1;
/// A pool grows if the stage could serve this many times the events that its workers serve.
const GROWS: f64 = 1.5;
/// How long a pool counts as growing. The requests that were admitted for new workers are served by
/// then.
const GROWTH: Duration = Duration::from_secs(1);

/// The estimates of one stage.
#[derive(Default)]
pub(crate) struct Estimate {
    /// The mean service time, in seconds.
    service: Option<f64>,
    /// Leaves out a tick that is far from those before it.
    outliers: OutlierFilter,
    /// Events served at once when all workers are busy.
    parallelism: Option<f64>,
    /// Whether that fell by far in the last tick.
    fell: bool,
    /// When the pool was last about to grow.
    grows: Option<Time>,
    price: CostModel,
    /// Whether requests declare the costs in the model.
    declared: bool,
    /// Whether costs differ between requests.
    differ: bool,
    tail: Tail,
    /// Events of each class offered until the last tick.
    came: PerClass<u64>,
    /// Events of each class handled until the last tick.
    handled: PerClass<u64>,
    /// The part of each class in the events handled; zero before the first.
    parts: PerClass<f64>,
    /// When each class was last seen.
    seen: [Option<Time>; MAX_CLASSES],
}

impl Estimate {
    /// Returns the mean service time in seconds; `None` before the first service.
    pub(crate) fn service(&self) -> Option<f64> {
        self.service
    }

    /// Returns lower bounds, in seconds, of the mean and the 99th percentile of a class's service.
    ///
    /// Service times are not recorded by class. With several classes present, both are the first
    /// percentile over all of them. `None` if the class is absent, or too few events were served.
    pub(crate) fn least_services(&self, class: usize) -> Option<(f64, f64)> {
        let mean = self.service.filter(|_| self.is_here(class))?;
        if self.seen.iter().flatten().count() > 1 {
            let (least, _) = self.tail.hundredths?;
            return Some((least, least));
        }
        Some((mean, self.tail.hundredths.map_or(mean, |(_, most)| most)))
    }

    /// Returns how many events are served at once when all workers are busy; `None` before the
    /// first tick.
    pub(crate) fn parallelism(&self) -> Option<f64> {
        self.parallelism
    }

    /// Returns the declared cost per second of service; `None` before a request with a declared
    /// cost was served.
    pub(crate) fn units_per_second(&self) -> Option<f64> {
        self.price.units_per_second()
    }

    /// Returns whether requests of this class came lately.
    pub(crate) fn is_here(&self, class: usize) -> bool {
        self.seen.get(class).copied().flatten().is_some()
    }

    /// Returns the seconds in which busy workers serve `requests`.
    pub(crate) fn seconds_for(&self, requests: f64) -> Option<f64> {
        let seconds = requests * self.service? / self.parallelism?;
        (seconds > 0.0).then_some(seconds)
    }

    /// Returns the part of handled events that is of higher classes, 0 to 1.
    pub(crate) fn part_of_higher(&self, class: usize) -> f64 {
        self.parts.iter().take(class).sum::<f64>().min(1.0)
    }

    /// Returns the observation for the law of a class with this SLO.
    pub(crate) fn observation(
        &self,
        observed: &StageObservation,
        slo_seconds: f64,
    ) -> AdmissionObservation {
        let mut seen = observed.observation(slo_seconds, self.service, self.tail.p99);
        seen.cost_variation = self.price.variation().filter(|_| self.differ);
        seen.parallelism = self.parallelism.unwrap_or(seen.parallelism);
        // Smoothed likewise: CPU shares vary from tick to tick, and one worker matters.
        seen.workers = whole(seen.parallelism);
        seen.grows = self.grows.is_some();
        seen
    }

    /// Returns how long before its deadline an event must begin: the mean service. It is zero if
    /// that is more than half of the SLO; then only the wait counts.
    pub(crate) fn lead(&self, slo: Duration) -> Duration {
        let service = self.service.filter(|mean| *mean < slo.as_secs_f64() / 2.0);
        Duration::try_from_secs_f64(service.unwrap_or(0.0)).unwrap_or(Duration::ZERO)
    }

    /// Updates all estimates with the observation of a tick.
    ///
    /// `declared` says whether requests declare their cost; otherwise it follows from their route.
    /// The units of both differ, so the cost model begins anew on a change. `differ` says whether
    /// costs differ between requests.
    pub(crate) fn update(
        &mut self,
        observed: &StageObservation,
        (declared, differ): (bool, bool),
        now: Time,
    ) {
        self.differ = differ;
        if std::mem::replace(&mut self.declared, declared) != declared {
            self.price = CostModel::default();
        }
        self.update_service(observed);
        let parallelism = self.parallelism_after(observed);
        self.parallelism = Some(parallelism);
        if parallelism >= observed.hired as f64 * GROWS {
            self.grows = Some(now);
        }
        self.grows = self.grows.filter(|then| now.since(*then) < GROWTH);
        self.update_presence(observed.came, now);
        self.update_parts(observed.handled);
    }

    fn update_parts(&mut self, handled: PerClass<u64>) {
        let before = std::mem::replace(&mut self.handled, handled);
        let new: PerClass<f64> = std::array::from_fn(|class| {
            let of = |handled: &PerClass<u64>| handled.get(class).copied().unwrap_or(0);
            of(&handled).saturating_sub(of(&before)) as f64
        });
        let n: f64 = new.iter().sum();
        if n > 0.0 {
            let weight = n / (n + PARTS_OVER);
            for (part, new) in self.parts.iter_mut().zip(new) {
                *part += (new / n - *part) * weight;
            }
        }
    }

    fn update_service(&mut self, observed: &StageObservation) {
        let tick = &observed.service;
        if self.outliers.counts(are_outliers(tick, self.service, self.tail.p99)) {
            self.price.update(&observed.served, tick.total_nanos() as f64 / 1e9);
            if let Some(mean) = tick.mean_seconds() {
                let n = tick.count() as f64;
                let smooth = |old: f64| old + (mean - old) * n / (n + EWMA_SAMPLES);
                self.service = Some(self.service.map_or(mean, smooth));
            }
        }
        if tick.count() > 0 {
            self.tail.add(tick);
        }
    }

    /// Returns the parallelism after a tick. A fall of a stage that has its pool for itself counts
    /// only if it lasts two ticks: another process may take the core for one.
    fn parallelism_after(&mut self, observed: &StageObservation) -> f64 {
        let now = observed.parallelism;
        let Some(old) = self.parallelism else { return now };
        let falls = now < old / STEADY;
        let again = std::mem::replace(&mut self.fell, falls);
        let momentary = falls && observed.alone && !again;
        let far = falls || now > old * STEADY;
        if far && !momentary { now } else { old + (now - old) * OF_A_TICK }
    }

    /// Marks the classes with new events as present.
    fn update_presence(&mut self, came: PerClass<u64>, now: Time) {
        let before = std::mem::replace(&mut self.came, came);
        for (seen, (before, after)) in self.seen.iter_mut().zip(before.iter().zip(&self.came)) {
            if after > before {
                *seen = Some(now);
            } else if seen.is_some_and(|then| now.since(then) > SEEN_FOR) {
                *seen = None;
            }
        }
    }
}

/// The last few hundred service times, in two generations: the older one is dropped at once.
#[derive(Default)]
struct Tail {
    old: Quantiles,
    new: Quantiles,
    /// The 99th percentile of both generations, in seconds; `None` without service times.
    p99: Option<f64>,
    /// The 1st and the 99th percentile, once there are enough service times for both.
    hundredths: Option<(f64, f64)>,
}

impl Tail {
    fn add(&mut self, tick: &Quantiles) {
        self.new.add(tick);
        if self.new.count() >= SAMPLES {
            self.old = std::mem::take(&mut self.new);
        }
        let mut both = self.old.clone();
        both.add(&self.new);
        self.p99 = both.quantile_seconds(0.99);
        let first = both.quantile_seconds(0.01).filter(|_| both.count() >= SAMPLES);
        self.hundredths = first.zip(self.p99);
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
            estimate.update(&observed, (false, false), Time::ZERO);
            (estimate.parallelism.unwrap_or(0.0) * 100.0).round() / 100.0
        })
    }

    #[test]
    fn a_core_lost_for_one_tick_changes_little_and_for_two_ticks_is_followed() {
        assert_eq!(parallelism(true, [0.2, 1.0, 0.2, 0.2]), [0.92, 0.93, 0.86, 0.2]);
        assert_eq!(parallelism(true, [4.0, 4.0, 4.0, 1.0]), [4.0, 4.0, 4.0, 3.7]);
    }

    #[test]
    fn the_part_of_a_shared_pool_is_followed_at_once() {
        assert_eq!(parallelism(false, [0.2, 1.0, 0.2, 1.0]), [0.2, 1.0, 0.2, 1.0]);
    }
}
