//! What is known of a stage: what the last ticks showed, smoothed, and moments passed over.

use crate::config::{Class, PerClass};
use crate::control::admission::law::AdmissionObservation;
use crate::control::admission::observation::{StageObservation, whole};
use crate::gate::CostModel;
use crate::platform::Time;
use crate::stats::{Ewma, OutlierFilter, Quantiles, are_outliers};
use std::time::Duration;

/// Over how many events a mean service time is smoothed: one odd event must not close a gate, and a
/// change of demand is known after a few of the new kind.
const SERVICE: Ewma = Ewma::over(8.0);
/// How many service times a 99th percentile is taken from, at least, once there were so many:
/// fewer hold not even two that are longer.
const SAMPLES: u64 = 200;
/// Over how many events the parts of classes are smoothed: known to a tenth or so.
const PARTS_OVER: f64 = 64.0;
/// How long a class that was seen counts as being there.
const SEEN_FOR: Duration = Duration::from_secs(10);
/// How many events are served at once is followed at once where it changes by more than this
/// factor, and else smoothed with this weight of the last tick: shares of CPU time vary from tick to
/// tick.
const STEADY: f64 = 1.5;
const OF_A_TICK: f64 = 0.1;
/// A pool is small for what could be served at once if that is so many times its size.
const GROWS: f64 = 1.5;
/// So long after workers were to be hired they still count as coming: what was let in for their
/// sake is worked off by then.
const GROWTH: Duration = Duration::from_secs(1);

/// Of one stage.
#[derive(Default)]
pub(crate) struct Estimate {
    /// The mean of an event, in seconds.
    service: Option<f64>,
    /// Whether a tick far from all before was a moment.
    stall: OutlierFilter,
    /// How many events are served at once.
    parallelism: Option<f64>,
    /// Whether that was far less in the last tick than before.
    fell: bool,
    /// When workers were last to be hired.
    grows: Option<Time>,
    price: CostModel,
    /// Whether what has that price was declared.
    declared: bool,
    /// Whether it is known of each request how long it takes.
    differ: bool,
    tail: Tail,
    /// How many of each class had come or wanted to, at the last tick.
    came: PerClass<u64>,
    /// How many of each class were handled, at the last tick.
    handled: PerClass<u64>,
    /// Of what is handled, the part of each class; nothing before anything was.
    parts: PerClass<f64>,
    /// When each class was last seen.
    seen: PerClass<Option<Time>>,
}

impl Estimate {
    /// The mean of a service in seconds; `None` before the first.
    pub(crate) fn service(&self) -> Option<f64> {
        self.service
    }

    /// What the services of a class take at least, in seconds: in the mean, and one in a hundred
    /// where enough were seen. Where several classes are about nobody knows whose they are, and both
    /// are what all but one in a hundred exceed. `None` if the class is not about.
    pub(crate) fn least_services(&self, class: Class) -> Option<(f64, f64)> {
        let mean = self.service.filter(|_| self.is_here(class))?;
        if self.seen.iter().flatten().count() > 1 {
            let (least, _) = self.tail.hundredths?;
            return Some((least, least));
        }
        Some((mean, self.tail.hundredths.map_or(mean, |(_, most)| most)))
    }

    /// How many events are served at once when all workers are busy; `None` before the first tick.
    pub(crate) fn parallelism(&self) -> Option<f64> {
        self.parallelism
    }

    /// How many units of declared cost a second of service is worth; `None` while nothing was
    /// declared and served.
    pub(crate) fn units_per_second(&self) -> Option<f64> {
        self.price.units_per_second()
    }

    /// Whether requests of this class came lately.
    pub(crate) fn is_here(&self, class: Class) -> bool {
        self.seen[class].is_some()
    }

    /// How long so many requests take together, in seconds, when all workers are busy.
    pub(crate) fn seconds_for(&self, requests: f64) -> Option<f64> {
        let seconds = requests * self.service? / self.parallelism?;
        (seconds > 0.0).then_some(seconds)
    }

    /// Which part of what the stage handles is of classes higher than this one, 0 to 1.
    pub(crate) fn of_higher(&self, class: Class) -> f64 {
        self.parts.iter().take(class.index()).sum::<f64>().min(1.0)
    }

    /// What a law is told that is to keep a promise of so many seconds.
    pub(crate) fn observation(
        &self,
        sight: &StageObservation,
        slo_seconds: f64,
    ) -> AdmissionObservation {
        let mut seen = sight.observation(slo_seconds, self.service, self.tail.p99);
        seen.cost_variation = self.price.variation().filter(|_| self.differ);
        seen.parallelism = self.parallelism.unwrap_or(seen.parallelism);
        // As steady as that: a tick's own shares of CPU time vary, and a worker more is much.
        seen.workers = whole(seen.parallelism);
        seen.grows = self.grows.is_some();
        seen
    }

