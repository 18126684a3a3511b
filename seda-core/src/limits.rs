//! The admission controller: what the monitor saw goes to the laws, what they say to the gates.

use crate::admission::{Limits, Price, Stall, UNLIMITED, are_far};
use crate::boundary::contained;
use crate::clock::Time;
use crate::control::{AdmissionLaw, Controller, Decision, Law, Mode};
use crate::engine::Engine;
use crate::event::{MAX_CLASSES, PerClass};
use crate::graph::Settings;
use crate::sight::StageSight;
use crate::stats::Quantiles;
use std::time::Duration;

/// Over how many events a mean service time is smoothed: one odd event must not close a gate, and a
/// change of demand is known after a few of the new kind.
const SMOOTHED_OVER: f64 = 8.0;
/// How many service times a 99th percentile is taken from, at least: fewer have none.
const SAMPLES: u64 = 200;
/// A lower class leaves this part of the limit to the higher ones, once there are any: what
/// arrives of them in a burst finds room without anybody being given up.
const RESERVED: f64 = 0.25;
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
/// After this without a refusal a gate is said to be open again.
const CALM: Duration = Duration::from_secs(1);

/// The laws of one stage, and what they know of it.
#[derive(Default)]
pub(crate) struct Limiter {
    law: Option<Law>,
    /// By class.
    laws: Vec<Box<dyn AdmissionLaw>>,
    service: Option<f64>,
    /// Whether a tick far from all before was a moment.
    stall: Stall,
    /// How many events are served at once.
    parallelism: Option<f64>,
    /// Whether that was far less in the last tick than before.
    fell: bool,
    /// When workers were last to be hired.
    grows: Option<Time>,
    price: Price,
    tail: Tail,
    /// How many of each class had come or wanted to, at the last tick.
    came: PerClass<u64>,
    /// When each class was last seen.
    seen: [Option<Time>; MAX_CLASSES],
    /// When it last turned somebody away, while that is news no more.
    refusing: Option<Time>,
    /// Whether it was said that the SLO cannot be met.
    hopeless: bool,
}

/// The last few hundred service times: two generations, so that the old ones can be forgotten.
#[derive(Default)]
struct Tail {
    old: Quantiles,
    new: Quantiles,
    /// In seconds, of both; `None` without any.
    p99: Option<f64>,
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
    }
}

impl Engine {
    /// Sets the limits of all gates by what was promised, once per tick.
    /// `None`: nothing was promised, or nobody is to keep it.
    pub(crate) fn set_limits(&self, sights: Option<Vec<Option<StageSight>>>, settings: &Settings) {
        let Some(sights) = sights else { return self.open_gates() };
        let mut limiters = self.limiters.lock();
        limiters.resize_with(self.stages.len(), Limiter::default);
        for (stage, (limiter, sight)) in limiters.iter_mut().zip(&sights).enumerate() {
            if let Some(sight) = sight {
                self.set_limit(stage, limiter, sight, settings);
            }
        }
    }

    /// The limits before anything was measured: a flood may come with the first request.
    pub(crate) fn set_first_limits(&self) {
        let settings = self.settings();
        let unseen = |stage| {
            let workers = self.pool_of(stage).map(|(pool, _)| pool.core.range().max)?;
            let parallelism = workers as f64;
            Some(StageSight { workers, hired: workers, parallelism, ..StageSight::default() })
        };
        let sights = || (0..self.stages.len()).map(unseen).collect();
        self.set_limits(settings.admits().then(sights), &settings);
    }

    fn open_gates(&self) {
        let mut limiters = self.limiters.lock();
        if limiters.is_empty() {
            return;
        }
        limiters.clear();
        for (index, stage) in self.stages.iter().enumerate() {
            if let Some(gate) = self.core.admission.gate(index) {
                gate.set_limits(&Limits::NONE, &Limits::NONE);
            }
            stage.core.set_admission(usize::MAX, Duration::ZERO);
        }
    }

