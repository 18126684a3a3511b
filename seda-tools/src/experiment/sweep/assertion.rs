//! Conditions on a sweep: `--assert 'goodput@5x>=0.97'`.

use super::report::{Point, SweepReport};
use crate::experiment::relation::{AssertionResult, Relation};
use crate::report::outcome::Outcome;
use crate::report::units::seconds;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A condition on the median over the rounds, at one point of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    text: String,
    metric: Metric,
    multiple: f64,
    relation: Relation,
    value: f64,
}

/// Why a text is not a condition, or not one on this sweep.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AssertionError {
    /// The text is not a condition.
    #[error("`{0}` is not a condition; write it like 'goodput@5x>=0.97' or 'p99@2x<=200ms'")]
    Shape(String),
    /// The figure is unknown.
    #[error("`{figure}` in `{text}` is not a figure; known are {}", Metric::names())]
    Figure {
        /// The figure.
        figure: String,
        /// The condition.
        text: String,
    },
    /// The value does not match the figure.
    #[error(
        "`{value}` in `{text}` is not a value of the figure; shares and ratios are numbers like \
         0.97, times are like 200ms"
    )]
    Value {
        /// The value.
        value: String,
        /// The condition.
        text: String,
    },
    /// No load of the sweep has the multiple.
    #[error("`{text}` needs the load {multiple}x, which is not among the loads; add it to --at")]
    NotSwept {
        /// The condition.
        text: String,
        /// The multiple of the condition.
        multiple: f64,
    },
}

/// A figure of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Metric {
    /// Goodput over the capacity.
    Goodput,
    /// Throughput over the capacity.
    Throughput,
    Mean,
    P50,
    P99,
    P999,
    RefusalP99,
    Settled,
    /// The share of the scheduled requests.
    Share(Outcome),
}

const METRICS: [(&str, Metric); 15] = [
    ("goodput", Metric::Goodput),
    ("throughput", Metric::Throughput),
    ("mean", Metric::Mean),
    ("p50", Metric::P50),
    ("p99", Metric::P99),
    ("p999", Metric::P999),
    ("refusal_p99", Metric::RefusalP99),
    ("settled", Metric::Settled),
    ("good", Metric::Share(Outcome::Good)),
    ("late", Metric::Share(Outcome::Late)),
    ("refused", Metric::Share(Outcome::Refused)),
    ("wrong", Metric::Share(Outcome::Wrong)),
    ("timed_out", Metric::Share(Outcome::TimedOut)),
    ("connect_error", Metric::Share(Outcome::ConnectError)),
    ("broken", Metric::Share(Outcome::Broken)),
];

impl Assertion {
    /// Checks that a sweep has the load of the condition.
    ///
    /// # Errors
    /// The load is not among `multiples`.
    pub fn check(&self, multiples: &[f64]) -> Result<(), AssertionError> {
        if multiples.iter().any(|multiple| self.is_at(*multiple)) {
            return Ok(());
        }
        Err(AssertionError::NotSwept { text: self.text.clone(), multiple: self.multiple })
    }

    /// Checks the condition on a sweep. It does not hold if the figure is unknown, such as the p99
    /// without answers.
    pub fn holds(&self, sweep: &SweepReport) -> AssertionResult {
        let point = sweep.points.iter().find(|point| self.is_at(point.multiple));
        let found = point.and_then(|point| self.metric.of(point, sweep));
        let holds = found.is_some_and(|found| self.relation.holds(found, self.value));
        let is_time = self.metric.is_time();
        let describe = |found| if is_time { seconds(found) } else { format!("{found:.4}") };
        AssertionResult::new(&self.text, holds, found.map(describe))
    }

    fn is_at(&self, multiple: f64) -> bool {
        (multiple - self.multiple).abs() < 1e-9
    }
}

impl Metric {
    fn names() -> String {
        METRICS.map(|(name, _)| name).join(", ")
    }

    fn is_time(self) -> bool {
        use Metric::{Mean, P50, P99, P999, RefusalP99, Settled};
        matches!(self, Mean | P50 | P99 | P999 | RefusalP99 | Settled)
    }

    /// Parses a value of the figure: a time in seconds, or a finite number.
    fn parse_value(self, text: &str) -> Option<f64> {
        if self.is_time() {
            return humantime::parse_duration(text).ok().map(|time| time.as_secs_f64());
        }
        text.parse().ok().filter(|value: &f64| value.is_finite())
    }

