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
//! - `GateCharge`: the charge of a request at its gates, from its entry to its end.
//! - `InService`: the requests in service, and the part of their cost that is served already.
//! - `CostModel`: the measured service time of a unit of cost.
//! - `Demands`: the measured demand of each route, for requests that declare no cost.
//! - `Tenants`: decides which requests find room at a closed gate. It has a `WaterLevel` for each
//!   class and gate, and the `Accounts` of the tenants.
//!
//! By Little's law a bound on the requests inside bounds their time: N requests under way, of which
//! X per second end, take N/X seconds.

mod accounts;
mod class_limits;
mod cost_model;
mod entry_gate;
mod gate_charge;
mod in_service;
mod route;
mod route_demand;
mod tenants;
#[cfg(test)]
mod tests;
mod water_level;

pub(crate) use accounts::TenantRate;
pub(crate) use class_limits::{Limits, UNLIMITED};
pub(crate) use cost_model::CostModel;
pub(crate) use entry_gate::{Gate, GateCounts};
pub(crate) use gate_charge::{GateCharge, GateClosed};
pub(crate) use route::RouteIndex;
pub use route::{Route, StageId};
pub(crate) use tenants::TenantName;

use crate::config::{Class, Mode, PerClass};
use crate::gate::route_demand::Demands;
use crate::gate::tenants::{Tenants, Verdict};
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
    /// The SLO by class, in nanoseconds; `u64::MAX` without one.
    slo: PerClass<AtomicU64>,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            built: OnceLock::new(),
            on: AtomicBool::new(false),
            observes: AtomicBool::new(false),
            slo: PerClass::from_fn(|_| AtomicU64::new(u64::MAX)),
        }
    }
}

#[derive(Debug)]
struct Built {
    /// By stage.
    gates: Box<[Gate]>,
    /// By stage: the stage of its gate. Replicas share the gate of the first.
    gate_of: Box<[usize]>,
    /// In gates: for each stage the route that visits it alone, then the declared routes.
    routes: Box<[Box<[usize]>]>,
    demands: Demands,
    tenants: Tenants,
}

