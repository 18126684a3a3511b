//! Laws of admission: how many requests may be under way for a stage, so that those that are
//! answered are answered in time.
//!
//! - [`AdmissionLaw`]: per stage and class, once per tick; pure, replaceable.
//! - `DrainRate`: the default: what the stage drains in the time that it has.
//! - [`Aimd`], [`Credits`], [`Gradient`]: laws of others, to be compared with it.

/// How many events may wait before anything was measured: as in `DrainRate`, what keeps a server
/// busy.
pub(in crate::control) const FIRST_QUEUE: f64 = 12.0;
/// More requests than any machine has under way.
pub(in crate::control) const MOST: f64 = 1e9;

/// A limit that lets every worker work and one event wait, whatever was computed.
pub(in crate::control) fn bounded(limit: f64, least: f64) -> f64 {
    if limit.is_nan() { least + FIRST_QUEUE } else { limit.clamp(least, MOST) }
}

/// A stage and a class over the last tick, as its law sees them. Times are in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AdmissionObservation {
    /// Length of the tick.
    pub seconds: f64,
    /// What was promised: the 99th percentile of the response time.
    pub slo_seconds: f64,
    /// Events that wanted to enter.
    pub offered: u64,
    /// Of these, those that were let in.
    pub admitted: u64,
    /// Events that were handled.
    pub completed: u64,
    /// Events queued now.
    pub queued: usize,
    /// Requests bound for the stage now: queued, in service, on their way there or back.
    pub inside: usize,
    /// Mean time that events taken during the tick had waited; `None` if none was.
    pub wait_mean: Option<f64>,
    /// 90th percentile of these times.
    pub wait_p90: Option<f64>,
    /// The longest of these times.
    pub wait_max: Option<f64>,
    /// Mean service time, smoothed over a few dozen events; `None` if nothing was ever served.
    pub service_mean: Option<f64>,
    /// 99th percentile of the service time, over the last few hundred events.
    pub service_p99: Option<f64>,
    /// Workers that serve the stage, or would if there were more to do: as many as the pool may
    /// have and the machine has cores for.
    pub workers: usize,
    /// The same in parts of a worker: how many events are served at once when all are busy. At
    /// most `workers`; 1.05 if one worker is on the only core for 95 % of its time, 0.5 if the
    /// only worker serves another stage for half of the time.
    pub parallelism: f64,
    /// Of these workers some are still to be hired: the stage will drain faster than it does.
    pub grows: bool,
    /// The limit in force, in requests; `None` before the first.
    pub limit: Option<usize>,
    /// Squared coefficient of variation of what requests declare to cost; `None` where they declare
    /// nothing.
    pub cost_variation: Option<f64>,
}

/// Decides once per tick. Pure: the same observations give the same answers.
pub trait AdmissionLaw: Send {
    /// How many requests may be under way; `None`, an infinite limit or one that is no number while
    /// nothing is known that would justify a refusal. Below one it counts as one, so that a stage
    /// never stands idle. Fractions count where requests declare what they cost; elsewhere the limit
    /// is rounded down. A law that panics is replaced by `DrainRate`.
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
        fn whatever_they_see_no_law_stops_the_workers(
            wait in proptest::num::f64::ANY,
            service in proptest::num::f64::ANY,
            slo in proptest::num::f64::ANY,
            seconds in proptest::num::f64::ANY,
            (workers, inside, completed) in (0_usize..2_000, 0_usize..1_000_000, 0_u64..1_000_000),
        ) {
            let seen = AdmissionObservation {
                seconds,
                slo_seconds: slo,
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