    /// Returns the figure of a point; `None` if it is unknown.
    fn of(self, point: &Point, sweep: &SweepReport) -> Option<f64> {
        match self {
            Metric::Goodput => Some(point.goodput_ratio.median),
            Metric::Throughput => {
                Some(point.throughput_per_second.median / sweep.capacity_per_second.median)
            }
            Metric::Mean => point.response.mean.map(|spread| spread.median),
            Metric::P50 => point.response.p50.map(|spread| spread.median),
            Metric::P99 => point.response.p99.map(|spread| spread.median),
            Metric::P999 => point.response.p999.map(|spread| spread.median),
            Metric::RefusalP99 => point.refusal_p99.map(|spread| spread.median),
            Metric::Settled => Some(point.settled_after.median),
            Metric::Share(outcome) => {
                let index = Outcome::ALL.iter().position(|each| *each == outcome)?;
                point.shares.get(index).copied()
            }
        }
    }
}

impl FromStr for Assertion {
    type Err = AssertionError;

    fn from_str(text: &str) -> Result<Self, AssertionError> {
        let Some(parts) = Parts::split(text) else {
            return Err(AssertionError::Shape(text.to_owned()));
        };
        let Some((_, metric)) = METRICS.iter().find(|(known, _)| *known == parts.name) else {
            let (figure, text) = (parts.name.to_owned(), text.to_owned());
            return Err(AssertionError::Figure { figure, text });
        };
        let Some(value) = metric.parse_value(parts.value) else {
            let (value, text) = (parts.value.to_owned(), text.to_owned());
            return Err(AssertionError::Value { value, text });
        };
        Ok(Self {
            text: text.to_owned(),
            metric: *metric,
            multiple: parts.multiple,
            relation: parts.relation,
            value,
        })
    }
}

/// The parts of a condition, with an unparsed name and value.
struct Parts<'a> {
    name: &'a str,
    multiple: f64,
    relation: Relation,
    value: &'a str,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Option<Self> {
        let (figure, relation, value) = Relation::split(text)?;
        let (name, multiple) = figure.split_once('@')?;
        let multiple = multiple.trim().strip_suffix('x')?.trim().parse().ok()?;
        Some(Self { name: name.trim(), multiple, relation, value })
    }
}

impl fmt::Display for Assertion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::sweep::{ResponseSpreads, Spread};

    fn sweep() -> SweepReport {
        let of = |median| Spread { median, low: median, high: median };
        let point = Point {
            multiple: 5.0,
            goodput_ratio: of(0.97),
            response: ResponseSpreads { p99: Some(of(0.022)), ..ResponseSpreads::default() },
            shares: [0.2, 0.0, 0.8, 0.0, 0.0, 0.0, 0.0],
            ..Point::default()
        };
        SweepReport { points: vec![point], ..SweepReport::default() }
    }

    #[test]
    fn a_condition_is_checked_on_the_point_of_its_load() {
        let cases = [
            ("goodput@5x>=0.97", true),
            ("goodput@5x>0.97", false),
            ("goodput @ 5.0x < 0.98", true),
            ("p99@5x<=22ms", true),
            ("p99@5x<20ms", false),
            ("refused@5x>=0.8", true),
            ("broken@5x<=0", true),
            ("p50@5x<=1s", false),
        ];
        for (text, holds) in cases {
            let assertion: Assertion = text.parse().unwrap();
            assert_eq!(assertion.holds(&sweep()).holds, holds, "{text}");
            assert!(assertion.check(&[1.0, 5.0]).is_ok());
        }
    }

    #[test]
    fn an_error_names_the_wrong_part() {
        let shape = |text: &str| matches!(text.parse::<Assertion>(), Err(AssertionError::Shape(_)));
        assert!(
            ["", "goodput", "goodput@5", "goodput@5x", "goodput@mx>1"].iter().all(|t| shape(t))
        );
        let figure = "godput@5x>=1".parse::<Assertion>().unwrap_err().to_string();
        assert!(figure.contains("godput") && figure.contains("goodput, throughput"), "{figure}");
        for text in ["p99@5x<=200", "goodput@5x>=200ms", "goodput@5x>=NaN"] {
            assert!(
                matches!(text.parse::<Assertion>(), Err(AssertionError::Value { .. })),
                "{text}"
            );
        }
        let elsewhere: Assertion = "goodput@3x>=1".parse().unwrap();
        assert!(matches!(elsewhere.check(&[5.0]), Err(AssertionError::NotSwept { .. })));
        assert!(!elsewhere.holds(&sweep()).holds);
    }
}
