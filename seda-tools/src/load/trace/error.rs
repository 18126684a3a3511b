//! The reasons why a trace cannot be read.

use super::fault::LineFault;
use super::skip_limit::SkipLimit;
use std::io;
use thiserror::Error;

/// Why a file is not a trace.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The file cannot be opened.
    #[error("{file}: {source}; name a file that can be read")]
    Open {
        /// The name of the file.
        file: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file cannot be read to its end.
    #[error("{file}, line {line}: {source}; name a file that can be read to its end")]
    Read {
        /// The name of the file.
        file: String,
        /// The number of the line, from 1.
        line: u64,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A line is wrong.
    #[error("{file}, line {line}: {fault}")]
    Line {
        /// The name of the file.
        file: String,
        /// The number of the line, from 1.
        line: u64,
        /// The fault of the line.
        fault: LineFault,
    },
    /// More lines are malformed than the limit allows.
    #[error(
        "{file}, line {line}: {fault}; {malformed} of {lines} lines are malformed, and \
         --skip-limit allows {limit} of them"
    )]
    Malformed {
        /// The name of the file.
        file: String,
        /// The number of the first malformed line, from 1.
        line: u64,
        /// The fault of this line.
        fault: LineFault,
        /// The number of malformed lines.
        malformed: u64,
        /// The number of lines, without a header, comments and blank lines.
        lines: u64,
        /// The limit.
        limit: SkipLimit,
    },
    /// The file has no line, or none below its header.
    #[error("{file} is empty: a trace has at least one arrival")]
    Empty {
        /// The name of the file.
        file: String,
    },
    /// The file has requests, but none that can be repeated.
    #[error(
        "{file} has no request that can be repeated, {skipped} were skipped: at least one needs \
         a method and a path that begins with `/`"
    )]
    AllSkipped {
        /// The name of the file.
        file: String,
        /// The number of skipped requests.
        skipped: u64,
    },
    /// The file has more distinct requests than an [`Entry`](super::Entry) can number.
    #[error("{file}, line {line}: more than {} distinct requests; split the file", u32::MAX)]
    TooManyTargets {
        /// The name of the file.
        file: String,
        /// The number of the line, from 1.
        line: u64,
    },
    /// The cost of a token is negative or not finite.
    #[error("{micros} microseconds for {unit}; allowed: finite numbers from 0")]
    Scale {
        /// The unit that has the cost.
        unit: &'static str,
        /// The cost in microseconds.
        micros: f64,
    },
}
