//! What an answer must know of the request it belongs to.

use http::Version;

/// The part of a request that decides how its answer is framed; `Copy`, so that it travels beside
/// the request through the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The request's version: `HTTP/1.0` or `HTTP/1.1` (also where the version was not
    /// understood, or is a later HTTP/1.x: RFC 9110 §2.5).
    pub version: Version,
    /// The method is HEAD: the answer has no body bytes, whatever its head says (RFC 9110 §9.3.2).
    pub head: bool,
    /// The connection takes another request after this exchange (RFC 9112 §9.3). The server may
    /// set it to `false` before it encodes the answer, never to `true`.
    pub keep_alive: bool,
}

impl Exchange {
    /// Nothing is known of the request yet: answer as HTTP/1.1, then close.
    pub(super) const UNKNOWN: Self =
        Self { version: Version::HTTP_11, head: false, keep_alive: false };

    /// The same exchange as the last one of its connection.
    pub(super) fn closing(self) -> Self {
        Self { keep_alive: false, ..self }
    }
}
