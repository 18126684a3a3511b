//! `--assert 'goodput@5x>=0.97'`: what a sweep has to show.

use super::report::{Point, SweepReport};
use crate::report::outcome::Outcome;
use crate::report::units::seconds;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;

/// A condition on one point of a sweep, on the median over the rounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    text: String,
    metric: Metric,
    multiple: f64,
    relation: Relation,
    value: f64,
}

/// Whether a condition holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AssertionResult {
    /// Whether it does.
    pub holds: bool,
    /// The condition beside what was found.
    pub message: String,
}

/// Why a condition cannot be understood.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AssertionError {
    /// It has another shape.
    #[error("`{0}` is not a condition; write it like 'goodput@5x>=0.97' or 'p99@2x<=200ms'")]
    Shape(String),
    /// The figure is unknown.
    #[error("`{figure}` in `{text}` is not known; there are {}", Metric::names())]
    Figure {
        /// The figure.
        figure: String,
        /// The condition.
        text: String,
    },
    /// The value does not go with the figure.
    #[error(
        "`{value}` in `{text}` is not a value of it; shares and ratios are numbers like 0.97, times are like 200ms"
    )]
    Value {
        /// The value.
        value: String,
        /// The condition.
        text: String,
    },
    /// No load of the sweep has the multiple.
    #[error("`{text}` speaks of {multiple}x, which is not among the loads; add it to --at")]
    NotSwept {
        /// The condition.
        text: String,
        /// Its multiple.
        multiple: f64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Metric {
    /// Over the capacity.
    Goodput,
    /// Over the capacity.
    Throughput,
    Mean,
    P50,
    P99,
    P999,
    RefusalP99,
    Settled,
    /// Of what was scheduled.
    Share(Outcome),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Relation {
    AtLeast,
    AtMost,
    Above,
    Below,
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

/// The longer ones first: each is looked for as it stands.
const RELATIONS: [(&str, Relation); 4] = [
    (">=", Relation::AtLeast),
    ("<=", Relation::AtMost),
    (">", Relation::Above),
    ("<", Relation::Below),
];

impl Assertion {
    /// That its load is among those of a sweep.
    ///
    /// # Errors
    /// It is not.
    pub fn check(&self, multiples: &[f64]) -> Result<(), AssertionError> {
        if multiples.iter().any(|multiple| self.is_at(*multiple)) {
            return Ok(());
        }
        Err(AssertionError::NotSwept { text: self.text.clone(), multiple: self.multiple })
    }

    /// Holds it against a sweep. A figure that is not there, such as the p99 of no answers, does
    /// not hold.
    pub fn holds(&self, sweep: &SweepReport) -> AssertionResult {
        let point = sweep.points.iter().find(|point| self.is_at(point.multiple));
        let found = point.and_then(|point| self.metric.of(point, sweep));
        let holds = found.is_some_and(|found| match self.relation {
            Relation::AtLeast => found >= self.value,
            Relation::AtMost => found <= self.value,
            Relation::Above => found > self.value,
            Relation::Below => found < self.value,
        });
        let message = match found {
            Some(found) if self.metric.is_time() => seconds(found),
            Some(found) => format!("{found:.4}"),
            None => "there is no such figure".to_owned(),
        };
        let mark = if holds { "holds" } else { "DOES NOT HOLD" };
        AssertionResult { holds, message: format!("assert {}: {mark} ({message})", self.text) }
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

    fn of(self, point: &Point, sweep: &SweepReport) -> Option<f64> {
        let median = |spread: super::Spread| spread.median;
        match self {
            Metric::Goodput => Some(point.goodput_ratio.median),
            Metric::Throughput => {
                Some(point.throughput_per_second.median / sweep.capacity_per_second.median)
            }
            Metric::Mean => point.mean.map(median),
            Metric::P50 => point.p50.map(median),
            Metric::P99 => point.p99.map(median),
            Metric::P999 => point.p999.map(median),
            Metric::RefusalP99 => point.refusal_p99.map(median),
            Metric::Settled => Some(point.settled_after.median),
            Metric::Share(outcome) => {
                let place = Outcome::ALL.iter().position(|each| *each == outcome)?;
                point.shares.get(place).copied()
            }
        }
    }
}

impl FromStr for Assertion {
    type Err = AssertionError;

    fn from_str(text: &str) -> Result<Self, AssertionError> {
        let shape = || AssertionError::Shape(text.to_owned());
        let (name, rest) = text.split_once('@').ok_or_else(shape)?;
        let (name, rest) = (name.trim(), rest.trim());
        let (multiple, rest) = rest.split_once('x').ok_or_else(shape)?;
        let multiple: f64 = multiple.trim().parse().map_err(|_| shape())?;
        let rest = rest.trim();
        let begun = RELATIONS.iter().find(|(sign, _)| rest.starts_with(sign));
        let (sign, relation) = begun.ok_or_else(shape)?;
        let value = rest.get(sign.len()..).unwrap_or_default().trim();
        let known = METRICS.iter().find(|(known, _)| *known == name);
        let (_, metric) = known.ok_or_else(|| AssertionError::Figure {
            figure: name.to_owned(),
            text: text.to_owned(),
        })?;
        let parsed = if metric.is_time() {
            humantime::parse_duration(value).ok().map(|time: Duration| time.as_secs_f64())
        } else {
            value.parse().ok().filter(|value: &f64| value.is_finite())
        };
        let value = parsed.ok_or_else(|| AssertionError::Value {
            value: value.to_owned(),
            text: text.to_owned(),
        })?;
        Ok(Self { text: text.to_owned(), metric: *metric, multiple, relation: *relation, value })
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
    use crate::experiment::sweep::Spread;

    fn sweep() -> SweepReport {
        let of = |median| Spread { median, low: median, high: median };
        let point = Point {
            multiple: 5.0,
            goodput_ratio: of(0.97),
            p99: Some(of(0.022)),
            shares: [0.2, 0.0, 0.8, 0.0, 0.0, 0.0, 0.0],
            ..Point::default()
        };
        SweepReport { points: vec![point], ..SweepReport::default() }
    }

    #[test]
    fn a_condition_is_held_against_the_point_of_its_load() {
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
    fn what_cannot_be_understood_is_named() {
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
