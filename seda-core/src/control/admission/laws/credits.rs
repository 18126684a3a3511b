//! Credits, controlled by the queueing delay.

use crate::control::admission::{
    AdmissionLaw, AdmissionObservation, FIRST_QUEUE, HORIZON, bounded,
};

/// The target delay: 40 % of the SLO (Cho et al., OSDI 2020, section 4.1).
const TARGET: f64 = 0.4;
/// Below the target, credits grow by this part, and at least by one, in each round trip.
const INCREASE: f64 = 0.001;
/// Above it, credits shrink by this part for each multiple of the target in excess.
const DECREASE: f64 = 0.02;
/// Credits shrink at most by half in a round trip.
const LEAST_FACTOR: f64 = 0.5;

/// Breakwater's law, for a server that refuses requests instead of issuing credits: the pool of
/// credits is the limit of requests inside. The law decides once in a round trip; a tick carries
/// out as many decisions as round trips fit into it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credits {
    pool: f64,
}

impl AdmissionLaw for Credits {
    fn decide(&mut self, seen: &AdmissionObservation) -> Option<f64> {
        let least = (seen.workers.max(1) + 1) as f64;
        self.pool = self.pool.max(if self.pool == 0.0 { least + FIRST_QUEUE } else { least });
        if let Some((wait, service)) = seen.wait_mean.zip(seen.service_mean) {
            let target = seen.slo_seconds.unwrap_or(HORIZON) * TARGET;
            let trips = (seen.seconds / (wait + service).max(1e-4)).max(1.0);
            if wait < target {
                // Unused credits do not grow.
                let used = seen.inside as f64 >= self.pool / 2.0 || seen.offered > seen.admitted;
                self.pool += if used { (self.pool * INCREASE).max(1.0) * trips } else { 0.0 };
            } else {
                let over = (wait - target) / target.max(1e-9);
                self.pool *= (1.0 - DECREASE * over).max(LEAST_FACTOR).powf(trips);
            }
        }
        self.pool = bounded(self.pool, least);
        Some(self.pool)
    }
}
