//! Gates: a request is refused at the entry, before any work is spent on it, when a stage on its
//! route has as much work as it can do in time.
//!
//! The room holds the gates of a graph as plain data with atomic counters. It may import `config`,
//! `stats` and `platform`. The gates decide no limits: a law of `control` sets them once per tick.
//! Eviction for a request at a closed gate belongs to `stage`.
//!
//! - [`Route`]: the stages that a kind of request visits, declared in code.
//! - `Admission`: all gates of a graph.
//! - `Gate`: the gate of one stage: the requests bound for it and their limits by class. It has two
//!   `ClassLimiter`s, one in requests and one in costs.
//! - `GateCharge`: the charge of a request at its gates, from its entry to its end. It has one
//!   `GateCost` for each gate; `PerGate` holds them.
//! - `Cost`: an amount in microseconds of service or in declared units.
//! - `InService`: the requests in service, and the part of their cost that is served already.
//! - `CostModel`: the measured service time of a unit of cost.
//! - `Demands`: the measured demand of each route at each of its gates (`RouteDemand`), for
//!   requests that declare no cost. `DeclaredCosts` are the costs that others declare at a gate.
//! - `MeasuredRoute`: the stages that requests without a declared route visit.
//! - `Tenants`: decides which requests find room at a closed gate. It has a `WaterLevel` for each
//!   class and gate, and the `Accounts` of the tenants.
//!
//! By Little's law a bound on the requests inside bounds their time: N requests under way, of which
//! X per second end, take N/X seconds.

mod accounts;
mod class_limits;
mod cost;
mod cost_model;
mod declared_costs;
mod demands;
mod entry_gate;
mod gate_charge;
mod in_service;
mod measured_route;
mod per_gate;
mod route;
mod route_demand;
mod tenants;
#[cfg(test)]
mod tests;
mod water_level;

pub(crate) use accounts::TenantRate;
pub(crate) use class_limits::{Limits, UNLIMITED};
pub(crate) use cost::{Cost, CostUnit};
pub(crate) use cost_model::CostModel;
pub(crate) use entry_gate::{Gate, GateCounts};
pub(crate) use gate_charge::{GateCharge, GateClosed};
pub(crate) use measured_route::Visits;
pub(crate) use per_gate::PerGate;
pub(crate) use route::RouteIndex;
pub use route::{Route, StageId};
pub(crate) use route_demand::GateService;
pub(crate) use tenants::TenantName;

use crate::config::{Class, Mode, PerClass};
use crate::gate::demands::Demands;
use crate::gate::gate_charge::GateCost;
use crate::gate::measured_route::Links;
use crate::gate::route_demand::RouteDemand;
use crate::gate::tenants::{Asked, Tenants, Verdict};
use crate::platform::Time;
use crate::platform::sync::{AtomicBool, AtomicU64, OnceLock, Ordering};
use std::time::Duration;

/// The percentage of the SLO within which a request has to be answered: the answer still has to
/// reach the client.
const ANSWERED_WITHIN: u64 = 95;

/// The gates of one graph.
#[derive(Debug)]
pub(crate) struct Admission {
    built: OnceLock<Built>,
    /// Whether requests are counted at the gates.
    on: AtomicBool,
    /// Whether a closed gate only counts the requests that it would refuse.
    observes: AtomicBool,
    /// Whether any stage is stuck.
    any_stuck: AtomicBool,
    /// The SLO in force by class, in nanoseconds; `u64::MAX` without one.
    slo: PerClass<AtomicU64>,
    /// The SLO as it is set, which is in force only while gates act.
    set_slo: PerClass<AtomicU64>,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            built: OnceLock::new(),
            on: AtomicBool::new(false),
            observes: AtomicBool::new(false),
            any_stuck: AtomicBool::new(false),
            slo: PerClass::from_fn(|_| AtomicU64::new(u64::MAX)),
            set_slo: PerClass::from_fn(|_| AtomicU64::new(u64::MAX)),
        }
    }
}

