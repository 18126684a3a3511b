//! The admission controller: what the monitor saw goes to the laws, what they say to the gates.

use crate::admission::{Limits, UNLIMITED};
use crate::boundary::contained;
use crate::clock::Time;
use crate::control::{AdmissionLaw, Controller, Decision, Law, Mode};
use crate::engine::Engine;
use crate::estimate::Estimate;
use crate::event::MAX_CLASSES;
use crate::graph::Settings;
use crate::sight::StageSight;
use std::time::Duration;

/// A lower class leaves this part of the limit to the higher ones, once there are any: what
/// arrives of them in a burst finds room without anybody being given up.
const RESERVED: f64 = 0.25;
/// After this without a refusal a gate is said to be open again.
const CALM: Duration = Duration::from_secs(1);

/// The laws of one stage, and what they know of it.
#[derive(Default)]
pub(crate) struct Limiter {
    law: Option<Law>,
    /// By class.
    laws: Vec<Box<dyn AdmissionLaw>>,
    estimate: Estimate,
    /// When it last turned somebody away, while that is news no more.
    refusing: Option<Time>,
    /// Whether it was said that the SLO cannot be met.
    hopeless: bool,
}

impl Engine {
    /// Sets the limits of all gates by what was promised, once per tick.
    /// `None`: nothing was promised, or nobody is to keep it.
    pub(crate) fn set_limits(&self, sights: Option<Vec<Option<StageSight>>>, settings: &Settings) {
        let Some(sights) = sights else { return self.open_gates() };
        self.core.admission.learn_demands();
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
            stage.core.set_admission(&Limits::NONE, Duration::ZERO);
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
        limiter.estimate.learn(sight, self.now());
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
            let requests = shared(requests.map(amount));
            gate.set_limits(&requests, &costs.map_or(Limits::NONE, shared));
            gate.set_pace(limiter.estimate.units_per_second().unwrap_or(0.0));
            let on_route = self.core.admission.is_on_route(stage);
            let own = if on_route { Limits::NONE } else { requests };
            plan.core.set_admission(&own, limiter.estimate.lead(slo));
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
        let service = limiter.estimate.service().unwrap_or(0.0) * 1e3;
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
        let hopeless = limiter.estimate.service().is_some_and(|mean| mean >= slo.as_secs_f64());
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
            let (Some(slo), Some(limit)) = (slo, limits.get_mut(class)) else { continue };
            let seen = self.estimate.observation(sight, slo.as_secs_f64());
            let decided = contained(|| law.decide(&seen)).flatten();
            if let Some(law) = decided.filter(|limit| !limit.is_nan()) {
                // By class: each leaves something to those above it.
                let kept = law * RESERVED * f64::from(higher) / classes.max(1) as f64;
                *limit = (law - kept.floor()).max(1.0);
            }
            higher += u32::from(self.estimate.is_here(class));
        }
        limits
    }

    /// The same in what requests declare to cost: as much as the seconds of service are worth that
    /// the limits stand for. `None` while nothing was declared.
    ///
    /// Of what is in service only the rest counts: when a worker is free for the next request, of
    /// the others' half on the average. A limit counts them whole.
    fn costs(&self, limits: &[f64; MAX_CLASSES], workers: usize) -> Option<[u64; MAX_CLASSES]> {
        let units = self.estimate.units_per_second()? * self.estimate.service()?;
        let half_done = workers.saturating_sub(1) as f64 / 2.0;
        // One unit at least; a float beyond what is countable saturates in the cast.
        let cost = |limit: f64| (((limit - half_done) * units) as u64).clamp(1, UNLIMITED - 1);
        Some(limits.map(|limit| if limit.is_finite() { cost(limit) } else { UNLIMITED }))
    }
}
