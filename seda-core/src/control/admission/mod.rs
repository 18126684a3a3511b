//! Laws of admission: how many requests may be under way for a stage, so that those that are
//! answered are answered in time.
//!
//! - [`AdmissionLaw`]: per stage and class, once per tick; pure, replaceable.
//! - [`DrainRate`]: the default: what the stage drains in the time that it has.

mod drain_rate;

pub use drain_rate::DrainRate;

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
    /// The limit in force, in requests; `None` before the first.
    pub limit: Option<usize>,
}

/// Decides once per tick. Pure: the same observations give the same answers.
pub trait AdmissionLaw: Send {
    /// How many requests may be under way: at least one; `None` while nothing is known that
    /// would justify a refusal.
    fn decide(&mut self, seen: &AdmissionObservation) -> Option<usize>;
}
