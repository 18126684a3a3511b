//! The precision at which a run ends: `--until ±5%`.

use super::units::short_percent;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The precision of a figure at which a run ends before its time.
///
/// The figure is known within ±5 % if half of its 95 % interval is at most 5 % of the middle of the
/// interval. Written `±5%`, `5%`, or `p50=5%`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Until {
    /// The figure.
    pub figure: UntilFigure,
    /// Half of its interval, as a share of the figure: 0.01 to 0.5.
    pub share: f64,
}

/// A figure that has an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UntilFigure {
    /// Good answers per second.
    Goodput,
    /// Right answers per second.
    Throughput,
    /// The mean of the response times of right answers.
    Mean,
    /// Their median.
    P50,
    /// Their 90th percentile.
    P90,
    /// Their 99th percentile.
    P99,
    /// Their 99.9th percentile.
    P999,
}

/// Why a text is not a precision.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not a precision: write ±5%, or p50=5% for another figure than p99; allowed: 1% to \
     50% of {figures}", figures = UntilFigure::names()
)]
#[non_exhaustive]
pub struct UntilError(String);

/// How a run with a wanted precision ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UntilReport {
    /// The wanted precision.
    #[serde(flatten)]
    pub until: Until,
    /// True if it ended the run; false if the run reached its full length first.
    pub reached: bool,
}

/// The narrowest interval: a quantile is exact within 1 %.
const LEAST: f64 = 0.01;
/// The widest interval: beyond it a figure says nothing.
const MOST: f64 = 0.5;

impl Until {
    /// Makes a precision; `share` is between 0.01 and 0.5, and others become the nearest of them.
    pub fn new(figure: UntilFigure, share: f64) -> Self {
        Self { figure, share: share.clamp(LEAST, MOST) }
    }

    /// Returns true if a figure that is known within `precision` is known well enough.
    pub fn is_reached(&self, precision: Option<f64>) -> bool {
        precision.is_some_and(|precision| precision <= self.share)
    }
}

impl UntilReport {
    pub(crate) fn new(until: Until, reached: bool) -> Self {
        Self { until, reached }
    }

    /// Describes how well the figure of a run of `seconds` is known, and what ended the run.
    pub(super) fn describe(&self, precision: Option<f64>, seconds: f64, stopped: bool) -> String {
        let Self { until, reached } = self;
        let (figure, wanted) = (until.figure.name(), short_percent(until.share));
        let known = match precision {
            Some(share) => format!("{figure} is known within ±{}", short_percent(share)),
            None => format!("{figure} has too few samples for an interval"),
        };
        match (reached, stopped) {
            (true, _) => format!("{known} after {seconds:.1} s: --until ±{wanted} ended the run"),
            (false, true) => format!("{known}: the run was stopped before --until ±{wanted}"),
            (false, false) => format!(
                "{known}: the run reached its full length of {seconds:.1} s before --until \
                 ±{wanted}; give it a longer --duration"
            ),
        }
    }
}

const FIGURES: [(&str, UntilFigure); 7] = [
    ("goodput", UntilFigure::Goodput),
    ("throughput", UntilFigure::Throughput),
    ("mean", UntilFigure::Mean),
    ("p50", UntilFigure::P50),
    ("p90", UntilFigure::P90),
    ("p99", UntilFigure::P99),
    ("p999", UntilFigure::P999),
];

impl UntilFigure {
    fn names() -> String {
        FIGURES.map(|(name, _)| name).join(", ")
    }

    fn name(self) -> &'static str {
        FIGURES.iter().find(|(_, figure)| *figure == self).map_or("", |(name, _)| name)
    }
}

impl FromStr for Until {
    type Err = UntilError;

    fn from_str(text: &str) -> Result<Self, UntilError> {
        let wrong = || UntilError(text.to_owned());
        let (name, precision) = text.split_once('=').unwrap_or(("p99", text));
        let known = FIGURES.iter().find(|(known, _)| *known == name.trim());
        let (_, figure) = known.ok_or_else(wrong)?;
        let precision = precision.trim();
        let number = precision.strip_prefix("±").or(precision.strip_prefix("+-"));
        let number = number.unwrap_or(precision).strip_suffix('%').ok_or_else(wrong)?;
        let share = number.trim().parse::<f64>().map_err(|_| wrong())? / 100.0;
        if !(LEAST..=MOST).contains(&share) {
            return Err(wrong());
        }
        Ok(Self { figure: *figure, share })
    }
}

impl fmt::Display for Until {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}=±{}", self.figure.name(), short_percent(self.share).replace(' ', ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precision_names_its_figure_or_is_that_of_p99() {
        for (text, shown) in [
            ("±5%", "p99=±5%"),
            ("5%", "p99=±5%"),
            ("+-2.5 %", "p99=±2.5%"),
            ("p50=5%", "p50=±5%"),
            ("goodput = ±1%", "goodput=±1%"),
        ] {
            let until: Until = text.parse().unwrap();
            assert_eq!(until.to_string(), shown);
            assert_eq!(until.to_string().parse(), Ok(until));
        }
        for text in ["", "5", "%", "0.5%", "51%", "-5%", "NaN%", "p98=5%", "p50", "p50=", "=5%"] {
            let error = text.parse::<Until>().unwrap_err().to_string();
            assert!(error.contains("±5%") && error.contains("goodput"), "{error}");
        }
    }

    #[test]
    fn the_text_says_which_of_the_two_ended_the_run() {
        let until = Until::new(UntilFigure::P99, 0.05);
        assert!(until.is_reached(Some(0.05)));
        assert!(!until.is_reached(Some(0.051)) && !until.is_reached(None));
        let few = UntilReport::new(until, false).describe(None, 10.0, false);
        assert!(few.contains("p99 has too few samples") && few.contains("--duration"), "{few}");
        let reached = UntilReport::new(until, true).describe(Some(0.04), 12.34, false);
        let text = "p99 is known within ±4 % after 12.3 s: --until ±5 % ended the run";
        assert_eq!(reached, text);
        let stopped = UntilReport::new(until, false).describe(Some(0.1), 3.0, true);
        assert_eq!(stopped, "p99 is known within ±10 %: the run was stopped before --until ±5 %");
    }
}
