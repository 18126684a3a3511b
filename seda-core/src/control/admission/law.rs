//! A law of admission limits the requests inside for one stage and class, so that a burst waits and
//! an overload is refused.
//!
//! The default is `DrainRate`: a burst as long as the horizon, and the shortest backlog that keeps
//! the workers busy once the queue stands. `Aimd`, `Credits` and `Gradient` are laws from the
//! literature, for comparison.

/// The longest wait of a burst without an SLO, in seconds, and the time after which a queue that
/// was never empty counts as standing. Clients commonly give up after a second; the tick that ends
/// the wait, and the service, leave a third of that. A burst of 0.1 s at three times the capacity
/// has drained after 0.3 s, and after 0.4 s on a machine that is a quarter slower for a moment.
pub(in crate::control) const HORIZON: f64 = 0.5;
/// The events that may wait before the first service is measured. A service of 1.9 ms drains them
/// within the horizon; a longer one does so once, at the start.
pub(in crate::control) const FIRST_BURST: f64 = 256.0;
/// The events that may wait at the laws from the literature before the first measurement.
pub(in crate::control) const FIRST_QUEUE: f64 = 12.0;
/// More requests than any machine holds.
pub(in crate::control) const MOST: f64 = 1e9;

/// Returns the computed limit, at least `least` and finite.
pub(in crate::control) fn bounded(limit: f64, least: f64) -> f64 {
    if limit.is_nan() { least + FIRST_QUEUE } else { limit.clamp(least, MOST) }
}

/// A stage and a class over the last tick, as the law sees them. Times are in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AdmissionObservation {
    /// Length of the tick.
    pub seconds: f64,
    /// The SLO: the 99th percentile of the response time. `None` without one.
    pub slo_seconds: Option<f64>,
    /// The wait at this stage that the SLO leaves for 99 of 100 requests: the SLO, less the 99th
    /// percentile of all services on the route and the waits at its other stages. Negative if these
    /// alone take longer. `None` without an SLO.
    pub slack_p99: Option<f64>,
    /// The same for the mean request, with a fifth of the SLO in reserve.
    pub slack_mean: Option<f64>,
    /// Events offered, of this class and higher ones.
    pub offered: u64,
    /// Of these, the events admitted.
    pub admitted: u64,
    /// Events that were handled.
    pub completed: u64,
    /// Events queued now.
    pub queued: usize,
    /// Requests inside for the stage now: queued, in service, on their way there or back.
    pub inside: usize,
    /// Of the requests inside, those that neither wait at the stage nor are served there, if all
    /// its workers are busy.
    pub elsewhere: f64,
    /// Time for which the queue has not been empty; zero if it is empty.
    pub standing_seconds: f64,
    /// Share of the tick in which the queue was empty, 0 to 1.
    pub empty_share: f64,
    /// Mean wait of events dequeued during the tick; `None` if none was dequeued.
    pub wait_mean: Option<f64>,
    /// 90th percentile of these waits.
    pub wait_p90: Option<f64>,
    /// The longest of these waits.
    pub wait_max: Option<f64>,
    /// Mean service time, smoothed over a few dozen events; `None` before the first service.
    pub service_mean: Option<f64>,
    /// 99th percentile of the service time, over the last few hundred events.
    pub service_p99: Option<f64>,
    /// Squared coefficient of variation of the service time, over the same events: 0 if all are
    /// alike, 1 if they are exponential.
    pub service_variation: Option<f64>,
    /// The events that a worker takes at once, in the mean.
    pub batch: usize,
    /// Workers that could serve the stage: as many as its pool may have and cores can run.
    pub workers: usize,
    /// Events served at once when all these workers are busy, at most `workers`. It is 1.05 if one
    /// worker uses the only core for 95 % of its time, and 0.5 if the only worker serves another
    /// stage for half of the time.
    pub parallelism: f64,
    /// True if some of these workers are still to be added: the stage will drain faster than now.
    pub grows: bool,
    /// The limit in force, in requests; `None` before the first.
    pub limit: Option<usize>,
    /// Squared coefficient of variation of the declared costs; `None` without declared costs.
    pub cost_variation: Option<f64>,
}

/// Decides on the limit of one stage and class, once per tick. Pure: the same observations give the
/// same answers.
///
/// ```
/// use seda_core::Graph;
/// use seda_core::control::{AdmissionLaw, AdmissionObservation};
///
/// /// Two requests for each worker.
/// struct PerWorker;
///
/// impl AdmissionLaw for PerWorker {
///     fn decide(&mut self, seen: &AdmissionObservation) -> Option<f64> {
///         Some(2.0 * seen.workers as f64)
///     }
/// }
///
/// let mut graph = Graph::new("pages");
/// graph.admission_law(|_stage| PerWorker);
/// ```
pub trait AdmissionLaw: Send {
    /// Returns how many requests may be inside. `None`, infinity and NaN set no limit.
    ///
    /// A limit below one counts as one, so that a stage never idles. Fractions count where requests
    /// declare their cost; elsewhere the limit is rounded down. A law that panics is replaced by
    /// `DrainRate`.
    fn decide(&mut self, seen: &AdmissionObservation) -> Option<f64>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Law;
    use proptest::prelude::*;

    #[test]
    fn a_law_is_read_from_its_name_and_a_wrong_one_is_named() {
        assert!(Law::ALL.iter().all(|law| law.to_string().parse() == Ok(*law)));
        assert!("p90".parse::<Law>().unwrap_err().to_string().contains("`p90`"));
    }

    proptest! {
        #[test]
        fn no_law_stops_the_workers_for_any_observation(
            wait in proptest::num::f64::ANY,
            service in proptest::num::f64::ANY,
            slo in proptest::num::f64::ANY,
            seconds in proptest::num::f64::ANY,
            (workers, inside, completed) in (0_usize..2_000, 0_usize..1_000_000, 0_u64..1_000_000),
        ) {
            let seen = AdmissionObservation {
                seconds,
                slo_seconds: Some(slo),
                slack_p99: Some(slo),
                slack_mean: Some(slo),
                elsewhere: wait,
                standing_seconds: wait,
                inside,
                completed,
                wait_mean: Some(wait),
                wait_p90: Some(wait),
                service_mean: Some(service),
                workers,
                ..AdmissionObservation::default()
            };
            for law in Law::ALL {
                let mut law = crate::control::admission::laws::make(law);
                for _ in 0..5 {
                    prop_assert!(law.decide(&seen).is_none_or(|limit| limit > workers as f64));
                }
            }
        }
    }
}
