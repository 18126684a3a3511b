//! The measured demand of each route. It weighs requests without a declared cost, so that the most
//! expensive are the first to find a gate closed.

use crate::gate::route::RouteIndex;
use crate::platform::sync::{AtomicBool, AtomicU32, Mutex, Ordering};
use crate::stats::{Ewma, OutlierFilter, is_outlier};

/// Routes through one stage are weighed once the mean demand of one is this multiple of another's.
/// Below it, a limit in requests is as good and needs no measurement.
const DIFFER: f64 = 2.0;
/// Routes are weighed no longer once no mean is this multiple of another: hysteresis against means
/// that vary.
const ALIKE: f64 = 1.5;
/// Smooths a mean over as many requests as the cost model does.
const SMOOTHED: Ewma = Ewma::over(64.0);

/// The demands of all routes of a graph.
///
/// A route is measured if it meets another in a stage, or if few services fit into the SLO. The
/// measurement ends once a request declares its cost, because the unit of that is unknown.
#[derive(Debug)]
pub(super) struct Demands {
    routes: Box<[RouteDemand]>,
    /// Pairs of routes that meet in a stage.
    pairs: Box<[(usize, usize)]>,
    /// Whether so few services fit into the SLO that parts of one matter.
    coarse: AtomicBool,
    declared: AtomicBool,
    learned: Mutex<Learned>,
}

#[derive(Debug, Default)]
struct RouteDemand {
    /// Whether another route meets it in a stage.
    meets: bool,
    sums: Mutex<Sums>,
    /// The cost that a request counts as, in microseconds; 0 while routes are not weighed.
    cost: AtomicU32,
}

/// The answered requests since the last update, and their service.
#[derive(Debug, Default)]
struct Sums {
    requests: u64,
    nanos: u64,
}

#[derive(Debug, Default)]
struct Learned {
    means: Box<[Mean]>,
    /// Whether the means of some routes that meet differ.
    differs: bool,
    /// Whether requests count by their route's demand.
    weighs: bool,
}

/// The mean service of a request at all stages together.
#[derive(Clone, Debug, Default)]
struct Mean {
    seconds: Option<f64>,
    outliers: OutlierFilter,
}

impl Demands {
    /// The demands of routes through these stages.
    pub(super) fn new(stages: &[Box<[usize]>]) -> Self {
        let meet = |a: &[usize], b: &[usize]| a.iter().any(|stage| b.contains(stage));
        let numbered = || stages.iter().enumerate();
        let others = |n: usize| numbered().skip(n + 1);
        let pairs: Box<[(usize, usize)]> = numbered()
            .flat_map(|(n, a)| others(n).filter(|(_, b)| meet(a, b)).map(move |(m, _)| (n, m)))
            .collect();
        let meets = |n: usize| pairs.iter().any(|(a, b)| *a == n || *b == n);
        let route = |n| RouteDemand { meets: meets(n), ..RouteDemand::default() };
        let means = vec![Mean::default(); stages.len()].into();
        Self {
            routes: (0..stages.len()).map(route).collect(),
            pairs,
            coarse: AtomicBool::new(false),
            declared: AtomicBool::new(false),
            learned: Mutex::new(Learned { means, ..Learned::default() }),
        }
    }

    /// Notes that a request declares its cost, which ends the measurement.
    pub(super) fn note_declared(&self) {
        if !self.declared.swap(true, Ordering::Relaxed) {
            self.routes.iter().for_each(|route| route.cost.store(0, Ordering::Relaxed));
        }
    }

    /// Returns the cost of a request that declares none; 0 if it is only counted.
    pub(super) fn cost(&self, route: RouteIndex) -> u32 {
        self.measured(route).map_or(0, |route| route.cost.load(Ordering::Relaxed))
    }

    /// Returns whether requests of this route are measured.
    pub(super) fn measures(&self, route: RouteIndex) -> bool {
        self.measured(route).is_some()
    }

