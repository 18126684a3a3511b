//! Asks the laws of admission once per tick, and sets the limits of all gates.

use crate::config::{Class, Mode, PerClass, Pools, Position, Settings, StageIndex, Stages};
use crate::control::admission::estimator::CostKind;
use crate::control::admission::feasibility::Feasibility;
use crate::control::admission::gate_limits::{GateLimits, gate_of};
use crate::control::admission::law::AdmissionLaw;
use crate::control::admission::laws;
use crate::control::admission::limiter::Limiter;
use crate::control::admission::observation::{GraphObservation, StageObservation};
use crate::control::admission::route_time::{RouteTime, RouteTimes};
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
/// - `None`: admission is off, and all gates are open.
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

    /// Returns the graph over the last tick; `None` if admission is off.
    pub(in crate::control) fn observe(
        &self,
        monitor: &Monitor,
        topology: &Topology,
        settings: &Settings,
        pools: &Pools<PoolObservation>,
    ) -> Option<GraphObservation> {
        let watches = settings.control.admission.watches();
        watches.then(|| GraphObservation::of(monitor, topology, settings, pools))
    }

    /// Sets the limits of all gates; opens the gates if `seen` is `None`.
    pub(in crate::control) fn act(&self, seen: Option<&GraphObservation>, tick: &Tick<'_>) {
        let Some(GraphObservation { stages: seen, next }) = seen else {
            return self.open_gates(tick);
        };
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
        journal_routes(&admission.learn_demands(any_coarse), tick);
        for stage in tick.topology.stages.indices() {
            let costs = CostKind {
                are_declared: admission.costs_are_declared(stage.get()),
                differ: admission.costs_differ(stage.get()),
            };
            limiters[stage].estimate.update(&seen[stage], costs, tick.now);
        }
        share_services(&mut limiters, tick.topology);
        // Services and waits of the stages that a request visits together.
        let times = limiters.map(|_, limiter| limiter.estimate.stage_time());
        let times = RouteTimes::new(tick.topology, next, times);
        // Every stage decides; the limits of replicas are joined at their common gate.
        let mut gates: Stages<Option<GateLimits>> = tick.topology.stages.map(|_, _| None);
        for (stage, plan) in tick.topology.stages.entries() {
            let limiter = &mut limiters[stage];
            let limits = self.decide(plan, limiter, &seen[stage], times.of(stage), tick);
            // Without an SLO an event may begin until its own deadline.
            let lead = shortest.filter(|_| tick.acts).map(|slo| times.lead(stage, slo));
            plan.core.set_lead(lead.unwrap_or(Duration::ZERO));
            let gate = &mut gates[gate_of(tick.topology, stage)];
            *gate = Some(gate.map_or(limits, |sum| sum.joined(limits)));
        }
        // The gates take over the limits, each class with its guaranteed share.
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

    /// Sets limits before the first measurement, because a flood may come with the first request.
    pub(in crate::control) fn set_first_limits(&self, tick: &Tick<'_>) {
        let seen = GraphObservation::before_start(tick.topology, tick.settings);
        self.act(tick.settings.control.admission.watches().then_some(&seen), tick);
    }

    /// Applies changed settings: limits begin and end at once instead of at the next tick.
    pub(in crate::control) fn follow(&self, tick: &Tick<'_>) {
        let settings = tick.settings;
        match settings.control.admission {
            Mode::Off => self.open_gates(tick),
            Mode::On if self.limiters.lock().is_none() => self.set_first_limits(tick),
            Mode::Observe => tick.topology.stages.iter().for_each(|stage| {
                stage.core.set_lead(Duration::ZERO);
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
            stage.core.set_lead(Duration::ZERO);
        }
    }

    /// Returns the limits of a stage that its laws decide on.
    fn decide(
        &self,
        plan: &StagePlan,
        limiter: &mut Limiter,
        seen: &StageObservation,
        route: RouteTime,
        tick: &Tick<'_>,
    ) -> GateLimits {
        let name = plan.core.name();
        let own = || self.make_law.as_ref().and_then(|make| catch_panic(|| make(name)));
        let make = || own().unwrap_or_else(|| laws::make(tick.settings.control.law));
        limiter.decide(name, seen, route, tick.settings, make)
    }
}

/// Gives each stage that has served nothing yet the mean service of the others of its pool.
fn share_services(limiters: &mut Stages<Limiter>, topology: &Topology) {
    for pool in &topology.pools {
        let services = pool.stages.iter().filter_map(|stage| limiters[*stage].estimate.service());
        let known: Vec<f64> = services.collect();
        if known.is_empty() || known.len() == pool.stages.len() {
            continue;
        }
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        for stage in &pool.stages {
            limiters[*stage].estimate.guess_service(mean);
        }
    }
}

/// Journals the entries whose requests are refused on behalf of other stages than before.
fn journal_routes(entries: &[usize], tick: &Tick<'_>) {
    let name = |stage: usize| &**tick.topology.stages[StageIndex::declared(stage)].core.name();
    for entry in entries {
        let stages = tick.topology.core.admission.stages_from(*entry);
        let others = stages.iter().filter(|stage| *stage != entry);
        let others: Vec<&str> = others.map(|stage| name(*stage)).collect();
        let (seen, changed) = if others.is_empty() {
            ("few requests from here visit another stage", "only its own gate".to_owned())
        } else {
            ("nearly all requests from here visit other stages", others.join(", "))
        };
        let action = "asks other gates about requests without a declared route";
        let decision = Decision::by(Controller::Admission, tick.now).stage(name(*entry)).seen(seen);
        tick.record(decision.action(action).changed(changed).acted(tick.acts));
    }
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
