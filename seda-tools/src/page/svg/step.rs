//! Goodput and tail of several servers while the load changes.

use super::line::{Line, LinePoint};
use super::panel::{Axis, Panel};
use super::{Drawing, figures};
use crate::experiment::step::StepReport;
use crate::page::PageError;
use crate::report::Bin;

/// Bins that make one point of goodput: five of 50 ms. One alone is a few hundred requests whose
/// arrivals are random, and the noise of that would hide the step.
const POOLED_BINS: usize = 5;

/// Goodput over time, a line for each server; below it the p99 of right answers.
///
/// The changes of load are those of the first report: meant for servers under the same profile.
///
/// # Errors
///
/// If the drawing fails.
pub fn step_svg(reports: &[StepReport], title: &str) -> Result<String, PageError> {
    let parts = reports.first().map(|report| report.parts.as_slice()).unwrap_or_default();
    let bounds: Vec<(f64, String)> =
        parts.iter().skip(1).map(|part| (part.from_seconds, part.name.clone())).collect();
    let upper = Panel {
        caption: "Goodput, per second".to_owned(),
        x: Axis { label: "", ..time() },
        y: Axis { label: "", format: figures::count, log: false },
        lines: offered(reports).into_iter().chain(lines(reports, goodput)).collect(),
        levels: Vec::new(),
        // Named once, above both.
        bounds: bounds.clone(),
        names_if_they_fit: false,
    };
    let lower = Panel {
        caption: "p99 response time of right answers, from the intended start".to_owned(),
        x: time(),
        y: Axis { label: "", format: figures::duration, log: true },
        lines: lines(reports, tail),
        levels: common_slo(reports),
        bounds: bounds.into_iter().map(|(at, _)| (at, String::new())).collect(),
        names_if_they_fit: true,
    };
    Drawing { title, upper, lower: Some(lower).filter(|panel| !panel.is_empty()) }.svg()
}

fn time() -> Axis {
    Axis { label: "seconds since the run began", format: figures::count, log: false }
}

fn lines(reports: &[StepReport], points: fn(&StepReport) -> Vec<LinePoint>) -> Vec<Line> {
    let line = |(nth, report): (usize, &StepReport)| Line {
        name: report.name.clone(),
        nth: Some(nth),
        dotted: false,
        points: points(report),
    };
    reports.iter().enumerate().map(line).collect()
}

/// What was offered to all; `None` if it was not the same, as then it is nobody's line.
fn offered(reports: &[StepReport]) -> Option<Line> {
    let (first, others) = reports.split_first()?;
    let names = |report: &StepReport| -> Vec<String> {
        report.parts.iter().map(|part| part.name.clone()).collect()
    };
    let same = others.iter().all(|other| names(other) == names(first));
    let point =
        |x, rate: f64| LinePoint { x, y: Some(rate).filter(|rate| rate.is_finite()), range: None };
    let steps = first.parts.iter().flat_map(|part| {
        let rate = part.offered_per_second.median;
        [point(part.from_seconds, rate), point(part.to_seconds, rate)]
    });
    let line =
        Line { name: "offered".to_owned(), nth: None, dotted: false, points: steps.collect() };
    same.then_some(line)
}

fn goodput(report: &StepReport) -> Vec<LinePoint> {
    let pooled = |bins: &[Bin]| {
        let seconds: f64 = bins.iter().map(|bin| bin.seconds).sum();
        let good: u64 = bins.iter().map(|bin| bin.outcomes.good).sum();
        let from = bins.first()?.from_seconds;
        let per_second = good as f64 / (seconds * report.repeats.max(1) as f64);
        let y = Some(per_second).filter(|rate| rate.is_finite());
        Some(LinePoint { x: from + seconds / 2.0, y, range: None })
    };
    report.bins.chunks(POOLED_BINS).filter_map(pooled).collect()
}

fn tail(report: &StepReport) -> Vec<LinePoint> {
    let point = |bin: &Bin| {
        let y = bin.p99.filter(|seconds| *seconds > 0.0);
        LinePoint { x: bin.from_seconds + bin.seconds / 2.0, y, range: None }
    };
    report.bins.iter().map(point).collect()
}

/// The SLO, if all have the same: otherwise it is nobody's line.
fn common_slo(reports: &[StepReport]) -> Vec<(f64, String)> {
    let mut slos: Vec<f64> = reports.iter().map(|report| report.slo_seconds).collect();
    slos.dedup();
    match slos.as_slice() {
        [slo] if *slo > 0.0 => vec![(*slo, format!("SLO {}", figures::duration(*slo)))],
        _ => Vec::new(),
    }
}
