//! The limit from the rate at which a stage drains.

use crate::control::admission::{AdmissionLaw, AdmissionObservation, MOST};

/// Share of the promised time that a queue may take while it is long enough for other reasons. 40 %
/// of the SLO is what Breakwater found to waste neither the server's time nor the client's (Cho et
/// al., OSDI 2020, section 4.1).
const QUEUE_SHARE: f64 = 0.4;
/// A queue that is allowed fewer events than this runs empty now and then, although more arrive
/// than are served: an M/D/1/K queue at 1.2 times its capacity idles 0.2 % of the time for K = 12,
/// 1.1 % for K = 8, 6 % for K = 4. Where the SLO leaves room the limit is therefore at least this.
const ENOUGH: f64 = 12.0;
/// Share of the promise that queue and service together may take. The rest is for what happens
/// outside of them, in the kernel's queues and the reactor, and for services that take longer than
/// usual: an event that waits beyond its deadline has waited for nothing.
const KEPT: f64 = 0.8;
/// The same where requests declare what they cost, and all workers are there: then no service takes
/// longer than usual.
const KEPT_IF_DECLARED: f64 = 0.9;
/// The most of it, where one service in a hundred takes hardly longer than the others. A request is
/// given up that could not be answered within 95 % of the promise; half a percent is for the way
/// there and back.
const MOST_KEPT: f64 = 0.945;

/// Admits what the stage drains in the time that it has: N = X·W, Little's law as a limit.
///
/// X is measured: workers over service time. W is what the SLO leaves when the service itself is
/// taken off, or 40 % of the SLO, whichever is less, unless that were too few events to keep the
/// workers busy. It has no gain to be tuned and no state: when the demand of the stage changes
/// by 10, so does the limit as soon as the change is measured.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DrainRate;

impl AdmissionLaw for DrainRate {
    fn decide(&mut self, seen: &AdmissionObservation) -> Option<f64> {
        let workers = seen.workers.max(1);
        let Some(service) = seen.service_mean.filter(|mean| *mean >= 0.0) else {
            // Nothing was ever served: enough to begin with, and little enough whatever it takes.
            return Some(workers as f64 + ENOUGH);
        };
        // Without it, or where it is no number: as many as there are workers.
        let parallel = seen.parallelism;
        let parallel = if parallel > 0.0 { parallel.min(workers as f64) } else { workers as f64 };
        let rate = parallel / service;
        // A queue of demands that differ has to be longer by 1 + c2 to keep a server as busy
        // (Pollaczek and Khinchine), and may be: how long it takes is known.
        let queue = seen.cost_variation.map_or(1.0, |c2| 1.0 + c2);
        let known = seen.cost_variation.is_some() && !seen.grows;
        let least = if known { KEPT_IF_DECLARED } else { KEPT };
        // How much longer than usual one in a hundred takes is to be left free.
        let longer = seen.service_p99.filter(|p99| p99.is_finite() && !seen.grows);
        let most =
            longer.map_or(0.0, |p99| MOST_KEPT - (p99 - service).max(0.0) / seen.slo_seconds);
        let kept = most.max(least);
        let left = seen.slo_seconds * kept - service;
        // What waits for workers to come need not be refused, as long as it will be in time.
        let share = if seen.grows { kept } else { QUEUE_SHARE * queue };
        let wait = (ENOUGH / rate).max(seen.slo_seconds * share).min(left).max(0.0);
        // One that waits, so that the workers find the next event when they have ended one; also
        // where the queue comes out as no number.
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
    fn the_limit_is_what_drains_in_the_time_that_is_allowed() {
        // 40 % of 200 ms.
        assert_eq!(limit(0.2, 0.001, 1), 81);
        assert_eq!(limit(0.2, 0.0001, 1), 801);
        // 12 events would take 120 ms, and 150 are left.
        assert_eq!(limit(0.2, 0.010, 1), 13);
        // What the SLO leaves: 110 ms.
        assert_eq!(limit(0.2, 0.050, 1), 3);
        assert_eq!(limit(0.2, 0.050, 4), 4 + 8);
    }

    #[test]
    fn demands_that_differ_have_a_longer_queue_where_they_are_declared() {
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
    fn where_no_service_takes_longer_than_usual_nearly_all_of_the_promise_may_be_used() {
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
    fn while_workers_are_still_to_come_as_many_wait_as_can_be_in_time() {
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
    fn before_anything_was_measured_few_are_let_in() {
        assert_eq!(DrainRate.decide(&AdmissionObservation::default()), Some(13.0));
    }

    #[test]
    fn an_slo_that_cannot_be_met_leaves_one_event_waiting_behind_each_worker_that_serves() {
        assert_eq!((limit(0.2, 0.5, 1), limit(0.2, 0.5, 3)), (2, 4));
    }

    proptest! {
        #[test]
        fn whatever_is_seen_the_limit_lets_every_worker_work_and_one_wait(
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
