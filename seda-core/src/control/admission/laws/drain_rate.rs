//! A limit from the rate at which a stage drains.

use crate::control::admission::backlog::{OVERLOAD, busy_backlog};
use crate::control::admission::burst::{LEAST_BURST, burst};
use crate::control::admission::{AdmissionLaw, AdmissionObservation, FIRST_BURST, HORIZON, MOST};

/// The part of the capacity that a cut queue may lose. Less would not show beside the cost of
/// refusals, and a tenth of it needs twice the backlog.
const LOSS: f64 = 0.005;
/// The part of the capacity that the SLO may cost where it does not leave the time for a backlog
/// that keeps the workers busy. Beyond it the capacity wins, because each lost service is an answer
/// that no client gets; the report then says that the SLO cannot be met.
const SLO_LOSS: f64 = 0.05;
/// A cut queue that is empty for more than this share of the time is too short. It is empty for 1
/// to 2 % where arrivals are random; bursts and threads that share a core make it more.
const EMPTY_SHARE: f64 = 0.05;
/// The least wait, in seconds, of a cut queue. Linux lets a thread run for 3 ms before another one
/// on its core, so that a shorter queue runs dry between two turns of the thread that fills it.
/// 5 ms is also the target of CoDel (Nichols and Jacobson 2012).
const LEAST_WAIT: f64 = 0.005;
/// The least cut queue, in events: the worker that ends one event finds the next, and a reactor
/// that is one turn late does not leave it idle.
const LEAST_QUEUE: f64 = 2.0;
/// The time, in seconds, over which the offered load is averaged: long enough to tell 1.1 times the
/// capacity from 1.0 at a hundred services a second.
const LONG_MEMORY: f64 = 10.0;
/// The time, in seconds, over which a step of the load or of the demand shows.
const SHORT_MEMORY: f64 = 1.0;
/// The standard deviations of Poisson arrivals that the load of a cut queue may be less than
/// measured, and that of a calm one more. The second error is dearer: it lets a queue stand again.
const SIGMAS_BELOW: f64 = 1.0;
const SIGMAS_ABOVE: f64 = 2.0;

/// Admits a burst while the queue empties now and then, and cuts a queue that stands.
///
/// By Little's law N = X·W a limit of N requests bounds the wait to W. X is measured: workers over
/// service time. W has two values:
///
/// - *Burst*: the horizon of 0.5 s, or the time that the SLO leaves. A burst is served in full if
///   the stage keeps up in the mean.
/// - *Cut*: once the queue cannot be empty within the horizon of its beginning, the shortest wait
///   that keeps the workers busy. A longer one would only delay each answer (Nichols and Jacobson,
///   "Controlling queue delay", 2012).
///
/// The burst comes back when no request was refused for the horizon and less is offered than the
/// stage can serve. An empty queue alone does not bring it back: a cut queue empties several times
/// a second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DrainRate {
    /// The load while the queue has stood, or has been cut.
    load: Load,
    /// The same over a shorter time.
    recent: Load,
    /// The load since the last refusal.
    calm: Load,
    /// Whether the queue is cut.
    cut: bool,
    /// The factor by which the cut queue is longer than random arrivals need; at least 1 in a cut.
    stretch: f64,
}

impl AdmissionLaw for DrainRate {
    fn decide(&mut self, seen: &AdmissionObservation) -> Option<f64> {
        let workers = seen.workers.max(1) as f64;
        let elsewhere = seen.elsewhere.clamp(0.0, MOST).max(0.0);
        let Some(service) = seen.service_mean.filter(|mean| *mean >= 0.0) else {
            return Some(workers + elsewhere + FIRST_BURST);
        };
        // X: the rate at which the stage drains. A parallelism of zero or NaN stands for workers.
        let parallel = if seen.parallelism > 0.0 { seen.parallelism } else { workers };
        let rate = parallel.min(workers) / service;
        self.follow_queue(seen, rate);
        // The measured load is uncertain, and a limit for too high a load refuses in vain.
        let load = self.load.at_least();
        let backlog = if self.cut && load >= OVERLOAD {
            let least = cut_backlog(seen, rate, load);
            (least * self.stretch).min(burst(seen, rate)).max(least)
        } else {
            burst(seen, rate)
        };
        // At least one event waits, so that a worker that has ended an event finds the next one;
        // also if the backlog is NaN.
        Some(workers + elsewhere + backlog.clamp(1.0, MOST).max(1.0))
    }
}

