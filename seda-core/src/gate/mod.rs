//! Admission: a request is refused at the entry, before anything is spent on it, when a stage that
//! it is going to visit has as much to do as it can do in time.
//!
//! - [`Route`]: which stages a kind of request visits, declared in code.
//! - `Gate`: one stage's: how many requests are bound for it, and how many of each class may be;
//!   of two `ClassLimiter`s, one in requests and one in what they cost, where they say so.
//! - `InService`: what of these costs was served already.
//! - `CostModel`: what a unit of declared cost turned out to take.
//! - `GateCharge`: what a request counts as, from its entry to its end.
//! - `Demands`: what requests of each route take, for those that declare no cost.
//! - `Admission`: all gates of a graph. It holds no opinion: the limits come from a law of
//!   [`crate::control`], once per tick.
//!
//! By Little's law a bound on the requests that are inside is a bound on the time they take: who
//! may have N requests under way and ends X per second keeps them N/X seconds.

mod class_limits;
mod cost_model;
mod entry_gate;
mod gate_charge;
mod in_service;
mod route;
mod route_demand;
#[cfg(test)]
mod tests;

pub(crate) use gate_charge::{GateCharge, GateClosed};

pub(crate) use class_limits::{Limits, UNLIMITED};
pub(crate) use cost_model::CostModel;
pub(crate) use entry_gate::{Gate, GateCounts};
pub use route::{Route, StageId};

use crate::config::{Class, Mode, PerClass};
use crate::gate::route_demand::Demands;
use crate::platform::Time;
use crate::platform::sync::{AtomicBool, AtomicU64, OnceLock, Ordering};
use std::time::Duration;

/// Of a request that passed no gate.
pub(crate) const NO_ROUTE: u16 = u16::MAX;

/// Percent of what was promised within which a request has to be answered: the answer still has to
/// reach the client.
const ANSWERED_WITHIN: u64 = 95;

/// The gates of one graph.
#[derive(Debug)]
pub(crate) struct Admission {
    built: OnceLock<Built>,
    /// Whether requests are counted at the gates at all.
    on: AtomicBool,
    /// Whether a shut gate only counts whom it would have turned away.
    observes: AtomicBool,
    /// By class, in nanoseconds; the highest number where nothing was promised.
    promised: PerClass<AtomicU64>,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            built: OnceLock::new(),
            on: AtomicBool::new(false),
            observes: AtomicBool::new(false),
            promised: std::array::from_fn(|_| AtomicU64::new(u64::MAX)),
        }
    }
}

#[derive(Debug)]
struct Built {
    /// By stage.
    gates: Box<[Gate]>,
    /// By stage: which gate is its own. Replicas have one together, that of the first.
    gate_of: Box<[usize]>,
    /// For every stage the route that visits it alone, then the declared ones, in gates.
    routes: Box<[Box<[usize]>]>,
    demands: Demands,
}

