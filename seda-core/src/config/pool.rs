//! Pool.

use crate::config::units;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Settings of a shared pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table like { workers = \"2..8\" }")]
pub struct PoolConfig {
    /// How many workers it may have.
    pub workers: WorkerRange,
}

/// The most workers one pool may have: beyond it threads cost more in memory and switching than
/// any handler gains; a stage that waits for the outside should defer instead.
pub(crate) const MAX_WORKERS: usize = 1_024;

/// How many workers a pool may have, both ends included: written `MIN..MAX`, or a single number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerRange {
    /// The pool never has fewer.
    pub min: usize,
    /// The pool never has more (stuck ones, which are replaced, aside).
    pub max: usize,
}

impl WorkerRange {
    /// From `min` to `max` workers. Checked when the graph starts.
    pub const fn new(min: usize, max: usize) -> Self {
        Self { min, max }
    }

    /// Always `n` workers.
    pub const fn exactly(n: usize) -> Self {
        Self { min: n, max: n }
    }

    pub(crate) fn is_valid(self) -> bool {
        self.min >= 1 && self.min <= self.max && self.max <= MAX_WORKERS
    }
}

impl Default for WorkerRange {
    /// One worker, and up to one for each core: enough for handlers that compute. A stage whose
    /// handlers block needs a higher end, and only its author knows how high.
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

/// How a range is written.
pub(crate) const ALLOWED: &str = "a range like \"1..4\", or one number, 1 to 1024 workers";

/// A worker range that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a range of workers: write MIN..MAX or one number, 1 to {MAX_WORKERS}")]
#[non_exhaustive]
pub struct WorkerRangeError(String);
