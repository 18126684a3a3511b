//! What goes wrong, and when.

use super::arrivals::Process;
use super::check::{LENGTH, SpecError, TIME, check_duration};
use super::{ClassSpec, Spec};
use crate::base::time::words;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Something that goes wrong. Times count from the beginning, warm-up included.
///
/// ```toml
/// [[fault]]
/// kind = "slow"
/// stage = "render"
/// factor = 10.0
/// from = "20s"
/// to = "40s"
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// A stage, or one replica of it, needs `factor` times as long for what it begins meanwhile.
    Slow {
        /// The stage; `NAME-2` is the second replica of `NAME`.
        stage: String,
        /// How many times as long.
        factor: f64,
        /// When it begins.
        #[serde(default, with = "humantime_serde")]
        from: Duration,
        /// When it ends. `None`: never.
        #[serde(default, with = "humantime_serde")]
        to: Option<Duration>,
    },
    /// What a stage begins meanwhile blocks until the stall is over.
    Stall {
        /// The stage.
        stage: String,
        /// When it begins.
        #[serde(with = "humantime_serde")]
        at: Duration,
        /// How long it lasts.
        #[serde(rename = "for", with = "humantime_serde")]
        length: Duration,
    },
    /// A handler panics.
    Panic {
        /// Its stage.
        stage: String,
        /// For how many of its events, 0 to 1.
        share: f64,
    },
    /// A class comes `factor` times as often.
    Flood {
        /// The class.
        class: String,
        /// How many times as often.
        factor: f64,
        /// When it begins.
        #[serde(with = "humantime_serde")]
        from: Duration,
        /// When it ends.
        #[serde(with = "humantime_serde")]
        to: Duration,
    },
}

impl Fault {
    /// Checks it for a spec whose queues have these names.
    pub(super) fn check(&self, queues: &[String], spec: &Spec) -> Result<(), SpecError> {
        let known = |stage: &String| match queues.contains(stage) {
            true => Ok(()),
            false => Err(SpecError::value("fault.stage", stage, one_of(queues))),
        };
        let factor = |factor: f64| match factor > 0.0 && factor <= 1e6 {
            true => Ok(()),
            false => Err(SpecError::value("fault.factor", factor, "above 0, up to 1000000")),
        };
        match self {
            Fault::Slow { stage, factor: times, from, to } => {
                known(stage).and(factor(*times))?;
                check_stretch(*from, *to, spec)
            }
            Fault::Stall { stage, at, length } => {
                known(stage)?;
                check_begins("fault.at", *at, spec)?;
                check_duration("fault.for", *length, LENGTH)
            }
            Fault::Panic { stage, share } => {
                known(stage)?;
                match (0.0..=1.0).contains(share) {
                    true => Ok(()),
                    false => Err(SpecError::value("fault.share", share, "0 to 1")),
                }
            }
            Fault::Flood { class, factor: times, from, to } => {
                factor(*times)?;
                check_flooded(class, spec)?;
                check_stretch(*from, Some(*to), spec)
            }
        }
    }
}

/// A flood multiplies a rate: there must be one.
fn check_flooded(class: &String, spec: &Spec) -> Result<(), SpecError> {
    let default = [ClassSpec::default()];
    let classes = if spec.classes.is_empty() { &default[..] } else { &spec.classes };
    let Some(flooded) = classes.iter().find(|known| known.name == *class) else {
        let names: Vec<_> = classes.iter().map(|known| known.name.clone()).collect();
        return Err(SpecError::value("fault.class", class, one_of(&names)));
    };
    let fixed = spec.arrivals.process == Process::Trace || spec.client.clients > 0;
    if fixed && flooded.rate.is_none() {
        let allowed = "one whose arrivals have a rate: neither a trace's nor a closed loop's have";
        return Err(SpecError::value("fault.class", class, allowed));
    }
    Ok(())
}

fn check_stretch(from: Duration, to: Option<Duration>, spec: &Spec) -> Result<(), SpecError> {
    check_begins("fault.from", from, spec)?;
    let Some(to) = to else {
        return Ok(());
    };
    check_duration("fault.to", to, TIME)?;
    if to <= from {
        let allowed = format!("later than `from`, which is {}", words(from));
        return Err(SpecError::value("fault.to", words(to), allowed));
    }
    Ok(())
}

/// A fault behind the end of the run would have no effect.
fn check_begins(key: &str, at: Duration, spec: &Spec) -> Result<(), SpecError> {
    let end = spec.end();
    if at >= end {
        let allowed = format!("before the run ends, at {}", words(end));
        return Err(SpecError::value(key, words(at), allowed));
    }
    Ok(())
}

fn one_of(known: &[String]) -> String {
    format!("one of {}", known.join(", "))
}
