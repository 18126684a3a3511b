//! The comparison as text.

use super::{Comparison, Difference, Figure, Row};
use crate::experiment::sweep::Spread;
use crate::report::units::{rate, seconds};
use std::fmt;

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.names.first().map_or("nothing", String::as_str);
        writeln!(out, "beside {first}; no difference where the ranges overlap")?;
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
        for ((name, spread), verdict) in self.names.iter().zip(&row.spreads).zip(&row.verdicts) {
            let found = spread.map_or("-".to_owned(), |spread| row.figure.describe(&spread));
            writeln!(out, "{:>6}x {name:<32} {found:<36} {verdict}", row.multiple)?;
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
            Difference::Times(times) => write!(out, "{times:.2} times"),
            Difference::Unknown => out.write_str("cannot be compared"),
        }
    }
}
