//! What can keep a trace from being read, in words that say where and what to do.

use super::lines::MAX_LINE;
use std::io;
use thiserror::Error;

/// Why a file is no trace.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TraceError {
    /// It cannot be opened.
    #[error("{file}: {source}; name a file that can be read")]
    Open {
        /// Its name.
        file: String,
        /// What the machine said.
        source: io::Error,
    },
    /// It cannot be read to its end.
    #[error("{file}, line {line}: {source}; name a file that can be read to its end")]
    Read {
        /// Its name.
        file: String,
        /// The line that could not be read, from 1.
        line: u64,
        /// What the machine said.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{file}, line {line}: {fault}")]
    Line {
        /// Its name.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        fault: LineFault,
    },
    /// It has no line, or none below its header.
    #[error("{file} is empty: a trace has at least one arrival")]
    Empty {
        /// Its name.
        file: String,
    },
    /// It has requests, but not one that can be repeated.
    #[error(
        "{file} has no request that can be repeated, {skipped} were skipped: at least one needs \
         a method and a path that begins with `/`"
    )]
    AllSkipped {
        /// Its name.
        file: String,
        /// How many there are.
        skipped: u64,
    },
    /// It has more distinct requests than an entry can number.
    #[error("{file}, line {line}: more than {} distinct requests; split the file", u32::MAX)]
    TooManyTargets {
        /// Its name.
        file: String,
        /// The line, from 1.
        line: u64,
    },
    /// A token costs less than nothing, or no finite time.
    #[error("{micros} microseconds for {unit}: allowed are finite numbers from 0")]
    Scale {
        /// What costs so much.
        unit: &'static str,
        /// The microseconds.
        micros: f64,
    },
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LineFault {
    /// It is too long.
    #[error("longer than {MAX_LINE} bytes, which no request is; is this a trace?")]
    TooLong,
    /// As a file's first line it shows no known format.
    #[error(
        "`{found}` begins no known format: allowed are a header of tab-separated columns with \
         `seconds`, and lines of the Common or Combined Log Format"
    )]
    Unrecognised {
        /// Its beginning.
        found: String,
    },
    /// A header lacks columns.
    #[error("the header has the columns {found}: needed are {needed}")]
    Header {
        /// The names it has.
        found: String,
        /// The names it should have.
        needed: &'static str,
    },
    /// It has more or fewer fields than the header.
    #[error("{found} fields between tabs, but the header has {columns}")]
    Fields {
        /// How many it has.
        found: usize,
        /// How many it should have.
        columns: usize,
    },
    /// A field's value is out of its bounds.
    #[error("{field} is `{found}`: allowed is {allowed}")]
    Value {
        /// The field's name.
        field: &'static str,
        /// Its value, or its beginning.
        found: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// It is not in the format of the log.
    #[error(
        "`{found}` is not a line of the log: allowed is \
         `host ident user [day/Mon/year:hh:mm:ss +zone] \"request\" status bytes`"
    )]
    NotLog {
        /// Its beginning.
        found: String,
    },
}

impl LineFault {
    pub(super) fn value(field: &'static str, found: &[u8], allowed: &'static str) -> Self {
        Self::Value { field, found: quoted(found), allowed }
    }
}

/// The beginning of some bytes, with what cannot be printed escaped: for a message.
pub(super) fn quoted(bytes: &[u8]) -> String {
    /// What fits a terminal's line beside the rest of a message.
    const SHOWN: usize = 60;

    let shown = bytes.get(..SHOWN).unwrap_or(bytes);
    let more = if shown.len() < bytes.len() { "…" } else { "" };
    format!("{}{more}", shown.escape_ascii())
}
