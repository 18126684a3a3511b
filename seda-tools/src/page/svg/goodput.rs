//! Goodput and tail of several servers under rising load.

use super::line::{Line, LinePoint};
use super::panel::{Axis, Panel};
use super::{Drawing, figures};
use crate::experiment::sweep::{Point, Spread, SweepReport};
use crate::page::PageError;

/// Goodput against offered load, a line for each server with the range of its rounds; below it the
/// p99 of right answers.
///
/// Goodput is a share of the best capacity among them, load a multiple of each one's own. Meant
/// for up to about ten servers: beyond that the colours repeat, and only the names tell lines
/// apart.
///
/// # Errors
///
/// If the drawing fails.
pub fn goodput_svg(reports: &[SweepReport], title: &str) -> Result<String, PageError> {
    let best = reports.iter().map(|report| report.capacity_per_second.median);
    let best = best.filter(|capacity| capacity.is_finite()).fold(0.0, f64::max);
    let ratio = |point: &Point| (best > 0.0).then(|| over(point.goodput_per_second, best));
    let upper = Panel {
        caption: format!("Goodput, as a share of the best capacity ({}/s)", figures::count(best)),
        x: Axis { label: "", ..multiples() },
        y: Axis { label: "", format: figures::percent, log: false },
        lines: lines(reports, ratio),
        levels: Vec::new(),
        bounds: Vec::new(),
        names_if_they_fit: false,
    };
    let lower = Panel {
        caption: "p99 response time of right answers, from the intended start".to_owned(),
        x: multiples(),
        y: Axis { label: "", format: figures::duration, log: true },
        lines: lines(reports, |point| point.p99.filter(|spread| spread.low > 0.0)),
        levels: common_slo(reports),
        bounds: Vec::new(),
        names_if_they_fit: true,
    };
    Drawing { title, upper, lower: Some(lower).filter(|panel| !panel.is_empty()) }.svg()
}

fn multiples() -> Axis {
    Axis {
        label: "offered load, as a multiple of the server's capacity",
        format: figures::multiple,
        log: false,
    }
}

fn lines(reports: &[SweepReport], spread: impl Fn(&Point) -> Option<Spread>) -> Vec<Line> {
    let line = |(nth, report): (usize, &SweepReport)| Line {
        name: report.name.clone(),
        nth: Some(nth),
        dotted: true,
        points: report
            .points
            .iter()
            .filter(|point| point.multiple.is_finite())
            .map(|point| line_point(point, spread(point)))
            .collect(),
    };
    reports.iter().enumerate().map(line).collect()
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

/// The first SLO, if all have the same: otherwise it is nobody's line.
fn common_slo(reports: &[SweepReport]) -> Vec<(f64, String)> {
    let mut slos: Vec<Option<&f64>> =
        reports.iter().map(|report| report.slo_seconds.first()).collect();
    slos.dedup();
    match slos.as_slice() {
        [Some(slo)] => vec![(**slo, format!("SLO {}", figures::duration(**slo)))],
        _ => Vec::new(),
    }
}

fn over(spread: Spread, by: f64) -> Spread {
    Spread { median: spread.median / by, low: spread.low / by, high: spread.high / by }
}
