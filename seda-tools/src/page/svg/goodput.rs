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
/// own capacity. A single server has the ideal line, too: all that is offered, up to the capacity.
/// Above eight servers the colours repeat, and only the names tell the lines apart.
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
        x: Axis { label: "", ..multiples(reports) },
        y: Axis { label: "", format: units::whole_percent, log: false, ticks: Vec::new() },
        lines: ideal(reports)
            .into_iter()
            .chain(lines(reports, |point| ratio(point, best)))
            .collect(),
        levels: Vec::new(),
        bounds: Vec::new(),
        names_if_they_fit: false,
    };
    let lower = Panel {
        caption: "p99 response time of right answers, from the intended start".to_owned(),
        x: multiples(reports),
        y: Axis { label: "", format: units::short_seconds, log: true, ticks: Vec::new() },
        lines: lines(reports, |point| point.response.p99.filter(|spread| spread.low > 0.0)),
        levels: common_slo(reports),
        bounds: Vec::new(),
        names_if_they_fit: true,
    };
    let lower = if lower.is_empty() { None } else { Some(lower) };
    Drawing { title, upper, lower }.svg()
}

/// Returns the axis of the loads. It is logarithmic: loads from half the capacity to twice the
/// capacity, where servers differ most, take half of it, and not a fifth.
fn multiples(reports: &[SweepReport]) -> Axis {
    let points = reports.iter().flat_map(|report| &report.points);
    let mut ticks: Vec<f64> = points.map(|point| point.multiple).collect();
    ticks.sort_by(f64::total_cmp);
    ticks.dedup();
    Axis {
        label: "offered load, as a multiple of the server's capacity",
        format: units::multiple,
        log: true,
        ticks,
    }
}

/// The parts of the ideal line below the capacity, which is a curve on a logarithmic axis. Points
/// are whole pixels, so that more parts would be less smooth.
const CURVE: usize = 8;

/// Returns the ideal line of a single server: the offered load, up to the capacity.
fn ideal(reports: &[SweepReport]) -> Option<Line> {
    let [report] = reports else { return None };
    let capacity = report.capacity_per_second.median;
    let loads = || report.points.iter().filter(|point| point.multiple > 0.0);
    let one = loads().find_map(|point| {
        let offered = point.offered_per_second.median / point.multiple;
        (offered > 0.0 && offered.is_finite()).then_some(offered)
    })?;
    let least = loads().map(|point| point.multiple).reduce(f64::min)?;
    let most = loads().map(|point| point.multiple).reduce(f64::max)?;
    // The load at which the offered rate is the capacity, which differs from 1 if the probe did.
    let knee = capacity / one;
    if !(knee.is_finite() && knee > 0.0 && most.is_finite()) {
        return None;
    }
    let end = knee.clamp(least, most);
    let step = (end / least).ln() / CURVE as f64;
    let curve = (0..=CURVE).map(|nth| least * (step * nth as f64).exp());
    let points = curve.chain([most]).map(|at| LinePoint::at(at, (at / knee).min(1.0)));
    Some(Line { name: "ideal".to_owned(), nth: None, dotted: false, points: points.collect() })
}

/// Returns one line for each server.
fn lines(reports: &[SweepReport], spread: impl Fn(&Point) -> Option<Spread>) -> Vec<Line> {
    let mut lines = Vec::with_capacity(reports.len());
    for (nth, report) in reports.iter().enumerate() {
        let is_load = |point: &&Point| point.multiple.is_finite() && point.multiple > 0.0;
        let points = report.points.iter().filter(is_load);
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
