//! The gradient of the response time.

use crate::control::admission::{
    AdmissionLaw, AdmissionObservation, FIRST_QUEUE, HORIZON, bounded,
};

/// A response may take this many times the usual time before the limit shrinks (Netflix
/// concurrency-limits, `Gradient2Limit`).
const TOLERANCE: f64 = 1.5;
/// The limit shrinks at most by half per tick, as in `Gradient2Limit`.
const LEAST_GRADIENT: f64 = 0.5;
/// Headroom for growth, in requests.
const QUEUE: f64 = 4.0;
/// The weight of a new limit.
const SMOOTHING: f64 = 0.2;
/// The number of ticks over which the usual response time is averaged.
const LONG_TICKS: f64 = 600.0;
/// The usual time is multiplied by this per tick while it is more than twice the measured time.
const RECOVERY: f64 = 0.95;

/// Gradient2: limit · clamp(1.5 · usual / measured, 0.5, 1) + 4, smoothed.
///
/// The original has no SLO and meets none: its usual time drifts up while a queue stands. Here the
/// usual time is bounded by 40 % of the SLO.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gradient {
    limit: f64,
    usual: Option<f64>,
}

impl AdmissionLaw for Gradient {
    fn decide(&mut self, seen: &AdmissionObservation) -> Option<f64> {
        let least = (seen.workers.max(1) + 1) as f64;
        self.limit = self.limit.max(if self.limit == 0.0 { least + FIRST_QUEUE } else { least });
        if let Some((wait, service)) = seen.wait_mean.zip(seen.service_mean) {
            let measured = (wait + service).max(1e-9);
            let usual = self.usual.map_or(measured, |old| old + (measured - old) / LONG_TICKS);
            let usual = if usual > 2.0 * measured { usual * RECOVERY } else { usual };
            let usual = usual.min(seen.slo_seconds.unwrap_or(HORIZON) * 0.4).max(service);
            self.usual = Some(usual);
            let gradient = (TOLERANCE * usual / measured).clamp(LEAST_GRADIENT, 1.0);
            let used = seen.inside as f64 >= self.limit / 2.0;
            if used || gradient < 1.0 {
                self.limit += (self.limit * gradient + QUEUE - self.limit) * SMOOTHING;
            }
        }
        self.limit = bounded(self.limit, least);
        Some(self.limit)
    }
}
