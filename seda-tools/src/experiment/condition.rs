//! Conditions on a load or a step: `--assert 'p99<=200ms'`.

use super::relation::Relation;
use super::step::StepReport;
use crate::report::outcome::{Outcome, Outcomes};
use crate::report::units::{rate, seconds};
use crate::report::{LoadReport, Ranks};
use std::fmt::Write;
use std::str::FromStr;
use thiserror::Error;

pub use super::relation::AssertionResult;

/// A condition on one figure of a load or a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    text: String,
    figure: Figure,
    relation: Relation,
    value: f64,
}

/// Why a text is not a condition.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConditionError {
    /// The text is not a condition.
    #[error("`{0}` is not a condition; write it like 'p99<=200ms' or 'good>=0.99'")]
    Shape(String),
    /// The figure is unknown.
    #[error("`{figure}` in `{text}` is not a figure; known are {}", Figure::names())]
    Figure {
        /// The figure.
        figure: String,
        /// The condition.
        text: String,
    },
    /// The value does not match the figure.
    #[error(
        "`{value}` in `{text}` is not a value of the figure; shares are numbers like 0.97, times are \
         like 200ms, rates like 900/s"
    )]
    Value {
        /// The value.
        value: String,
        /// The condition.
        text: String,
    },
    /// The figure is not one of this command.
    #[error("`{text}` cannot be checked here: `{figure}` is a figure of seda {command}")]
    Elsewhere {
        /// The condition.
        text: String,
        /// The figure.
        figure: &'static str,
        /// The command that has the figure.
        command: &'static str,
    },
}

/// A figure of a load or a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Figure {
    Goodput,
    Throughput,
    Mean,
    P50,
    P90,
    P99,
    P999,
    RefusalP99,
    /// Of a step: the time until p99 is within the SLO, after the slowest recovery.
    P99Back,
    /// Of a step: the time until goodput is back, after the slowest recovery.
    GoodputBack,
    /// The share of the scheduled requests.
    Share(Outcome),
}

const FIGURES: [(&str, Figure); 17] = [
    ("goodput", Figure::Goodput),
    ("throughput", Figure::Throughput),
    ("mean", Figure::Mean),
    ("p50", Figure::P50),
    ("p90", Figure::P90),
    ("p99", Figure::P99),
    ("p999", Figure::P999),
    ("refusal_p99", Figure::RefusalP99),
    ("p99_back", Figure::P99Back),
    ("goodput_back", Figure::GoodputBack),
    ("good", Figure::Share(Outcome::Good)),
    ("late", Figure::Share(Outcome::Late)),
    ("refused", Figure::Share(Outcome::Refused)),
    ("wrong", Figure::Share(Outcome::Wrong)),
    ("timed_out", Figure::Share(Outcome::TimedOut)),
    ("connect_error", Figure::Share(Outcome::ConnectError)),
    ("broken", Figure::Share(Outcome::Broken)),
];

impl Condition {
    /// Checks that a load has the figure.
    ///
    /// # Errors
    /// Only a step has it.
    pub fn check_for_load(&self) -> Result<(), ConditionError> {
        match self.figure {
            Figure::P99Back | Figure::GoodputBack => Err(self.elsewhere("step")),
            _ => Ok(()),
        }
    }

    /// Checks that a step has the figure.
    ///
    /// # Errors
    /// Only a load has it.
    pub fn check_for_step(&self) -> Result<(), ConditionError> {
        match self.figure {
            Figure::P99Back | Figure::GoodputBack | Figure::Share(_) => Ok(()),
            _ => Err(self.elsewhere("load")),
        }
    }

    /// Checks the condition on a load. It does not hold if the figure is unknown.
    pub fn on_load(&self, load: &LoadReport) -> AssertionResult {
        let response = &load.response_seconds;
        let found = match self.figure {
            Figure::Goodput => Some(load.goodput_per_second),
            Figure::Throughput => Some(load.throughput_per_second),
            Figure::Mean => response.mean,
            Figure::P50 => response.p50,
            Figure::P90 => response.p90,
            Figure::P99 => response.p99,
            Figure::P999 => response.p999,
            Figure::RefusalP99 => load.refusal_seconds.p99,
            Figure::P99Back | Figure::GoodputBack => None,
            Figure::Share(outcome) => share(&load.outcomes, outcome),
        };
        let mut result = self.result(found);
        if let Some(q) = self.figure.quantile()
            && Ranks::of(response.count, q).is_none()
        {
            let _ = write!(result.message, ", from {} answers: too few", response.count);
        }
        result
    }

    /// Checks the condition on a step. It does not hold if the figure is unknown, such as the time
    /// of a recovery that did not happen.
    pub fn on_step(&self, step: &StepReport) -> AssertionResult {
        let slowest = |times: Vec<Option<f64>>| -> Option<f64> {
            let times: Option<Vec<f64>> = times.into_iter().collect();
            times?.into_iter().max_by(f64::total_cmp)
        };
        let recoveries = step.recoveries.iter();
        let found = match self.figure {
            Figure::P99Back => slowest(recoveries.map(|r| r.p99_within_slo_after).collect()),
            Figure::GoodputBack => slowest(recoveries.map(|r| r.goodput_back_after).collect()),
            Figure::Share(outcome) => {
                let mut all = Outcomes::default();
                step.bins.iter().for_each(|bin| all.add(&bin.outcomes));
                share(&all, outcome)
            }
            _ => None,
        };
        self.result(found)
    }