impl Admission {
    /// To be called once, before the first request. `gate_of` says for each stage which one's gate
    /// is its own.
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
            routes,
            gate_of,
        };
        let _ = self.built.set(built);
    }

    /// Whether gates are shut, and not only watched.
    pub(crate) fn acts(&self) -> bool {
        self.on.load(Ordering::Relaxed) && !self.observes.load(Ordering::Relaxed)
    }

    /// Sets what was promised, by class, and who keeps it. What is under way when counting begins
    /// is not counted.
    pub(crate) fn set(&self, slo: &[Option<Duration>], mode: Mode) {
        let on = mode != Mode::Off && slo.iter().any(Option::is_some);
        for (class, promised) in self.promised.iter().enumerate() {
            let p99 = slo.get(class).copied().flatten().filter(|_| mode == Mode::On);
            let nanos = p99.and_then(|p99| u64::try_from(p99.as_nanos()).ok());
            promised.store(nanos.unwrap_or(u64::MAX), Ordering::Relaxed);
        }
        self.observes.store(mode == Mode::Observe, Ordering::Relaxed);
        self.on.store(on, Ordering::Relaxed);
    }

    /// After how long the answer to an event of `class` on this route would be late, if that was
    /// promised. Where a stage on it cannot keep the promise whatever is done, an answer that comes
    /// late is worth more than none.
    pub(crate) fn deadline(&self, route: u16, class: Class) -> Option<Duration> {
        let promised = self.promised.get(class.index())?.load(Ordering::Relaxed);
        let kept = promised < u64::MAX && !self.on(route).any(|(_, gate)| gate.is_hopeless(class));
        kept.then(|| Duration::from_nanos(promised / 100 * ANSWERED_WITHIN))
    }

    /// The shortest of the promises of all classes.
    pub(crate) fn shortest_promise(&self) -> Option<Duration> {
        let promises = self.promised.iter().map(|promised| promised.load(Ordering::Relaxed));
        promises.min().filter(|nanos| *nanos < u64::MAX).map(Duration::from_nanos)
    }

    /// A stage's gate; replicas have one together.
    pub(crate) fn gate(&self, stage: usize) -> Option<&Gate> {
        let built = self.built.get()?;
        built.gates.get(*built.gate_of.get(stage)?)
    }

    /// Whether a stage's gate is its own, and not that of another replica.
    pub(crate) fn has_gate(&self, stage: usize) -> bool {
        self.gate_number(stage) == Some(stage)
    }

    /// The stage whose gate is that of this one.
    pub(crate) fn gate_number(&self, stage: usize) -> Option<usize> {
        self.built.get()?.gate_of.get(stage).copied()
    }

    /// A stage's gate as it is, while requests are counted; of replicas the first one's.
    pub(crate) fn figures(&self, stage: usize) -> Option<GateCounts> {
        let counts = self.on.load(Ordering::Relaxed) && self.has_gate(stage);
        self.gate(stage).filter(|_| counts).map(Gate::figures)
    }

    /// How many routes were declared.
    pub(crate) fn declared_routes(&self) -> usize {
        self.built.get().map_or(0, |built| built.routes.len() - built.gates.len())
    }

    /// The stages whose gates are on a declared route.
    pub(crate) fn stages_on(&self, declared: usize) -> &[usize] {
        let built = self.built.get();
        let route = built.and_then(|built| built.routes.get(built.gates.len() + declared));
        route.map_or(&[], |stages| stages)
    }

    /// The number of a route, for a request that enters at stage `entry`.
    pub(crate) fn route(&self, entry: usize, declared: Option<Route>) -> u16 {
        let Some(built) = self.built.get().filter(|_| self.on.load(Ordering::Relaxed)) else {
            return NO_ROUTE;
        };
        let stages = built.gates.len();
        let number = declared.map_or(entry, |route| stages + usize::from(route.index));
        u16::try_from(number).ok().filter(|_| number < built.routes.len()).unwrap_or(NO_ROUTE)
    }

    /// What a request of `route` counts as at its gates: what it declares, else what such requests
    /// were measured to take, where that matters.
    pub(crate) fn passage(&self, route: u16, class: Class, declared: Option<u32>) -> GateCharge {
        let demands = self.built.get().filter(|_| route != NO_ROUTE).map(|built| &built.demands);
        let cost = match (demands, declared) {
            (None, _) => 0,
            (Some(demands), None) => demands.cost(route),
            (Some(demands), Some(cost)) => {
                demands.note_declared();
                cost.max(1)
            }
        };
        GateCharge { route, class, cost, declared: declared.is_some() }
    }

    /// Whether requests have declared what they cost: nothing else is a cost from then on.
    pub(crate) fn costs_are_declared(&self) -> bool {
        self.built.get().is_some_and(|built| built.demands.are_declared())
    }

    /// Whether it is known beforehand that some requests take far longer than others.
    pub(crate) fn costs_differ(&self) -> bool {
        let differ = |built: &Built| built.demands.are_declared() || built.demands.differ();
        self.built.get().is_some_and(differ)
    }

    /// What was measured during a tick joins what is known of the routes' demands. With `coarse`
    /// there is a stage of which so few fit into what was promised that parts of one matter.
    pub(crate) fn learn_demands(&self, coarse: bool) {
        if let Some(built) = self.built.get() {
            built.demands.update(coarse);
        }
    }

    /// Whether it matters what such a request takes.
    pub(crate) fn measures(&self, passage: &GateCharge) -> bool {
        self.built.get().is_some_and(|built| built.demands.measures(passage.route))
    }

    /// A stage has served an answered request for so long.
    pub(crate) fn record_service(&self, passage: &GateCharge, nanos: u64) {
        if let Some(built) = self.built.get() {
            built.demands.record_service(passage.route, nanos);
        }
    }

    /// A request was answered that has taken so long.
    pub(crate) fn answered(&self, passage: &GateCharge, nanos: u64) {
        if let Some(built) = self.built.get() {
            built.demands.answered(passage.route, nanos);
        }
    }

    /// A request passes all gates on its route, or none; those of the stages in `way_made` whoever
    /// is there.
    pub(crate) fn enter(
        &self,
        passage: &GateCharge,
        way_made: &[usize],
        now: impl Fn() -> Time,
    ) -> Result<(), GateClosed> {
        let (class, cost) = (passage.class, u64::from(passage.cost));
        let observes = self.observes.load(Ordering::Relaxed);
        for (passed, (stage, gate)) in self.on(passage.route).enumerate() {
            if way_made.contains(&stage) {
                gate.enter_anyway(class, cost);
            } else if !gate.enter(class, cost, &now) {
                if observes {
                    gate.turn_away(class);
                    gate.enter_anyway(class, cost);
                    continue;
                }
                let passed = self.on(passage.route).take(passed);
                passed.for_each(|(_, gate)| gate.refund(class, cost));
                return Err(GateClosed { stage });
            }
        }
        Ok(())
    }

    /// The stages on a route whose gates are shut for a request.
    pub(crate) fn shut(&self, passage: &GateCharge, now: impl Fn() -> Time) -> Vec<usize> {
        let cost = u64::from(passage.cost);
        let shut =
            self.on(passage.route).filter(|(_, gate)| !gate.has_room(passage.class, cost, &now));
        shut.map(|(stage, _)| stage).collect()
    }

    /// A request is refused for the sake of a stage.
    pub(crate) fn turn_away(&self, passage: &GateCharge, shut: GateClosed) {
        if let Some(gate) = self.gate(shut.stage) {
            gate.turn_away(passage.class);
        }
    }

    /// A request that had entered has ended.
    pub(crate) fn leave(&self, passage: &GateCharge) {
        let cost = u64::from(passage.cost);
        self.on(passage.route).for_each(|(_, gate)| gate.leave(passage.class, cost));
    }

    /// The gate of a stage, and its place on the route, if it is on it.
    pub(crate) fn gate_on(&self, passage: &GateCharge, stage: usize) -> Option<(usize, &Gate)> {
        let number = self.gate_number(stage)?;
        let mut on = self.on(passage.route).enumerate();
        on.find_map(|(place, (on_route, gate))| (on_route == number).then_some((place, gate)))
    }

    /// Whether a request's cost tells what a unit takes. One that was only taken for it does not
    /// once requests declare theirs: that is another unit.
    pub(crate) fn prices(&self, passage: &GateCharge) -> bool {
        passage.declared == self.costs_are_declared()
    }

    /// The gates on a route, and whose they are.
    fn on(&self, route: u16) -> impl Iterator<Item = (usize, &Gate)> {
        let built = self.built.get();
        let stages = built.and_then(|built| built.routes.get(usize::from(route)));
        let stages = stages.map(|stages| stages.iter().copied()).into_iter().flatten();
        stages.filter_map(move |stage| Some((stage, built?.gates.get(stage)?)))
    }
}
