//! A limit from the rate at which a stage drains.

use crate::control::admission::{AdmissionLaw, AdmissionObservation, MOST};

/// The share of the SLO that the wait may take. Breakwater found that 40 % wastes neither the time
/// of the server nor that of the client (Cho et al., OSDI 2020, section 4.1).
const QUEUE_SHARE: f64 = 0.4;
/// The least queue where the SLO leaves room. A shorter one runs empty at times, even in overload:
/// an M/D/1/K queue at 1.2 times its capacity idles 0.2 % of the time for K = 12, 1.1 % for K = 8,
/// and 6 % for K = 4.
const LEAST_QUEUE: f64 = 12.0;
/// The share of the SLO that wait and service together may take. The rest is for the kernel's
/// queues, the reactor, and services that take longer than usual.
const TIME_SHARE: f64 = 0.8;
/// The same share where requests declare their cost and the pool does not grow: then no service
/// takes longer than expected.
const TIME_SHARE_IF_DECLARED: f64 = 0.9;
/// The same share where the 99th percentile of the service is near the mean. A request is shed if
/// it cannot be answered within 95 % of the SLO; half a percent is for the way there and back.
const MOST_TIME_SHARE: f64 = 0.945;

/// Admits the requests that the stage drains in the time that it has: N = X·W, Little's law as a
/// limit.
///
/// X is measured: workers over service time. W is 40 % of the SLO, at least the time that keeps the
/// workers busy, and at most the part of the SLO that the service leaves. The law has no gain to
/// tune and no state: if the stage's demand changes tenfold, the limit follows as soon as it is
/// measured.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DrainRate;

impl AdmissionLaw for DrainRate {
    fn decide(&mut self, seen: &AdmissionObservation) -> Option<f64> {
        let workers = seen.workers.max(1);
        let Some(service) = seen.service_mean.filter(|mean| *mean >= 0.0) else {
            // Before the first service: enough to keep the workers busy, and not more.
            return Some(workers as f64 + LEAST_QUEUE);
        };
        // Zero or NaN: the number of workers.
        let parallel = seen.parallelism;
        let parallel = if parallel > 0.0 { parallel.min(workers as f64) } else { workers as f64 };
        // X: the rate at which the stage drains.
        let rate = parallel / service;
        // Varying demands need a queue longer by 1 + c² to keep a server as busy (Pollaczek and
        // Khinchine). A longer queue is safe, because the declared costs give the time to drain it.
        let queue = seen.cost_variation.map_or(1.0, |c2| 1.0 + c2);
        let known = seen.cost_variation.is_some() && !seen.grows;
        let least = if known { TIME_SHARE_IF_DECLARED } else { TIME_SHARE };
        // The margin of the 99th percentile over the mean stays free.
        let longer = seen.service_p99.filter(|p99| p99.is_finite() && !seen.grows);
        let most =
            longer.map_or(0.0, |p99| MOST_TIME_SHARE - (p99 - service).max(0.0) / seen.slo_seconds);
        // W: the wait that the SLO leaves.
        let share_of_time = most.max(least);
        let most_wait = seen.slo_seconds * share_of_time - service;
        // While the pool grows, events may wait for the new workers as long as the SLO allows.
        let share = if seen.grows { share_of_time } else { QUEUE_SHARE * queue };
        let wait = (LEAST_QUEUE / rate).max(seen.slo_seconds * share).min(most_wait).max(0.0);
        // At least one event waits, so that a worker that has ended an event finds the next one;
        // also if the queue is NaN.
        Some(workers as f64 + (wait * rate).clamp(1.0, MOST).max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limit(slo: f64, service: f64, workers: usize) -> usize {
        let seen = AdmissionObservation {
            slo_seconds: slo,
            service_mean: Some(service),
            workers,
            parallelism: workers as f64,
            ..AdmissionObservation::default()
        };
        DrainRate.decide(&seen).unwrap() as usize
    }

    #[test]
    fn the_limit_is_the_number_of_requests_that_drain_in_the_allowed_time() {
        // 40 % of 200 ms.
        assert_eq!(limit(0.2, 0.001, 1), 81);
        assert_eq!(limit(0.2, 0.0001, 1), 801);
        // 12 events would take 120 ms, and the SLO leaves 150 ms.
        assert_eq!(limit(0.2, 0.010, 1), 13);
        // The SLO leaves 110 ms.
        assert_eq!(limit(0.2, 0.050, 1), 3);
        assert_eq!(limit(0.2, 0.050, 4), 4 + 8);
    }

    #[test]
    fn declared_costs_that_vary_allow_a_longer_queue() {
        let seen = |cost_variation| AdmissionObservation {
            slo_seconds: 0.2,
            service_mean: Some(0.001),
            workers: 1,
            cost_variation,
            ..AdmissionObservation::default()
        };
        let limits = [None, Some(0.0), Some(1.0), Some(5.0)];
        let limits = limits.map(|c2| DrainRate.decide(&seen(c2)).map(f64::round));
        assert_eq!(limits, [Some(81.0), Some(81.0), Some(161.0), Some(180.0)]);
    }

    #[test]
    fn a_service_with_a_short_tail_may_use_nearly_all_of_the_slo() {
        let seen = |p99| AdmissionObservation {
            slo_seconds: 0.2,
            service_mean: Some(0.050),
            service_p99: Some(p99),
            workers: 1,
            parallelism: 1.0,
            ..AdmissionObservation::default()
        };
        let limits = [0.050, 0.060, 0.230, f64::NAN].map(|p99| DrainRate.decide(&seen(p99)));
        let limits = limits.map(|limit| limit.map(|limit| (limit * 100.0).round() / 100.0));
        assert_eq!(limits, [Some(3.78), Some(3.58), Some(3.2), Some(3.2)]);
    }

    #[test]
    fn while_the_pool_grows_as_many_wait_as_can_be_answered_in_time() {
        let mut seen = AdmissionObservation {
            slo_seconds: 0.2,
            service_mean: Some(0.010),
            workers: 4,
            parallelism: 4.0,
            ..AdmissionObservation::default()
        };
        let limit = |seen: &AdmissionObservation| DrainRate.decide(seen).map(f64::round);
        assert_eq!(limit(&seen), Some(36.0));
        seen.grows = true;
        assert_eq!(limit(&seen), Some(64.0));
    }

    #[test]
    fn before_the_first_measurement_few_requests_are_admitted() {
        assert_eq!(DrainRate.decide(&AdmissionObservation::default()), Some(13.0));
    }

    #[test]
    fn an_infeasible_slo_lets_every_worker_serve_and_one_event_wait() {
        assert_eq!((limit(0.2, 0.5, 1), limit(0.2, 0.5, 3)), (2, 4));
    }

    proptest! {
        #[test]
        fn the_limit_lets_every_worker_serve_and_one_event_wait_for_any_observation(
            slo in proptest::num::f64::ANY,
            service in proptest::num::f64::ANY,
            workers in 0_usize..5_000,
        ) {
            let seen = AdmissionObservation {
                slo_seconds: slo,
                service_mean: Some(service),
                workers,
                ..AdmissionObservation::default()
            };
            if let Some(limit) = DrainRate.decide(&seen) {
                prop_assert!(limit > workers as f64);
            }
        }
    }
}
