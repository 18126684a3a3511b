//! The costs that requests declare at one gate.

use crate::gate::cost::{Cost, CostUnit};
use crate::platform::sync::{AtomicBool, AtomicU32, Mutex, Ordering};
use crate::stats::{Ewma, OutlierFilter, is_outlier};

/// Smooths over as many requests as the cost model does.
const SMOOTHED: Ewma = Ewma::over(64.0);

/// The declared costs at one gate, and the service that they took.
///
/// From the first declaration on the gate counts in declared units; if it limits microseconds then,
/// from the next tick on. A request that declares no cost counts as its measured service in
/// declared units.
#[derive(Debug, Default)]
pub(super) struct DeclaredCosts {
    in_force: AtomicBool,
    /// Whether requests at the gate have costs in microseconds.
    in_micros: AtomicBool,
    /// The last declared cost; 0 before the first.
    last: AtomicU32,
    sums: Mutex<Sums>,
    learned: Mutex<Learned>,
}

/// The answered requests with a declared cost since the last update.
#[derive(Debug, Default)]
struct Sums {
    requests: u64,
    cost: u64,
    nanos: u64,
}

#[derive(Debug, Default)]
struct Learned {
    /// The mean declared cost.
    cost: Option<f64>,
    /// The mean service of a request with a declared cost, in seconds.
    seconds: Option<f64>,
    outliers: OutlierFilter,
}

impl DeclaredCosts {
    /// Returns whether the gate counts in declared units.
    pub(super) fn in_force(&self) -> bool {
        self.in_force.load(Ordering::Relaxed)
    }

    /// Notes that a request declares `cost`. Returns its cost at the gate; `None` until the gate
    /// counts in declared units.
    pub(super) fn declare(&self, cost: u32) -> Option<Cost> {
        let amount = cost.max(1);
        if !self.in_force() {
            self.last.store(amount, Ordering::Relaxed);
            if self.in_micros.load(Ordering::Relaxed) {
                return None;
            }
            self.in_force.store(true, Ordering::Relaxed);
        }
        Some(Cost { amount, unit: CostUnit::Declared })
    }

    /// Counts an answered request with a declared cost that has taken `nanos` of service so far.
    pub(super) fn answered(&self, cost: u32, nanos: u64) {
        let mut sums = self.sums.lock();
        sums.requests += 1;
        sums.cost += u64::from(cost);
        sums.nanos += nanos;
    }

    /// Adds `nanos` of service to an answered request.
    pub(super) fn record_service(&self, nanos: u64) {
        self.sums.lock().nanos += nanos;
    }

    /// Ends a tick: its measurements join the means, and declared units come into force.
    pub(super) fn update(&self) {
        if self.last.load(Ordering::Relaxed) == 0 {
            return;
        }
        self.in_force.store(true, Ordering::Relaxed);
        let mut sums = self.sums.lock();
        // An answer and its service may fall into different ticks; then both wait here.
        if sums.requests > 0 && sums.nanos > 0 {
            let tick = std::mem::take(&mut *sums);
            drop(sums);
            self.learned.lock().update(&tick);
        }
    }

    /// Sets whether requests at the gate have costs in microseconds.
    pub(super) fn set_in_micros(&self, in_micros: bool) {
        self.in_micros.store(in_micros, Ordering::Relaxed);
    }

    /// Returns the cost of a request that declares none and takes `seconds` of service: its service
    /// in declared units, else the mean declared cost.
    pub(super) fn comparable(&self, seconds: Option<f64>) -> Cost {
        let learned = self.learned.lock();
        let measured =
            learned.units_per_second().zip(seconds).map(|(units, seconds)| units * seconds);
        let usual = || learned.cost.unwrap_or_else(|| f64::from(self.last.load(Ordering::Relaxed)));
        Cost::rounded(measured.unwrap_or_else(usual), CostUnit::Declared)
    }
}

impl Learned {
    /// Returns the declared cost that a second of service is worth.
    fn units_per_second(&self) -> Option<f64> {
        let (cost, seconds) = (self.cost?, self.seconds?);
        (seconds > 0.0).then(|| cost / seconds)
    }

    fn update(&mut self, tick: &Sums) {
        let n = tick.requests as f64;
        let cost = tick.cost as f64 / n;
        // One request that declares a million times its cost must not make all others dear.
        if self.outliers.counts(is_outlier(cost, self.cost)) {
            self.cost = Some(SMOOTHED.update(self.cost, cost, n));
            self.seconds = Some(SMOOTHED.update(self.seconds, tick.nanos as f64 / n / 1e9, n));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: u64 = 1_000_000;

    fn declared(amount: u32) -> Cost {
        Cost { amount, unit: CostUnit::Declared }
    }

    #[test]
    fn declared_units_come_into_force_at_once_or_where_microseconds_count_at_the_next_tick() {
        let costs = DeclaredCosts::default();
        costs.update();
        assert_eq!(
            (costs.in_force(), costs.declare(7), costs.in_force()),
            (false, Some(declared(7)), true)
        );
        let costs = DeclaredCosts::default();
        costs.set_in_micros(true);
        costs.update();
        assert_eq!((costs.declare(7), costs.in_force()), (None, false));
        costs.update();
        assert_eq!(
            (costs.in_force(), costs.declare(9), costs.declare(0)),
            (true, Some(declared(9)), Some(declared(1)))
        );
    }

    #[test]
    fn a_request_without_a_declared_cost_counts_as_its_service_in_declared_units() {
        let costs = DeclaredCosts::default();
        costs.declare(7);
        costs.update();
        assert_eq!([None, Some(0.010)].map(|seconds| costs.comparable(seconds)), [declared(7); 2]);
        // Requests of 20 and 40 units take 2 and 4 ms.
        costs.answered(20, 2 * MILLI);
        costs.answered(40, 0);
        costs.record_service(4 * MILLI);
        costs.update();
        assert_eq!(costs.comparable(None), declared(30));
        assert_eq!(costs.comparable(Some(0.010)), declared(100));
    }

    #[test]
    fn a_request_that_declares_a_million_times_its_cost_makes_no_other_dear() {
        let costs = DeclaredCosts::default();
        costs.declare(10);
        costs.update();
        costs.answered(10, MILLI);
        costs.update();
        costs.answered(10_000_000, MILLI);
        costs.update();
        assert_eq!(costs.comparable(None), declared(10));
    }
}
