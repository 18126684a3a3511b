//! Asks the laws of admission once per tick, and sets the limits of all gates.

use crate::config::{Class, Mode, PerClass, Pools, Position, Settings, StageIndex, Stages};
use crate::control::admission::estimator::CostKind;
use crate::control::admission::feasibility::Feasibility;
use crate::control::admission::gate_limits::{GateLimits, gate_of};
use crate::control::admission::in_time::InTime;
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

/// A gate counts as open again after this time without a refusal.
const OPEN_AFTER: Duration = Duration::from_secs(1);

/// Makes the law of one class at a stage, by the stage's name.
pub(crate) type MakeLaw = Box<dyn Fn(&str) -> Box<dyn AdmissionLaw> + Send + Sync>;

/// Sets the limits of all gates, at each tick and when settings change between two ticks.
///
/// `limiters` has three states:
///
/// - `None`: no SLO is in force, and all gates are open.
/// - `Some`: limits are in force.
/// - `None` during `act`, which takes the limiters out: laws are the program's code, and run
///   without a lock. A change of settings meanwhile takes effect at the next tick at the latest.
pub(in crate::control) struct AdmissionController {
    /// The program's own law; `None` selects `control.law`.
    make_law: Option<MakeLaw>,
    limiters: Mutex<Option<Stages<Limiter>>>,
    /// By declared route and class: whether the stages together can meet the SLO.
    routes: Mutex<Vec<PerClass<Feasibility>>>,
}

impl AdmissionController {
    pub(in crate::control) fn new(make_law: Option<MakeLaw>) -> Self {
        Self { make_law, limiters: Mutex::default(), routes: Mutex::default() }
    }

    /// Returns every stage over the last tick; `None` if no class has an SLO or admission is off.
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

    /// Sets the limits of all gates; opens the gates if `seen` is `None`.
    pub(in crate::control) fn act(&self, seen: Option<&Stages<StageObservation>>, tick: &Tick<'_>) {
        let Some(seen) = seen else { return self.open_gates(tick) };
        let admission = &tick.topology.core.admission;
        let taken = self.limiters.lock().take();
        let mut limiters =
            taken.unwrap_or_else(|| tick.topology.stages.map(|_, _| Limiter::default()));
        let shortest = tick.settings.slo.iter().flatten().min().copied();
        // Route demands are learned finely if any stage fits few services into an SLO. Every
        // limiter is asked, because each updates its own state.
        let mut any_coarse = false;
        for limiter in &mut limiters {
            any_coarse |= shortest.is_some_and(|slo| limiter.coarse(slo));
        }
        admission.learn_demands(any_coarse);
        // Every stage decides; the limits of replicas are joined at their common gate.
        let mut gates: Stages<Option<GateLimits>> = tick.topology.stages.map(|_, _| None);
        let mut in_time: Stages<Option<InTime>> = tick.topology.stages.map(|_, _| None);
        for (stage, plan) in tick.topology.stages.entries() {
            let limiter = &mut limiters[stage];
            let limits = self.decide(plan, limiter, &seen[stage], tick);
            set_entry_limits(plan, limiter, &limits, tick);
            let gate = &mut gates[gate_of(tick.topology, stage)];
            *gate = Some(gate.map_or(limits, |sum| sum.joined(limits)));
            let own = InTime::of(&limiter.estimate, &tick.settings.slo);
            let gate = &mut in_time[gate_of(tick.topology, stage)];
            *gate = Some(gate.map_or(own, |sum| sum.joined(own)));
        }
        // The gates take over the limits, each class with its guaranteed share.
        for (stage, limits) in gates.entries() {
            if let (Some(limits), Some(gate)) = (limits, admission.gate(stage.get())) {
                let (requests, costs) = limits.shared(&tick.settings.shares);
                gate.set_limits(&requests, &costs);
                gate.set_pace(limits.pace, limits.parallelism);
                let (requests, costs) = in_time[stage].unwrap_or_default().whole();
                gate.set_in_time(requests, costs);
            }
        }
        journal_gates(&mut limiters, seen, tick);
        let mut routes = std::mem::take(&mut *self.routes.lock());
        check_slos(&mut limiters, &mut routes, tick);
        *self.routes.lock() = routes;
        *self.limiters.lock() = Some(limiters);
    }