impl DrainRate {
    /// Cuts a queue that stands or is certain to, and ends the cut when the overload has ended.
    fn follow_queue(&mut self, seen: &AdmissionObservation, rate: f64) {
        if seen.offered > seen.admitted {
            self.calm = Load::default();
        }
        self.calm.add(seen, rate, LONG_MEMORY);
        // A few long services stand for the horizon, too: a queue that could not have drained twice
        // the least burst does not stand yet. Where the SLO lets a burst wait for longer, the queue
        // may stand for as long.
        let horizon = HORIZON.max((2.0 * LEAST_BURST).max(burst(seen, rate)) / rate);
        // The queued events keep the queue from being empty, even if no further one arrives.
        if seen.standing_seconds + seen.queued as f64 / rate >= horizon {
            self.cut = true;
        } else if self.calm.seconds >= HORIZON && self.calm.at_most() < OVERLOAD {
            self.cut = false;
        }
        self.follow_emptiness(seen);
        if !self.cut && seen.standing_seconds <= seen.seconds {
            (self.load, self.recent) = Default::default();
        }
        // Workers that are still to be added may find no core: they are no capacity yet.
        if !seen.grows {
            self.load.add(seen, rate, LONG_MEMORY);
            self.recent.add(seen, rate, SHORT_MEMORY);
        }
        if self.recent.differs_from(&self.load) {
            self.load = self.recent;
        }
    }

    /// Lengthens a cut queue that runs empty while requests are refused.
    fn follow_emptiness(&mut self, seen: &AdmissionObservation) {
        if !self.cut {
            self.stretch = 0.0;
            return;
        }
        let refuses = self.calm.seconds < HORIZON;
        let is_known = refuses && seen.empty_share.is_finite();
        let empty = if is_known { seen.empty_share.clamp(0.0, 1.0) } else { 0.0 };
        // A tick changes the length by the share of time that the queue was empty too much.
        self.stretch *= 1.0 + empty - EMPTY_SHARE;
        self.stretch = self.stretch.clamp(1.0, HORIZON / LEAST_WAIT);
    }
}

/// Returns the shortest backlog that keeps the workers busy.
fn cut_backlog(seen: &AdmissionObservation, rate: f64, load: f64) -> f64 {
    let variation = seen.service_variation.filter(|c2| c2.is_finite()).unwrap_or(1.0);
    let workers = seen.workers.max(1) as f64;
    // A worker that takes a batch leaves the places of the batch empty in the queue.
    let batches = workers * (seen.batch.max(1) - 1) as f64;
    let needed = |loss| busy_backlog(load, variation, loss) + batches;
    let busy = needed(LOSS).max(LEAST_WAIT * rate).max(LEAST_QUEUE);
    match (seen.slack_p99, seen.slack_mean) {
        // The SLO leaves less time: it wins up to the part of the capacity that it may cost.
        (Some(tail), Some(mean)) if tail * rate < busy => {
            (tail * rate).max(needed(SLO_LOSS).min(mean * rate)).min(busy)
        }
        (Some(_), _) => busy,
        (None, _) => busy.min((HORIZON * rate).max(LEAST_QUEUE)),
    }
}

/// The offered load: arrivals over the capacity, in decaying sums.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    /// The time over which it is measured, without decay.
    seconds: f64,
    arrivals: f64,
    /// The arrivals that the stage could have served.
    capacity: f64,
}

impl Load {
    fn add(&mut self, seen: &AdmissionObservation, rate: f64, memory: f64) {
        let kept = (-seen.seconds.max(0.0) / memory).exp();
        let capacity = rate * seen.seconds;
        if capacity.is_finite() && capacity > 0.0 {
            self.seconds += seen.seconds;
            self.arrivals = self.arrivals * kept + seen.offered as f64;
            self.capacity = self.capacity * kept + capacity;
        }
    }

    /// Returns a lower bound of the load; 0 before the first tick.
    fn at_least(&self) -> f64 {
        self.over_capacity(self.arrivals - SIGMAS_BELOW * self.arrivals.sqrt())
    }

