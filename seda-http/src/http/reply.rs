//! A response on its way to the socket.

use super::responses::ErrorResponse;
use crate::reactor::Body;
use crate::server::catch_panic;
use bytes::Bytes;
use http::Response;

/// The time after which a client may ask again for a file that has changed while its answer waited.
const FILE_RETRY_SECONDS: u64 = 1;

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

    /// Closes the file of a response that waits.
    pub(super) fn close_file(&mut self) {
        if let Self::Response(response) = self
            && let Body::Stored(file) = response.body_mut()
        {
            file.close();
        }
    }

    /// Returns the reply with an open file. If the file is another one by now, or cannot be opened,
    /// returns a 503: its length and its validators are in the head that is written next.
    pub(super) fn with_open_file(self) -> Self {
        let response = match self {
            Self::Response(response) if matches!(response.body(), Body::Stored(_)) => response,
            other => return other,
        };
        let (parts, body) = response.into_parts();
        let body = match body {
            Body::Stored(stored) => {
                let length = stored.length();
                stored.into_file().map(|file| Body::File(file, length))
            }
            other => Some(other),
        };
        match body {
            Some(body) => Self::Response(Response::from_parts(parts, body)),
            None => {
                catch_panic("the drop of a response", || drop(parts));
                Self::unavailable("the file has changed meanwhile\n", FILE_RETRY_SECONDS)
            }
        }
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
