//! Goodput and tail of several servers under rising load.

use super::drawing::Drawing;
use super::line::{Line, LinePoint};
use super::panel::{Axis, Level, Panel};
use crate::experiment::sweep::{Point, Spread, SweepReport};
use crate::page::error::PageError;
use crate::report::units;

/// Draws goodput against offered load, with one line and the range of its rounds for each server;
/// below it the p99 of right answers.
///
/// Goodput is a share of the best capacity among the servers; load is a multiple of each server's
/// own capacity. Above ten servers the colours repeat, and only the names tell the lines apart.
///
/// # Errors
///
/// Fails if the drawing fails.
pub fn goodput_svg(reports: &[SweepReport], title: &str) -> Result<String, PageError> {
    let best = reports.iter().map(|report| report.capacity_per_second.median);
    let best = best.filter(|capacity| capacity.is_finite()).fold(0.0, f64::max);
    let upper = Panel {
        caption: format!(
            "Goodput, as a share of the best capacity ({}/s)",
            units::short_count(best)
        ),
        x: Axis { label: "", ..multiples() },
        y: Axis { label: "", format: units::whole_percent, log: false },
        lines: lines(reports, |point| ratio(point, best)),
        levels: Vec::new(),
        bounds: Vec::new(),
        names_if_they_fit: false,
    };
    let lower = Panel {
        caption: "p99 response time of right answers, from the intended start".to_owned(),
        x: multiples(),
        y: Axis { label: "", format: units::short_seconds, log: true },
        lines: lines(reports, |point| point.response.p99.filter(|spread| spread.low > 0.0)),
        levels: common_slo(reports),
        bounds: Vec::new(),
        names_if_they_fit: true,
    };
    let lower = if lower.is_empty() { None } else { Some(lower) };
    Drawing { title, upper, lower }.svg()
}

fn multiples() -> Axis {
    Axis {
        label: "offered load, as a multiple of the server's capacity",
        format: units::multiple,
        log: false,
    }
}

/// Returns one line for each server.
fn lines(reports: &[SweepReport], spread: impl Fn(&Point) -> Option<Spread>) -> Vec<Line> {
    let mut lines = Vec::with_capacity(reports.len());
    for (nth, report) in reports.iter().enumerate() {
        let points = report.points.iter().filter(|point| point.multiple.is_finite());
        lines.push(Line {
            name: report.name.clone(),
            nth: Some(nth),
            dotted: true,
            points: points.map(|point| line_point(point, spread(point))).collect(),
        });
    }
    lines
}

fn line_point(point: &Point, spread: Option<Spread>) -> LinePoint {
    let known = spread.filter(|spread| spread.median.is_finite());
    let range = known.map(|spread| (spread.low, spread.high));
    LinePoint {
        x: point.multiple,
        y: known.map(|spread| spread.median),
        range: range.filter(|(low, high)| low.is_finite() && high.is_finite()),
    }
}

/// Returns the first SLO if all reports have the same; another SLO would belong to one line only.
fn common_slo(reports: &[SweepReport]) -> Vec<Level> {
    let mut slos: Vec<Option<&f64>> =
        reports.iter().map(|report| report.slo_seconds.first()).collect();
    slos.dedup();
    match slos.as_slice() {
        [Some(slo)] => vec![Level::slo(**slo)],
        _ => Vec::new(),
    }
}

/// Returns the goodput of a point over the best capacity; `None` without a capacity.
fn ratio(point: &Point, best: f64) -> Option<Spread> {
    let Spread { median, low, high } = point.goodput_per_second;
    (best > 0.0).then_some(Spread { median: median / best, low: low / best, high: high / best })
}