    /// Returns an upper bound of the load.
    fn at_most(&self) -> f64 {
        self.over_capacity(self.arrivals + SIGMAS_ABOVE * self.arrivals.sqrt())
    }

    /// Returns whether chance does not explain the difference of two loads: there was a step.
    fn differs_from(&self, other: &Self) -> bool {
        self.at_most() < other.at_least() || self.at_least() > other.at_most()
    }

    fn over_capacity(&self, arrivals: f64) -> f64 {
        if self.capacity > 0.0 { arrivals / self.capacity } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A tick of 100 ms at a single worker with equal services of a millisecond, to which
    /// `offered` requests came.
    fn tick(offered: u64) -> AdmissionObservation {
        AdmissionObservation {
            seconds: 0.1,
            offered,
            admitted: offered.min(100),
            service_mean: Some(0.001),
            service_p99: Some(0.001),
            service_variation: Some(0.0),
            workers: 1,
            parallelism: 1.0,
            batch: 1,
            ..AdmissionObservation::default()
        }
    }

    fn stands_for(offered: u64, standing_seconds: f64) -> AdmissionObservation {
        AdmissionObservation { standing_seconds, ..tick(offered) }
    }

    /// The limits after `ticks` equal ticks in which the queue stands, without the worker.
    fn cut(seen: &AdmissionObservation, ticks: usize) -> f64 {
        let mut law = DrainRate::default();
        let limits = (0..ticks).filter_map(|_| law.decide(seen));
        (limits.last().unwrap() - 1.0).round()
    }

    #[test]
    fn a_burst_may_wait_for_the_horizon_or_as_long_as_the_slo_allows() {
        let mut law = DrainRate::default();
        assert_eq!(law.decide(&tick(50)), Some(501.0));
        let with_slo = |slack| AdmissionObservation {
            slo_seconds: Some(0.2),
            slack_p99: Some(slack),
            slack_mean: Some(0.1),
            ..tick(50)
        };
        assert_eq!(law.decide(&with_slo(0.15)), Some(151.0));
        assert_eq!(law.decide(&with_slo(-0.1)), Some(101.0), "the mean request counts");
        let long = AdmissionObservation { service_mean: Some(2.0), ..tick(0) };
        assert_eq!(law.decide(&long), Some(9.0), "eight long services may wait");
    }

    #[test]
    fn a_queue_that_stands_for_the_horizon_is_cut_to_what_keeps_the_worker_busy() {
        let mut law = DrainRate::default();
        let limits = [0.2, 0.3, 0.4, 0.5, 0.6].map(|s| law.decide(&stands_for(200, s)).unwrap());
        assert_eq!(limits[..3], [501.0; 3]);
        assert!(limits[3] < 7.0, "{limits:?}");
        // At 1.2x and 1.05x, with equal and with exponential services.
        assert_eq!(cut(&stands_for(125, 1.0), 30), 8.0);
        let exponential =
            AdmissionObservation { service_variation: Some(1.0), ..stands_for(125, 1.0) };
        assert_eq!(cut(&exponential, 30), 18.0);
        assert!(cut(&stands_for(105, 1.0), 30) > 25.0);
    }

    #[test]
    fn workers_that_the_cores_turn_out_not_to_have_do_not_hide_an_overload() {
        let mut law = DrainRate::default();
        // Three ticks of a start that counts 512 workers, then the one that the core has.
        for seconds in [0.1, 0.2, 0.3] {
            let many = AdmissionObservation {
                workers: 512,
                parallelism: 512.0,
                grows: true,
                ..stands_for(200, seconds)
            };
            assert!(law.decide(&many).unwrap() > 10_000.0);
        }
        let limits: Vec<f64> = [0.4, 0.5, 0.6, 0.7]
            .map(|seconds| law.decide(&stands_for(200, seconds)).unwrap())
            .to_vec();
        assert!(limits[2..].iter().all(|limit| *limit < 10.0), "{limits:?}");
    }

    #[test]
    fn a_queue_that_cannot_be_empty_within_the_horizon_is_cut_before_it_has_passed() {
        let after = |standing_seconds, queued, offered| {
            let seen = AdmissionObservation { queued, ..stands_for(offered, standing_seconds) };
            DrainRate::default().decide(&seen).unwrap()
        };
        assert!(after(0.1, 450, 550) < 7.0, "a step to more than five times the capacity");
        assert_eq!(after(0.1, 200, 300), 501.0, "100 ms at three times the capacity");
        assert_eq!(after(0.0, 64, 64), 501.0, "64 at once");
        let slo = AdmissionObservation {
            slo_seconds: Some(1.0),
            slack_p99: Some(0.9),
            slack_mean: Some(0.7),
            queued: 700,
            ..stands_for(800, 0.1)
        };
        assert_eq!(DrainRate::default().decide(&slo), Some(901.0), "in time for the SLO");
    }

    #[test]
    fn a_queue_that_stands_below_the_capacity_is_not_cut() {
        assert_eq!(cut(&stands_for(95, 1.0), 30), 500.0);
    }

    #[test]
    fn the_burst_comes_back_after_a_horizon_without_refusals_below_the_capacity() {
        let mut law = DrainRate::default();
        assert!((0..10).all(|_| law.decide(&stands_for(200, 1.0)).is_some()));
        // The queue of a cut gate empties now and then.
        assert!(law.decide(&tick(200)).unwrap() < 10.0);
        let calm: Vec<f64> = (0..20).filter_map(|_| law.decide(&tick(50))).collect();
        assert_eq!(calm[19], 501.0);
    }

    #[test]
    fn a_cut_queue_that_runs_empty_beside_refusals_grows_up_to_the_burst_and_shrinks_again() {
        let mut law = DrainRate::default();
        let mut limit = |empty_share, ticks| {
            let seen = AdmissionObservation { empty_share, ..stands_for(200, 1.0) };
            (0..ticks).filter_map(|_| law.decide(&seen)).last().unwrap().round()
        };
        assert_eq!(limit(0.02, 20), 6.0);
        // Half of the time nothing arrives.
        assert!((10.0..40.0).contains(&limit(0.5, 3)));
        assert_eq!(limit(0.5, 20), 501.0);
        assert_eq!(limit(0.02, 200), 6.0);
    }

    #[test]
    fn requests_elsewhere_do_not_take_the_places_of_those_that_wait() {
        let seen = AdmissionObservation { elsewhere: 100.0, ..stands_for(200, 1.0) };
        assert_eq!(cut(&seen, 10), cut(&stands_for(200, 1.0), 10) + 100.0);
    }

    #[test]
    fn the_slo_wins_until_it_costs_a_twentieth_of_the_capacity() {
        let slack = |slack: f64| AdmissionObservation {
            slo_seconds: Some(0.2),
            slack_p99: Some(slack),
            slack_mean: Some(0.1),
            service_mean: Some(0.010),
            service_variation: Some(1.0),
            ..stands_for(125, 1.0)
        };
        // 125 in 100 ms are twelve times what the stage serves; a handful keeps it busy.
        assert_eq!(cut(&slack(0.1), 30), 2.0);
        let near = AdmissionObservation { offered: 12, slack_mean: Some(0.5), ..slack(0.15) };
        assert_eq!(cut(&near, 50), 15.0, "the SLO allows 15 of 24");
        let less = AdmissionObservation { slack_p99: Some(0.01), ..near };
        assert_eq!(cut(&less, 50), 9.0, "a queue of one would idle for a fifth of the time");
    }

    #[test]
    fn before_the_first_measurement_a_burst_is_admitted() {
        assert_eq!(DrainRate::default().decide(&AdmissionObservation::default()), Some(257.0));
    }

    proptest! {
        #[test]
        fn the_limit_lets_every_worker_serve_and_one_event_wait_for_any_observation(
            slack in proptest::num::f64::ANY,
            service in proptest::num::f64::ANY,
            standing_seconds in proptest::num::f64::ANY,
            elsewhere in proptest::num::f64::ANY,
            (workers, offered) in (0_usize..5_000, 0_u64..1_000_000),
        ) {
            let seen = AdmissionObservation {
                seconds: 0.1,
                slo_seconds: Some(slack),
                slack_p99: Some(slack),
                slack_mean: Some(slack),
                service_mean: Some(service),
                service_variation: Some(service),
                standing_seconds,
                elsewhere,
                workers,
                offered,
                ..AdmissionObservation::default()
            };
            let mut law = DrainRate::default();
            for _ in 0..3 {
                if let Some(limit) = law.decide(&seen) {
                    prop_assert!(limit > workers as f64);
                }
            }
        }
    }
}