impl Admission {
    /// Builds the gates and the routes; to be called once, before the first request. `gate_of` is
    /// the stage of the gate of each stage.
    pub(crate) fn build(&self, gate_of: Box<[usize]>, declared: &[Box<[usize]>]) {
        let stages = gate_of.len();
        let gates = |visited: &[usize]| {
            let mut gates: Vec<usize> =
                visited.iter().filter_map(|stage| gate_of.get(*stage).copied()).collect();
            gates.sort_unstable();
            gates.dedup();
            gates.into_boxed_slice()
        };
        let alone = (0..stages).map(|stage| gates(&[stage]));
        let declared = declared.iter().map(|visited| gates(visited));
        let routes: Box<[_]> = alone.chain(declared).collect();
        let built = Built {
            gates: (0..stages).map(|_| Gate::default()).collect(),
            demands: Demands::new(&routes),
            tenants: Tenants::new(stages),
            routes,
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
        let on = mode.watches() && slo.iter().any(Option::is_some);
        for (class, nanos) in self.slo.iter().enumerate() {
            let p99 = if mode.acts() { slo.get(class).copied().flatten() } else { None };
            let p99 = p99.and_then(|p99| u64::try_from(p99.as_nanos()).ok());
            nanos.store(p99.unwrap_or(u64::MAX), Ordering::Relaxed);
        }
        self.observes.store(mode.watches() && !mode.acts(), Ordering::Relaxed);
        self.on.store(on, Ordering::Relaxed);
    }

    /// Returns the time after which the answer to a request of `class` on `route` is worthless by
    /// the SLO. `None` without an SLO, and if a stage on the route cannot keep it even in the mean:
    /// then a late answer is worth more than none.
    pub(crate) fn deadline(&self, route: Option<RouteIndex>, class: Class) -> Option<Duration> {
        let slo = self.slo[class].load(Ordering::Relaxed);
        let applies =
            slo < u64::MAX && !self.gates_on(route).any(|(_, gate)| gate.is_infeasible(class));
        applies.then(|| Duration::from_nanos(slo / 100 * ANSWERED_WITHIN))
    }

    /// Returns the shortest SLO of all classes; `None` without any.
    pub(crate) fn shortest_slo(&self) -> Option<Duration> {
        let shortest = self.slo.iter().map(|slo| slo.load(Ordering::Relaxed)).min()?;
        (shortest < u64::MAX).then(|| Duration::from_nanos(shortest))
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

    /// Returns the number of declared routes.
    pub(crate) fn declared_routes(&self) -> usize {
        self.built.get().map_or(0, |built| built.routes.len() - built.gates.len())
    }

    /// Returns the stages of the gates on a declared route.
    pub(crate) fn stages_on(&self, declared: usize) -> &[usize] {
        let built = self.built.get();
        let route = built.and_then(|built| built.routes.get(built.gates.len() + declared));
        route.map_or(&[], |stages| stages)
    }

    /// Returns the route of a request that enters at stage `entry`; `None` while requests are not
    /// counted.
    pub(crate) fn route(&self, entry: usize, declared: Option<Route>) -> Option<RouteIndex> {
        if !self.on.load(Ordering::Relaxed) {
            return None;
        }
        let built = self.built.get()?;
        let stages = built.gates.len();
        let number = declared.map_or(entry, |route| stages + usize::from(route.index));
        if number < built.routes.len() { RouteIndex::new(number) } else { None }
    }

    /// Returns the charge of a request: its declared cost, else the measured demand of its route
    /// where that matters.
    pub(crate) fn charge(
        &self,
        route: Option<RouteIndex>,
        class: Class,
        declared: Option<u32>,
        tenant: Option<u64>,
    ) -> GateCharge {
        let cost = match (self.built.get().zip(route), declared) {
            (None, _) => 0,
            (Some((built, route)), None) => built.demands.cost(route),
            (Some((built, _)), Some(cost)) => {
                built.demands.note_declared();
                cost.max(1)
            }
        };
        GateCharge { route, class, cost, declared: declared.is_some(), tenant }
    }

    /// Returns whether requests have declared their costs. From then on only declared costs count.
    pub(crate) fn costs_are_declared(&self) -> bool {
        self.built.get().is_some_and(|built| built.demands.are_declared())
    }

    /// Returns whether the costs known at the entry distinguish expensive requests from cheap ones.
    pub(crate) fn costs_differ(&self) -> bool {
        let differ = |built: &Built| built.demands.are_declared() || built.demands.differ();
        self.built.get().is_some_and(differ)
    }

    /// Ends a tick: its measurements join the demands of the routes. `coarse`: at some stage the
    /// SLO holds few services, and a limit in whole requests is too coarse.
    pub(crate) fn learn_demands(&self, coarse: bool) {
        if let Some(built) = self.built.get() {
            built.demands.update(coarse);
        }
    }

    /// Returns whether the demand of the request's route is measured.
    pub(crate) fn measures(&self, charge: &GateCharge) -> bool {
        let route = self.built.get().zip(charge.route);
        route.is_some_and(|(built, route)| built.demands.measures(route))
    }

    /// Adds `nanos` of service to an answered request.
    pub(crate) fn record_service(&self, charge: &GateCharge, nanos: u64) {
        if let Some((built, route)) = self.built.get().zip(charge.route) {
            built.demands.record_service(route, nanos);
        }
    }

    /// Counts an answered request that has taken `nanos` of service so far.
    pub(crate) fn answered(&self, charge: &GateCharge, nanos: u64) {
        if let Some((built, route)) = self.built.get().zip(charge.route) {
            built.demands.answered(route, nanos);
        }
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
        let (class, cost) = (charge.class, u64::from(charge.cost));
        let observes = self.observes.load(Ordering::Relaxed);
        for (passed, (stage, gate)) in self.gates_on(charge.route).enumerate() {
            if preempted.contains(&stage) {
                gate.enter_anyway(class, cost);
                continue;
            }
            let enters = match self.judge_tenant(charge, stage, &now) {
                Verdict::Uncontended => gate.enter(class, cost, &now),
                Verdict::Below => gate.enter_below_level(class, cost, &now),
                Verdict::Above => false,
            };
            if !enters {
                if observes {
                    gate.turn_away(class);
                    gate.enter_anyway(class, cost);
                    continue;
                }
                // All or none: undo the gates passed so far.
                let passed = self.gates_on(charge.route).take(passed);
                passed.for_each(|(_, gate)| gate.refund(class, cost));
                return Err(GateClosed { stage });
            }
        }
        if let Some(built) = self.built.get() {
            for (stage, gate) in self.gates_on(charge.route) {
                built.tenants.admit(stage, charge, gate.amount(class, cost), &now);
            }
        }
        Ok(())
    }

    /// Returns whether a request is refused at the gate of `stage` because its tenant has had its
    /// share, regardless of the room there.
    pub(crate) fn is_above_level(
        &self,
        charge: &GateCharge,
        stage: usize,
        now: impl Fn() -> Time,
    ) -> bool {
        self.judge_tenant(charge, stage, now) == Verdict::Above
    }

    fn judge_tenant(&self, charge: &GateCharge, stage: usize, now: impl Fn() -> Time) -> Verdict {
        let gate = self.built.get().and_then(|built| Some((built, built.gates.get(stage)?)));
        let Some((built, gate)) = gate else { return Verdict::Uncontended };
        if self.observes.load(Ordering::Relaxed) {
            return Verdict::Uncontended;
        }
        let fill = || gate.fill(charge.class, u64::from(charge.cost), &now);
        built.tenants.judge(stage, charge, fill, &now)
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
        let cost = u64::from(charge.cost);
        let gates = self.gates_on(charge.route);
        let closed = gates.filter(|(_, gate)| !gate.has_room(charge.class, cost, &now));
        closed.map(|(stage, _)| stage).collect()
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

    /// Ends the charge of a request that had entered.
    pub(crate) fn leave(&self, charge: &GateCharge) {
        let cost = u64::from(charge.cost);
        self.gates_on(charge.route).for_each(|(_, gate)| gate.leave(charge.class, cost));
    }

    /// Returns the gate of a stage and its place on the route; `None` if it is not on the route.
    pub(crate) fn gate_on(&self, charge: &GateCharge, stage: usize) -> Option<(usize, &Gate)> {
        let number = self.gate_number(stage)?;
        let mut gates = self.gates_on(charge.route).enumerate();
        gates.find_map(|(place, (on_route, gate))| (on_route == number).then_some((place, gate)))
    }

    /// Returns whether the cost of a request counts for the cost models. A measured demand does not
    /// once requests declare their costs, because that is another unit.
    pub(crate) fn counts_for_cost_models(&self, charge: &GateCharge) -> bool {
        charge.declared == self.costs_are_declared()
    }

    /// Returns the gates on a route, each with its stage.
    fn gates_on(&self, route: Option<RouteIndex>) -> impl Iterator<Item = (usize, &Gate)> {
        let built = self.built.get();
        let stages = built.zip(route).and_then(|(built, route)| built.routes.get(route.get()));
        let stages = stages.map(|stages| stages.iter().copied()).into_iter().flatten();
        stages.filter_map(move |stage| Some((stage, built?.gates.get(stage)?)))
    }
}
