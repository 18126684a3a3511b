//! What came of a simulation.

pub(crate) mod fairness;
pub(crate) mod tally;

use fairness::Fairness;
use seda_core::Report;
use seda_core::stats::QuantileSummary;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A simulated run, as `seda sim --json FILE` writes it. Times are in seconds, rates per second.
///
/// Counts are of the requests that were meant to start in the measured window; rates of answers
/// are of those that came in within it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SimReport {
    /// The spec's name.
    pub name: String,
    /// What everything random was drawn with.
    pub seed: u64,
    /// Cores of the simulated machine.
    pub cores: usize,
    /// Length of the measured window.
    pub duration_seconds: f64,
    /// How requests ended.
    pub ends: Ends,
    /// The same by class.
    pub classes: BTreeMap<String, Ends>,
    /// From a request's intended start to its answer, by class.
    #[serde(default)]
    pub class_response_seconds: BTreeMap<String, QuantileSummary>,
    /// By the stage that requests go to from the first; only where that is known at the entry.
    #[serde(default)]
    pub routes: BTreeMap<String, RouteEnds>,
    /// The window in slices, if the spec asks for them.
    #[serde(default)]
    pub slices: Vec<Slice>,
    /// What each client of a closed loop got.
    #[serde(default)]
    pub fairness: Option<Fairness>,
    /// Requests that were meant to start, per second.
    pub offered_per_second: f64,
    /// Answers, late ones too, per second.
    pub throughput_per_second: f64,
    /// Good answers per second.
    pub goodput_per_second: f64,
    /// From a request's intended start to its answer.
    pub response_seconds: QuantileSummary,
    /// From a request's intended start to its last refusal.
    pub refusal_seconds: QuantileSummary,
    /// Distribution of `response_seconds`: seconds, and the share that took no longer.
    pub cdf: Vec<(f64, f64)>,
    /// Mean time to the end of all requests, however they ended: R of N = λR.
    pub sojourn_mean: Option<f64>,
    /// Requests under way, averaged over the window: N, from a count of its own.
    pub in_flight_mean: f64,
    /// The most that were under way at once within the window.
    pub in_flight_max: u64,
    /// Attempts over the whole run, retries included.
    pub attempts: u64,
    /// Attempts per request, over the whole run.
    pub amplification: f64,
    /// Share of the cores' time that was used, within the window.
    pub utilization: f64,
    /// Arrivals, completed batches, retries, timeouts and controllers' ticks of the whole run.
    pub events: u64,
    /// The graph's own report at the window's end. Without controllers its rates are over the
    /// window, with them over ten of their ticks.
    pub graph: Report,
}

/// How requests ended; they add up to `scheduled`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ends {
    /// Meant to start in the window.
    pub scheduled: u64,
    /// Answered within the SLO.
    pub good: u64,
    /// Answered later.
    pub late: u64,
    /// Refused, and not tried again.
    pub refused: u64,
    /// The client lost its patience.
    pub timed_out: u64,
    /// Taken, and given up by the graph.
    pub lost: u64,
    /// Still under way when the simulation ended.
    pub unfinished: u64,
}

/// How the requests ended that were meant to start in a slice of the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Slice {
    /// When it begins, from the run's beginning.
    pub from_seconds: f64,
    /// How requests ended.
    pub ends: Ends,
    /// From a request's intended start to its answer.
    pub response_seconds: QuantileSummary,
}

/// How the requests of one way ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RouteEnds {
    /// How requests ended.
    pub ends: Ends,
    /// From a request's intended start to its answer.
    pub response_seconds: QuantileSummary,
}

impl Ends {
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
        let Ends { scheduled, good, late, refused, timed_out, lost, unfinished } = self.ends;
        let millis = |time: Option<f64>| match time {
            Some(seconds) => format!("{:.3} ms", seconds * 1e3),
            None => "-".to_owned(),
        };
        writeln!(
            f,
            "{}: {} s simulated on {} cores, seed {}",
            self.name, self.duration_seconds, self.cores, self.seed
        )?;
        writeln!(
            f,
            "  requests    {scheduled} scheduled = {good} good + {late} late + {refused} refused \
             + {timed_out} timed out + {lost} lost + {unfinished} unfinished"
        )?;
        for (class, ends) in self.classes.iter().filter(|_| self.classes.len() > 1) {
            let Ends { scheduled, good, late, refused, timed_out, lost, unfinished } = ends;
            writeln!(
                f,
                "    {class}: {scheduled} = {good} + {late} + {refused} + {timed_out} + {lost} + \
                 {unfinished}"
            )?;
        }
        writeln!(
            f,
            "  per second  {:.1} offered, {:.1} answered, {:.1} good; {:.3} attempts a request",
            self.offered_per_second,
            self.throughput_per_second,
            self.goodput_per_second,
            self.amplification
        )?;
        let response = &self.response_seconds;
        writeln!(
            f,
            "  response    mean {}, p50 {}, p99 {}, p99.9 {}, max {}",
            millis(response.mean),
            millis(response.p50),
            millis(response.p99),
            millis(response.p999),
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
        writeln!(f, "  cores       {:.1} % used", self.utilization * 100.0)?;
        write!(f, "{}", self.graph)
    }
}
