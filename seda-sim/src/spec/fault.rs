//! What goes wrong, and when.

use super::check::SpecError;
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
    pub(super) fn check(&self, stages: &[String], classes: &[&str]) -> Result<(), SpecError> {
        let known = |stage: &String| match stages.contains(stage) {
            true => Ok(()),
            false => Err(SpecError::value("fault.stage", stage, names(stages))),
        };
        let positive = |factor: f64| match factor > 0.0 && factor <= 1e6 {
            true => Ok(()),
            false => Err(SpecError::value("fault.factor", factor, "above 0, up to 1000000")),
        };
        match self {
            Fault::Slow { stage, factor, .. } => known(stage).and(positive(*factor)),
            Fault::Stall { stage, .. } => known(stage),
            Fault::Panic { stage, share } => {
                known(stage)?;
                match (0.0..=1.0).contains(share) {
                    true => Ok(()),
                    false => Err(SpecError::value("fault.share", share, "0 to 1")),
                }
            }
            Fault::Flood { class, factor, .. } => {
                if !classes.contains(&class.as_str()) {
                    let known: Vec<_> = classes.iter().map(|name| (*name).to_owned()).collect();
                    return Err(SpecError::value("fault.class", class, names(&known)));
                }
                positive(*factor)
            }
        }
    }
}

fn names(known: &[String]) -> String {
    format!("one of {}", known.join(", "))
}
