//! Recorded traffic as load: requests and their arrival times.
//!
//! # Formats
//!
//! The first line of a known format decides the format of a file. Lines may end in CR LF, the last
//! line may lack its end, and the first may begin with a byte order mark. Blank lines and lines
//! that begin with `#` are skipped.
//!
//! - **Access trace**: tab-separated, below a header with the columns `seconds`, `method` and
//!   `path`, optionally `status` and `bytes`, and any others, in any order.
//! - **Common and Combined Log Format** of Apache httpd and nginx:
//!   `host ident user [10/Oct/2000:13:55:36 -0700] "GET /x HTTP/1.0" 200 2326`. Fields after the
//!   bytes (referrer, agent) are ignored. The zone of the time counts. In the request `\"`, `\\`,
//!   `\t` and the like, and `\x16` stand for one byte.
//! - **Work trace**: tab-separated, below a header with `seconds` and the demand of each request:
//!   `micros` (or `work`, with the same meaning), or `input_tokens` and `output_tokens`, or one of
//!   these. Each request is `GET /work?micros=N`; a [`WorkScale`] converts tokens to microseconds.
//!
//! For arrivals without requests, [`read_arrivals`] reads a number of seconds on each line, or the
//! `seconds` column of any header.
//!
//! # Times
//!
//! The earliest arrival is at 0, and the others are relative to it. Entries are sorted by time;
//! those of the same time keep the order of the file. Servers log a request when it ends, and from
//! several threads, so that real logs are not in the order of their times.
//!
//! Logs have times of whole seconds. The requests of one second are spread evenly within it, the
//! first at its beginning, because otherwise a log would be a burst at every second. The same holds
//! for a `seconds` column in which every time is a whole number without a decimal point. To keep
//! bursts, write one of the times with a point.
//!
//! # Requests
//!
//! Only a path with its query can be repeated (the origin-form of RFC 9112, section 3.2.1). Other
//! requests of a log, such as `-`, `\x16\x03\x01`, `*` or `http://elsewhere/`, are skipped and
//! counted in [`Trace::skipped`]. Bytes that may not stand in a target (RFC 3986: blanks, control
//! characters, `"`, `<`, bytes beyond ASCII, a `%` without two digits) are percent-encoded. Bodies,
//! and headers such as cookies, are in no log and are not repeated.
//!
//! # Malformed lines
//!
//! A line that is not in the file's format is skipped and counted, and the first ones are named.
//! More of them than [`SkipLimit`] allows are an error that names the first one. A last line that
//! was cut off does not count towards the limit.
//!
//! # Memory
//!
//! A trace is held in memory: 16 bytes for each entry, and each distinct request once.

mod columns;
mod entry;
mod error;
mod fault;
mod format;
mod lines;
mod log;
mod open;
mod plain;
mod reader;
mod record;
mod skip_limit;
mod stamp;
mod status;
mod target;
mod targets;
mod timeline;
mod work;

pub use entry::{Entry, Trace};
pub use error::TraceError;
pub use fault::{LineFault, MAX_LINE};
pub use open::{LoggedRequests, read_requests};
pub use plain::{parse_arrivals, read_arrivals};
pub use record::LoggedRequest;
pub use skip_limit::{SkipLimit, SkipLimitError};
pub use target::Target;
pub use work::{MAX_MICROS, WorkScale};

#[cfg(test)]
mod robustness_tests;
#[cfg(test)]
mod sample_tests;
