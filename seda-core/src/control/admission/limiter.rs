//! What the laws of one stage say, as limits for its gate.

use crate::config::{Class, Law, PerClass, Settings};
use crate::control::admission::estimator::Estimate;
use crate::control::admission::feasibility::Feasibility;
use crate::control::admission::gate_limits::{Amounts, ClassLimit, GateLimits};
use crate::control::admission::law::AdmissionLaw;
use crate::control::admission::laws;
use crate::control::admission::observation::{StageObservation, whole};
use crate::gate::UNLIMITED;
use crate::platform::{Time, catch_panic};
use std::time::Duration;

/// A lower class leaves this part of the limit to the higher ones, once there are any: what
/// arrives of them in a burst finds room without anybody being given up.
const RESERVED: f64 = 0.25;
/// Share of a promise that waiting may take where higher classes are served first. What waits for
/// longer is given up by its deadline, at 95 %.
const KEPT: f64 = 0.9;
/// Where fewer services than this follow each other within what was promised, a limit in whole
/// requests is off by more than a twentieth, and the part of a request that was served already
/// counts. It no longer does where a third more fit, so that means which vary do not switch to and
/// fro.
const FEW: f64 = 24.0;
const MANY: f64 = 32.0;

/// The laws of one stage, and what they know of it.
#[derive(Default)]
pub(crate) struct Limiter {
    law: Option<Law>,
    /// By class.
    laws: Vec<Box<dyn AdmissionLaw>>,
    pub(crate) estimate: Estimate,
    /// Whether few services fit into what was promised.
    coarse: bool,
    /// When it last turned somebody away, while that is news no more.
    pub(crate) refusing: Option<Time>,
    /// By class, whether the services of the mean request, and of one in a hundred, exceed what was
    /// promised.
    pub(crate) mean: PerClass<Feasibility>,
    pub(crate) tail: PerClass<Feasibility>,
}

impl Limiter {
    /// Whether so few services follow each other within an SLO that parts of one matter.
    pub(crate) fn coarse(&mut self, slo: Duration) -> bool {
        let fit = self.estimate.service().map_or(f64::INFINITY, |mean| slo.as_secs_f64() / mean);
        self.coarse = fit < if self.coarse { MANY } else { FEW };
        self.coarse
    }

    /// What its laws say of the last tick. `make` makes one for a class, of which there is none yet
    /// or of which the kind has changed.
    pub(crate) fn decide(
        &mut self,
        stage: &str,
        sight: &StageObservation,
        settings: &Settings,
        make: impl Fn() -> Box<dyn AdmissionLaw>,
    ) -> GateLimits {
        if self.law != Some(settings.control.law) {
            // What a law has learned is of no use to another.
            self.law = Some(settings.control.law);
            self.laws.clear();
        }
        self.laws.resize_with(settings.slo.len(), make);
        let limits = self.limits(stage, sight, settings);
        let parallelism = self.estimate.parallelism().unwrap_or(sight.parallelism);
        GateLimits {
            requests: Amounts::in_requests(&limits),
            costs: self.costs(&limits, whole(parallelism)),
            pace: self.estimate.units_per_second().unwrap_or(0.0),
            parallelism,
        }
    }

    /// The limit of each class, in requests and parts of one: its law's, as far as the stage drains
    /// for it, less what is kept free for higher classes; infinite where there is none.
    fn limits(
        &mut self,
        stage: &str,
        sight: &StageObservation,
        settings: &Settings,
    ) -> PerClass<ClassLimit> {
        let classes = settings.slo.len();
        let none = ClassLimit { most: f64::INFINITY, alone: f64::INFINITY };
        let mut limits = PerClass::splat(none);
        let mut higher = 0;
        for ((class, law), slo) in Class::ALL.into_iter().zip(&mut self.laws).zip(&settings.slo) {
            let Some(slo) = slo else { continue };
            let promised = slo.as_secs_f64();
            let seen = self.estimate.observation(sight, promised);
            let decided = catch_panic(|| law.decide(&seen)).unwrap_or_else(|| {
                tracing::error!(
                    stage,
                    class = class.index(),
                    "a law of admission panicked: the default has its place"
                );
                *law = laws::make(Law::default());
                law.decide(&seen)
            });
            if let Some(alone) = decided.filter(|limit| limit.is_finite()) {
                // What higher classes are served of what the stage can do, this one is not, down to
                // its share: it waits longer, for what its limit leaves of the promise at most. While
                // workers are to come there will be more for everybody.
                let rest = if seen.grows { 1.0 } else { 1.0 - self.estimate.of_higher(class) };
                let slack = self.estimate.seconds_for(alone).map_or(1.0, |s| promised * KEPT / s);
                let part = (rest * slack.max(1.0)).clamp(settings.share_of(class.index()), 1.0);
                // By class: each leaves something to those above it.
                let kept = alone * RESERVED * f64::from(higher) / classes.max(1) as f64;
                let most = (alone * part).min(alone - kept.floor());
                limits[class] = ClassLimit { most: most.max(1.0), alone };
            }
            higher += u32::from(self.estimate.is_here(class));
        }
        limits
    }

    /// The same in what requests declare to cost: as much as the seconds of service are worth that
    /// the limits stand for.
    ///
    /// Of what is in service only the rest counts: when a worker is free for the next request, of
    /// the others' half on the average. A limit counts them whole.
    fn costs(&self, limits: &PerClass<ClassLimit>, workers: usize) -> Option<Amounts> {
        let units = self.estimate.units_per_second()? * self.estimate.service()?;
        let half_done = workers.saturating_sub(1) as f64 / 2.0;
        // One unit at least; a float beyond what is countable saturates in the cast.
        let cost = |limit: f64| (((limit - half_done) * units) as u64).clamp(1, UNLIMITED - 1);
        let cost = |limit: f64| if limit.is_finite() { cost(limit) } else { UNLIMITED };
        Some(Amounts::map(limits, cost))
    }
}
