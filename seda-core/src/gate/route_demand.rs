//! The measured demand of one route at each of its gates.

use crate::gate::cost::Cost;
use crate::gate::gate_charge::GateCost;
use crate::gate::measured_route::{Links, MeasuredRoute};
use crate::platform::sync::{AtomicBool, AtomicU64, Mutex, Ordering};
use crate::stats::{Ewma, OutlierFilter, is_outlier};

/// Smooths a mean over as many requests as the cost model does.
const SMOOTHED: Ewma = Ewma::over(64.0);

/// The service of one request at one gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct GateService {
    /// The events of the request that the stage has served.
    pub(crate) events: u32,
    pub(crate) nanos: u64,
}

impl GateService {
    /// Counts one served event.
    pub(crate) fn add(&mut self, nanos: u64) {
        self.events = self.events.saturating_add(1);
        self.nanos = self.nanos.saturating_add(nanos);
    }
}

/// One route: its gates, and the demand of its requests at each.
#[derive(Debug)]
pub(super) struct RouteDemand {
    pub(super) places: Box<[Place]>,
    /// Whether a request has taken it.
    used: AtomicBool,
    /// Whether requests are measured.
    measured: AtomicBool,
    /// `None` for a declared route: its requests are charged at all places.
    pub(super) learned: Option<MeasuredRoute>,
    sums: Mutex<Box<[Sums]>>,
    means: Mutex<Box<[Mean]>>,
}

/// A gate on a route.
#[derive(Debug)]
pub(super) struct Place {
    /// The stage of the gate.
    pub(super) gate: usize,
    /// The cost of a request that declares none, packed.
    cost: AtomicU64,
}

/// The answered requests since the last update, and their service.
#[derive(Clone, Debug, Default)]
struct Sums {
    requests: u64,
    events: u64,
    nanos: u64,
}

/// The mean service of a request at one gate.
#[derive(Clone, Debug, Default)]
pub(super) struct Mean {
    /// `None` before the first measurement.
    pub(super) seconds: Option<f64>,
    /// The events that the stage serves for a request: its visits.
    pub(super) events: f64,
    outliers: OutlierFilter,
}

impl RouteDemand {
    /// Returns a route through these gates. `learned` limits the charges to the measured places.
    pub(super) fn new(gates: &[usize], learned: Option<MeasuredRoute>) -> Self {
        let place = |gate: &usize| Place { gate: *gate, cost: AtomicU64::new(0) };
        Self {
            places: gates.iter().map(place).collect(),
            used: AtomicBool::new(false),
            measured: AtomicBool::new(false),
            learned,
            sums: Mutex::new(vec![Sums::default(); gates.len()].into()),
            means: Mutex::new(vec![Mean::default(); gates.len()].into()),
        }
    }

    /// Returns the route of requests that enter at a gate without a declared one.
    pub(super) fn entering(gate: usize, links: &Links) -> Self {
        let mut gates = links.reachable(gate);
        gates.sort_unstable();
        let entry = gates.binary_search(&gate).unwrap_or(0);
        let learned = (gates.len() > 1).then(|| MeasuredRoute::new(entry, gates.len()));
        Self::new(&gates, learned)
    }

    /// Returns the places where requests are charged.
    pub(super) fn charged(&self) -> impl Iterator<Item = (usize, &Place)> {
        let charged = self.learned.as_ref().map(MeasuredRoute::charged);
        let places = self.places.iter().enumerate();
        places.filter(move |(n, _)| charged.is_none_or(|charged| charged >> n & 1 == 1))
    }

    /// Returns the place of a gate; `None` if the route cannot pass it.
    pub(super) fn place_of(&self, gate: usize) -> Option<usize> {
        self.places.binary_search_by_key(&gate, |place| place.gate).ok()
    }

    /// Notes that a request takes the route.
    pub(super) fn take(&self) {
        // Nearly always it is set already, and the load spares a shared write.
        if !self.is_used() {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// Returns whether the requests that enter now are measured.
    pub(super) fn measures(&self) -> bool {
        self.measured.load(Ordering::Relaxed)
    }

    pub(super) fn set_measured(&self, measured: bool) {
        self.measured.store(measured, Ordering::Relaxed);
    }

    /// Adds a service after the answer of its request.
    pub(super) fn record_service(&self, place: usize, nanos: u64) {
        if let Some(sums) = self.sums.lock().get_mut(place) {
            sums.events += 1;
            sums.nanos += nanos;
        }
    }

    /// Counts an answered request with its service so far. `counts` says whether it counts at a
    /// gate.
    pub(super) fn answered(
        &self,
        costs: &[GateCost],
        services: &[GateService],
        counts: impl Fn(&GateCost) -> bool,
    ) {
        let mut sums = self.sums.lock();
        for (at, service) in costs.iter().zip(services).filter(|(at, _)| counts(at)) {
            if let Some(sums) = sums.get_mut(at.place) {
                sums.requests += 1;
                sums.events += u64::from(service.events);
                sums.nanos += service.nanos;
            }
        }
    }

    /// Ends a tick: its measurements join the means. Returns whether requests are charged at other
    /// gates than before.
    pub(super) fn update(&self) -> bool {
        let changed = self.learned.as_ref().is_some_and(MeasuredRoute::update);
        let mut sums = self.sums.lock();
        for (sums, mean) in sums.iter_mut().zip(self.means.lock().iter_mut()) {
            // An answer and its service may fall into different ticks; then both wait here.
            if sums.requests > 0 && sums.nanos > 0 {
                mean.update(&std::mem::take(sums));
            }
        }
        changed
    }

    /// Returns the mean service of a request at a place.
    pub(super) fn mean(&self, place: usize) -> Mean {
        self.means.lock().get(place).cloned().unwrap_or_default()
    }
}

impl Place {
    /// Returns the cost of a request that declares none.
    pub(super) fn cost(&self) -> Cost {
        Cost::from_bits(self.cost.load(Ordering::Relaxed))
    }

    pub(super) fn set_cost(&self, cost: Cost) {
        self.cost.store(cost.to_bits(), Ordering::Relaxed);
    }
}

impl Mean {
    fn update(&mut self, tick: &Sums) {
        let n = tick.requests as f64;
        let now = tick.nanos as f64 / n / 1e9;
        if self.outliers.counts(is_outlier(now, self.seconds)) {
            let known = self.seconds.map(|_| self.events);
            self.events = SMOOTHED.update(known, tick.events as f64 / n, n);
            self.seconds = Some(SMOOTHED.update(self.seconds, now, n));
        }
    }
}
