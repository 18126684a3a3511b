//! The measured demands of all routes. They weigh requests without a declared cost, so that the
//! most expensive are the first to find a gate closed.

use crate::gate::cost::{Cost, CostUnit};
use crate::gate::declared_costs::DeclaredCosts;
use crate::gate::entry_gate::Gate;
use crate::gate::route::RouteIndex;
use crate::gate::route_demand::{Mean, RouteDemand};
use crate::platform::sync::Mutex;

/// Requests at a gate are weighed once the mean demand of one route there is this multiple of
/// another's, or of one event's. Below it, a limit in requests is as good and needs no costs.
const DIFFER: f64 = 2.0;
/// They are weighed no longer once no mean is this multiple of another: hysteresis against means
/// that vary.
const ALIKE: f64 = 1.5;

/// The demand of each route at each of its gates.
///
/// A route is measured if it meets another at a gate, if it passes several gates, if few services
/// fit into the SLO, or if requests declare their costs at one of its gates.
#[derive(Debug)]
pub(super) struct Demands {
    routes: Box<[RouteDemand]>,
    gates: Mutex<Box<[Weighed]>>,
}

/// The reasons to weigh the requests at a gate.
#[derive(Clone, Copy, Debug, Default)]
struct Weighed {
    /// The mean demands of some routes differ.
    differ: bool,
    /// Requests of some route bring several events each.
    bring_several: bool,
}

/// The routes in use that are charged at one gate.
#[derive(Debug)]
struct AtGate<'a> {
    gate: &'a Gate,
    /// The declared costs, if the gate counts in their unit.
    declared: Option<&'a DeclaredCosts>,
    routes: usize,
    /// The number of known mean demands, and their sum in seconds.
    known: usize,
    seconds: f64,
    least: f64,
    most: f64,
    /// The most events that a request of one of the routes brings.
    events: f64,
    /// Whether requests without a declared cost are weighed and not only counted.
    weighs: bool,
}

impl Demands {
    pub(super) fn new(routes: Box<[RouteDemand]>, gates: usize) -> Self {
        Self { routes, gates: Mutex::new(vec![Weighed::default(); gates].into()) }
    }

    pub(super) fn route(&self, route: RouteIndex) -> Option<&RouteDemand> {
        let route = self.routes.get(route.get());
        debug_assert!(route.is_some(), "a route of another graph");
        route
    }

    pub(super) fn routes(&self) -> &[RouteDemand] {
        &self.routes
    }

    /// Returns whether the demands of routes that meet at a gate differ.
    pub(super) fn differ_at(&self, gate: usize) -> bool {
        self.gates.lock().get(gate).is_some_and(|gate| gate.differ)
    }

    /// Ends a tick: its measurements join the means, and the means set the costs. With `coarse`,
    /// requests are weighed even if they are alike. Returns the numbers of the routes that pass
    /// other gates than before.
    pub(super) fn update(&self, gates: &[Gate], coarse: bool) -> Vec<usize> {
        let mut changed = Vec::new();
        // Each gate sums up the routes in use that are charged there.
        let mut at: Vec<AtGate> = gates.iter().map(AtGate::new).collect();
        for (number, route) in self.routes.iter().enumerate() {
            if route.update() {
                changed.push(number);
            }
            for (n, place) in route.charged().filter(|_| route.is_used()) {
                let mean = route.mean(n);
                at.get_mut(place.gate).into_iter().for_each(|at| at.add(&mean));
            }
        }
        // The sums decide which gates weigh, and in which unit.
        for (weighed, at) in self.gates.lock().iter_mut().zip(&mut at) {
            *weighed = at.weighed(*weighed);
            at.weighs = weighed.differ || weighed.bring_several || coarse;
            at.gate.declared().set_in_micros(at.weighs && at.declared.is_none());
        }
        // Each route takes over its costs.
        for route in &self.routes {
            let charged =
                || route.charged().filter_map(|(n, place)| Some((n, place, at.get(place.gate)?)));
            let several = charged().count() > 1;
            route.set_measured(coarse || several || charged().any(|(_, _, at)| at.is_measured()));
            charged().for_each(|(n, place, at)| place.set_cost(at.cost(route.mean(n).seconds)));
        }
        changed
    }
}

impl<'a> AtGate<'a> {
    fn new(gate: &'a Gate) -> Self {
        gate.declared().update();
        let declared = Some(gate.declared()).filter(|declared| declared.in_force());
        Self {
            gate,
            declared,
            routes: 0,
            known: 0,
            seconds: 0.0,
            least: f64::INFINITY,
            most: 0.0,
            events: 0.0,
            weighs: false,
        }
    }

    /// Adds a route that is charged at the gate.
    fn add(&mut self, mean: &Mean) {
        self.routes += 1;
        if let Some(seconds) = mean.seconds {
            self.known += 1;
            self.seconds += seconds;
            self.least = self.least.min(seconds);
            self.most = self.most.max(seconds);
            self.events = self.events.max(mean.events);
        }
    }

    fn weighed(&self, before: Weighed) -> Weighed {
        let least = |before: bool| if before { ALIKE } else { DIFFER };
        Weighed {
            differ: self.known > 1 && self.most / self.least >= least(before.differ),
            bring_several: self.events >= least(before.bring_several),
        }
    }

    /// Returns whether the routes through the gate are measured on its behalf.
    fn is_measured(&self) -> bool {
        self.routes > 1 || self.declared.is_some()
    }

    /// Returns the cost of a request that declares none, by the mean demand of its route. A route
    /// without an answer yet gets the mean of the known routes: a request that is only counted
    /// would weigh nothing beside others.
    fn cost(&self, seconds: Option<f64>) -> Cost {
        if let Some(declared) = self.declared {
            return declared.comparable(seconds);
        }
        let usual = || (self.known > 0).then(|| self.seconds / self.known as f64);
        let seconds = seconds.or_else(usual).filter(|_| self.weighs);
        seconds.map_or(Cost::NONE, |seconds| Cost::rounded(seconds * 1e6, CostUnit::Micros))
    }
}
