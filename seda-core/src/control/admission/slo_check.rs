//! Reports SLOs that cannot be met: in the journal, in the log and in the report.

use crate::config::units::Millis;
use crate::config::{Class, PerClass, Position, StageIndex, Stages};
use crate::control::admission::estimator::LeastService;
use crate::control::admission::feasibility::Feasibility;
use crate::control::admission::gate_limits::gate_of;
use crate::control::admission::limiter::Limiter;
use crate::control::admission::route_time::{RouteTime, StageTime};
use crate::control::tick::Tick;
use crate::stage::{Controller, Decision};
use std::time::Duration;

/// The check of one class, at one tick.
struct SloCheck<'a> {
    class: Class,
    name: &'a str,
    slo: Duration,
    tick: &'a Tick<'a>,
}

/// The effect of services alone on an SLO.
#[derive(Clone, Copy)]
struct SloVerdict {
    /// One request in a hundred exceeds it.
    violated: bool,
    /// The mean request exceeds it.
    infeasible: bool,
}

impl SloVerdict {
    /// Returns the verdict on two replicas, of which each request visits one.
    fn beside(self, other: Self) -> Self {
        Self {
            violated: self.violated || other.violated,
            infeasible: self.infeasible && other.infeasible,
        }
    }
}

/// Checks every class with an SLO at every stage and on every declared route. A change is reported
/// once. `routes` holds the state of routes from tick to tick.
pub(super) fn check_slos(
    limiters: &mut Stages<Limiter>,
    routes: &mut Vec<PerClass<Feasibility>>,
    tick: &Tick<'_>,
) {
    let Tick { topology, settings, .. } = *tick;
    let admission = &topology.core.admission;
    routes.resize_with(admission.declared_routes(), PerClass::default);
    let classes = Class::ALL.into_iter().zip(topology.classes().iter().zip(&settings.slo));
    for (class, (config, slo)) in classes {
        let Some(slo) = *slo else { continue };
        let check = SloCheck { class, name: &config.name, slo, tick };
        let mut gates: Stages<Option<SloVerdict>> = topology.stages.map(|_, _| None);
        for stage in topology.stages.indices() {
            if let Some(judged) = check.judge_stage(stage, &mut limiters[stage]) {
                let gate = &mut gates[gate_of(topology, stage)];
                *gate = Some(gate.map_or(judged, |others| others.beside(judged)));
            }
        }
        for (stage, verdict) in gates.entries() {
            if let (Some(verdict), Some(gate)) = (verdict, admission.gate(stage.get())) {
                gate.set_feasibility(class, verdict.violated, verdict.infeasible);
            }
        }
        for (route, known) in routes.iter_mut().enumerate() {
            check.judge_route(route, limiters, &mut known[class]);
        }
    }
}

impl SloCheck<'_> {
    /// Returns `None` if the class has sent no event lately, or no event was served yet.
    fn judge_stage(&self, stage: StageIndex, limiter: &mut Limiter) -> Option<SloVerdict> {
        let (now, slo) = (self.tick.now, self.slo.as_secs_f64());
        let LeastService { mean, tail } = limiter.estimate.least_service(self.class)?;
        let of_mean = &mut limiter.mean[self.class];
        let of_tail = &mut limiter.tail[self.class];
        of_mean.judge(mean, slo, now);
        let change = of_tail.judge(mean.max(tail), slo, now);
        let verdict =
            SloVerdict { violated: of_tail.is_infeasible(), infeasible: of_mean.is_infeasible() };
        if let Some(infeasible) = change {
            let takes = if mean >= slo {
                format!("mean service {}", Millis(mean))
            } else {
                format!("99th percentile of the service {}", Millis(tail))
            };
            self.report(self.tick.topology.stages[stage].core.name(), &takes, infeasible);
        }
        Some(verdict)
    }

    /// Judges a route on which each stage alone could meet the SLO, by the 99th percentile of all
    /// services: a request visits all of them.
    fn judge_route(&self, route: usize, limiters: &Stages<Limiter>, known: &mut Feasibility) {
        let topology = self.tick.topology;
        let stages = topology.core.admission.stages_on(route);
        let stages = stages.iter().copied().map(StageIndex::declared);
        let times: Option<Vec<StageTime>> = stages
            .clone()
            .map(|stage| {
                let LeastService { mean, tail } =
                    limiters[stage].estimate.least_service(self.class)?;
                Some(StageTime { service: mean, p99: tail.max(mean), wait: 0.0 })
            })
            .collect();
        let Some(times) = times.filter(|times| times.len() > 1) else { return };
        let slo = self.slo.as_secs_f64();
        if times.iter().any(|time| time.p99 >= slo) {
            return;
        }
        let p99 = RouteTime::of(times.into_iter().map(|time| (true, time))).total();
        if let Some(infeasible) = known.judge(p99, slo, self.tick.now) {
            let names: Vec<&str> =
                stages.map(|stage| &**topology.stages[stage].core.name()).collect();
            let takes = format!("99th percentile of the services together {}", Millis(p99));
            self.report(&names.join(" + "), &takes, infeasible);
        }
    }

    fn report(&self, stage: &str, takes: &str, infeasible: bool) {
        let seen = format!("{takes}, the SLO of `{}` is {:?}", self.name, self.slo);
        let (action, changed) = if infeasible {
            tracing::warn!(stage, "no setting can meet the SLO: {seen}");
            (
                "no setting can meet the SLO: admits what the stage can serve",
                "make the work shorter or raise the SLO",
            )
        } else {
            tracing::info!(stage, "the SLO can be met again: {seen}");
            ("the SLO can be met again", "no action is needed")
        };
        let decision = Decision::by(Controller::Admission, self.tick.now).stage(stage).seen(seen);
        self.tick.record(decision.action(action).changed(changed).acted(self.tick.acts));
    }
}
