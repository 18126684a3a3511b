//! What was promised and cannot be kept is said: in the journal, in the log and in the report.

use crate::config::{Class, Mode, PerClass, Settings};
use crate::control::admission::feasibility::Feasibility;
use crate::control::admission::limiter::Limiter;
use crate::monitor::Engine;
use crate::stage::{Controller, Decision};
use std::time::Duration;

/// A class to which something was promised.
struct Promise<'a> {
    class: Class,
    name: &'a str,
    slo: Duration,
}

/// What services alone make of a promise: whether it is violated, and whether by most requests.
#[derive(Clone, Copy)]
struct SloVerdict {
    violated: bool,
    infeasible: bool,
}

impl SloVerdict {
    /// Of two replicas: each request visits one of them.
    fn beside(self, other: Self) -> Self {
        Self {
            violated: self.violated || other.violated,
            infeasible: self.infeasible && other.infeasible,
        }
    }
}

impl Engine {
    /// Says once of each stage and class, and of each route, that its services alone take longer
    /// than was promised, and once that they do no longer.
    pub(crate) fn check_slos(&self, limiters: &mut [Limiter], settings: &Settings) {
        let acted = settings.control.admission == Mode::On;
        let classes = Class::ALL.into_iter().zip(self.classes().iter().zip(&settings.slo));
        let promises = classes.filter_map(|(class, (config, slo))| {
            Some(Promise { class, name: &config.name, slo: (*slo)? })
        });
        let mut prospects = std::mem::take(&mut *self.route_feasibility.lock());
        prospects.resize_with(self.core.admission.declared_routes(), PerClass::default);
        for promise in promises {
            let mut gates = vec![None; limiters.len()];
            for (stage, limiter) in limiters.iter_mut().enumerate() {
                let judged = self.judge_stage(stage, limiter, &promise, acted);
                let number = self.core.admission.gate_number(stage).unwrap_or(stage);
                if let (Some(judged), Some(gate)) = (judged, gates.get_mut(number)) {
                    *gate = Some(gate.map_or(judged, |others: SloVerdict| others.beside(judged)));
                }
            }
            for (stage, outlook) in gates.into_iter().enumerate() {
                if let (Some(outlook), Some(gate)) = (outlook, self.core.admission.gate(stage)) {
                    gate.set_feasibility(promise.class, outlook.violated, outlook.infeasible);
                }
            }
            for (route, prospects) in prospects.iter_mut().enumerate() {
                let prospect = &mut prospects[promise.class];
                self.judge_route(route, limiters, &promise, prospect, acted);
            }
        }
        *self.route_feasibility.lock() = prospects;
    }

    /// `None` if the class is not about, or nothing was served yet.
    fn judge_stage(
        &self,
        stage: usize,
        limiter: &mut Limiter,
        promise: &Promise<'_>,
        acted: bool,
    ) -> Option<SloVerdict> {
        let (now, promised) = (self.now(), promise.slo.as_secs_f64());
        let (mean, tail) = limiter.estimate.least_services(promise.class)?;
        let plan = self.stages.get(stage)?;
        let of_mean = &mut limiter.mean[promise.class];
        let of_tail = &mut limiter.tail[promise.class];
        of_mean.judge(mean, promised, now);
        let news = of_tail.judge(mean.max(tail), promised, now);
        let outlook =
            SloVerdict { violated: of_tail.is_impossible(), infeasible: of_mean.is_impossible() };
        if let Some(impossible) = news {
            let takes = if mean >= promised {
                format!("mean service {:.1} ms", mean * 1e3)
            } else {
                format!("99th percentile of the service {:.1} ms", tail * 1e3)
            };
            self.say(plan.core.name(), &takes, promise, impossible, acted);
        }
        Some(outlook)
    }

    /// Of a route whose stages each could keep the promise: the request visits all of them.
    fn judge_route(
        &self,
        route: usize,
        limiters: &[Limiter],
        promise: &Promise<'_>,
        prospect: &mut Feasibility,
        acted: bool,
    ) {
        let stages = self.core.admission.stages_on(route);
        let means: Option<Vec<f64>> = stages
            .iter()
            .map(|stage| Some(limiters.get(*stage)?.estimate.least_services(promise.class)?.0))
            .collect();
        let Some(means) = means.filter(|means| means.len() > 1) else { return };
        let promised = promise.slo.as_secs_f64();
        if means.iter().any(|mean| *mean >= promised) {
            return;
        }
        let sum: f64 = means.iter().sum();
        if let Some(impossible) = prospect.judge(sum, promised, self.now()) {
            let named = stages.iter().filter_map(|stage| self.stages.get(*stage));
            let names: Vec<&str> = named.map(|plan| &**plan.core.name()).collect();
            let takes = format!("mean services {:.1} ms together", sum * 1e3);
            self.say(&names.join(" + "), &takes, promise, impossible, acted);
        }
    }

    fn say(&self, stage: &str, takes: &str, promise: &Promise<'_>, impossible: bool, acted: bool) {
        let seen = format!("{takes}, promised {:?} to `{}`", promise.slo, promise.name);
        let (action, changed) = if impossible {
            tracing::warn!(stage, "no setting can keep the SLO: {seen}");
            (
                "no setting can keep the SLO: serving what can be served",
                "make the work shorter or promise more time",
            )
        } else {
            tracing::info!(stage, "the SLO can be kept again: {seen}");
            ("the SLO can be kept again", "nothing to be done")
        };
        self.core.journal.write(Decision {
            at_seconds: self.now().as_secs_f64(),
            controller: Controller::Admission,
            stage: Some(stage.to_owned()),
            seen,
            action: action.to_owned(),
            changed: changed.to_owned(),
            acted,
        });
    }
}
