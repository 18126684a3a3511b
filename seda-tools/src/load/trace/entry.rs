//! A trace in memory.

use super::Target;
use crate::report::SkippedLines;
use std::sync::Arc;
use std::time::Duration;

/// Requests and their arrival times. See the [module](super) for the formats.
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
    /// The arrivals, sorted by time: at least one, the first at 0.
    pub entries: Vec<Entry>,
    /// The distinct requests, in the order of their first appearance in the file.
    pub targets: Vec<Target>,
    /// The lines that were skipped.
    pub skipped: SkippedLines,
}

/// One request of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The arrival time, in nanoseconds since the first arrival.
    pub at_nanos: u64,
    /// The index of the request in [`Trace::targets`].
    pub target: u32,
}

impl Trace {
    /// Returns the times of the entries, for
    /// [`Arrivals::recorded`](crate::load::arrivals::Arrivals::recorded): arrival number `n` is
    /// that of entry number `n`.
    pub fn times(&self) -> Arc<[u64]> {
        self.entries.iter().map(|entry| entry.at_nanos).collect()
    }

    /// Returns the time from the first arrival to the last.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.entries.last().map_or(0, |entry| entry.at_nanos))
    }
}