#[derive(Debug)]
struct Built {
    /// By stage.
    gates: Box<[Gate]>,
    /// By stage: whether all of its workers are stuck in handlers.
    stuck: Box<[AtomicBool]>,
    /// By stage: the stage of its gate. Replicas share the gate of the first.
    gate_of: Box<[usize]>,
    /// The stages where requests enter from outside, in ascending order.
    entries: Box<[usize]>,
    /// For each stage the route of requests that enter there without a declared one, then each
    /// declared route from each entry.
    demands: Demands,
    tenants: Tenants,
}

impl Admission {
    /// Builds the gates and the routes; to be called once, before the first request. `gate_of` is
    /// the stage of the gate of each stage. An edge has the stage that it leaves, or `None`, and
    /// the stage that it enters.
    pub(crate) fn build(
        &self,
        gate_of: Box<[usize]>,
        declared: &[Box<[usize]>],
        edges: &[(Option<usize>, usize)],
    ) {
        let stages = gate_of.len();
        let links = Links::new(&gate_of, edges);
        let entering = gate_of.iter().map(|gate| RouteDemand::entering(*gate, &links));
        let mut entries: Vec<usize> =
            edges.iter().filter(|(from, _)| from.is_none()).map(|(_, to)| *to).collect();
        entries.sort_unstable();
        entries.dedup();
        // A request visits its entry too.
        let from_entries = declared.iter().flat_map(|visited| {
            entries.iter().map(|entry| {
                let visited = visited.iter().chain(std::iter::once(entry));
                let mut gates: Vec<usize> =
                    visited.filter_map(|stage| gate_of.get(*stage).copied()).collect();
                gates.sort_unstable();
                gates.dedup();
                RouteDemand::new(&gates, None)
            })
        });
        let built = Built {
            demands: Demands::new(entering.chain(from_entries).collect(), stages),
            gates: (0..stages).map(|_| Gate::default()).collect(),
            tenants: Tenants::new(stages),
            entries: entries.clone().into(),
            stuck: (0..stages).map(|_| AtomicBool::new(false)).collect(),
            gate_of,
        };
        let first = self.built.set(built).is_ok();
        debug_assert!(first, "the gates are built once");
    }

    /// Returns whether closed gates refuse requests instead of only counting them.
    pub(crate) fn acts(&self) -> bool {
        self.on.load(Ordering::Relaxed) && !self.observes.load(Ordering::Relaxed)
    }

    /// Sets the SLO of each class, and whether gates act on it. Requests under way when counting
    /// begins are not counted.
    pub(crate) fn set(&self, slo: &[Option<Duration>], mode: Mode) {
        for (class, (nanos, set)) in self.slo.iter().zip(&self.set_slo).enumerate() {
            let p99 = slo.get(class).copied().flatten();
            let p99 = p99.and_then(|p99| u64::try_from(p99.as_nanos()).ok()).unwrap_or(u64::MAX);
            set.store(p99, Ordering::Relaxed);
            nanos.store(if mode.acts() { p99 } else { u64::MAX }, Ordering::Relaxed);
        }
        self.observes.store(mode.watches() && !mode.acts(), Ordering::Relaxed);
        self.on.store(mode.watches(), Ordering::Relaxed);
    }

    /// Returns the time after which the answer to a request of `class` on `route` is worthless by
    /// the SLO. `None` without an SLO, and if a stage on the route cannot keep it even in the mean:
    /// then a late answer is worth more than none.
    pub(crate) fn deadline(&self, route: Option<RouteIndex>, class: Class) -> Option<Duration> {
        let slo = self.slo[class].load(Ordering::Relaxed);
        let infeasible = || self.gates_on(route).any(|gate| gate.is_infeasible(class));
        let applies = slo < u64::MAX && !infeasible();
        applies.then(|| Duration::from_nanos(slo / 100 * ANSWERED_WITHIN))
    }

