//! What the requests of each route take, as measured: where they do not say it themselves, the
//! dearest finds no room first all the same.

use crate::platform::sync::{AtomicBool, AtomicU32, Mutex, Ordering};
use crate::stats::{OutlierFilter, is_outlier};

/// Routes through one stage are told apart from where the mean of one takes so many times that of
/// another; below, a limit in requests is as good, and needs nothing to be learned.
const DIFFER: f64 = 2.0;
/// And they are no longer from where none takes so many times that of another, so that means which
/// vary do not switch to and fro.
const ALIKE: f64 = 1.5;
/// Over how many requests a mean is smoothed: as the price of a unit of cost is.
const EWMA_SAMPLES: f64 = 64.0;

/// The demands of all routes of a graph. Nobody is asked to measure where no two routes meet in a
/// stage and many requests fit into what was promised, nor once a request has declared its cost: its
/// unit is not known.
#[derive(Debug)]
pub(super) struct Demands {
    routes: Box<[Route]>,
    /// Pairs of routes that meet in a stage.
    pairs: Box<[(usize, usize)]>,
    /// Whether so few requests fit that it matters which part of one is still to come.
    coarse: AtomicBool,
    declared: AtomicBool,
    learned: Mutex<Learned>,
}

#[derive(Debug, Default)]
struct Route {
    meets: bool,
    sums: Mutex<Sums>,
    /// What a request counts as: microseconds; 0 while it is not weighed.
    cost: AtomicU32,
}

/// Not learned from yet.
#[derive(Debug, Default)]
struct Sums {
    requests: u64,
    nanos: u64,
}

#[derive(Debug, Default)]
struct Learned {
    means: Box<[Mean]>,
    /// Whether some of them differ.
    differs: bool,
    /// Whether requests count as what they take.
    weighs: bool,
}

/// Of a request's service at all stages that measured it, in seconds.
#[derive(Clone, Debug, Default)]
struct Mean {
    seconds: Option<f64>,
    stall: OutlierFilter,
}

impl Demands {
    /// Of routes through these stages.
    pub(super) fn new(stages: &[Box<[usize]>]) -> Self {
        let meet = |a: &[usize], b: &[usize]| a.iter().any(|stage| b.contains(stage));
        let numbered = || stages.iter().enumerate();
        let others = |n: usize| numbered().skip(n + 1);
        let pairs: Box<[(usize, usize)]> = numbered()
            .flat_map(|(n, a)| others(n).filter(|(_, b)| meet(a, b)).map(move |(m, _)| (n, m)))
            .collect();
        let meets = |n: usize| pairs.iter().any(|(a, b)| *a == n || *b == n);
        let route = |n| Route { meets: meets(n), ..Route::default() };
        let means = vec![Mean::default(); stages.len()].into();
        Self {
            routes: (0..stages.len()).map(route).collect(),
            pairs,
            coarse: AtomicBool::new(false),
            declared: AtomicBool::new(false),
            learned: Mutex::new(Learned { means, ..Learned::default() }),
        }
    }

    /// A request says by itself what it costs.
    pub(super) fn note_declared(&self) {
        if !self.declared.swap(true, Ordering::Relaxed) {
            self.routes.iter().for_each(|route| route.cost.store(0, Ordering::Relaxed));
        }
    }

    /// What a request counts as that does not say what it costs; 0 if requests are counted.
    pub(super) fn cost(&self, route: u16) -> u32 {
        self.measured(route).map_or(0, |route| route.cost.load(Ordering::Relaxed))
    }

    /// Whether it matters what requests of this route take.
    pub(super) fn measures(&self, route: u16) -> bool {
        self.measured(route).is_some()
    }

    /// A stage has served an answered request of this route for so long.
    pub(super) fn record_service(&self, route: u16, nanos: u64) {
        if let Some(route) = self.measured(route) {
            route.sums.lock().nanos += nanos;
        }
    }

    /// A request of this route was answered, and has taken so long until then.
    pub(super) fn answered(&self, route: u16, nanos: u64) {
        if let Some(route) = self.measured(route) {
            let mut sums = route.sums.lock();
            sums.requests += 1;
            sums.nanos += nanos;
        }
    }

    /// Whether some routes that meet take far longer than others.
    pub(super) fn differ(&self) -> bool {
        self.learned.lock().differs
    }

    pub(super) fn are_declared(&self) -> bool {
        self.declared.load(Ordering::Relaxed)
    }

