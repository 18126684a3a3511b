//! The bounds of a request.

use serde::{Deserialize, Serialize};

/// The longest request target that [`http::Uri`] can hold, which indexes with 16 bits.
pub(super) const URI_BYTES_MOST: usize = 65_534;

/// The most fields of a head in any configuration. The parser's table of them is on the stack: 32
/// bytes a field, 8 KiB in all.
pub(super) const HEADERS_MOST: usize = 256;

/// The smallest head with room for a request line and a Host field.
const HEAD_BYTES_LEAST: usize = 128;

/// A connection keeps its unfinished head in memory. Beyond this size it would be a body.
const HEAD_BYTES_MOST: usize = 1024 * 1024;

/// A smaller limit would reject even short paths.
const URI_BYTES_LEAST: usize = 16;

/// A body is one piece of memory.
const BODY_BYTES_MOST: usize = 1024 * 1024 * 1024;

/// The bounds of a request, beyond which it is rejected. Sizes are in bytes.
///
/// All clients together can make the server buffer at most `connections × head_bytes` with heads
/// that never end, and [`BodyConfig::budget`](crate::BodyConfig::budget) with bodies.
///
/// ```
/// use seda_http::h1::Limits;
///
/// let limits = Limits { body_bytes: 64 * 1024, ..Limits::default() };
/// assert!(limits.check().is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The most bytes of the request line and the header fields with their line ends, and of the
    /// trailer section of a chunked body. 128 to 1,048,576. More is answered with 431.
    ///
    /// Default 16 KiB: twice the 8 KiB per line that most proxies forward, so that a long target
    /// and long cookies fit together.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub head_bytes: usize,
    /// The most bytes of the request target. 16 to 65,534, and at most `head_bytes`. More is
    /// answered with 414.
    ///
    /// Default 8 KiB: RFC 9112 §3 recommends at least 8,000 bytes.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub uri_bytes: usize,
    /// The most header fields of a request, or trailer fields of a chunked body. 1 to 256. More is
    /// answered with 431.
    ///
    /// Default 100: browsers send about 20, and chains of proxies add the same number. Each field
    /// costs a table entry.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub headers: usize,
    /// The most bytes of the body, without the framing of chunks. 0 (no body) to 1,073,741,824.
    /// More is answered with 413; if the length is declared, before the body is read.
    ///
    /// Default 1 MiB: bodies are whole in memory, and thousands of connections must fit.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head_bytes: 16 * 1024, uri_bytes: 8 * 1024, headers: 100, body_bytes: 1024 * 1024 }
    }
}

impl Limits {
    /// Checks every limit.
    ///
    /// A [`Decoder`](super::Decoder) with unchecked limits never panics. It lowers the limits of
    /// target and fields to those it can hold.
    ///
    /// # Errors
    ///
    /// The first limit out of its range, with its key, its value and the range.
    pub fn check(&self) -> Result<(), LimitsError> {
        let uri_bytes_most = URI_BYTES_MOST.min(self.head_bytes);
        in_range("head_bytes", self.head_bytes, HEAD_BYTES_LEAST, HEAD_BYTES_MOST)?;
        in_range("uri_bytes", self.uri_bytes, URI_BYTES_LEAST, uri_bytes_most)?;
        in_range("headers", self.headers, 1, HEADERS_MOST)?;
        in_range("body_bytes", self.body_bytes, 0, BODY_BYTES_MOST)
    }
}

/// The error of [`Limits::check`].
///
/// ```
/// use seda_http::h1::{Limits, LimitsError};
///
/// let limits = Limits { headers: 0, ..Limits::default() };
/// let error = limits.check().unwrap_err();
/// assert_eq!(error, LimitsError::OutOfRange { key: "headers", value: 0, least: 1, most: 256 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitsError {
    /// A value is out of its range.
    #[error("{key} = {value} is out of range; allowed: {least} to {most}")]
    OutOfRange {
        /// The field of [`Limits`].
        key: &'static str,
        /// Its value.
        value: usize,
        /// The smallest allowed value.
        least: usize,
        /// The largest allowed value. For `uri_bytes` it depends on `head_bytes`.
        most: usize,
    },
}

fn in_range(key: &'static str, value: usize, least: usize, most: usize) -> Result<(), LimitsError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(LimitsError::OutOfRange { key, value, least, most })
    }
}
