//! The ways in which one line of a trace can be wrong.

use thiserror::Error;

/// The longest line of a trace, in bytes, without its line end. Servers accept request lines of
/// 8 KiB (RFC 9112, section 3, asks for 8,000 bytes); a log escapes one byte as at most four, and
/// adds a referrer and a user agent.
pub const MAX_LINE: usize = 64 * 1024;

/// The fault of a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LineFault {
    /// The line is longer than [`MAX_LINE`].
    #[error("longer than {MAX_LINE} bytes, which no request is; is this a trace?")]
    TooLong,
    /// The first line of the file matches no known format.
    #[error(
        "`{found}` begins no known format; allowed: a header of tab-separated columns with \
         `seconds`, and lines of the Common or Combined Log Format"
    )]
    Unrecognised {
        /// The beginning of the line.
        found: String,
    },
    /// The header lacks a column.
    #[error("the header has the columns {found}: needed are {needed}")]
    Header {
        /// The column names of the header.
        found: String,
        /// The column names that a trace needs.
        needed: &'static str,
    },
    /// The line has more or fewer fields than the header.
    #[error("{found} fields between tabs, but the header has {columns}")]
    Fields {
        /// Fields of the line.
        found: usize,
        /// Columns of the header.
        columns: usize,
    },
    /// The value of a field is out of its bounds.
    #[error("{field} is `{found}`; allowed: {allowed}")]
    Value {
        /// The name of the field.
        field: &'static str,
        /// The value, or its beginning.
        found: String,
        /// The allowed values.
        allowed: &'static str,
    },
    /// The line is not in the format of the log.
    #[error(
        "`{found}` is not a line of the log; allowed: \
         `host ident user [day/Mon/year:hh:mm:ss +zone] \"request\" status bytes`"
    )]
    NotLog {
        /// The beginning of the line.
        found: String,
    },
}

impl LineFault {
    pub(super) fn value(field: &'static str, found: &[u8], allowed: &'static str) -> Self {
        Self::Value { field, found: quoted(found), allowed }
    }
}

/// Returns the beginning of `bytes` for a message; bytes that cannot be printed are escaped.
pub(super) fn quoted(bytes: &[u8]) -> String {
    /// Fits on a terminal line beside the rest of a message.
    const SHOWN: usize = 60;

    let shown = bytes.get(..SHOWN).unwrap_or(bytes);
    let more = if shown.len() < bytes.len() { "…" } else { "" };
    format!("{}{more}", shown.escape_ascii())
}
