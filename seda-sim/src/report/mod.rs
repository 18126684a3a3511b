//! The output of a simulation: what happened to its requests.
//!
//! Imports `spec` and `base`. Anything that decides what happens next does not belong here.

pub(crate) mod fairness;
pub(crate) mod tally;
pub(crate) mod tenants;

use fairness::Fairness;
use seda_core::Report;
use seda_core::stats::QuantileSummary;
use seda_core::units::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use tenants::TenantFairness;

/// A simulated run, as `seda sim --json FILE` writes it. Times are in seconds, rates per second.
///
/// Counts are of the requests that start in the measured window; rates of answers are of the
/// answers that arrive in it. `Display` gives a page of text.
///
/// ```
/// use seda_sim::Spec;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let spec: Spec = r#"
///     window = "10s"
///     slo = "50ms"
///     arrivals = { rate = 70.0 }
///     [[stage]]
///     name = "serve"
///     capacity = 1000
///     demand = { kind = "deterministic", mean = "10ms" }
/// "#.parse()?;
/// let report = seda_sim::run(&spec, 1)?;
/// let ends = report.ends;
/// assert_eq!(ends.scheduled, ends.good + ends.late);
/// assert!(report.response_seconds.mean > Some(0.010));
/// println!("{report}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SimReport {
    /// The name of the spec.
    pub name: String,
    /// The seed of all random numbers.
    pub seed: u64,
    /// Cores of the simulated machine.
    pub cores: usize,
    /// Length of the measured window.
    pub duration_seconds: f64,
    /// How requests ended.
    pub ends: Ends,
    /// How requests ended, by class.
    pub classes: BTreeMap<String, Ends>,
    /// Response times by class: from the start of a request to its answer.
    #[serde(default)]
    pub class_response_seconds: BTreeMap<String, QuantileSummary>,
    /// How requests ended, by the stage that they go to from the first one. Empty unless routes are
    /// known at the entry.
    #[serde(default)]
    pub routes: BTreeMap<String, RouteEnds>,
    /// The slices of the window; empty unless the spec has a length of a slice.
    #[serde(default)]
    pub slices: Vec<Slice>,
    /// How evenly the clients of a closed loop were served. `None` with an open load.
    #[serde(default)]
    pub fairness: Option<Fairness>,
    /// How fairly the tenants were served. `None` if requests have no tenant.
    #[serde(default)]
    pub tenants: Option<TenantFairness>,
    /// Requests that start, per second.
    pub offered_per_second: f64,
    /// Answers per second, late ones included.
    pub throughput_per_second: f64,
    /// Good answers per second.
    pub goodput_per_second: f64,
    /// Response times: from the start of a request to its answer.
    pub response_seconds: QuantileSummary,
    /// From the start of a request to its last refusal.
    pub refusal_seconds: QuantileSummary,
    /// Distribution of `response_seconds`: pairs of seconds and the share of answers within them.
    pub cdf: Vec<(f64, f64)>,
    /// Mean time from the start of a request to its end of any kind: R of N = λR. `None` if no
    /// request ended.
    pub sojourn_mean: Option<f64>,
    /// Mean number of requests under way in the window: N, counted and not computed from λR.
    pub in_flight_mean: f64,
    /// Largest number of requests under way in the window.
    pub in_flight_max: u64,
    /// Attempts in the whole run, retries included.
    pub attempts: u64,
    /// Attempts per request, in the whole run.
    pub amplification: f64,
    /// Used share of the cores' time in the window, 0 to 1.
    pub utilization: f64,
    /// Arrivals, completed batches, retries, timeouts and ticks of controllers in the whole run.
    pub events: u64,
    /// The graph's own report at the end of the window. Its rates are over the window, or over ten
    /// ticks if controllers are on.
    pub graph: Report,
}

