//! The admission controller: what the monitor saw goes to the laws, what they say to the gates.

use crate::config::{Mode, PerClass, Pools, Position, Settings, StageIndex, Stages};
use crate::control::admission::feasibility::Feasibility;
use crate::control::admission::gate_limits::{GateLimits, gate_of};
use crate::control::admission::law::AdmissionLaw;
use crate::control::admission::laws;
use crate::control::admission::limiter::Limiter;
use crate::control::admission::observation::{StageObservation, observe_stage};
use crate::control::admission::slo_check::check_slos;
use crate::control::pool_size::PoolObservation;
use crate::control::tick::Tick;
use crate::gate::Limits;
use crate::monitor::{Monitor, StagePlan, Topology};
use crate::platform::catch_panic;
use crate::platform::sync::Mutex;
use crate::stage::{Controller, Decision};
use std::time::Duration;

/// After this without a refusal a gate is said to be open again.
const CALM: Duration = Duration::from_secs(1);

/// Makes a stage's law of admission for one class, by the stage's name.
pub(crate) type MakeLaw = Box<dyn Fn(&str) -> Box<dyn AdmissionLaw> + Send + Sync>;

/// Sets the limits of all gates. The tick calls it, and new settings do between two ticks.
pub(in crate::control) struct AdmissionController {
    /// The program's own law; `None`: as `control.law` says.
    make_law: Option<MakeLaw>,
    /// `None` while no class has an SLO, and while a tick has taken them out: laws are the
    /// program's, and run outside of all locks.
    limiters: Mutex<Option<Stages<Limiter>>>,
    /// By declared route and class, whether its stages together can meet the SLO.
    routes: Mutex<Vec<PerClass<Feasibility>>>,
}

impl AdmissionController {
    pub(in crate::control) fn new(make_law: Option<MakeLaw>) -> Self {
        Self { make_law, limiters: Mutex::default(), routes: Mutex::default() }
    }

    /// All stages over the last tick; `None` if no class has an SLO, or admission is off.
    pub(in crate::control) fn observe(
        &self,
        monitor: &Monitor,
        topology: &Topology,
        settings: &Settings,
        pools: &Pools<PoolObservation>,
    ) -> Option<Stages<StageObservation>> {
        settings.admits().then(|| {
            let stages = topology.stages.indices().zip(&settings.stages);
            stages
                .map(|(stage, set)| observe_stage(monitor, topology, stage, pools, set.pending))
                .collect()
        })
    }

    /// Sets the limits of all gates by the SLOs; opens the gates if nothing was `seen`.
    pub(in crate::control) fn act(&self, seen: Option<&Stages<StageObservation>>, tick: &Tick<'_>) {
        let Some(seen) = seen else { return self.open_gates(tick) };
        let admission = &tick.topology.core.admission;
        let taken = self.limiters.lock().take();
        let mut limiters =
            taken.unwrap_or_else(|| tick.topology.stages.map(|_, _| Limiter::default()));
        let shortest = tick.settings.slo.iter().flatten().min().copied();
        // Each limiter updates its own state: every one is asked.
        let mut any_coarse = false;
        for limiter in &mut limiters {
            any_coarse |= shortest.is_some_and(|slo| limiter.coarse(slo));
        }
        admission.learn_demands(any_coarse);
        // Every stage's limits; those of replicas are joined at the gate that they share.
        let mut gates: Stages<Option<GateLimits>> = tick.topology.stages.map(|_, _| None);
        for (stage, plan) in tick.topology.stages.entries() {
            let limiter = &mut limiters[stage];
            let limits = self.decide(plan, limiter, &seen[stage], tick);
            set_entry_limits(plan, limiter, &limits, tick);
            let gate = &mut gates[gate_of(tick.topology, stage)];
            *gate = Some(gate.map_or(limits, |sum| sum.joined(limits)));
        }
        for (stage, limits) in gates.entries() {
            if let (Some(limits), Some(gate)) = (limits, admission.gate(stage.get())) {
                let (requests, costs) = limits.shared(&tick.settings.shares);
                gate.set_limits(&requests, &costs);
                gate.set_pace(limits.pace, limits.parallelism);
            }
        }
        journal_gates(&mut limiters, seen, tick);
        let mut routes = std::mem::take(&mut *self.routes.lock());
        check_slos(&mut limiters, &mut routes, tick);
        *self.routes.lock() = routes;
        *self.limiters.lock() = Some(limiters);
    }

