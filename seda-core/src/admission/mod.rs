//! Admission: a request is refused at the entry, before anything is spent on it, when a stage that
//! it is going to visit has as much to do as it can do in time.
//!
//! - [`Route`]: which stages a kind of request visits, declared in code.
//! - `Gate`: one stage's: how many requests are bound for it, and how many of each class may be;
//!   of two `Allowance`s, one in requests and one in what they cost, where they say so.
//! - `InService`: what of these costs was served already.
//! - `Price`: what a unit of declared cost turned out to take.
//! - `Demands`: what requests of each route take, for those that declare no cost.
//! - `Admission`: all gates of a graph. It holds no opinion: the limits come from a law of
//!   [`crate::control`], once per tick.
//!
//! By Little's law a bound on the requests that are inside is a bound on the time they take: who
//! may have N requests under way and ends X per second keeps them N/X seconds.

mod allowance;
mod cost;
mod demand;
mod eviction;
mod gate;
mod in_service;
mod route;
mod stall;

pub(crate) use allowance::{Limits, UNLIMITED};
pub(crate) use cost::{Price, ServedCosts};
pub(crate) use gate::{Gate, GateFigures};
pub use route::{Route, StageId};
pub(crate) use stall::{Stall, are_far};

use self::demand::Demands;
use crate::clock::Time;
use crate::control::Mode;
use crate::event::{Class, PerClass};
use crate::sync::{AtomicBool, AtomicU64, OnceLock, Ordering};
use std::time::Duration;

/// Of a request that passed no gate.
pub(crate) const NO_ROUTE: u16 = u16::MAX;

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
    /// For every stage the route that visits it alone, then the declared ones.
    routes: Box<[Box<[usize]>]>,
    /// Whether a declared route leads through the stage.
    on_route: Box<[bool]>,
    demands: Demands,
}

/// A shut gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shut {
    /// Whose it is.
    pub(crate) stage: usize,
}

impl Admission {
    /// To be called once, before the first request.
    pub(crate) fn build(&self, stages: usize, declared: &[Box<[usize]>]) {
        let alone = (0..stages).map(|stage| Box::from([stage]));
        let on_route = (0..stages).map(|stage| declared.iter().any(|route| route.contains(&stage)));
        let routes: Box<[_]> = alone.chain(declared.iter().cloned()).collect();
        let built = Built {
            gates: (0..stages).map(|_| Gate::default()).collect(),
            demands: Demands::new(&routes),
            routes,
            on_route: on_route.collect(),
        };
        let _ = self.built.set(built);
    }

    /// Sets what was promised, by class, and who keeps it. What is under way when counting begins
    /// is not counted.
    pub(crate) fn set(&self, slo: &[Option<Duration>], mode: Mode) {
        let on = mode != Mode::Off && slo.iter().any(Option::is_some);
        for (class, promised) in self.promised.iter().enumerate() {
            let p99 = slo.get(class).copied().flatten().filter(|_| mode == Mode::On);
            let nanos = p99.and_then(|p99| u64::try_from(p99.as_nanos()).ok());
            promised.store(nanos.map_or(u64::MAX, |nanos| nanos / 20 * 19), Ordering::Relaxed);
        }
        self.observes.store(mode == Mode::Observe, Ordering::Relaxed);
        self.on.store(on, Ordering::Relaxed);
    }

    /// After how long the answer to an event of `class` would be late, if that was promised: 95 %
    /// of the SLO, as the answer still has to reach the client.
    pub(crate) fn deadline(&self, class: Class) -> Option<Duration> {
        let promised = self.promised.get(class.index())?.load(Ordering::Relaxed);
        (promised < u64::MAX).then(|| Duration::from_nanos(promised))
    }

    /// The shortest of the promises of all classes.
    pub(crate) fn shortest_promise(&self) -> Option<Duration> {
        let deadlines = self.promised.iter().map(|promised| promised.load(Ordering::Relaxed));
        let shortest = deadlines.min().filter(|nanos| *nanos < u64::MAX)?;
        Some(Duration::from_nanos(shortest / 19 * 20))
    }

    pub(crate) fn gate(&self, stage: usize) -> Option<&Gate> {
        self.built.get()?.gates.get(stage)
    }

    /// A stage's gate as it is, while requests are counted.
    pub(crate) fn figures(&self, stage: usize) -> Option<GateFigures> {
        let gate = self.gate(stage).filter(|_| self.on.load(Ordering::Relaxed));
        gate.map(Gate::figures)
    }