    fn result(&self, found: Option<f64>) -> AssertionResult {
        let found = found.filter(|found| !found.is_nan());
        let holds = found.is_some_and(|found| self.relation.holds(found, self.value));
        AssertionResult::new(&self.text, holds, found.map(|found| self.figure.describe(found)))
    }

    fn elsewhere(&self, command: &'static str) -> ConditionError {
        ConditionError::Elsewhere { text: self.text.clone(), figure: self.figure.name(), command }
    }
}

fn share(outcomes: &Outcomes, outcome: Outcome) -> Option<f64> {
    let scheduled = outcomes.scheduled as f64;
    (scheduled > 0.0).then(|| outcomes.of(outcome) as f64 / scheduled)
}

impl Figure {
    fn names() -> String {
        FIGURES.map(|(name, _)| name).join(", ")
    }

    /// Returns the share of a quantile of the response times; `None` for another figure.
    fn quantile(self) -> Option<f64> {
        match self {
            Figure::P50 => Some(0.5),
            Figure::P90 => Some(0.9),
            Figure::P99 => Some(0.99),
            Figure::P999 => Some(0.999),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        FIGURES.iter().find(|(_, figure)| *figure == self).map_or("", |(name, _)| name)
    }

    fn describe(self, found: f64) -> String {
        match self {
            Figure::Goodput | Figure::Throughput => rate(found),
            Figure::Share(_) => format!("{found:.4}"),
            _ => seconds(found),
        }
    }

    /// Parses a value of the figure: a share, a rate, or a time in seconds.
    fn parse_value(self, text: &str) -> Option<f64> {
        let number = match self {
            Figure::Share(_) => text.parse().ok()?,
            Figure::Goodput | Figure::Throughput => {
                text.strip_suffix("/s").unwrap_or(text).parse().ok()?
            }
            _ => humantime::parse_duration(text).ok()?.as_secs_f64(),
        };
        Some(number).filter(|number: &f64| number.is_finite())
    }
}

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let Some((name, relation, value)) = Relation::split(text) else {
            return Err(ConditionError::Shape(text.to_owned()));
        };
        if name.is_empty() || name.contains('@') {
            return Err(ConditionError::Shape(text.to_owned()));
        }
        let Some((_, figure)) = FIGURES.iter().find(|(known, _)| *known == name) else {
            let (figure, text) = (name.to_owned(), text.to_owned());
            return Err(ConditionError::Figure { figure, text });
        };
        let Some(parsed) = figure.parse_value(value) else {
            let (value, text) = (value.to_owned(), text.to_owned());
            return Err(ConditionError::Value { value, text });
        };
        Ok(Self { text: text.to_owned(), figure: *figure, relation, value: parsed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::step::Recovery;

    fn holds(text: &str, load: &LoadReport) -> bool {
        let condition: Condition = text.parse().unwrap();
        condition.check_for_load().unwrap();
        condition.on_load(load).holds
    }

    #[test]
    fn a_condition_is_checked_on_a_load() {
        let mut load = LoadReport { goodput_per_second: 900.0, ..LoadReport::default() };
        load.outcomes = Outcomes { scheduled: 200, good: 198, wrong: 2, ..Outcomes::default() };
        load.response_seconds.p99 = Some(0.15);
        for text in ["p99<=200ms", "goodput>=900/s", "goodput >= 900", "good>=0.99", "wrong<0.02"] {
            assert!(holds(text, &load), "{text}");
        }
        let few: Condition = "p99<=200ms".parse().unwrap();
        assert!(few.on_load(&load).message.ends_with("from 0 answers: too few"));
        load.response_seconds.count = 400;
        assert!(few.on_load(&load).message.ends_with("holds (150 ms)"));
        for text in ["p99<150ms", "goodput>900", "wrong<=0", "p50<=1s"] {
            assert!(!holds(text, &load), "{text}");
        }
    }

    #[test]
    fn a_condition_on_a_step_is_that_of_its_slowest_recovery() {
        let mut step = StepReport::default();
        let mut recovery = Recovery { goodput_back_after: Some(0.4), ..Recovery::default() };
        step.recoveries = vec![recovery.clone(), recovery.clone()];
        let within: Condition = "goodput_back<=500ms".parse().unwrap();
        within.check_for_step().unwrap();
        assert!(within.on_step(&step).holds);
        recovery.goodput_back_after = None;
        step.recoveries.push(recovery);
        let result = within.on_step(&step);
        assert!(!result.holds && result.message.contains("no such figure"), "{}", result.message);
    }

    #[test]
    fn an_error_names_the_wrong_part() {
        let error = |text: &str| text.parse::<Condition>().unwrap_err().to_string();
        for text in ["", "p99", "p99=1s", "p99@5x<=1s", ">=1"] {
            assert!(error(text).contains("is not a condition; write it like"), "{text}");
        }
        assert!(error("p98<=1s").contains("`p98`") && error("p98<=1s").contains("goodput, "));
        for text in ["p99<=200", "good>=99%", "goodput>=fast"] {
            assert!(error(text).contains("is not a value of the figure"), "{text}");
        }
        let step: Condition = "p99_back<=1s".parse().unwrap();
        assert!(step.check_for_load().unwrap_err().to_string().contains("seda step"));
        let load: Condition = "p99<=1s".parse().unwrap();
        assert!(load.check_for_step().unwrap_err().to_string().contains("seda load"));
    }
}
