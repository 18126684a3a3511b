//! What a client may make the server keep before a request is complete.

use serde::{Deserialize, Serialize};

/// The largest request target that [`http::Uri`] can hold (it indexes with 16 bits).
pub(super) const URI_BYTES_MOST: usize = 65_534;

/// The most fields a head may have, whatever is configured: the parser's table of them is on the
/// stack (32 bytes a field, so 8 KiB).
pub(super) const HEADERS_MOST: usize = 256;

/// A head this small still fits a request line and a Host field.
const HEAD_BYTES_LEAST: usize = 128;

/// A connection keeps its unfinished head in memory; beyond this it is a body's size.
const HEAD_BYTES_MOST: usize = 1024 * 1024;

/// Shorter targets are not worth a refusal.
const URI_BYTES_LEAST: usize = 16;

/// A body is handed over whole, as one piece of memory.
const BODY_BYTES_MOST: usize = 1024 * 1024 * 1024;

/// How much of a request is read before it is refused. Sizes are in bytes.
///
/// `connections × (head_bytes + body_bytes)` bounds what all clients together can make the server
/// buffer with requests that never end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Request line and header fields with all their line ends; also the trailer section of a
    /// chunked body. More is answered with 431. 128 to 1,048,576.
    ///
    /// Default 16 KiB: twice the 8 KiB per line that most proxies pass on, so that a long target
    /// and long cookies fit together.
    #[serde(deserialize_with = "seda_core::written::count")]
    pub head_bytes: usize,
    /// The request target. More is answered with 414. 16 to 65,534, and not above `head_bytes`.
    ///
    /// Default 8 KiB: RFC 9112 §3 recommends at least 8,000 bytes.
    #[serde(deserialize_with = "seda_core::written::count")]
    pub uri_bytes: usize,
    /// Header fields of a request, or trailer fields of a chunked body. More is answered with 431.
    /// 1 to 256.
    ///
    /// Default 100: browsers send about 20, chains of proxies add as many; each field costs the
    /// server a table entry.
    #[serde(deserialize_with = "seda_core::written::count")]
    pub headers: usize,
    /// The body, without the framing of its chunks. More is answered with 413, before the body is
    /// read where its length is declared. 0 (no body) to 1,073,741,824.
    ///
    /// Default 1 MiB: bodies are kept whole in memory, so thousands of connections must fit.
    #[serde(deserialize_with = "seda_core::written::count")]
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head_bytes: 16 * 1024, uri_bytes: 8 * 1024, headers: 100, body_bytes: 1024 * 1024 }
    }
}

impl Limits {
    /// Says which limit is unusable, if one is.
    ///
    /// A [`Decoder`](super::Decoder) never panics on limits that were not checked; it then bounds
    /// target and fields by what it can hold.
    ///
    /// # Errors
    ///
    /// The first key that is out of its range, with its value and the range.
    pub fn check(&self) -> Result<(), LimitsError> {
        let uri_bytes_most = URI_BYTES_MOST.min(self.head_bytes);
        in_range("head_bytes", self.head_bytes, HEAD_BYTES_LEAST, HEAD_BYTES_MOST)?;
        in_range("uri_bytes", self.uri_bytes, URI_BYTES_LEAST, uri_bytes_most)?;
        in_range("headers", self.headers, 1, HEADERS_MOST)?;
        in_range("body_bytes", self.body_bytes, 0, BODY_BYTES_MOST)
    }
}

/// Why [`Limits::check`] refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitsError {
    /// A value is outside its range.
    #[error("{key} = {value} is out of range: allowed are {least} to {most}")]
    OutOfRange {
        /// The field of [`Limits`].
        key: &'static str,
        /// What it is set to.
        value: usize,
        /// The smallest allowed value.
        least: usize,
        /// The largest allowed value; that of `uri_bytes` depends on `head_bytes`.
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