    /// Whether the requests for a stage are counted and bounded at the entry.
    pub(crate) fn is_on_route(&self, stage: usize) -> bool {
        let on_route = self.built.get().and_then(|built| built.on_route.get(stage));
        on_route.copied().unwrap_or(false)
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

    /// What a request counts as at the gates of `route`: what it declares, else what such requests
    /// were measured to take, where that matters; 0 if it is counted and not weighed.
    pub(crate) fn cost(&self, route: u16, declared: Option<u32>) -> u32 {
        let Some(built) = self.built.get() else { return 0 };
        let Some(declared) = declared else { return built.demands.cost(route) };
        built.demands.note_declared();
        declared.max(1)
    }

    /// What was measured during a tick joins what is known of the routes' demands.
    pub(crate) fn learn_demands(&self) {
        if let Some(built) = self.built.get() {
            built.demands.learn();
        }
    }

    /// A stage has served a request of this route for so long.
    pub(crate) fn took(&self, route: u16, nanos: u64) {
        if let Some(built) = self.built.get() {
            built.demands.took(route, nanos);
        }
    }

    /// A request passes all gates on its route, or none; `cost` is 0 if it is only counted.
    pub(crate) fn enter(
        &self,
        route: u16,
        class: Class,
        cost: u64,
        now: impl Fn() -> Time,
    ) -> Result<(), Shut> {
        let observes = self.observes.load(Ordering::Relaxed);
        for (passed, (stage, gate)) in self.on(route).enumerate() {
            if !gate.enter(class, cost, &now) {
                gate.turn_away(class);
                if observes {
                    gate.enter_anyway(class, cost);
                    continue;
                }
                self.on(route).take(passed).for_each(|(_, gate)| gate.leave(class, cost));
                return Err(Shut { stage });
            }
        }
        Ok(())
    }

    /// The same, though the gate is shut: somebody of a lower class makes room.
    pub(crate) fn enter_anyway(&self, route: u16, class: Class, cost: u64) {
        self.on(route).for_each(|(_, gate)| gate.enter_anyway(class, cost));
    }

    /// A request that had entered has ended.
    pub(crate) fn leave(&self, route: u16, class: Class, cost: u64) {
        self.on(route).for_each(|(_, gate)| gate.leave(class, cost));
    }

    /// The gate of a stage, if it is on a route.
    pub(crate) fn gate_on(&self, route: u16, stage: usize) -> Option<&Gate> {
        self.on(route).find_map(|(on_route, gate)| (on_route == stage).then_some(gate))
    }

    /// A request that had entered with this cost was answered.
    pub(crate) fn serve(&self, route: u16, cost: u64) {
        if cost > 0 {
            self.on(route).for_each(|(_, gate)| gate.serve(cost));
        }
        if let Some(built) = self.built.get() {
            built.demands.answered(route);
        }
    }

    /// The gates on a route.
    fn on(&self, route: u16) -> impl Iterator<Item = (usize, &Gate)> {
        let built = self.built.get();
        let stages = built.and_then(|built| built.routes.get(usize::from(route)));
        let stages = stages.map(|stages| stages.iter().copied()).into_iter().flatten();
        stages.filter_map(move |stage| Some((stage, built?.gates.get(stage)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::MAX_CLASSES;

    const NOW: fn() -> Time = || Time::ZERO;
    const GOLD: Class = Class::new(0);
    const BASIC: Class = Class::new(1);
    const SLO: [Option<Duration>; 1] = [Some(Duration::from_millis(200))];

    /// Stages 0 to 2, and a route through the last two.
    fn admission() -> (Admission, u16) {
        let admission = Admission::default();
        admission.build(3, &[Box::from([1, 2])]);
        admission.set(&SLO, Mode::On);
        let route = admission.route(0, Some(Route { graph: 0, index: 0 }));
        (admission, route)
    }

    fn bound(admission: &Admission) -> Vec<usize> {
        (0..3).map(|stage| admission.gate(stage).unwrap().figures().bound).collect()
    }

    #[test]
    fn a_request_passes_all_gates_on_its_route_or_none() {
        let (admission, route) = admission();
        let mut limits = Limits::NONE;
        limits.most[0] = 1;
        admission.gate(2).unwrap().set_limits(&limits, &Limits::NONE);
        assert_eq!(admission.enter(route, GOLD, 0, NOW), Ok(()));
        assert_eq!(admission.enter(route, GOLD, 0, NOW), Err(Shut { stage: 2 }));
        assert_eq!(bound(&admission), [0, 1, 1]);
        // Another class has a limit of its own, and a request for stage 1 alone meets no other.
        assert_eq!(admission.enter(route, BASIC, 0, NOW), Ok(()));
        assert_eq!(admission.enter(admission.route(1, None), GOLD, 0, NOW), Ok(()));
        assert_eq!(bound(&admission), [0, 3, 2]);
        assert_eq!(admission.gate(2).unwrap().figures().turned_away[..2], [1, 0]);
        admission.leave(route, GOLD, 0);
        admission.leave(route, BASIC, 0);
        assert_eq!(
            (bound(&admission), admission.enter(route, GOLD, 0, NOW)),
            (vec![0, 1, 0], Ok(()))
        );
    }

    #[test]
    fn what_a_class_is_guaranteed_it_has_whoever_else_is_there() {
        let (admission, route) = admission();
        let mut limits = Limits::NONE;
        (limits.most[0], limits.most[1], limits.guaranteed[1]) = (3, 2, 1);
        admission.gate(1).unwrap().set_limits(&limits, &Limits::NONE);
        assert!((0..3).all(|_| admission.enter(route, GOLD, 0, NOW).is_ok()));
        assert_eq!(admission.enter(route, BASIC, 0, NOW), Ok(()));
        assert_eq!(admission.enter(route, BASIC, 0, NOW), Err(Shut { stage: 1 }));
        assert!(!admission.gate(1).unwrap().exceeds_guarantee(BASIC));
    }

    #[test]
    fn an_observing_gate_counts_whom_it_would_have_turned_away() {
        let (admission, route) = admission();
        admission.set(&SLO, Mode::Observe);
        let shut = Limits { most: [0; MAX_CLASSES], ..Limits::NONE };
        admission.gate(1).unwrap().set_limits(&shut, &Limits::NONE);
        assert_eq!(admission.enter(route, BASIC, 0, NOW), Ok(()));
        assert_eq!(admission.gate(1).unwrap().figures().turned_away[..2], [0, 1]);
        assert_eq!(bound(&admission), [0, 1, 1]);
    }

    #[test]
    fn costs_are_bounded_instead_of_requests_where_they_are_declared() {
        let (admission, route) = admission();
        let requests = Limits { most: [1; MAX_CLASSES], ..Limits::NONE };
        let gate = admission.gate(1).unwrap();
        gate.set_limits(&requests, &Limits::NONE);
        assert_eq!(admission.enter(route, GOLD, 5, NOW), Ok(()));
        assert_eq!(
            admission.enter(route, GOLD, 5, NOW),
            Err(Shut { stage: 1 }),
            "not known what 5 is"
        );
        gate.set_limits(&requests, &Limits { most: [12; MAX_CLASSES], ..Limits::NONE });
        assert_eq!(admission.enter(route, GOLD, 8, NOW), Err(Shut { stage: 1 }));
        assert_eq!(admission.enter(route, GOLD, 7, NOW), Ok(()));
        assert_eq!(
            admission.enter(route, GOLD, 0, NOW),
            Err(Shut { stage: 1 }),
            "one request may be"
        );
        assert_eq!((gate.figures().bound, gate.figures().cost), (2, 12));
        assert_eq!(gate.fullness(GOLD, 0), Some(1.0));
        admission.serve(route, 7);
        admission.leave(route, GOLD, 7);
        assert_eq!((gate.figures().bound, gate.figures().cost), (1, 5));
        assert_eq!((gate.figures().served.requests, gate.figures().served.cost), (1, 7.0));
    }

    #[test]
    fn a_promise_is_a_deadline_of_its_class_while_it_is_kept() {
        let (admission, _) = admission();
        assert_eq!(admission.deadline(GOLD), Some(Duration::from_millis(190)));
        assert_eq!(admission.deadline(BASIC), None);
        assert_eq!(admission.shortest_promise(), Some(Duration::from_millis(200)));
        admission.set(&SLO, Mode::Observe);
        assert_eq!((admission.deadline(GOLD), admission.shortest_promise()), (None, None));
    }

    #[test]
    fn switched_off_it_counts_nothing() {
        let (admission, _) = admission();
        admission.set(&SLO, Mode::Off);
        assert_eq!(admission.route(1, None), NO_ROUTE);
        assert_eq!(admission.enter(NO_ROUTE, GOLD, 0, NOW), Ok(()));
        admission.leave(NO_ROUTE, GOLD, 0);
        assert_eq!(bound(&admission), [0, 0, 0]);
    }
}
