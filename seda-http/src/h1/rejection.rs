//! The codec's own responses.

use http::StatusCode;

/// The reason why a request never reaches the graph.
///
/// Its `Display` is one line for the body of the response. It never repeats bytes of the client.
///
/// Every rejection closes its connection, because the start of the next request is unknown after
/// a malformed head or an unread body.
///
/// ```
/// use seda_http::StatusCode;
/// use seda_http::h1::Rejection;
///
/// let rejection = Rejection::BodyTooLarge { limit: 1024 };
/// assert_eq!(rejection.status(), StatusCode::PAYLOAD_TOO_LARGE);
/// assert_eq!(rejection.to_string(), "the request body is larger than 1024 bytes");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// 400: the syntax or the framing is wrong (RFC 9110 §15.5.1); the text names the fault.
    #[error("bad request: {0}")]
    BadRequest(&'static str),
    /// 413: the body is larger than [`Limits::body_bytes`](super::Limits).
    #[error("the request body is larger than {limit} bytes")]
    BodyTooLarge {
        /// The limit in force, in bytes.
        limit: usize,
    },
    /// 414: the target is longer than [`Limits::uri_bytes`](super::Limits).
    #[error("the request target is longer than {limit} bytes")]
    TargetTooLong {
        /// The limit in force, in bytes.
        limit: usize,
    },
    /// 417: the expectation is not `100-continue` (RFC 9110 §10.1.1).
    #[error("the only expectation that can be met is 100-continue")]
    ExpectationFailed,
    /// 421: the scheme of the target is not that of the connection: `https` with TLS, else `http`
    /// (RFC 9110 §7.4).
    #[error("the scheme of the target is not that of this connection")]
    Misdirected,
    /// 431: head or trailers are larger than [`Limits::head_bytes`](super::Limits).
    #[error("the header fields are larger than {limit} bytes")]
    HeadTooLarge {
        /// The limit in force, in bytes.
        limit: usize,
    },
    /// 431: there are more fields than [`Limits::headers`](super::Limits).
    #[error("there are more than {limit} header fields")]
    TooManyFields {
        /// The limit in force.
        limit: usize,
    },
    /// 501: the server does not have the method or the transfer coding; the text names it.
    #[error("not implemented: {0}")]
    NotImplemented(&'static str),
    /// 505: the major version is not 1 (RFC 9110 §15.6.6).
    #[error("this server speaks HTTP/1.1")]
    VersionNotSupported,
}

impl Rejection {
    /// Returns the status of the response: 400, 413, 414, 417, 421, 431, 501 or 505.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TargetTooLong { .. } => StatusCode::URI_TOO_LONG,
            Self::ExpectationFailed => StatusCode::EXPECTATION_FAILED,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::HeadTooLarge { .. } | Self::TooManyFields { .. } => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::NotImplemented(_) => StatusCode::NOT_IMPLEMENTED,
            Self::VersionNotSupported => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
        }
    }
}