    /// Sets whether all workers of a stage are stuck in handlers; true if that is a change.
    pub(crate) fn set_stuck(&self, stage: usize, is_stuck: bool) -> bool {
        let Some(built) = self.built.get() else { return false };
        let flag = built.stuck.get(stage);
        let changes = flag.is_some_and(|flag| flag.swap(is_stuck, Ordering::Relaxed) != is_stuck);
        if changes {
            let any = built.stuck.iter().any(|stuck| stuck.load(Ordering::Relaxed));
            self.any_stuck.store(any, Ordering::Relaxed);
        }
        changes
    }

    /// Returns whether all workers of a stage are stuck in handlers.
    pub(crate) fn is_stuck(&self, stage: usize) -> bool {
        if !self.any_stuck.load(Ordering::Relaxed) {
            return false;
        }
        let flag = self.built.get().and_then(|built| built.stuck.get(stage));
        flag.is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// Returns whether a stage that a request from stage `entry` will visit is stuck; of replicas,
    /// whether all are.
    pub(crate) fn meets_stuck(&self, entry: usize, declared: Option<Route>) -> bool {
        if !self.any_stuck.load(Ordering::Relaxed) {
            return false;
        }
        let Some(built) = self.built.get() else { return false };
        let number = declared.and_then(|route| built.number_of(entry, route)).unwrap_or(entry);
        let Some(route) = built.demands.routes().get(number) else { return false };
        route.charged().any(|(_, at)| {
            let mut sharing = built.gate_of.iter().enumerate().filter(|(_, of)| **of == at.gate);
            sharing.all(|(stage, _)| self.is_stuck(stage))
        })
    }

    /// Returns the shortest SLO of all classes; `None` without any.
    pub(crate) fn shortest_slo(&self) -> Option<Duration> {
        let shortest = self.slo.iter().map(|slo| slo.load(Ordering::Relaxed)).min()?;
        (shortest < u64::MAX).then(|| Duration::from_nanos(shortest))
    }

    /// Returns the SLO of a class as it is set; `None` without one.
    pub(crate) fn slo_of(&self, class: Class) -> Option<Duration> {
        let slo = self.set_slo[class].load(Ordering::Relaxed);
        (slo < u64::MAX).then(|| Duration::from_nanos(slo))
    }

    /// Returns the gate of a stage; replicas share one.
    pub(crate) fn gate(&self, stage: usize) -> Option<&Gate> {
        let built = self.built.get()?;
        built.gates.get(*built.gate_of.get(stage)?)
    }

    /// Returns whether a stage has a gate of its own, and not that of another replica.
    pub(crate) fn has_gate(&self, stage: usize) -> bool {
        self.gate_number(stage) == Some(stage)
    }

    /// Returns the stage that has the gate of `stage`: the first of replicas, else `stage` itself.
    pub(crate) fn gate_number(&self, stage: usize) -> Option<usize> {
        self.built.get()?.gate_of.get(stage).copied()
    }

    /// Returns the figures of a stage's gate; `None` while requests are not counted, and for
    /// replicas other than the first.
    pub(crate) fn figures(&self, stage: usize) -> Option<GateCounts> {
        if self.on.load(Ordering::Relaxed) && self.has_gate(stage) {
            self.gate(stage).map(Gate::figures)
        } else {
            None
        }
    }

    /// Returns the number of declared routes, each from each entry.
    pub(crate) fn declared_routes(&self) -> usize {
        self.built.get().map_or(0, |built| built.declared().len())
    }

    /// Returns the stages of the gates on a declared route.
    pub(crate) fn stages_on(&self, declared: usize) -> Vec<usize> {
        let route = self.built.get().and_then(|built| built.declared().get(declared));
        route.map_or_else(Vec::new, |route| route.places.iter().map(|place| place.gate).collect())
    }

    /// Returns the route of a request that enters at stage `entry`; `None` while requests are not
    /// counted.
    pub(crate) fn route(&self, entry: usize, declared: Option<Route>) -> Option<RouteIndex> {
        if !self.on.load(Ordering::Relaxed) {
            return None;
        }
        let built = self.built.get()?;
        let number = declared.and_then(|route| built.number_of(entry, route)).unwrap_or(entry);
        if number < built.demands.routes().len() { RouteIndex::new(number) } else { None }
    }

    /// Returns the charge of a request at each gate on its route: its declared cost, else the
    /// measured demand of its route where that matters.
    pub(crate) fn charge(
        &self,
        index: Option<RouteIndex>,
        class: Class,
        declared: Option<u32>,
        tenant: Option<u64>,
    ) -> GateCharge {
        let Some((built, route)) = self.built_route(index) else { return GateCharge::none(class) };
        route.take();
        let costs = route.charged().map(|(place, at)| {
            let gate = built.gates.get(at.gate);
            let declared = declared.and_then(|cost| gate?.declared().declare(cost));
            GateCost { gate: at.gate, place, cost: declared.unwrap_or_else(|| at.cost()) }
        });
        GateCharge {
            route: index,
            class,
            costs: costs.collect(),
            measured: route.measures(),
            learns: route.learned.is_some(),
            declared: declared.is_some(),
            tenant,
        }
    }

    /// Returns whether a gate counts in declared costs.
    pub(crate) fn costs_are_declared(&self, stage: usize) -> bool {
        self.gate(stage).is_some_and(|gate| gate.unit() == CostUnit::Declared)
    }

    /// Returns whether the costs known at the entry distinguish expensive requests from cheap ones
    /// at the gate of a stage.
    pub(crate) fn costs_differ(&self, stage: usize) -> bool {
        let differ = || Some(self.built.get()?.demands.differ_at(self.gate_number(stage)?));
        self.costs_are_declared(stage) || differ().unwrap_or(false)
    }

    /// Ends a tick: its measurements join the routes and their demands. `coarse`: at some stage the
    /// SLO holds few services, and a limit in whole requests is too coarse. Returns the entries
    /// whose requests pass other gates than before.
    pub(crate) fn learn_demands(&self, coarse: bool) -> Vec<usize> {
        self.built.get().map_or_else(Vec::new, |built| built.demands.update(&built.gates, coarse))
    }

    /// Returns the stages where requests enter from outside.
    pub(crate) fn entries(&self) -> &[usize] {
        self.built.get().map_or(&[], |built| &built.entries)
    }

    /// Returns the stages of the gates that requests pass which enter at `entry` without a declared
    /// route.
    pub(crate) fn stages_from(&self, entry: usize) -> Vec<usize> {
        let route = self.built.get().and_then(|built| built.demands.routes().get(entry));
        route.map_or_else(Vec::new, |route| route.charged().map(|(_, at)| at.gate).collect())
    }

    /// Notes that a request without a declared route visits a stage, or would if it had room.
    pub(crate) fn visit(&self, charge: &GateCharge, visits: &Visits, stage: usize) {
        if let Some((built, route)) = self.built_route(charge.route)
            && let Some(learned) = &route.learned
            && let Some(place) = built.gate_of.get(stage).and_then(|gate| route.place_of(*gate))
        {
            learned.visit(visits, place);
        }
    }

    /// Adds `nanos` of service to an answered request, at the gate with this number in its charge.
    pub(crate) fn record_service(&self, charge: &GateCharge, number: usize, nanos: u64) {
        let Some((built, route)) = self.built_route(charge.route) else { return };
        let Some(at) = charge.costs().get(number) else { return };
        match built.gates.get(at.gate) {
            Some(gate) if charge.declares_at(at) => gate.declared().record_service(nanos),
            _ => route.record_service(at.place, nanos),
        }
    }

    /// Counts an answered request and the stages that it has visited.
    pub(crate) fn report_visits(&self, charge: &GateCharge, visits: &Visits) {
        let route = self.built_route(charge.route);
        if let Some(learned) = route.and_then(|(_, route)| route.learned.as_ref()) {
            learned.answered(visits);
        }
    }

    /// Counts an answered request with its service so far, by gate.
    pub(crate) fn report_service(&self, charge: &GateCharge, services: &[GateService]) {
        let Some((built, route)) = self.built_route(charge.route) else { return };
        for (at, service) in charge.costs().iter().zip(services) {
            if let Some(gate) = built.gates.get(at.gate).filter(|_| charge.declares_at(at)) {
                gate.declared().answered(at.cost.amount, service.nanos);
            }
        }
        route.answered(charge.costs(), services, |at| !charge.declares_at(at));
    }

    /// Lets a request through all gates on its route, or none. The gates of the stages in
    /// `preempted` admit it regardless of their limits.
    ///
    /// # Errors
    /// The first closed gate.
    pub(crate) fn enter(
        &self,
        charge: &GateCharge,
        preempted: &[usize],
        now: impl Fn() -> Time,
    ) -> Result<(), GateClosed> {
        let class = charge.class;
        let observes = self.observes.load(Ordering::Relaxed);
        for (passed, (at, gate)) in self.gates_of(charge).enumerate() {
            if preempted.contains(&at.gate) {
                gate.enter_anyway(class, at.cost);
                continue;
            }
            let enters = match self.judge_tenant(charge, at, Asked::AtEntry, &now) {
                Verdict::Uncontended => gate.enter(class, at.cost, &now),
                Verdict::Below => gate.enter_below_level(class, at.cost, &now),
                Verdict::Above => false,
            };
            if !enters {
                if observes {
                    gate.turn_away(class);
                    gate.enter_anyway(class, at.cost);
                    continue;
                }
                // All or none: undo the gates passed so far.
                let passed = self.gates_of(charge).take(passed);
                passed.for_each(|(at, gate)| gate.refund(class, at.cost));
                return Err(GateClosed { stage: at.gate });
            }
        }
        if let Some(built) = self.built.get() {
            for (at, gate) in self.gates_of(charge) {
                built.tenants.admit(at.gate, charge, gate.amount(class, at.cost), &now);
            }
        }
        Ok(())
    }

    /// Returns the first gate on a request's route at which [`Admission::enter`] would refuse it.
    pub(crate) fn first_closed(
        &self,
        charge: &GateCharge,
        now: impl Fn() -> Time,
    ) -> Option<GateClosed> {
        if self.observes.load(Ordering::Relaxed) {
            return None;
        }
        let closed = self.gates_of(charge).find(|(at, gate)| !self.admits(charge, at, gate, &now));
        closed.map(|(at, _)| GateClosed { stage: at.gate })
    }

    /// Returns whether a gate would admit a request now.
    fn admits(
        &self,
        charge: &GateCharge,
        at: &GateCost,
        gate: &Gate,
        now: impl Fn() -> Time,
    ) -> bool {
        match self.judge_tenant(charge, at, Asked::Before, &now) {
            Verdict::Uncontended => gate.has_room(charge.class, at.cost, &now),
            Verdict::Below => gate.has_room_below_level(charge.class, at.cost, &now),
            Verdict::Above => false,
        }
    }

    /// Returns whether the gate of `stage` refuses a request because its tenant has had its share,
    /// regardless of the room there.
    pub(crate) fn is_above_level(
        &self,
        charge: &GateCharge,
        stage: usize,
        now: impl Fn() -> Time,
    ) -> bool {
        let at = charge.costs().iter().find(|at| at.gate == stage);
        let verdict = at.map(|at| self.judge_tenant(charge, at, Asked::Before, now));
        verdict == Some(Verdict::Above)
    }

    fn judge_tenant(
        &self,
        charge: &GateCharge,
        at: &GateCost,
        asked: Asked,
        now: impl Fn() -> Time,
    ) -> Verdict {
        let gate = self.built.get().and_then(|built| Some((built, built.gates.get(at.gate)?)));
        let Some((built, gate)) = gate else { return Verdict::Uncontended };
        if self.observes.load(Ordering::Relaxed) {
            return Verdict::Uncontended;
        }
        let fill = || gate.fill(charge.class, at.cost, &now);
        built.tenants.judge(at.gate, charge, asked, fill, &now)
    }

    /// Returns the `most` tenants with the highest rates, the highest first.
    pub(crate) fn heaviest_tenants(&self, most: usize, now: Time) -> Vec<(TenantName, TenantRate)> {
        self.built.get().map_or_else(Vec::new, |built| built.tenants.heaviest(most, now))
    }

    /// Sets the salt of the tenants' table, so that clients cannot choose the keys that share a
    /// place in it; to be called before the first request.
    pub(crate) fn salt_tenants(&self, salt: u64) {
        if let Some(built) = self.built.get() {
            built.tenants.set_salt(salt);
        }
    }

    /// Returns the stages of the gates on a request's route that are closed for it.
    pub(crate) fn closed_on(&self, charge: &GateCharge, now: impl Fn() -> Time) -> Vec<usize> {
        let gates = self.gates_of(charge);
        let closed = gates.filter(|(at, gate)| !self.admits(charge, at, gate, &now));
        closed.map(|(at, _)| at.gate).collect()
    }

    /// Counts a request that is refused because of a closed gate.
    pub(crate) fn turn_away(&self, charge: &GateCharge, closed: GateClosed) {
        if let Some(gate) = self.gate(closed.stage) {
            gate.turn_away(charge.class);
        }
        if let Some(built) = self.built.get() {
            built.tenants.refuse(closed.stage, charge);
        }
    }

    /// Ends the charge of a request that had entered, at all its gates.
    pub(crate) fn leave(&self, charge: &GateCharge) {
        self.gates_of(charge).for_each(|(at, gate)| gate.leave(charge.class, at.cost));
    }

    /// Ends the charge of a request at one gate, by the number of the gate in the charge.
    pub(crate) fn leave_gate(&self, charge: &GateCharge, number: usize) {
        if let Some((at, gate)) = self.gates_of(charge).nth(number) {
            gate.leave(charge.class, at.cost);
        }
    }

    /// Returns the gate of a stage if the request passes it.
    pub(crate) fn gate_on(&self, charge: &GateCharge, stage: usize) -> Option<GateOn<'_>> {
        let built = self.built.get()?;
        let gate = *built.gate_of.get(stage)?;
        let (number, cost) = charge.at(gate)?;
        Some(GateOn { number, cost, gate: built.gates.get(gate)? })
    }

