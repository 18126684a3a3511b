//! The longest backlog that can be answered in time.

use crate::control::admission::law::{AdmissionObservation, HORIZON, MOST};

/// The least burst without an SLO, in events; a queue that could not have drained twice as many
/// does not stand yet. At half load a queue of equal services exceeds it once in 100,000 arrivals.
pub(super) const LEAST_BURST: f64 = 8.0;

/// Returns the events that may wait in a burst, where the stage drains `rate` of them per second.
pub(super) fn burst(seen: &AdmissionObservation, rate: f64) -> f64 {
    match (seen.slack_p99, seen.slack_mean) {
        (Some(tail), _) if tail > 0.0 => tail * rate,
        // No queue keeps the SLO: what the mean request leaves.
        (Some(_), Some(mean)) => mean * rate,
        _ => (HORIZON * rate).max(LEAST_BURST),
    }
}

/// Returns the requests that can be inside and are answered in time. Infinite before the first
/// service. The limit of a standing overload is lower; tenants below the water level exceed it for
/// moments.
pub(super) fn in_time(seen: &AdmissionObservation) -> f64 {
    let Some(service) = seen.service_mean.filter(|mean| *mean > 0.0) else {
        return f64::INFINITY;
    };
    let workers = seen.workers.max(1) as f64;
    let parallel = if seen.parallelism > 0.0 { seen.parallelism } else { workers };
    let backlog = burst(seen, parallel.min(workers) / service);
    workers + seen.elsewhere.clamp(0.0, MOST).max(0.0) + backlog.clamp(0.0, MOST).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A worker that serves 100 events a second, while five requests are elsewhere.
    fn seen(slack: Option<f64>) -> AdmissionObservation {
        AdmissionObservation {
            workers: 1,
            parallelism: 1.0,
            elsewhere: 5.0,
            service_mean: Some(0.01),
            slack_p99: slack,
            slack_mean: slack.map(|slack| slack + 0.05),
            ..AdmissionObservation::default()
        }
    }

    #[test]
    fn what_is_in_time_is_the_slack_of_the_slo_and_without_one_the_horizon() {
        assert_eq!(in_time(&seen(Some(0.1))), 16.0);
        assert_eq!(in_time(&seen(Some(-0.04))), 7.0);
        assert_eq!(in_time(&seen(None)), 56.0);
        assert_eq!(
            in_time(&AdmissionObservation { service_mean: None, ..seen(None) }),
            f64::INFINITY
        );
    }
}
