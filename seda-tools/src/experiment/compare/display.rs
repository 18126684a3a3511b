//! The comparison as text.

use super::pairs::FEWEST;
use super::{Comparison, Difference, Figure, Row};
use crate::experiment::sweep::Spread;
use crate::report::units::{rate, seconds, whole_percent};
use std::fmt;

/// With a larger share of right answers, their times stand for all requests.
const NEARLY_ALL: f64 = 0.99;

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.names.first().map_or("nothing", String::as_str);
        writeln!(
            out,
            "beside {first}, round by round: a paired test, 5 % over all figures (Holm)"
        )?;
        let mut figure = None;
        for row in &self.rows {
            if figure.replace(row.figure) != Some(row.figure) {
                writeln!(out, "{}", row.figure)?;
            }
            self.row(row, out)?;
        }
        if !self.elsewhere.is_empty() {
            let loads: Vec<_> = self.elsewhere.iter().map(|load| format!("{load}x")).collect();
            writeln!(out, "not in all of them: {}", loads.join(", "))?;
        }
        Ok(())
    }
}

impl Comparison {
    fn row(&self, row: &Row, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sweeps = self.names.iter().zip(&row.spreads).zip(&row.right).zip(&row.verdicts);
        for (((name, spread), right), verdict) in sweeps {
            let found = spread.map_or("-".to_owned(), |spread| row.figure.describe(&spread));
            write!(out, "{:>6}x {name:<32} {found:<36} {verdict}", row.multiple)?;
            if row.figure.is_time() && *right < NEARLY_ALL {
                write!(out, "; of the {} that were answered right", whole_percent(*right))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

impl Figure {
    fn describe(self, spread: &Spread) -> String {
        match self {
            Figure::Goodput => spread.describe(rate),
            Figure::GoodputRatio => spread.describe(|ratio| format!("{ratio:.2}")),
            Figure::P50 | Figure::P99 => spread.describe(seconds),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Figure::Goodput => "goodput",
            Figure::GoodputRatio => "goodput over capacity",
            Figure::P50 => "median response time",
            Figure::P99 => "p99 response time",
        })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Itself => Ok(()),
            Difference::None => out.write_str("no difference"),
            Difference::Differs { times: Some(times), interval } => {
                write!(out, "{times:.2} times")?;
                interval.map_or(Ok(()), |interval| {
                    write!(out, " (95 %: {:.2} to {:.2})", interval.low, interval.high)
                })
            }
            Difference::Differs { .. } => out.write_str("differs"),
            Difference::TooFew { pairs: 1, .. } => out.write_str("cannot tell: one round"),
            Difference::TooFew { pairs, .. } if *pairs < FEWEST => {
                write!(out, "cannot tell: fewer than {FEWEST} pairs")
            }
            Difference::TooFew { pairs, needed } => {
                write!(out, "cannot tell: {pairs} pairs, {needed} for so many figures")
            }
            Difference::Unknown => out.write_str("cannot be compared"),
        }
    }
}