    /// Returns the gates that a request passes, with its cost at each.
    fn gates_of<'a>(
        &'a self,
        charge: &'a GateCharge,
    ) -> impl Iterator<Item = (&'a GateCost, &'a Gate)> {
        let gates = self.built.get().map_or(&[][..], |built| &built.gates);
        charge.costs().iter().filter_map(|at| Some((at, gates.get(at.gate)?)))
    }

    /// Returns the gates that requests on a route pass now.
    fn gates_on(&self, route: Option<RouteIndex>) -> impl Iterator<Item = &Gate> {
        let found = self.built_route(route).into_iter();
        found.flat_map(|(built, route)| {
            route.charged().filter_map(|(_, place)| built.gates.get(place.gate))
        })
    }

    fn built_route(&self, route: Option<RouteIndex>) -> Option<(&Built, &RouteDemand)> {
        let (built, route) = self.built.get().zip(route)?;
        Some((built, built.demands.route(route)?))
    }
}

/// A gate that a request passes.
pub(crate) struct GateOn<'a> {
    /// Its number in the charge of the request.
    pub(crate) number: usize,
    /// The cost of the request there.
    pub(crate) cost: Cost,
    pub(crate) gate: &'a Gate,
}

impl Built {
    /// Returns the number of a declared route from `entry`; `None` if no request enters there.
    fn number_of(&self, entry: usize, route: Route) -> Option<usize> {
        let place = self.entries.binary_search(&entry).ok()?;
        Some(self.gates.len() + usize::from(route.index) * self.entries.len() + place)
    }

    fn declared(&self) -> &[RouteDemand] {
        self.demands.routes().get(self.gates.len()..).unwrap_or_default()
    }
}
