//! The properties of a request that its response depends on.

use http::Version;

/// The properties of a request that decide the framing of its response. It is `Copy`, because the
/// server keeps it while the request is in the graph.
///
/// ```
/// use seda_http::h1::Exchange;
///
/// let get = Exchange { version: http::Version::HTTP_11, head: false, keep_alive: true };
/// // The server ends the connection after this exchange.
/// let last = Exchange { keep_alive: false, ..get };
/// assert_ne!(last, get);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The version: HTTP/1.0 or HTTP/1.1. A later HTTP/1.x (RFC 9110 §2.5) and an unknown version
    /// count as HTTP/1.1.
    pub version: Version,
    /// True if the method is HEAD: the response has no body bytes (RFC 9110 §9.3.2).
    pub head: bool,
    /// True if the connection takes another request after this exchange (RFC 9112 §9.3). The server
    /// may set it to false before it encodes the response, never to true.
    pub keep_alive: bool,
}

impl Exchange {
    /// The exchange before the first line is read: respond as HTTP/1.1, then close.
    pub(super) const UNKNOWN: Self =
        Self { version: Version::HTTP_11, head: false, keep_alive: false };

    /// Returns the same exchange as the last one of its connection.
    pub(super) fn closing(self) -> Self {
        Self { keep_alive: false, ..self }
    }
}
