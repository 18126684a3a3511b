//! Limits of concurrency in front of the graph, as other frameworks have them.

use crate::spec::bounds::{TIMEOUT, check_duration};
use crate::spec::error::SpecError;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The largest limit of concurrency, because each request inside holds memory.
const MAX_LIMIT: u32 = 1_000_000;

/// A limit of concurrency in front of the graph: it refuses a request that finds as many inside.
///
/// The models are those of Netflix's [concurrency-limits], which tower-acc and Helidon also have,
/// with its defaults. They learn from each request that ends, and know nothing of the graph.
///
/// ```
/// use seda_sim::spec::ClientSpec;
///
/// let client: ClientSpec = toml::from_str("limiter = { kind = 'aimd', timeout = '750ms' }")?;
/// assert!(client.limiter.is_some());
/// # Ok::<(), toml::de::Error>(())
/// ```
///
/// [concurrency-limits]: https://github.com/Netflix/concurrency-limits
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum LimiterSpec {
    /// Additive increase, multiplicative decrease: the limit grows by one with each request that
    /// ends in time while half of it is used, and shrinks by a factor with each one that does not.
    Aimd {
        /// The first limit, `least` to `most`.
        #[serde(default = "default_initial")]
        initial: u32,
        /// The smallest limit, 1 and more.
        #[serde(default = "default_initial")]
        least: u32,
        /// The largest limit, up to 1,000,000.
        #[serde(default = "default_most_aimd")]
        most: u32,
        /// The factor of a decrease, above 0 and below 1.
        #[serde(default = "default_backoff")]
        backoff: f64,
        /// The longest response time that is in time, 1 µs to 1 day.
        #[serde(default = "default_timeout", with = "humantime_serde")]
        timeout: Duration,
    },
    /// TCP Vegas: the least response time is that of an empty server, and a longer one tells how
    /// many of the requests inside are waiting. The limit grows while few wait, and shrinks while
    /// many do. From time to time the next response time becomes the least one.
    Vegas {
        /// The first limit, 1 to `most`.
        #[serde(default = "default_initial")]
        initial: u32,
        /// The largest limit, up to 1,000,000.
        #[serde(default = "default_most_vegas")]
        most: u32,
    },
}

fn default_initial() -> u32 {
    20
}

fn default_most_aimd() -> u32 {
    200
}

fn default_most_vegas() -> u32 {
    1_000
}

fn default_backoff() -> f64 {
    0.9
}

fn default_timeout() -> Duration {
    Duration::from_secs(5)
}

impl LimiterSpec {
    pub(super) fn check(&self) -> Result<(), SpecError> {
        match self {
            Self::Aimd { initial, least, most, backoff, timeout } => {
                check_limits(*least, *initial, *most)?;
                if !(*backoff > 0.0 && *backoff < 1.0) {
                    let key = "client.limiter.backoff";
                    return Err(SpecError::value(key, backoff, "above 0, below 1"));
                }
                check_duration("client.limiter.timeout", *timeout, TIMEOUT)
            }
            Self::Vegas { initial, most } => check_limits(1, *initial, *most),
        }
    }
}

/// Checks that 1 <= `least` <= `initial` <= `most`.
fn check_limits(least: u32, initial: u32, most: u32) -> Result<(), SpecError> {
    if !(1..=MAX_LIMIT).contains(&least) {
        return Err(SpecError::value("client.limiter.least", least, "1 to 1000000"));
    }
    if most > MAX_LIMIT {
        return Err(SpecError::value("client.limiter.most", most, "up to 1000000"));
    }
    if (least..=most).contains(&initial) {
        return Ok(());
    }
    let allowed = format!("from the smallest limit to the largest, {least} to {most}");
    Err(SpecError::value("client.limiter.initial", initial, allowed))
}
