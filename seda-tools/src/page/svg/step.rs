//! Goodput and tail of several servers while the load changes.

use super::drawing::Drawing;
use super::line::{Line, LinePoint};
use super::panel::{Axis, Level, Panel};
use crate::experiment::step::{PartReport, StepReport};
use crate::page::error::PageError;
use crate::report::{Bin, units};

/// Bins that make one point of goodput: five of 50 ms. One bin has a few hundred requests, and the
/// noise of their random arrivals would hide the step.
const POOLED_BINS: usize = 5;

/// Draws goodput over time, with one line for each server; below it the p99 of right answers.
///
/// The changes of load are those of the first report, because all servers are meant to have the
/// same profile.
///
/// # Errors
///
/// Fails if the drawing fails.
pub fn step_svg(reports: &[StepReport], title: &str) -> Result<String, PageError> {
    let parts = reports.first().map(|report| report.parts.as_slice()).unwrap_or_default();
    let changes = parts.get(1..).unwrap_or_default();
    let upper = Panel {
        caption: "Goodput, per second".to_owned(),
        x: Axis { label: "", ..time() },
        y: Axis { label: "", format: units::short_count, log: false, ticks: Vec::new() },
        lines: offered(reports).into_iter().chain(lines(reports, goodput)).collect(),
        levels: Vec::new(),
        // The upper panel names the parts for both.
        bounds: bounds(changes, |part| part.name.clone()),
        names_if_they_fit: false,
    };
    let lower = Panel {
        caption: "p99 response time of right answers, from the intended start".to_owned(),
        x: time(),
        y: Axis { label: "", format: units::short_seconds, log: true, ticks: Vec::new() },
        lines: lines(reports, tail),
        levels: common_slo(reports),
        bounds: bounds(changes, |_| String::new()),
        names_if_they_fit: true,
    };
    let lower = if lower.is_empty() { None } else { Some(lower) };
    Drawing { title, upper, lower }.svg()
}

fn time() -> Axis {
    Axis {
        label: "seconds since the run began",
        format: units::short_count,
        log: false,
        ticks: Vec::new(),
    }
}

fn bounds(changes: &[PartReport], name: impl Fn(&PartReport) -> String) -> Vec<Level> {
    changes.iter().map(|part| Level { at: part.from_seconds, name: name(part) }).collect()
}

/// Returns one line for each server.
fn lines(reports: &[StepReport], points: fn(&StepReport) -> Vec<LinePoint>) -> Vec<Line> {
    let mut lines = Vec::with_capacity(reports.len());
    for (nth, report) in reports.iter().enumerate() {
        let (name, points) = (report.name.clone(), points(report));
        lines.push(Line { name, nth: Some(nth), dotted: false, points });
    }
    lines
}

/// Returns the offered load; `None` unless it was the same for all servers.
fn offered(reports: &[StepReport]) -> Option<Line> {
    let (first, others) = reports.split_first()?;
    if !others.iter().all(|other| has_same_parts(other, first)) {
        return None;
    }
    let steps = first.parts.iter().flat_map(|part| {
        let rate = part.offered_per_second.median;
        [LinePoint::at(part.from_seconds, rate), LinePoint::at(part.to_seconds, rate)]
    });
    Some(Line { name: "offered".to_owned(), nth: None, dotted: false, points: steps.collect() })
}

fn has_same_parts(one: &StepReport, other: &StepReport) -> bool {
    one.parts.iter().map(|part| &part.name).eq(other.parts.iter().map(|part| &part.name))
}

fn goodput(report: &StepReport) -> Vec<LinePoint> {
    let chunks = report.bins.chunks(POOLED_BINS);
    chunks.filter_map(|bins| pooled_goodput(bins, report.repeats)).collect()
}

/// Returns the mean goodput over some bins, whose counts are sums over `repeats` runs.
fn pooled_goodput(bins: &[Bin], repeats: u64) -> Option<LinePoint> {
    let seconds: f64 = bins.iter().map(|bin| bin.seconds).sum();
    let good: u64 = bins.iter().map(|bin| bin.outcomes.good).sum();
    let from = bins.first()?.from_seconds;
    let per_second = good as f64 / (seconds * repeats.max(1) as f64);
    Some(LinePoint::at(from + seconds / 2.0, per_second))
}

fn tail(report: &StepReport) -> Vec<LinePoint> {
    report.bins.iter().map(tail_point).collect()
}

fn tail_point(bin: &Bin) -> LinePoint {
    let y = bin.p99.filter(|seconds| *seconds > 0.0);
    LinePoint { x: bin.from_seconds + bin.seconds / 2.0, y, range: None }
}

/// Returns the SLO if all reports have the same; another SLO would belong to one line only.
fn common_slo(reports: &[StepReport]) -> Vec<Level> {
    let mut slos: Vec<f64> = reports.iter().map(|report| report.slo_seconds).collect();
    slos.dedup();
    match slos.as_slice() {
        [slo] if *slo > 0.0 => vec![Level::slo(*slo)],
        _ => Vec::new(),
    }
}
