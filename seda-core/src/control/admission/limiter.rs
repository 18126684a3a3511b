//! The laws of one stage, one for each class, and the limits that follow for its gate.

use crate::config::{Class, Law, PerClass, Settings};
use crate::control::admission::burst::in_time;
use crate::control::admission::estimator::Estimate;
use crate::control::admission::feasibility::Feasibility;
use crate::control::admission::gate_limits::{Amounts, ClassLimit, GateLimits};
use crate::control::admission::law::{AdmissionLaw, HORIZON};
use crate::control::admission::laws;
use crate::control::admission::observation::{StageObservation, whole};
use crate::control::admission::route_time::RouteTime;
use crate::gate::UNLIMITED;
use crate::platform::{Time, catch_panic};
use std::time::Duration;

/// The part of its limit that a lower class leaves free for each higher class that is present. A
/// burst of a higher class then finds room, and no event is evicted for it.
const RESERVED: f64 = 0.25;
/// The least reserve for each higher class, in requests, as far as a quarter of the limit allows:
/// while one request of that class is served, another one comes.
const LEAST_RESERVE: f64 = 2.0;
/// The least guarantee of a class, in requests, as far as its share serves them in time. A class
/// with few requests has two or three at once now and then.
const LEAST_GUARANTEE: f64 = 4.0;
/// The share of the SLO that an event may wait where higher classes are served first. An event that
/// waits longer is shed by its deadline, at 95 %.
const WAIT_SHARE: f64 = 0.9;
/// If fewer services than this fit into the SLO, whole requests are too coarse: rounding changes a
/// limit by more than a twentieth. The served part of a request then counts, too.
const COARSE_BELOW: f64 = 24.0;
/// The served part no longer counts if at least this many services fit: a third more, so that a
/// varying mean does not switch back and forth.
const COARSE_UNTIL: f64 = 32.0;

/// The laws of one stage, and the estimates that they read.
#[derive(Default)]
pub(crate) struct Limiter {
    law: Option<Law>,
    /// By class.
    laws: Vec<Box<dyn AdmissionLaw>>,
    pub(crate) estimate: Estimate,
    /// Whether few services fit into the SLO.
    coarse: bool,
    /// When the gate last refused a request; set while the journal shows the gate as refusing.
    pub(crate) refusing: Option<Time>,
    /// By class: whether the mean service exceeds the SLO.
    pub(crate) mean: PerClass<Feasibility>,
    /// By class: whether the 99th percentile of the service exceeds it.
    pub(crate) tail: PerClass<Feasibility>,
}

impl Limiter {
    /// Returns whether so few services fit into the SLO that parts of a request count.
    pub(crate) fn coarse(&mut self, slo: Duration) -> bool {
        let fit = self.estimate.service().map_or(f64::INFINITY, |mean| slo.as_secs_f64() / mean);
        self.coarse = fit < if self.coarse { COARSE_UNTIL } else { COARSE_BELOW };
        self.coarse
    }

    /// Computes the gate limits from the last tick. `make` builds the law of each class at the
    /// first call and whenever the configured law changes.
    pub(crate) fn decide(
        &mut self,
        stage: &str,
        observed: &StageObservation,
        route: RouteTime,
        settings: &Settings,
        make: impl Fn() -> Box<dyn AdmissionLaw>,
    ) -> GateLimits {
        if self.law != Some(settings.control.law) {
            // The state of one law is of no use to another.
            self.law = Some(settings.control.law);
            self.laws.clear();
        }
        self.laws.resize_with(settings.slo.len(), make);
        let limits = self.limits(stage, observed, route, settings);
        let parallelism = self.estimate.parallelism().unwrap_or(observed.parallelism);
        GateLimits {
            requests: Amounts::in_requests(&limits),
            costs: self.costs(&limits, whole(parallelism)),
            pace: self.estimate.units_per_second().unwrap_or(0.0),
            parallelism,
        }
    }

    /// Returns the limit of each class, in requests and parts of one; infinite without a limit. It
    /// is the law's limit, cut to the part of the stage that higher classes leave, less their
    /// reserve.
    fn limits(
        &mut self,
        stage: &str,
        observed: &StageObservation,
        route: RouteTime,
        settings: &Settings,
    ) -> PerClass<ClassLimit> {
        let classes = settings.slo.len();
        let none = ClassLimit { most: f64::INFINITY, alone: f64::INFINITY, in_time: f64::INFINITY };
        let mut limits = PerClass::splat(none);
        let mut higher = 0;
        for ((class, law), slo) in Class::ALL.into_iter().zip(&mut self.laws).zip(&settings.slo) {
            let seen = self.estimate.observation(observed, class, *slo, route);
            // The longest wait of a lower class.
            let horizon = slo.map_or(HORIZON, |slo| slo.as_secs_f64() * WAIT_SHARE);
            let decided = catch_panic(|| law.decide(&seen)).unwrap_or_else(|| {
                tracing::error!(
                    stage,
                    class = class.index(),
                    "a law of admission panicked: the default law replaces it"
                );
                *law = laws::make(Law::default());
                law.decide(&seen)
            });
            if let Some(alone) = decided.filter(|limit| limit.is_finite()) {
                // Higher classes are served first, so this one gets the rest of the stage, and at
                // least its share. Its events wait longer, as far as the SLO allows. A pool that
                // grows will have capacity for all classes.
                let rest = if seen.grows { 1.0 } else { 1.0 - self.estimate.part_of_higher(class) };
                let slack = self.estimate.seconds_for(alone).map_or(1.0, |s| horizon / s);
                let part = (rest * slack.max(1.0)).clamp(settings.share_of(class.index()), 1.0);
                // The reserve: each class leaves a part to those above it.
                let kept = (alone * RESERVED * f64::from(higher) / classes.max(1) as f64)
                    .max((LEAST_RESERVE * f64::from(higher)).min(alone * RESERVED));
                let most = (alone * part).min(alone - kept.floor());
                // The guarantee is a share of this, and not below a few requests that end in time.
                let share = settings.share_of(class.index());
                let served = self.estimate.in_seconds(horizon);
                let alone = alone.max((LEAST_GUARANTEE / share).min(served));
                limits[class] = ClassLimit { most: most.max(1.0), alone, in_time: in_time(&seen) };
            }
            higher += u32::from(self.estimate.is_present(class));
        }
        limits
    }

    /// Returns the limits in declared cost: the cost of the seconds of service in each limit.
    ///
    /// A limit in requests counts each request in service as a whole; a limit in cost counts only
    /// its remaining part. When a worker becomes free, each other request in service has half of
    /// its cost left on average.
    fn costs(&self, limits: &PerClass<ClassLimit>, workers: usize) -> Option<Amounts> {
        let units = self.estimate.units_per_second()? * self.estimate.service()?;
        let half_done = workers.saturating_sub(1) as f64 / 2.0;
        // At least one unit; a float beyond `u64` saturates in the cast.
        let cost = |limit: f64| (((limit - half_done) * units) as u64).clamp(1, UNLIMITED - 1);
        let cost = |limit: f64| if limit.is_finite() { cost(limit) } else { UNLIMITED };
        Some(Amounts::map(limits, cost))
    }
}
