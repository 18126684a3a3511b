//! Requests as bytes: what they have in common is set once, and each is put together once.

use http::header::{HeaderName, HeaderValue};
use http::{Method, Uri};
use thiserror::Error;

/// What all requests of a run have in common.
#[derive(Clone, Debug)]
pub struct RequestShape {
    /// The `Host` header.
    pub authority: String,
    /// Further headers, as given.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body; sent with a `Content-Length` unless it is empty and the method expects none.
    pub body: Vec<u8>,
    /// Whether the connection is kept for the next request.
    pub keep_alive: bool,
}

/// Why a request cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The method has characters that no method has.
    #[error("`{0}` is not a method; use one like GET or POST")]
    Method(String),
    /// The path cannot stand in a request line.
    #[error("`{0}` cannot be asked for; a path begins with `/` and has no spaces (write %20)")]
    Target(String),
    /// A header is not `Name: value`.
    #[error("`{0}` is not a header; write it like `Accept: text/html`")]
    Header(String),
    /// A header that the generator sets itself.
    #[error("the header `{0}` is set by the generator; leave it out")]
    OwnHeader(String),
}

impl RequestShape {
    /// A plain request to `authority`: no further headers, no body, connection kept.
    pub fn new(authority: impl Into<String>) -> Self {
        let authority = authority.into();
        Self { authority, headers: Vec::new(), body: Vec::new(), keep_alive: true }
    }

    /// Adds a header given as `Name: value`.
    ///
    /// # Errors
    /// It is none, or one that says how the message is framed.
    pub fn header(&mut self, text: &str) -> Result<(), RequestError> {
        self.headers.push(header(text)?);
        Ok(())
    }

    /// The same with further headers; one of a name that is there already takes its place.
    #[must_use]
    pub fn with_headers(&self, headers: &[(HeaderName, HeaderValue)]) -> Self {
        let mut shape = self.clone();
        shape.headers.retain(|(name, _)| !headers.iter().any(|(other, _)| other == name));
        shape.headers.extend_from_slice(headers);
        shape
    }

    /// The bytes of one request.
    ///
    /// # Errors
    /// The target cannot stand in a request line.
    pub fn bytes(&self, method: &Method, target: &str) -> Result<Vec<u8>, RequestError> {
        if !target.starts_with('/') || target.parse::<Uri>().is_err() {
            return Err(RequestError::Target(target.to_owned()));
        }
        let mut bytes = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        if !self.headers.iter().any(|(name, _)| name == http::header::HOST) {
            line("Host", self.authority.as_bytes());
        }
        for (name, value) in &self.headers {
            line(name.as_str(), value.as_bytes());
        }
        if !self.keep_alive {
            line("Connection", b"close");
        }
        let meant_to_have_a_body = [Method::POST, Method::PUT, Method::PATCH].contains(method);
        if meant_to_have_a_body || !self.body.is_empty() {
            line("Content-Length", self.body.len().to_string().as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        Ok(bytes)
    }
}

/// A header given as `Name: value`, that is not the generator's own to set.
pub(crate) fn header(text: &str) -> Result<(HeaderName, HeaderValue), RequestError> {
    let none = || RequestError::Header(text.to_owned());
    let (name, value) = text.split_once(':').ok_or_else(none)?;
    let name: HeaderName = name.trim().parse().map_err(|_| none())?;
    // Two of these would make it unclear where the request ends (RFC 9112, 6.3).
    if ["content-length", "transfer-encoding", "connection"].contains(&name.as_str()) {
        return Err(RequestError::OwnHeader(name.to_string()));
    }
    Ok((name, value.trim().parse().map_err(|_| none())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(shape: &RequestShape, method: &str, target: &str) -> String {
        String::from_utf8(shape.bytes(&method.parse().unwrap(), target).unwrap()).unwrap()
    }

    #[test]
    fn a_plain_request_is_its_line_and_its_host() {
        let shape = RequestShape::new("h:9");
        assert_eq!(text(&shape, "GET", "/x?y=1"), "GET /x?y=1 HTTP/1.1\r\nHost: h:9\r\n\r\n");
    }

    #[test]
    fn headers_body_and_close_are_said() {
        let mut shape = RequestShape::new("h");
        shape.header("Accept: text/html").unwrap();
        shape.keep_alive = false;
        shape.body = b"abc".to_vec();
        assert_eq!(
            text(&shape, "POST", "/"),
            "POST / HTTP/1.1\r\nHost: h\r\naccept: text/html\r\nConnection: close\r\n\
             Content-Length: 3\r\n\r\nabc"
        );
    }

    #[test]
    fn a_post_without_a_body_says_so() {
        let shape = RequestShape::new("h");
        assert!(text(&shape, "POST", "/").contains("Content-Length: 0\r\n"));
        assert!(!text(&shape, "DELETE", "/").contains("Content-Length"));
    }

    #[test]
    fn a_host_of_ones_own_takes_the_place_of_the_address() {
        let mut shape = RequestShape::new("127.0.0.1:9");
        shape.header("Host: example.org").unwrap();
        let request = text(&shape, "GET", "/");
        assert!(request.contains("host: example.org") && !request.contains("127.0.0.1"));
    }

    #[test]
    fn a_requests_own_header_takes_the_place_of_everybodys() {
        let mut shape = RequestShape::new("h");
        shape.header("Priority: u=3").unwrap();
        let urgent = shape.with_headers(&[header("priority: u=0").unwrap()]);
        let request = text(&urgent, "GET", "/");
        assert!(request.contains("priority: u=0\r\n") && !request.contains("u=3"), "{request}");
    }

    #[test]
    fn nothing_can_be_smuggled_into_a_request() {
        let mut shape = RequestShape::new("h");
        for target in ["", "x", "/a b", "/a\r\nX: y", "/\u{e9} "] {
            assert!(
                matches!(shape.bytes(&Method::GET, target), Err(RequestError::Target(_))),
                "{target}"
            );
        }
        assert!(matches!(shape.header("no colon"), Err(RequestError::Header(_))));
        assert!(matches!(shape.header("a: b\r\nc: d"), Err(RequestError::Header(_))));
        let framing = shape.header("Content-Length: 5");
        assert!(matches!(framing, Err(RequestError::OwnHeader(_))));
    }
}
