//! Responses in one call: text, HTML, JSON; and a response as an error.

use crate::reactor::Body;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The body of a 500: what went wrong is in the log.
pub(super) const FAILED: &str = "the server failed to answer this request\n";

/// The most bytes of a message about a request. Messages of serde repeat keys and values of the
/// client, which may be as long as its body.
const MESSAGE_BYTES: usize = 200;

/// The result of a handler: a response in either case.
pub type Answer = Result<Response<Body>, ErrorResponse>;

/// A response as an error, so that `?` ends a handler with it.
///
/// A status becomes a response with its name as text. Errors of a program get their response by a
/// `From` of their own.
///
/// ```
/// use seda_http::{Answer, ErrorResponse, StatusCode, json, text};
///
/// struct Locked;
///
/// impl From<Locked> for ErrorResponse {
///     fn from(_: Locked) -> Self {
///         text(StatusCode::LOCKED, "try again later\n").into()
///     }
/// }
///
/// fn user(id: u64, names: Result<&[&str], Locked>) -> Answer {
///     let name = names?.get(id as usize).ok_or(StatusCode::NOT_FOUND)?;
///     Ok(json(StatusCode::OK, name))
/// }
/// # assert_eq!(user(0, Ok(&["Ada"])).unwrap().status(), 200);
/// # assert_eq!(user(1, Ok(&["Ada"])).unwrap_err().response().status(), 404);
/// # assert_eq!(user(0, Err(Locked)).unwrap_err().response().status(), 423);
/// ```
#[derive(Debug)]
pub struct ErrorResponse(Box<Response<Body>>);

impl ErrorResponse {
    /// Returns the response.
    pub fn response(self) -> Response<Body> {
        *self.0
    }
}

impl From<Response<Body>> for ErrorResponse {
    fn from(response: Response<Body>) -> Self {
        Self(Box::new(response))
    }
}

impl From<StatusCode> for ErrorResponse {
    fn from(status: StatusCode) -> Self {
        let name = status.canonical_reason().unwrap_or(status.as_str());
        text(status, line(&name)).into()
    }
}

/// Returns a response with `body` as plain text in UTF-8.
///
/// ```
/// use seda_http::{StatusCode, text};
///
/// let response = text(StatusCode::NOT_FOUND, "no such user\n");
/// assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
/// ```
pub fn text(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    with_type(status, TEXT, body)
}

/// Returns a response with `body` as HTML in UTF-8. Nothing in it is escaped.
///
/// ```
/// use seda_http::{StatusCode, html};
///
/// let response = html(StatusCode::OK, "<!doctype html><title>hello</title>");
/// assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
/// ```
pub fn html(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    with_type(status, HTML, body)
}

/// Returns a response with `value` as JSON. A value that JSON cannot hold, such as a map with keys
/// that are no strings, becomes a 500 and an error in the log.
///
/// ```
/// use seda_http::{StatusCode, json};
///
/// let response = json(StatusCode::OK, &[1, 2]);
/// assert_eq!(response.headers()["content-type"], "application/json");
/// assert_eq!(response.body().len(), Some(5));
/// ```
pub fn json(status: StatusCode, value: &(impl Serialize + ?Sized)) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(body) => with_type(status, JSON, body),
        Err(error) => {
            tracing::error!("an answer cannot be written as JSON: {error}");
            text(StatusCode::INTERNAL_SERVER_ERROR, FAILED)
        }
    }
}

/// Returns a response with `body` of the given Content-Type.
fn with_type(
    status: StatusCode,
    content_type: HeaderValue,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

/// Returns a message about a request as one line, cut at 200 bytes.
pub(super) fn line(message: &dyn std::fmt::Display) -> String {
    let mut line = message.to_string();
    if line.len() > MESSAGE_BYTES {
        let end = (0..=MESSAGE_BYTES).rev().find(|end| line.is_char_boundary(*end));
        line.truncate(end.unwrap_or(0));
        line.push('…');
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_between_two_characters() {
        assert_eq!(line(&"short"), "short\n");
        let long = format!("x{}", "é".repeat(200));
        let cut = line(&long);
        assert_eq!(cut, format!("x{}…\n", "é".repeat(99)));
    }

    #[test]
    fn a_value_that_json_cannot_hold_becomes_a_500() {
        let keys_are_lists = std::collections::BTreeMap::from([(vec![1], 2)]);
        assert_eq!(json(StatusCode::OK, &keys_are_lists).status(), 500);
    }
}
