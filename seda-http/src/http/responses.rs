//! The answers that the server gives by itself: one line of text.

use crate::reactor::Body;
use http::{HeaderValue, Response, StatusCode, header};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// An answer with this status and `body` as plain text.
pub(crate) fn text(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    with_type(status, TEXT, body)
}

/// An answer with this status and `body` of this type.
pub(crate) fn with_type(
    status: StatusCode,
    kind: HeaderValue,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

/// RFC 9110 §15.6.4, with how long to wait: §10.2.3.
pub(crate) fn unavailable(why: impl Into<Body>, retry_after_seconds: u64) -> Response<Body> {
    let mut answer = text(StatusCode::SERVICE_UNAVAILABLE, why);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after_seconds));
    answer
}
