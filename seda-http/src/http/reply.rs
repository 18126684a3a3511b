//! A response on its way to the socket.

use super::responses::ErrorResponse;
use crate::reactor::Body;
use bytes::Bytes;
use http::Response;

/// A response of the graph or of the server. A refusal has a form of its own, because a map of
/// header fields costs more than the rest of it.
#[derive(Debug)]
pub(super) enum Reply {
    Response(Response<Body>),
    /// A 503 (RFC 9110 §15.6.4) with a Retry-After (§10.2.3).
    Unavailable {
        text: Bytes,
        retry_after_seconds: u64,
    },
}

impl Reply {
    /// Returns a 503 with one line of text.
    pub(super) fn unavailable(text: impl Into<Bytes>, retry_after_seconds: u64) -> Self {
        Self::Unavailable { text: text.into(), retry_after_seconds }
    }
}

impl From<ErrorResponse> for Reply {
    fn from(error: ErrorResponse) -> Self {
        Self::Response(error.response())
    }
}

impl From<Response<Body>> for Reply {
    fn from(response: Response<Body>) -> Self {
        Self::Response(response)
    }
}