    fn set_limit(
        &self,
        stage: usize,
        limiter: &mut Limiter,
        sight: &StageSight,
        settings: &Settings,
    ) {
        let (Some(plan), Some(gate)) = (self.stages.get(stage), self.core.admission.gate(stage))
        else {
            return;
        };
        limiter.learn(sight, self.now());
        let name = plan.core.name();
        let own = || self.law.as_ref().and_then(|make| contained(|| make(name)));
        let make = || own().unwrap_or_else(|| settings.control.law.make());
        let limits = limiter.limits(sight, settings, make);
        let slo = settings.slo.iter().flatten().min().copied().unwrap_or(crate::slo::MOST);
        let requests = limits.map(in_requests);
        self.say_what_is_new(name, limiter, sight, slo, requests.first().copied());
        if settings.control.admission == Mode::On {
            let costs = limiter.costs(&limits, sight.workers);
            let shared = |most| Limits::shared(most, &settings.shares);
            gate.set_limits(&shared(requests.map(amount)), &costs.map_or(Limits::NONE, shared));
            gate.set_pace(limiter.price.units_per_second().unwrap_or(0.0));
            let declared = requests.iter().take(settings.slo.len());
            let most = declared.copied().max().unwrap_or(usize::MAX);
            let on_route = self.core.admission.is_on_route(stage);
            let lead = limiter.lead(slo);
            plan.core.set_admission(if on_route { usize::MAX } else { most }, lead);
        }
    }

    /// Journals when a gate begins and ends to turn requests away, and an SLO that no limit keeps.
    fn say_what_is_new(
        &self,
        stage: &str,
        limiter: &mut Limiter,
        sight: &StageSight,
        slo: Duration,
        limit: Option<usize>,
    ) {
        let now = self.now();
        let acted = self.settings().control.admission == Mode::On;
        let write = |seen: String, action: &str, changed: String| {
            self.core.journal.write(Decision {
                at_seconds: now.as_secs_f64(),
                controller: Controller::Admission,
                stage: Some(stage.to_owned()),
                seen,
                action: action.to_owned(),
                changed,
                acted,
            });
        };
        let limit = limit.filter(|limit| *limit < usize::MAX);
        let said = limit.map_or_else(|| "no limit".to_owned(), |limit| format!("limit {limit}"));
        let service = limiter.service.unwrap_or(0.0) * 1e3;
        let seen = || {
            format!(
                "{} of {} turned away, {} queued, service {service:.2} ms, {} workers",
                sight.turned_away, sight.offered, sight.queued, sight.workers
            )
        };
        match (sight.turned_away > 0, limiter.refusing) {
            (true, None) => write(seen(), "began to turn requests away", said),
            (false, Some(last)) if now.since(last) >= CALM => {
                limiter.refusing = None;
                write(seen(), "ended turning requests away", said);
            }
            _ => {}
        }
        if sight.turned_away > 0 {
            limiter.refusing = Some(now);
        }
        let hopeless = limiter.service.is_some_and(|mean| mean >= slo.as_secs_f64());
        if hopeless && !limiter.hopeless {
            let why = format!("mean service {service:.1} ms, promised {slo:?}");
            tracing::warn!(stage, "no setting can keep the SLO: {why}");
            let action = "no setting can keep the SLO: serving what can be served";
            write(why, action, "make the work shorter or promise more time".to_owned());
        }
        limiter.hopeless = hopeless;
    }
}

/// A limit in whole requests, one at least; `usize::MAX` where there is none.
fn in_requests(limit: f64) -> usize {
    // A float beyond what is countable saturates in the cast.
    (limit as usize).max(1)
}

/// The same as an amount; what no limit is in the one is none in the other.
fn amount(limit: usize) -> u64 {
    if limit == usize::MAX { UNLIMITED } else { limit as u64 }
}

impl Limiter {
    fn learn(&mut self, sight: &StageSight, now: Time) {
        let counts = self.stall.counts(are_far(&sight.service, self.service, self.tail.p99));
        if let Some(mean) = sight.service.mean_seconds() {
            let n = sight.service.count() as f64;
            let share = n / (n + SMOOTHED_OVER);
            let smooth = |old: f64| old + (mean - old) * share;
            if counts {
                self.service = Some(self.service.map_or(mean, smooth));
            }
            self.tail.add(&sight.service);
        }
        let parallelism = self.parallelism_after(sight);
        self.parallelism = Some(parallelism);
        if counts {
            self.price.learn(&sight.served, sight.service.total_nanos() as f64 / 1e9);
        }
        let hired = sight.hired as f64;
        if parallelism >= hired * GROWS {
            self.grows = Some(now);
        }
        self.grows = self.grows.filter(|then| now.since(*then) < GROWTH);
        let came = std::mem::replace(&mut self.came, sight.came);
        for (seen, (before, after)) in self.seen.iter_mut().zip(came.iter().zip(&self.came)) {
            if after > before {
                *seen = Some(now);
            } else if seen.is_some_and(|then| now.since(then) > SEEN_FOR) {
                *seen = None;
            }
        }
    }

