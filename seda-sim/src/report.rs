//! What came of a simulation.

use crate::spec::Spec;
use seda_core::Report;
use seda_core::stats::{QuantileSummary, Quantiles};
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
    /// Arrivals, completed batches and controllers' ticks of the whole run.
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

impl Ends {
    fn plus(self, other: &Ends) -> Ends {
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

/// How a request, or an attempt, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Answered,
    Refused,
    TimedOut,
    Lost,
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
        writeln!(f, "  cores       {:.1} % used", self.utilization * 100.0)?;
        write!(f, "{}", self.graph)
    }
}

/// Counts ends as they happen.
#[derive(Debug)]
pub(crate) struct Tally {
    from: u64,
    to: u64,
    slo: u64,
    /// By class; what has not ended is counted as unfinished.
    ends: Vec<Ends>,
    unfinished: u64,
    pub(crate) attempts: u64,
    requests: u64,
    response: Quantiles,
    refusal: Quantiles,
    sojourn: Quantiles,
    /// Answers, and good ones, that came in within the window.
    came_in: u64,
    good_in: u64,
    open: u64,
    open_max: u64,
    /// Time integral of `open` over the window, and when it was brought up to.
    occupancy: u128,
    at: u64,
}

impl Tally {
    pub(crate) fn new(spec: &Spec) -> Self {
        let from = spec.warm_up.as_nanos() as u64;
        Self {
            from,
            to: from + spec.window.as_nanos() as u64,
            slo: spec.slo.map_or(u64::MAX, |slo| slo.as_nanos() as u64),
            ends: vec![Ends::default(); spec.classes.len().max(1)],
            unfinished: 0,
            attempts: 0,
            requests: 0,
            response: Quantiles::default(),
            refusal: Quantiles::default(),
            sojourn: Quantiles::default(),
            came_in: 0,
            good_in: 0,
            open: 0,
            open_max: 0,
            occupancy: 0,
            at: 0,
        }
    }

    fn measures(&self, time: u64) -> bool {
        (self.from..self.to).contains(&time)
    }

    pub(crate) fn begin(&mut self, now: u64, class: usize) {
        self.advance(now);
        self.requests += 1;
        self.open += 1;
        if self.measures(now) {
            self.unfinished += 1;
            if let Some(ends) = self.ends.get_mut(class) {
                ends.scheduled += 1;
                ends.unfinished += 1;
            }
            self.open_max = self.open_max.max(self.open);
        }
    }

    pub(crate) fn end(&mut self, now: u64, start: u64, class: usize, end: End) {
        self.advance(now);
        self.open -= 1;
        let took = now - start;
        let good = took <= self.slo;
        if end == End::Answered && self.measures(now) {
            self.came_in += 1;
            self.good_in += u64::from(good);
        }
        if !self.measures(start) {
            return;
        }
        self.sojourn.record(took, 1);
        match end {
            End::Answered => self.response.record(took, 1),
            End::Refused => self.refusal.record(took, 1),
            End::TimedOut | End::Lost => {}
        }
        self.unfinished -= 1;
        if let Some(ends) = self.ends.get_mut(class) {
            ends.unfinished -= 1;
            *match end {
                End::Answered if good => &mut ends.good,
                End::Answered => &mut ends.late,
                End::Refused => &mut ends.refused,
                End::TimedOut => &mut ends.timed_out,
                End::Lost => &mut ends.lost,
            } += 1;
        }
    }

    /// Whether a request of the window is still under way.
    pub(crate) fn is_open(&self) -> bool {
        self.unfinished > 0
    }

    fn advance(&mut self, now: u64) {
        let (from, to) = (self.at.clamp(self.from, self.to), now.clamp(self.from, self.to));
        self.occupancy += u128::from(to - from) * u128::from(self.open);
        self.at = now;
    }

    /// The report, at the end of the run.
    pub(crate) fn report(mut self, spec: &Spec, seed: u64, graph: Report) -> SimReport {
        self.advance(self.to.max(self.at));
        let seconds = spec.window.as_secs_f64();
        let rate = |count: u64| count as f64 / seconds;
        let ends = self.ends.iter().fold(Ends::default(), |sum, ends| sum.plus(ends));
        let name = |class: usize| {
            let declared = spec.classes.get(class).map(|class| class.name.clone());
            declared.unwrap_or_else(|| "default".to_owned())
        };
        let classes = self.ends.iter().enumerate().map(|(class, ends)| (name(class), *ends));
        let count = self.response.count().max(1) as f64;
        let cdf = self.response.cdf().into_iter().map(|(time, n)| (time, n as f64 / count));
        SimReport {
            name: spec.name.clone(),
            seed,
            cores: spec.cores,
            duration_seconds: seconds,
            ends,
            classes: classes.collect(),
            offered_per_second: rate(ends.scheduled),
            throughput_per_second: rate(self.came_in),
            goodput_per_second: rate(self.good_in),
            response_seconds: self.response.summary(),
            refusal_seconds: self.refusal.summary(),
            cdf: cdf.collect(),
            sojourn_mean: self.sojourn.mean_seconds(),
            in_flight_mean: self.occupancy as f64 / 1e9 / seconds,
            in_flight_max: self.open_max,
            attempts: self.attempts,
            amplification: self.attempts as f64 / self.requests.max(1) as f64,
            utilization: 0.0,
            events: 0,
            graph,
        }
    }
}