    /// Sets limits before the first measurement, because a flood may come with the first request.
    pub(in crate::control) fn set_first_limits(&self, tick: &Tick<'_>) {
        let seen = tick.topology.stages.map(|stage, _| {
            let workers = tick.topology.pool_of(stage).core.range().max;
            let parallelism = workers as f64;
            StageObservation { workers, pool_workers: workers, parallelism, ..Default::default() }
        });
        self.act(tick.settings.admits().then_some(&seen), tick);
    }

    /// Applies changed settings: limits begin and end at once instead of at the next tick.
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

    /// Removes all limits, if any are in force.
    fn open_gates(&self, tick: &Tick<'_>) {
        if self.limiters.lock().take().is_none() {
            return;
        }
        for (index, stage) in tick.topology.stages.entries() {
            if let Some(gate) = tick.topology.core.admission.gate(index.get()) {
                gate.set_limits(&Limits::NONE, &Limits::NONE);
                Class::first(tick.topology.classes().len())
                    .for_each(|class| gate.set_feasibility(class, false, false));
            }
            stage.core.set_admission(&Limits::NONE, Duration::ZERO);
        }
    }

    /// Updates the estimate of a stage, and returns the limits that its laws decide on.
    fn decide(
        &self,
        plan: &StagePlan,
        limiter: &mut Limiter,
        seen: &StageObservation,
        tick: &Tick<'_>,
    ) -> GateLimits {
        let name = plan.core.name();
        let admission = &tick.topology.core.admission;
        let costs = CostKind {
            are_declared: admission.costs_are_declared(),
            differ: admission.costs_differ(),
        };
        limiter.estimate.update(seen, costs, tick.now);
        let own = || self.make_law.as_ref().and_then(|make| catch_panic(|| make(name)));
        let make = || own().unwrap_or_else(|| laws::make(tick.settings.control.law));
        limiter.decide(name, seen, tick.settings, make)
    }
}

/// Limits the events that enter the stage's queue without a count at its gate. In mode `observe`
/// the queue stays unlimited.
fn set_entry_limits(plan: &StagePlan, limiter: &Limiter, limits: &GateLimits, tick: &Tick<'_>) {
    if !tick.acts {
        return plan.core.set_admission(&Limits::NONE, Duration::ZERO);
    }
    let (own, _) = limits.shared(&tick.settings.shares);
    let shortest =
        tick.settings.slo.iter().flatten().min().copied().unwrap_or(crate::config::LONGEST_SLO);
    plan.core.set_admission(&own, limiter.estimate.lead(shortest));
}

/// Journals each gate that began or stopped refusing requests.
fn journal_gates(limiters: &mut Stages<Limiter>, seen: &Stages<StageObservation>, tick: &Tick<'_>) {
    for (stage, plan) in tick.topology.stages.entries() {
        if let Some(change) = gate_change(stage, &mut limiters[stage], &seen[stage], tick) {
            tick.record(change.stage(&**plan.core.name()));
        }
    }
}

/// Returns the decision to journal if the gate began or stopped refusing requests.
fn gate_change(
    stage: StageIndex,
    limiter: &mut Limiter,
    seen: &StageObservation,
    tick: &Tick<'_>,
) -> Option<Decision> {
    let refuses = seen.turned_away + seen.preempted > 0;
    let action = match (refuses, limiter.refusing) {
        (true, None) => "began refusing requests",
        (false, Some(last)) if tick.now.since(last) >= OPEN_AFTER => "stopped refusing requests",
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
    let limit = limit.map_or_else(|| "no limit".to_owned(), |limit| format!("limit {limit}"));
    let service = limiter.estimate.service().unwrap_or(0.0) * 1e3;
    let evidence = format!(
        "{} of {} turned away, {} preempted, {} queued, service {service:.2} ms, {} workers",
        seen.turned_away, seen.offered, seen.preempted, seen.queued, seen.workers
    );
    let decision = Decision::by(Controller::Admission, tick.now).seen(evidence);
    Some(decision.action(action).changed(limit).acted(tick.acts))
}
