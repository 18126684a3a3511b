//! Additive increase, multiplicative decrease (AIMD) on the 90th percentile.

use crate::control::admission::{
    AdmissionLaw, AdmissionObservation, FIRST_QUEUE, HORIZON, bounded,
};

/// The weight of a new percentile; the paper's α = 0.7 is that of the old one (section 4.1).
const NEW_SHARE: f64 = 0.3;
/// Above the target the limit is divided by this.
const DECREASE: f64 = 1.2;
/// The limit grows only while the percentile is below half of the target.
const GROW_BELOW: f64 = -0.5;
/// Growth per tick: this times how far the percentile is below nine tenths of the target.
const INCREASE: f64 = 2.0;
/// The least number of events for a 90th percentile. In the original, noise controls a class with
/// few requests.
const LEAST_SAMPLES: u64 = 10;

/// The overload controller of SEDA (Welsh and Culler, USITS 2003) with two corrections: it limits
/// requests inside instead of a rate per millisecond, and it waits for samples.
///
/// Two faults remain. The law finds the target only by exceeding it, and a step of two per tick is
/// large for a service of 50 ms and small for one of 0.1 ms.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aimd {
    limit: f64,
    p90: Option<f64>,
    samples: u64,
}

impl AdmissionLaw for Aimd {
    fn decide(&mut self, seen: &AdmissionObservation) -> Option<f64> {
        let least = (seen.workers.max(1) + 1) as f64;
        self.limit = self.limit.max(if self.limit == 0.0 { least + FIRST_QUEUE } else { least });
        self.samples = self.samples.saturating_add(seen.completed);
        if let Some((wait, service)) = seen.wait_p90.zip(seen.service_mean)
            && self.samples >= LEAST_SAMPLES
        {
            self.samples = 0;
            let now = wait + service;
            let p90 = self.p90.map_or(now, |old| old + (now - old) * NEW_SHARE);
            self.p90 = Some(p90);
            let target = seen.slo_seconds.unwrap_or(HORIZON);
            let error = (p90 - target) / target;
            if error > 0.0 {
                self.limit /= DECREASE;
            } else if error < GROW_BELOW {
                self.limit -= (error + 0.1) * INCREASE;
            }
        }
        self.limit = bounded(self.limit, least);
        Some(self.limit)
    }
}
