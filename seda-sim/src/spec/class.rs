//! Classes of requests.

use super::bounds::{TIMEOUT, check_duration, check_rate, check_share};
use super::error::SpecError;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A class of requests.
///
/// ```
/// use seda_sim::spec::ClassSpec;
///
/// let gold: ClassSpec = toml::from_str("name = 'gold'\nweight = 4\ndeadline = '300ms'")?;
/// assert_eq!((gold.weight, gold.share), (4, 1.0));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClassSpec {
    /// The name, different from that of every other class.
    pub name: String,
    /// The number of events that the class may take out of a queue in its turn.
    #[serde(default = "default_weight")]
    pub weight: u32,
    /// The share of the shared arrivals, relative to the other classes: 0 to 1,000,000.
    #[serde(default = "default_share")]
    pub share: f64,
    /// Requests per second of the class alone, beside the shared arrivals. `None`: none.
    #[serde(default)]
    pub rate: Option<f64>,
    /// The time after which an answer is worthless and the request is shed, 1 µs to 1 day. `None`:
    /// an answer keeps its worth.
    #[serde(default, with = "humantime_serde")]
    pub deadline: Option<Duration>,
}

fn default_weight() -> u32 {
    1
}

fn default_share() -> f64 {
    1.0
}

impl Default for ClassSpec {
    fn default() -> Self {
        Self::named("default")
    }
}

impl ClassSpec {
    /// Returns a class with this name and default settings.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            weight: default_weight(),
            share: default_share(),
            rate: None,
            deadline: None,
        }
    }

    pub(super) fn check(&self) -> Result<(), SpecError> {
        check_share(self.key("share"), self.share, 1e6)?;
        if let Some(deadline) = self.deadline {
            check_duration(self.key("deadline"), deadline, TIMEOUT)?;
        }
        match self.rate {
            Some(rate) => check_rate(self.key("rate"), rate),
            None => Ok(()),
        }
    }

    fn key(&self, name: &str) -> String {
        format!("class.{}.{name}", self.name)
    }
}