    /// Adds `nanos` of service to an answered request of this route.
    pub(super) fn record_service(&self, route: RouteIndex, nanos: u64) {
        if let Some(route) = self.measured(route) {
            route.sums.lock().nanos += nanos;
        }
    }

    /// Counts an answered request of this route that has taken `nanos` of service so far.
    pub(super) fn answered(&self, route: RouteIndex, nanos: u64) {
        if let Some(route) = self.measured(route) {
            let mut sums = route.sums.lock();
            sums.requests += 1;
            sums.nanos += nanos;
        }
    }

    /// Returns whether some routes that meet take far longer than others.
    pub(super) fn differ(&self) -> bool {
        self.learned.lock().differs
    }

    pub(super) fn are_declared(&self) -> bool {
        self.declared.load(Ordering::Relaxed)
    }

    /// Returns the route if its requests are measured.
    fn measured(&self, route: RouteIndex) -> Option<&RouteDemand> {
        let route = self.routes.get(route.get());
        debug_assert!(route.is_some(), "a route of another graph");
        let route = route?;
        let matters = route.meets || self.coarse.load(Ordering::Relaxed);
        (matters && !self.are_declared()).then_some(route)
    }

    /// Ends a tick: its measurements join the means, and the means set the costs. With `coarse`,
    /// routes are weighed even if they are alike.
    pub(super) fn update(&self, coarse: bool) {
        if self.are_declared() {
            return;
        }
        self.coarse.store(coarse, Ordering::Relaxed);
        let mut learned = self.learned.lock();
        if self.pairs.is_empty() && !coarse && !learned.weighs {
            return;
        }
        for (route, mean) in self.routes.iter().zip(&mut learned.means) {
            let mut sums = route.sums.lock();
            // An answer and its service may fall into different ticks; then both wait here.
            if sums.requests > 0 && sums.nanos > 0 {
                mean.update(&std::mem::take(&mut *sums));
            }
        }
        learned.differs = learned.differ(&self.pairs);
        learned.weighs = learned.differs || coarse;
        for (n, route) in self.routes.iter().enumerate() {
            let seconds = learned.seconds(n).filter(|_| learned.weighs);
            // The cast saturates.
            let micros = |seconds: f64| ((seconds * 1e6).round() as u32).max(1);
            route.cost.store(seconds.map_or(0, micros), Ordering::Relaxed);
        }
    }
}

impl Learned {
    /// Returns the mean demand of a route in seconds. A route without an answer yet gets the mean
    /// of the known routes: a request that is only counted would weigh nothing beside others.
    fn seconds(&self, route: usize) -> Option<f64> {
        let known = || self.means.iter().filter_map(|mean| mean.seconds);
        let usual =
            || Some(known().sum::<f64>() / known().count() as f64).filter(|mean| mean.is_finite());
        self.means.get(route)?.seconds.or_else(usual)
    }

    /// Returns whether, of two routes that meet, one takes far longer than the other.
    fn differ(&self, pairs: &[(usize, usize)]) -> bool {
        let mean = |n: &usize| self.means.get(*n).and_then(|mean| mean.seconds);
        let ratios = pairs.iter().filter_map(|(a, b)| {
            let (a, b) = (mean(a)?, mean(b)?);
            Some(a.max(b) / a.min(b))
        });
        ratios.fold(1.0, f64::max) >= if self.differs { ALIKE } else { DIFFER }
    }
}

