//! The requests of a stage that can be answered in time, for the tenants below the water level.

use crate::config::PerClass;
use crate::control::admission::estimator::Estimate;
use std::time::Duration;

/// The share of the SLO that wait and service may take together. The rest is for parts that are
/// not measured here, as in `DrainRate`.
const TIME_SHARE: f64 = 0.8;

/// By class, the amounts that can be inside and are answered within the SLO. A limit holds in
/// standing overload and is lower; tenants below the water level exceed it for moments.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct InTime {
    requests: PerClass<f64>,
    costs: PerClass<f64>,
}

impl InTime {
    /// Returns the amounts of a stage: those in service, and those that it serves in the time that
    /// the service leaves. Infinite for a class without an SLO, and before the first service.
    pub(super) fn of(estimate: &Estimate, slo: &[Option<Duration>]) -> Self {
        let mut requests = PerClass::splat(f64::INFINITY);
        for (most, slo) in requests.iter_mut().zip(slo) {
            if let (Some(slo), Some(service)) = (slo, estimate.service())
                && let Some(request) = estimate.seconds_for(1.0)
            {
                let wait = (slo.as_secs_f64() * TIME_SHARE - service).max(0.0);
                *most = estimate.parallelism().unwrap_or(1.0) + wait / request;
            }
        }
        let units = estimate.units_per_second().zip(estimate.service());
        let units = units.map_or(f64::INFINITY, |(pace, service)| pace * service);
        Self { requests, costs: requests.map(|requests| requests * units) }
    }

    /// Returns the amounts of two replicas together.
    pub(super) fn joined(mut self, other: Self) -> Self {
        self.requests.iter_mut().zip(&other.requests).for_each(|(sum, other)| *sum += other);
        self.costs.iter_mut().zip(&other.costs).for_each(|(sum, other)| *sum += other);
        self
    }

    /// Returns whole requests and units of cost.
    pub(super) fn whole(&self) -> (PerClass<u64>, PerClass<u64>) {
        // A float beyond `u64` saturates in the cast.
        (self.requests.map(|most| *most as u64), self.costs.map(|most| *most as u64))
    }
}
