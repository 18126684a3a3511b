//! A trace: requests and when they arrive.

use super::reading::Reading;
use super::{Target, TraceError, WorkScale};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Requests and when they arrive. See the [module](super) for the formats.
///
/// ```
/// use seda_tools::trace::Trace;
///
/// let log = r#"::1 - - [10/Oct/2000:13:55:36 -0700] "GET /x HTTP/1.0" 200 2326"#;
/// let trace = Trace::parse("access.log", log.as_bytes())?;
/// assert_eq!(trace.targets[0].path, "/x");
/// assert_eq!(trace.targets[0].bytes, Some(2326));
/// # Ok::<(), seda_tools::trace::TraceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The arrivals, by time: at least one, the first at 0.
    pub entries: Vec<Entry>,
    /// The distinct requests, in the order in which the file has them first.
    pub targets: Vec<Target>,
    /// How many lines of the file hold no request that can be repeated.
    pub skipped: u64,
}

/// One request of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it arrives, in nanoseconds since the first arrival.
    pub at_nanos: u64,
    /// The index of its request in [`Trace::targets`].
    pub target: u32,
}

impl Trace {
    /// Reads a file, with [`WorkScale::default`].
    ///
    /// # Errors
    ///
    /// When the file cannot be read, and as [`Trace::parse`].
    pub fn open(path: &Path) -> Result<Self, TraceError> {
        Self::open_scaled(path, WorkScale::default())
    }

    /// Reads a file; tokens cost what `scale` says.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, and as [`Trace::parse_scaled`].
    pub fn open_scaled(path: &Path, scale: WorkScale) -> Result<Self, TraceError> {
        Self::parse_scaled(&path.display().to_string(), open(path)?, scale)
    }

    /// Reads a text line by line, with [`WorkScale::default`]. Errors name it as `name`.
    ///
    /// # Errors
    ///
    /// When no format of the [module](super) is recognised, when a line is not in the format or
    /// longer than [`MAX_LINE`](super::MAX_LINE), and when there is no request to repeat.
    pub fn parse(name: &str, text: impl BufRead) -> Result<Self, TraceError> {
        Self::parse_scaled(name, text, WorkScale::default())
    }

    /// Reads a text line by line; tokens cost what `scale` says.
    ///
    /// # Errors
    ///
    /// As [`Trace::parse`], and when the scale is negative or not finite.
    pub fn parse_scaled(
        name: &str,
        text: impl BufRead,
        scale: WorkScale,
    ) -> Result<Self, TraceError> {
        Reading::new(scale)?.read(name, text)
    }

    /// The times of the entries, for [`Arrivals::recorded`](crate::load::arrivals::Arrivals::recorded):
    /// the arrival number `n` is that of the entry number `n`.
    pub fn times(&self) -> Arc<[u64]> {
        self.entries.iter().map(|entry| entry.at_nanos).collect()
    }

    /// From the first arrival to the last.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.entries.last().map_or(0, |entry| entry.at_nanos))
    }
}

pub(super) fn open(path: &Path) -> Result<BufReader<File>, TraceError> {
    let file = File::open(path)
        .map_err(|source| TraceError::Open { file: path.display().to_string(), source })?;
    Ok(BufReader::new(file))
}
