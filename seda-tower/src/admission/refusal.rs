//! The refusal as an answer: 503 with Retry-After, or its form in gRPC.

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use std::time::Duration;

/// Marks the media types of gRPC: `application/grpc`, `application/grpc+proto`, and so on.
const GRPC: &[u8] = b"application/grpc";

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// Tells the client of gRPC when to try again (gRFC A6).
const GRPC_PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// The status of a refusal in gRPC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum GrpcStatus {
    /// `UNAVAILABLE` (14): most clients try again, at another server if there is one.
    #[default]
    Unavailable,
    /// `RESOURCE_EXHAUSTED` (8): most clients give up, unless they are configured to try again.
    ResourceExhausted,
}

impl GrpcStatus {
    fn code(self) -> &'static str {
        match self {
            Self::Unavailable => "14",
            Self::ResourceExhausted => "8",
        }
    }
}

/// The form of the answer that a client understands.
#[derive(Clone, Debug)]
pub(super) enum RefusalForm {
    Http,
    Grpc {
        /// The Content-Type of the request, which is that of the answer.
        content_type: HeaderValue,
        status: GrpcStatus,
    },
}

impl RefusalForm {
    /// Returns the form for a request with these header fields.
    pub(super) fn of(headers: &HeaderMap, status: GrpcStatus) -> Self {
        match headers.get(CONTENT_TYPE) {
            Some(content_type) if is_grpc(content_type) => {
                Self::Grpc { content_type: content_type.clone(), status }
            }
            _ => Self::Http,
        }
    }

    /// Returns the answer for a client that may come back after this time.
    pub(super) fn answer<B>(&self, after: Duration, body: B) -> Response<B> {
        let mut answer = Response::new(body);
        match self {
            Self::Http => {
                *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(whole_seconds(after)));
            }
            Self::Grpc { content_type, status } => {
                // Trailers only: the status of gRPC is in the head, and there is no body.
                let headers = answer.headers_mut();
                headers.insert(CONTENT_TYPE, content_type.clone());
                headers.insert(GRPC_STATUS, HeaderValue::from_static(status.code()));
                headers.insert(GRPC_MESSAGE, HeaderValue::from_static("the server is busy"));
                headers.insert(GRPC_PUSHBACK, HeaderValue::from(whole_millis(after)));
            }
        }
        answer
    }
}

fn is_grpc(content_type: &HeaderValue) -> bool {
    let Some(rest) = content_type.as_bytes().strip_prefix(GRPC) else { return false };
    matches!(rest.first(), None | Some(b'+' | b';'))
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

fn whole_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(content_type: Option<&'static str>, status: GrpcStatus) -> Response<()> {
        let content_type = content_type.map(|text| (CONTENT_TYPE, HeaderValue::from_static(text)));
        let headers = content_type.into_iter().collect();
        RefusalForm::of(&headers, status).answer(Duration::from_millis(1_500), ())
    }

    #[test]
    fn a_client_of_http_gets_503_and_whole_seconds() {
        for content_type in [None, Some("application/json"), Some("application/grpcx")] {
            let answer = refused(content_type, GrpcStatus::Unavailable);
            assert_eq!(answer.status(), 503);
            assert_eq!(answer.headers()["retry-after"], "2");
            assert!(answer.headers().get("grpc-status").is_none());
        }
    }

    #[test]
    fn a_client_of_grpc_gets_trailers_in_the_head_of_a_200() {
        for content_type in ["application/grpc", "application/grpc+proto", "application/grpc;a=b"] {
            let answer = refused(Some(content_type), GrpcStatus::ResourceExhausted);
            assert_eq!((answer.status().as_u16(), answer.headers().len()), (200, 4));
            assert_eq!(answer.headers()["content-type"], content_type);
            assert_eq!(answer.headers()["grpc-status"], "8");
            assert_eq!(answer.headers()["grpc-retry-pushback-ms"], "1500");
        }
        let answer = refused(Some("application/grpc"), GrpcStatus::default());
        assert_eq!(answer.headers()["grpc-status"], "14");
    }
}