    fn measured(&self, route: u16) -> Option<&Route> {
        let route = self.routes.get(usize::from(route))?;
        let matters = route.meets || self.coarse.load(Ordering::Relaxed);
        (matters && !self.are_declared()).then_some(route)
    }

    /// What was measured during a tick joins what is known, and says what requests count as.
    /// `coarse` says whether that matters though all are alike.
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
            // What was answered in one tick may have taken its time in another.
            if sums.requests > 0 && sums.nanos > 0 {
                mean.update(&std::mem::take(&mut *sums));
            }
        }
        learned.differs = learned.differ(&self.pairs);
        learned.weighs = learned.differs || coarse;
        for (n, route) in self.routes.iter().enumerate() {
            let seconds = learned.seconds(n).filter(|_| learned.weighs);
            // A float beyond what is countable saturates in the cast.
            let micros = |seconds: f64| ((seconds * 1e6).round() as u32).max(1);
            route.cost.store(seconds.map_or(0, micros), Ordering::Relaxed);
        }
    }
}

impl Learned {
    /// What a request of a route takes; nobody having been answered there yet, what the routes take
    /// that are known: were it only counted, it would not count beside those that are weighed.
    fn seconds(&self, route: usize) -> Option<f64> {
        let known = || self.means.iter().filter_map(|mean| mean.seconds);
        let usual =
            || Some(known().sum::<f64>() / known().count() as f64).filter(|s| s.is_finite());
        self.means.get(route)?.seconds.or_else(usual)
    }

    /// Whether of two routes that meet one takes far longer than the other.
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
        if self.stall.counts(is_outlier(now, self.seconds)) {
            let smooth = |old: f64| old + (now - old) * n / (n + EWMA_SAMPLES);
            self.seconds = Some(self.seconds.map_or(now, smooth));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICROS: u64 = 1_000;

    /// Routes 0 and 1 meet, route 2 has a stage for itself.
    fn demands() -> Demands {
        Demands::new(&[Box::from([0, 1]), Box::from([1]), Box::from([2])])
    }

    fn serve(demands: &Demands, micros: [u64; 3]) {
        for (route, micros) in (0..).zip(micros) {
            if micros > 0 {
                demands.answered(route, micros * MICROS);
            }
        }
        demands.update(false);
    }

    fn costs(demands: &Demands) -> [u32; 3] {
        [0, 1, 2].map(|route| demands.cost(route))
    }

    #[test]
    fn routes_that_meet_and_differ_are_weighed_by_what_they_took_and_others_counted() {
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
    fn what_a_request_takes_at_several_stages_is_summed() {
        let demands = demands();
        demands.answered(1, 100 * MICROS);
        demands.answered(0, 300 * MICROS);
        // What a stage does behind the answer.
        demands.record_service(0, 200 * MICROS);
        demands.update(false);
        assert_eq!(costs(&demands), [500, 100, 0]);
    }

    #[test]
    fn an_answer_and_what_it_took_may_come_in_different_ticks() {
        let demands = demands();
        demands.answered(0, 0);
        demands.answered(1, 100 * MICROS);
        demands.update(false);
        assert_eq!(costs(&demands), [0, 0, 0]);
        demands.record_service(0, 500 * MICROS);
        demands.update(false);
        assert_eq!(costs(&demands), [500, 100, 0]);
    }

    #[test]
    fn a_route_that_nobody_knows_counts_as_what_the_known_ones_take() {
        let demands = Demands::new(&[Box::from([0]), Box::from([0]), Box::from([0])]);
        serve(&demands, [100, 0, 0]);
        assert_eq!(costs(&demands), [0, 0, 0]);
        serve(&demands, [0, 300, 0]);
        assert_eq!(costs(&demands), [100, 300, 200]);
    }

    #[test]
    fn where_few_fit_requests_are_weighed_though_they_are_alike_and_meet_nobody() {
        let demands = Demands::new(&[Box::from([0])]);
        demands.answered(0, 50_000 * MICROS);
        demands.update(false);
        assert_eq!((demands.cost(0), demands.measures(0)), (0, false));
        demands.update(true);
        demands.answered(0, 50_000 * MICROS);
        demands.update(true);
        assert_eq!((demands.cost(0), demands.measures(0), demands.differ()), (50_000, true, false));
        demands.update(false);
        assert_eq!((demands.cost(0), demands.measures(0)), (0, false));
    }

    #[test]
    fn a_moment_of_standstill_makes_no_route_dear() {
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