/// How requests ended; all other counts add up to `scheduled`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ends {
    /// Requests that start in the window.
    pub scheduled: u64,
    /// Answered within the SLO.
    pub good: u64,
    /// Answered later than the SLO.
    pub late: u64,
    /// Refused, with no retry left.
    pub refused: u64,
    /// Timed out at the client, with no retry left.
    pub timed_out: u64,
    /// Admitted, then shed or failed in the graph, with no retry left.
    pub lost: u64,
    /// Still under way at the end of the run.
    pub unfinished: u64,
}

/// A slice of the window: how the requests that start in it ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Slice {
    /// The beginning of the slice, from the beginning of the run.
    pub from_seconds: f64,
    /// How requests ended.
    pub ends: Ends,
    /// The attempts of these requests, retries included.
    #[serde(default)]
    pub attempts: u64,
    /// From the start of a request to its answer.
    pub response_seconds: QuantileSummary,
}

/// How the requests of one route ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RouteEnds {
    /// How requests ended.
    pub ends: Ends,
    /// From the start of a request to its answer.
    pub response_seconds: QuantileSummary,
}

impl Ends {
    /// Returns the sum of two groups of requests.
    pub(crate) fn plus(self, other: &Ends) -> Ends {
        Ends {
            scheduled: self.scheduled + other.scheduled,
            good: self.good + other.good,
            late: self.late + other.late,
            refused: self.refused + other.refused,
            timed_out: self.timed_out + other.timed_out,
            lost: self.lost + other.lost,
            unfinished: self.unfinished + other.unfinished,
        }
    }
}

impl fmt::Display for SimReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} s simulated on {} cores, seed {}",
            self.name, self.duration_seconds, self.cores, self.seed
        )?;
        self.write_ends(f)?;
        writeln!(
            f,
            "  per second  {:.1} offered, {:.1} answered, {:.1} good; {:.3} attempts a request",
            self.offered_per_second,
            self.throughput_per_second,
            self.goodput_per_second,
            self.amplification
        )?;
        let response = &self.response_seconds;
        let quantiles = response.main_quantiles();
        let quantiles = quantiles.map(|(name, value)| format!("{name} {}", millis(value)));
        writeln!(
            f,
            "  response    mean {}, {}, max {}",
            millis(response.mean),
            quantiles.join(", "),
            millis(response.max)
        )?;
        writeln!(
            f,
            "  Little      N = {:.3} counted, {:.3} = rate x mean time; at most {}",
            self.in_flight_mean,
            self.offered_per_second * self.sojourn_mean.unwrap_or_default(),
            self.in_flight_max
        )?;
        if let Some(Fairness { clients, fewest, most, jain }) = self.fairness {
            writeln!(
                f,
                "  fairness    {jain:.4} by Jain's index: {clients} clients, {fewest} to {most} \
                 good answers"
            )?;
        }
        if let Some(tenants) = &self.tenants {
            writeln!(f, "  tenants     {tenants}")?;
        }
        writeln!(f, "  cores       {:.1} % used", self.utilization * 100.0)?;
        write!(f, "{}", self.graph)
    }
}

impl SimReport {
    /// Writes how requests ended, and the same by class if there are several.
    fn write_ends(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ends { scheduled, good, late, refused, timed_out, lost, unfinished } = self.ends;
        writeln!(
            f,
            "  requests    {scheduled} scheduled = {good} good + {late} late + {refused} refused \
             + {timed_out} timed out + {lost} lost + {unfinished} unfinished"
        )?;
        if self.classes.len() < 2 {
            return Ok(());
        }
        for (class, ends) in &self.classes {
            let Ends { scheduled, good, late, refused, timed_out, lost, unfinished } = ends;
            writeln!(
                f,
                "    {class}: {scheduled} = {good} + {late} + {refused} + {timed_out} + {lost} + \
                 {unfinished}"
            )?;
        }
        Ok(())
    }
}

/// Returns a time in milliseconds with three decimals; a dash if there is none.
fn millis(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{:.3}", Millis(seconds)))
}