impl Mean {
    fn update(&mut self, tick: &Sums) {
        let n = tick.requests as f64;
        let now = tick.nanos as f64 / n / 1e9;
        if self.outliers.counts(is_outlier(now, self.seconds)) {
            self.seconds = Some(SMOOTHED.update(self.seconds, now, n));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICROS: u64 = 1_000;

    fn route(n: usize) -> RouteIndex {
        RouteIndex::new(n).unwrap()
    }

    /// Routes 0 and 1 meet; route 2 has a stage to itself.
    fn demands() -> Demands {
        Demands::new(&[Box::from([0, 1]), Box::from([1]), Box::from([2])])
    }

    fn serve(demands: &Demands, micros: [u64; 3]) {
        for (n, micros) in micros.into_iter().enumerate() {
            if micros > 0 {
                demands.answered(route(n), micros * MICROS);
            }
        }
        demands.update(false);
    }

    fn costs(demands: &Demands) -> [u32; 3] {
        [0, 1, 2].map(|n| demands.cost(route(n)))
    }

    #[test]
    fn routes_that_meet_and_differ_are_weighed_by_their_demand_and_others_counted() {
        let demands = demands();
        serve(&demands, [100, 199, 900]);
        assert_eq!(costs(&demands), [0, 0, 0]);
        (0..400).for_each(|_| serve(&demands, [100, 250, 900]));
        assert_eq!(costs(&demands), [100, 250, 0]);
        (0..400).for_each(|_| serve(&demands, [100, 160, 900]));
        assert_eq!(costs(&demands), [100, 160, 0]);
        (0..400).for_each(|_| serve(&demands, [100, 140, 900]));
        assert_eq!(costs(&demands), [0, 0, 0]);
    }

    #[test]
    fn the_service_of_a_request_at_several_stages_is_summed() {
        let demands = demands();
        demands.answered(route(1), 100 * MICROS);
        demands.answered(route(0), 300 * MICROS);
        // Service after the answer.
        demands.record_service(route(0), 200 * MICROS);
        demands.update(false);
        assert_eq!(costs(&demands), [500, 100, 0]);
    }

    #[test]
    fn an_answer_and_its_service_may_come_in_different_ticks() {
        let demands = demands();
        demands.answered(route(0), 0);
        demands.answered(route(1), 100 * MICROS);
        demands.update(false);
        assert_eq!(costs(&demands), [0, 0, 0]);
        demands.record_service(route(0), 500 * MICROS);
        demands.update(false);
        assert_eq!(costs(&demands), [500, 100, 0]);
    }

    #[test]
    fn an_unknown_route_counts_as_the_mean_of_the_known_ones() {
        let demands = Demands::new(&[Box::from([0]), Box::from([0]), Box::from([0])]);
        serve(&demands, [100, 0, 0]);
        assert_eq!(costs(&demands), [0, 0, 0]);
        serve(&demands, [0, 300, 0]);
        assert_eq!(costs(&demands), [100, 300, 200]);
    }

    #[test]
    fn where_few_services_fit_into_the_slo_requests_are_weighed_even_if_alike() {
        let demands = Demands::new(&[Box::from([0])]);
        demands.answered(route(0), 50_000 * MICROS);
        demands.update(false);
        assert_eq!((demands.cost(route(0)), demands.measures(route(0))), (0, false));
        demands.update(true);
        demands.answered(route(0), 50_000 * MICROS);
        demands.update(true);
        assert_eq!(
            (demands.cost(route(0)), demands.measures(route(0)), demands.differ()),
            (50_000, true, false)
        );
        demands.update(false);
        assert_eq!((demands.cost(route(0)), demands.measures(route(0))), (0, false));
    }

    #[test]
    fn a_single_stall_makes_no_route_dear() {
        let demands = demands();
        serve(&demands, [100, 100, 0]);
        serve(&demands, [90_000, 100, 0]);
        assert_eq!(costs(&demands), [0, 0, 0]);
    }

    #[test]
    fn once_a_request_has_declared_its_cost_nothing_is_measured() {
        let demands = demands();
        serve(&demands, [500, 100, 0]);
        assert_eq!(costs(&demands), [500, 100, 0]);
        demands.note_declared();
        assert_eq!(costs(&demands), [0, 0, 0]);
        serve(&demands, [500, 100, 0]);
        assert_eq!(costs(&demands), [0, 0, 0]);
    }
}