    /// Sets the limits before anything was measured: a flood may come with the first request.
    pub(in crate::control) fn set_first_limits(&self, tick: &Tick<'_>) {
        let seen = tick.topology.stages.map(|stage, _| {
            let workers = tick.topology.pool_of(stage).core.range().max;
            let parallelism = workers as f64;
            StageObservation { workers, hired: workers, parallelism, ..Default::default() }
        });
        self.act(tick.settings.admits().then_some(&seen), tick);
    }

    /// Follows settings that have changed. Limits begin at once, because a flood may come with the
    /// next request, and end at once.
    pub(in crate::control) fn follow(&self, tick: &Tick<'_>) {
        let settings = tick.settings;
        match settings.control.admission {
            _ if !settings.admits() => self.open_gates(tick),
            Mode::On if self.limiters.lock().is_none() => self.set_first_limits(tick),
            Mode::Observe | Mode::Off => tick.topology.stages.iter().for_each(|stage| {
                stage.core.set_admission(&Limits::NONE, Duration::ZERO);
            }),
            Mode::On => {}
        }
    }

    fn open_gates(&self, tick: &Tick<'_>) {
        if self.limiters.lock().take().is_none() {
            return;
        }
        for (index, stage) in tick.topology.stages.entries() {
            if let Some(gate) = tick.topology.core.admission.gate(index.get()) {
                gate.set_limits(&Limits::NONE, &Limits::NONE);
                (0..tick.topology.classes().len())
                    .for_each(|class| gate.set_feasibility(class, false, false));
            }
            stage.core.set_admission(&Limits::NONE, Duration::ZERO);
        }
    }

    fn decide(
        &self,
        plan: &StagePlan,
        limiter: &mut Limiter,
        seen: &StageObservation,
        tick: &Tick<'_>,
    ) -> GateLimits {
        let name = plan.core.name();
        let admission = &tick.topology.core.admission;
        let (declared, differ) = (admission.costs_are_declared(), admission.costs_differ());
        limiter.estimate.update(seen, (declared, differ), tick.now);
        let own = || self.make_law.as_ref().and_then(|make| catch_panic(|| make(name)));
        let make = || own().unwrap_or_else(|| laws::make(tick.settings.control.law));
        limiter.decide(name, seen, tick.settings, make)
    }
}

/// Limits what a stage's own queue admits of events that were not counted at its gate. An observer
/// changes nothing there.
fn set_entry_limits(plan: &StagePlan, limiter: &Limiter, limits: &GateLimits, tick: &Tick<'_>) {
    if !tick.acts {
        return plan.core.set_admission(&Limits::NONE, Duration::ZERO);
    }
    let (own, _) = limits.shared(&tick.settings.shares);
    let shortest =
        tick.settings.slo.iter().flatten().min().copied().unwrap_or(crate::config::LONGEST_SLO);
    plan.core.set_admission(&own, limiter.estimate.lead(shortest));
}

/// Journals when gates begin and end to turn requests away.
fn journal_gates(limiters: &mut Stages<Limiter>, seen: &Stages<StageObservation>, tick: &Tick<'_>) {
    for (stage, plan) in tick.topology.stages.entries() {
        if let Some(change) = gate_change(stage, &mut limiters[stage], &seen[stage], tick) {
            tick.record(change.stage(&**plan.core.name()));
        }
    }
}

fn gate_change(
    stage: StageIndex,
    limiter: &mut Limiter,
    seen: &StageObservation,
    tick: &Tick<'_>,
) -> Option<Decision> {
    let refuses = seen.turned_away + seen.gave_way > 0;
    let action = match (refuses, limiter.refusing) {
        (true, None) => "began to turn requests away",
        (false, Some(last)) if tick.now.since(last) >= CALM => "ended turning requests away",
        _ => "",
    };
    if refuses {
        limiter.refusing = Some(tick.now);
    } else if !action.is_empty() {
        limiter.refusing = None;
    }
    if action.is_empty() {
        return None;
    }
    let limit = tick.topology.core.admission.figures(stage.get()).and_then(|gate| gate.limit);
    let said = limit.map_or_else(|| "no limit".to_owned(), |limit| format!("limit {limit}"));
    let service = limiter.estimate.service().unwrap_or(0.0) * 1e3;
    let saw = format!(
        "{} of {} turned away, {} gave way, {} queued, service {service:.2} ms, {} workers",
        seen.turned_away, seen.offered, seen.gave_way, seen.queued, seen.workers
    );
    let decision = Decision::by(Controller::Admission, tick.now).seen(saw);
    Some(decision.action(action).changed(said).acted(tick.acts))
}