    /// How many events are served at once, after a tick. That somebody else took the core for one
    /// tick is no fall.
    fn parallelism_after(&mut self, sight: &StageSight) -> f64 {
        let now = sight.parallelism;
        let Some(old) = self.parallelism else { return now };
        let falls = now < old / STEADY;
        let again = std::mem::replace(&mut self.fell, falls);
        let moment = falls && sight.alone && !again;
        let far = falls || now > old * STEADY;
        if far && !moment { now } else { old + (now - old) * OF_A_TICK }
    }

    /// The limit of each class, in requests and parts of one: its law's, less what is kept free for
    /// higher classes; infinite where there is none.
    fn limits(
        &mut self,
        sight: &StageSight,
        settings: &Settings,
        make: impl Fn() -> Box<dyn AdmissionLaw>,
    ) -> [f64; MAX_CLASSES] {
        let classes = settings.slo.len();
        if self.law != Some(settings.control.law) {
            // What a law has learned is of no use to another.
            self.law = Some(settings.control.law);
            self.laws.clear();
        }
        self.laws.resize_with(classes, make);
        let mut limits = [f64::INFINITY; MAX_CLASSES];
        let mut higher = 0;
        for (class, (law, slo)) in self.laws.iter_mut().zip(&settings.slo).enumerate() {
            let here = self.seen.get(class).copied().flatten().is_some();
            let (Some(slo), Some(limit)) = (slo, limits.get_mut(class)) else { continue };
            let mut seen = sight.observation(slo.as_secs_f64(), self.service, self.tail.p99);
            seen.cost_variation = self.price.variation();
            seen.parallelism = self.parallelism.unwrap_or(seen.parallelism);
            seen.grows = self.grows.is_some();
            let decided = contained(|| law.decide(&seen)).flatten();
            if let Some(law) = decided.filter(|limit| !limit.is_nan()) {
                // By class: each leaves something to those above it.
                let kept = law * RESERVED * f64::from(higher) / classes.max(1) as f64;
                *limit = (law - kept.floor()).max(1.0);
            }
            higher += u32::from(here);
        }
        limits
    }

    /// The same in what requests declare to cost: as much as the seconds of service are worth that
    /// the limits stand for. `None` while nothing was declared.
    ///
    /// Of what is in service only the rest counts: when a worker is free for the next request, of
    /// the others' half on the average. A limit counts them whole.
    fn costs(&self, limits: &[f64; MAX_CLASSES], workers: usize) -> Option<[u64; MAX_CLASSES]> {
        let units = self.price.units_per_second()? * self.service?;
        let half_done = workers.saturating_sub(1) as f64 / 2.0;
        // One unit at least; a float beyond what is countable saturates in the cast.
        let cost = |limit: f64| (((limit - half_done) * units) as u64).clamp(1, UNLIMITED - 1);
        Some(limits.map(|limit| if limit.is_finite() { cost(limit) } else { UNLIMITED }))
    }

    /// How long before its deadline an event has to be begun. An SLO that the service alone
    /// exceeds is missed anyway: then only the wait counts.
    fn lead(&self, slo: Duration) -> Duration {
        let service = self.service.filter(|mean| *mean < slo.as_secs_f64() / 2.0);
        Duration::try_from_secs_f64(service.unwrap_or(0.0)).unwrap_or(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After each of these ticks.
    fn parallelism(alone: bool, ticks: [f64; 4]) -> [f64; 4] {
        let mut limiter = Limiter { parallelism: Some(1.0), ..Limiter::default() };
        ticks.map(|parallelism| {
            let sight = StageSight { parallelism, alone, ..StageSight::default() };
            limiter.learn(&sight, Time::ZERO);
            (limiter.parallelism.unwrap_or(0.0) * 100.0).round() / 100.0
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
