//! The settings of a shared pool, and ranges of workers.

use crate::config::units;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Settings of a shared pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table like { workers = \"2..8\" }")]
pub struct PoolConfig {
    /// The range of its number of workers.
    pub workers: WorkerRange,
}

/// The most workers of one pool: above it threads cost more in memory and switching than any
/// handler gains; a stage that waits for a remote side should defer instead.
pub(crate) const MAX_WORKERS: usize = 1_024;

/// The number of workers of a pool, both ends included: written `MIN..MAX`, or a single number.
///
/// ```
/// use seda_core::WorkerRange;
/// assert_eq!("2..8".parse(), Ok(WorkerRange::new(2, 8)));
/// assert_eq!("3".parse(), Ok(WorkerRange::exactly(3)));
/// assert!("8..2".parse::<WorkerRange>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerRange {
    /// The pool never has fewer.
    pub min: usize,
    /// The pool never has more, except for stuck workers, which are replaced.
    pub max: usize,
}

impl WorkerRange {
    /// Returns the range from `min` to `max` workers; checked when the graph starts.
    pub const fn new(min: usize, max: usize) -> Self {
        Self { min, max }
    }

    /// Returns the range of exactly `n` workers.
    pub const fn exactly(n: usize) -> Self {
        Self { min: n, max: n }
    }

    pub(crate) fn is_valid(self) -> bool {
        self.min >= 1 && self.min <= self.max && self.max <= MAX_WORKERS
    }
}

impl Default for WorkerRange {
    /// From one worker to one for each core: enough for handlers that compute. A stage with
    /// handlers that block needs a higher maximum, which only its author can know.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { min: 1, max: cores.min(MAX_WORKERS) }
    }
}

impl fmt::Display for WorkerRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.min, self.max)
    }
}

impl FromStr for WorkerRange {
    type Err = WorkerRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || WorkerRangeError(text.to_owned());
        let number = |part: &str| part.trim().parse::<usize>().map_err(|_| error());
        let range = match text.split_once("..") {
            Some((min, max)) => Self::new(number(min)?, number(max)?),
            None => Self::exactly(number(text)?),
        };
        if range.is_valid() { Ok(range) } else { Err(error()) }
    }
}

impl Serialize for WorkerRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WorkerRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        units::text_or_number(deserializer, ALLOWED)
    }
}

/// The text of a range, as errors describe it.
pub(crate) const ALLOWED: &str = "a range like \"1..4\", or one number, 1 to 1024 workers";

/// A text that is not a range of workers.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a range of workers: write MIN..MAX or one number, 1 to {MAX_WORKERS}")]
#[non_exhaustive]
pub struct WorkerRangeError(String);