    /// How long before its deadline an event has to be begun. An SLO that the service alone
    /// exceeds is violated anyway: then only the wait counts.
    pub(crate) fn lead(&self, slo: Duration) -> Duration {
        let service = self.service.filter(|mean| *mean < slo.as_secs_f64() / 2.0);
        Duration::try_from_secs_f64(service.unwrap_or(0.0)).unwrap_or(Duration::ZERO)
    }

    /// What was seen during a tick joins what is known.
    /// With `declared` its requests say what they cost, else that is what their routes take: what a
    /// unit of the one is worth says nothing about the other. With `differ` it is known of each how
    /// long it takes, beside others that take longer.
    pub(crate) fn update(
        &mut self,
        sight: &StageObservation,
        (declared, differ): (bool, bool),
        now: Time,
    ) {
        self.differ = differ;
        if std::mem::replace(&mut self.declared, declared) != declared {
            self.price = CostModel::default();
        }
        self.learn_service(sight);
        let parallelism = self.parallelism_after(sight);
        self.parallelism = Some(parallelism);
        if parallelism >= sight.hired as f64 * GROWS {
            self.grows = Some(now);
        }
        self.grows = self.grows.filter(|then| now.since(*then) < GROWTH);
        self.see(sight.came, now);
        self.learn_parts(sight.handled);
    }

    fn learn_parts(&mut self, handled: PerClass<u64>) {
        let before = std::mem::replace(&mut self.handled, handled);
        let new = PerClass::from_fn(|class| handled[class].saturating_sub(before[class]) as f64);
        let n: f64 = new.iter().sum();
        if n > 0.0 {
            let weight = n / (n + PARTS_OVER);
            for (part, new) in self.parts.iter_mut().zip(new) {
                *part += (new / n - *part) * weight;
            }
        }
    }

    fn learn_service(&mut self, sight: &StageObservation) {
        let tick = &sight.service;
        if self.stall.counts(are_outliers(tick, self.service, self.tail.p99)) {
            self.price.update(&sight.served, tick.total_nanos() as f64 / 1e9);
            if let Some(mean) = tick.mean_seconds() {
                self.service = Some(SERVICE.update(self.service, mean, tick.count() as f64));
            }
        }
        if tick.count() > 0 {
            self.tail.add(tick);
        }
    }

    /// How many events are served at once, after a tick. That somebody else took the core for one
    /// tick is no fall.
    fn parallelism_after(&mut self, sight: &StageObservation) -> f64 {
        let now = sight.parallelism;
        let Some(old) = self.parallelism else { return now };
        let falls = now < old / STEADY;
        let again = std::mem::replace(&mut self.fell, falls);
        let moment = falls && sight.alone && !again;
        let far = falls || now > old * STEADY;
        if far && !moment { now } else { old + (now - old) * OF_A_TICK }
    }

    /// Classes of which more `came` are there.
    fn see(&mut self, came: PerClass<u64>, now: Time) {
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

/// The last few hundred service times: two generations, so that the old ones can be forgotten.
#[derive(Default)]
struct Tail {
    old: Quantiles,
    new: Quantiles,
    /// In seconds, of both; `None` without any.
    p99: Option<f64>,
    /// The first and the last hundredth, once there were enough for one in a hundred to be seen.
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

    /// After each of these ticks.
    fn parallelism(alone: bool, ticks: [f64; 4]) -> [f64; 4] {
        let mut estimate = Estimate { parallelism: Some(1.0), ..Estimate::default() };
        ticks.map(|parallelism| {
            let sight = StageObservation { parallelism, alone, ..StageObservation::default() };
            estimate.update(&sight, (false, false), Time::ZERO);
            (estimate.parallelism.unwrap_or(0.0) * 100.0).round() / 100.0
        })
    }

    #[test]
    fn a_core_that_is_gone_for_one_tick_changes_little_and_for_two_all() {
        assert_eq!(parallelism(true, [0.2, 1.0, 0.2, 0.2]), [0.92, 0.93, 0.86, 0.2]);
        assert_eq!(parallelism(true, [4.0, 4.0, 4.0, 1.0]), [4.0, 4.0, 4.0, 3.7]);
    }

    #[test]
    fn what_others_leave_of_a_shared_pool_is_followed_at_once() {
        assert_eq!(parallelism(false, [0.2, 1.0, 0.2, 1.0]), [0.2, 1.0, 0.2, 1.0]);
    }
}
