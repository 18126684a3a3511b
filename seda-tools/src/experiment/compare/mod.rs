//! Compares sweeps, and tells where they differ and where they do not.

mod display;

use crate::experiment::sweep::{Point, Spread, SweepReport};
use serde::Serialize;

/// Several sweeps beside the first of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The names of the sweeps; the first is the reference.
    pub names: Vec<String>,
    /// One row for each figure at each load that all sweeps have.
    pub rows: Vec<Row>,
    /// The loads that only some sweeps have; they are not compared.
    pub elsewhere: Vec<f64>,
}

/// One figure at one load.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Row {
    /// The load, as a multiple of each server's own capacity.
    pub multiple: f64,
    /// The figure.
    pub figure: Figure,
    /// The figure of each sweep; `None` if it has none.
    pub spreads: Vec<Option<Spread>>,
    /// The difference of each sweep from the first.
    pub verdicts: Vec<Difference>,
}

/// A figure that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Figure {
    /// Good answers per second.
    Goodput,
    /// Good answers per second over the capacity.
    GoodputRatio,
    /// Median of the response times, in seconds.
    P50,
    /// 99th percentile of the response times, in seconds.
    P99,
}

/// The difference of one sweep from the first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Difference {
    /// It is the first sweep.
    Itself,
    /// The ranges overlap.
    None,
    /// The ranges do not overlap; the median is this many times that of the first sweep.
    Times(f64),
    /// One of the two has no such figure, or the figure of the first sweep is zero.
    Unknown,
}

const FIGURES: [Figure; 4] = [Figure::Goodput, Figure::GoodputRatio, Figure::P50, Figure::P99];

impl Comparison {
    /// Compares the sweeps with the first of them.
    pub fn of(sweeps: &[SweepReport]) -> Self {
        let mut multiples: Vec<f64> =
            sweeps.iter().flat_map(|sweep| &sweep.points).map(|point| point.multiple).collect();
        multiples.sort_by(f64::total_cmp);
        multiples.dedup();
        let (common, elsewhere): (Vec<f64>, Vec<f64>) = multiples
            .into_iter()
            .partition(|multiple| sweeps.iter().all(|sweep| at(sweep, *multiple).is_some()));
        let mut rows = Vec::new();
        for figure in FIGURES {
            rows.extend(common.iter().map(|multiple| Row::of(sweeps, *multiple, figure)));
        }
        Self { names: sweeps.iter().map(|sweep| sweep.name.clone()).collect(), rows, elsewhere }
    }
}

fn at(sweep: &SweepReport, multiple: f64) -> Option<&Point> {
    sweep.points.iter().find(|point| point.multiple == multiple)
}

impl Row {
    fn of(sweeps: &[SweepReport], multiple: f64, figure: Figure) -> Self {
        let points = sweeps.iter().map(|sweep| at(sweep, multiple));
        let spreads: Vec<Option<Spread>> =
            points.map(|point| point.and_then(|point| figure.of(point))).collect();
        let verdicts = match spreads.split_first() {
            Some((first, others)) => {
                let differences = others.iter().map(|other| Difference::of(*first, *other));
                std::iter::once(Difference::Itself).chain(differences).collect()
            }
            None => Vec::new(),
        };
        Self { multiple, figure, spreads, verdicts }
    }
}

impl Difference {
    fn of(first: Option<Spread>, other: Option<Spread>) -> Self {
        match (first, other) {
            (Some(first), Some(other)) if first.overlaps(&other) => Difference::None,
            (Some(first), Some(other)) if first.median > 0.0 => {
                Difference::Times(other.median / first.median)
            }
            _ => Difference::Unknown,
        }
    }
}

impl Figure {
    fn of(self, point: &Point) -> Option<Spread> {
        match self {
            Figure::Goodput => Some(point.goodput_per_second),
            Figure::GoodputRatio => Some(point.goodput_ratio),
            Figure::P50 => point.response.p50,
            Figure::P99 => point.response.p99,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(name: &str, goodput: [(f64, f64, f64); 2]) -> SweepReport {
        let points = [1.0, 5.0].iter().zip(goodput).map(|(multiple, (low, median, high))| Point {
            multiple: *multiple,
            goodput_per_second: Spread { median, low, high },
            ..Point::default()
        });
        SweepReport { name: name.to_owned(), points: points.collect(), ..SweepReport::default() }
    }

    fn verdicts(sweeps: &[SweepReport]) -> Vec<Difference> {
        let rows = Comparison::of(sweeps).rows;
        let goodput = rows.into_iter().filter(|row| row.figure == Figure::Goodput);
        goodput.filter_map(|row| row.verdicts.last().copied()).collect()
    }

    #[test]
    fn overlapping_ranges_are_no_difference() {
        let a = sweep("a", [(890.0, 900.0, 910.0), (400.0, 450.0, 500.0)]);
        let b = sweep("b", [(905.0, 920.0, 930.0), (890.0, 900.0, 910.0)]);
        assert_eq!(verdicts(&[a, b]), [Difference::None, Difference::Times(2.0)]);
    }

    #[test]
    fn loads_that_only_some_sweeps_have_are_not_compared() {
        let a = sweep("a", [(1.0, 1.0, 1.0); 2]);
        let mut b = a.clone();
        b.points.pop();
        let comparison = Comparison::of(&[a, b]);
        assert_eq!(comparison.elsewhere, [5.0]);
        assert!(comparison.rows.iter().all(|row| row.multiple == 1.0));
    }

    #[test]
    fn a_ratio_to_zero_is_unknown() {
        let none = sweep("none", [(0.0, 0.0, 0.0); 2]);
        let some = sweep("some", [(9.0, 9.0, 9.0); 2]);
        assert_eq!(verdicts(&[none, some]), [Difference::Unknown; 2]);
        assert_eq!(Comparison::of(&[]).rows, []);
    }
}
