//! Lays sweeps over each other and says where there is a difference, and where there is none.

mod display;

use crate::experiment::sweep::{Point, Spread, SweepReport};
use serde::Serialize;

/// Several sweeps beside the first of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The name of each, the first being what the others are held against.
    pub names: Vec<String>,
    /// One for each figure at each load that all of them have.
    pub rows: Vec<Row>,
    /// Loads that only some of them have; nothing is said of these.
    pub elsewhere: Vec<f64>,
}

/// One figure at one load.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Row {
    /// The load, as a multiple of each one's capacity.
    pub multiple: f64,
    /// Which figure.
    pub figure: Figure,
    /// Of each sweep; `None` where it has none.
    pub spreads: Vec<Option<Spread>>,
    /// Of each sweep beside the first.
    pub verdicts: Vec<Difference>,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Figure {
    /// Good answers per second.
    Goodput,
    /// Good answers over the capacity.
    GoodputRatio,
    /// Median response time in seconds.
    P50,
    /// Its 99th percentile.
    P99,
}

/// One sweep's figure beside the first one's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Difference {
    /// It is the first one.
    Itself,
    /// The ranges have a figure in common.
    None,
    /// The ranges are apart; the median is this many times the first one's.
    Times(f64),
    /// One of the two has no such figure, or the first one's is zero.
    Unknown,
}

const FIGURES: [Figure; 4] = [Figure::Goodput, Figure::GoodputRatio, Figure::P50, Figure::P99];

impl Comparison {
    /// Holds the sweeps against the first of them.
    pub fn of(sweeps: &[SweepReport]) -> Self {
        let mut multiples: Vec<f64> =
            sweeps.iter().flat_map(|sweep| &sweep.points).map(|point| point.multiple).collect();
        multiples.sort_by(f64::total_cmp);
        multiples.dedup();
        let (common, elsewhere): (Vec<f64>, Vec<f64>) = multiples
            .into_iter()
            .partition(|multiple| sweeps.iter().all(|sweep| at(sweep, *multiple).is_some()));
        let row = |(multiple, figure): (f64, Figure)| row(sweeps, multiple, figure);
        let pairs = FIGURES.iter().flat_map(|figure| common.iter().map(|load| (*load, *figure)));
        Self {
            names: sweeps.iter().map(|sweep| sweep.name.clone()).collect(),
            rows: pairs.map(row).collect(),
            elsewhere,
        }
    }
}

fn at(sweep: &SweepReport, multiple: f64) -> Option<&Point> {
    sweep.points.iter().find(|point| point.multiple == multiple)
}

fn row(sweeps: &[SweepReport], multiple: f64, figure: Figure) -> Row {
    let spread = |sweep: &SweepReport| figure.of(at(sweep, multiple)?);
    let spreads: Vec<Option<Spread>> = sweeps.iter().map(spread).collect();
    let first = spreads.first().copied().flatten();
    let verdict = |(index, spread): (usize, &Option<Spread>)| match (index, first, spread) {
        (0, ..) => Difference::Itself,
        (_, Some(first), Some(spread)) => difference(&first, spread),
        _ => Difference::Unknown,
    };
    let verdicts = spreads.iter().enumerate().map(verdict).collect();
    Row { multiple, figure, spreads, verdicts }
}

fn difference(first: &Spread, other: &Spread) -> Difference {
    if first.overlaps(other) {
        Difference::None
    } else if first.median > 0.0 {
        Difference::Times(other.median / first.median)
    } else {
        Difference::Unknown
    }
}

impl Figure {
    fn of(self, point: &Point) -> Option<Spread> {
        match self {
            Figure::Goodput => Some(point.goodput_per_second),
            Figure::GoodputRatio => Some(point.goodput_ratio),
            Figure::P50 => point.p50,
            Figure::P99 => point.p99,
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
    fn nothing_is_said_of_loads_that_only_some_have() {
        let a = sweep("a", [(1.0, 1.0, 1.0); 2]);
        let mut b = a.clone();
        b.points.pop();
        let comparison = Comparison::of(&[a, b]);
        assert_eq!(comparison.elsewhere, [5.0]);
        assert!(comparison.rows.iter().all(|row| row.multiple == 1.0));
    }

    #[test]
    fn nothing_beside_something_is_not_a_number_of_times() {
        let none = sweep("none", [(0.0, 0.0, 0.0); 2]);
        let some = sweep("some", [(9.0, 9.0, 9.0); 2]);
        assert_eq!(verdicts(&[none, some]), [Difference::Unknown; 2]);
        assert_eq!(Comparison::of(&[]).rows, []);
    }
}
