//! Requests as bytes, each encoded once.

use http::header::{HeaderName, HeaderValue};
use http::{Method, Uri};
use thiserror::Error;

/// The parts that all requests of a run share.
#[derive(Clone, Debug)]
pub struct RequestShape {
    /// The `Host` header.
    pub authority: String,
    /// Further headers, in the given order.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body. It has a `Content-Length` unless it is empty and the method needs none.
    pub body: Vec<u8>,
    /// True if the connection is kept for the next request.
    pub keep_alive: bool,
}

/// Why a request cannot be encoded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The method has characters that a method must not have.
    #[error("`{0}` is not a method; use one like GET or POST")]
    Method(String),
    /// The path cannot stand in a request line.
    #[error("`{0}` cannot be asked for; a path begins with `/` and has no spaces (write %20)")]
    Target(String),
    /// The header is not `Name: value`.
    #[error("`{0}` is not a header; write it like `Accept: text/html`")]
    Header(String),
    /// The generator sets this header itself.
    #[error("the header `{0}` is set by the generator; leave it out")]
    OwnHeader(String),
}

impl RequestShape {
    /// Returns the shape of a plain request to `authority`: no further headers, no body, and the
    /// connection is kept.
    pub fn new(authority: impl Into<String>) -> Self {
        let authority = authority.into();
        Self { authority, headers: Vec::new(), body: Vec::new(), keep_alive: true }
    }

    /// Adds a header written as `Name: value`.
    ///
    /// # Errors
    /// The text is not a header, or the header decides the framing of the message.
    pub fn header(&mut self, text: &str) -> Result<(), RequestError> {
        self.headers.push(header(text)?);
        Ok(())
    }

    /// Returns the shape with further headers; a header replaces one of the same name.
    #[must_use]
    pub fn with_headers(&self, headers: &[(HeaderName, HeaderValue)]) -> Self {
        let mut shape = self.clone();
        shape.headers.retain(|(name, _)| !headers.iter().any(|(other, _)| other == name));
        shape.headers.extend_from_slice(headers);
        shape
    }

    /// Encodes one request.
    ///
    /// # Errors
    /// The target cannot stand in a request line.
    pub fn bytes(&self, method: &Method, target: &str) -> Result<Vec<u8>, RequestError> {
        if !target.starts_with('/') || target.parse::<Uri>().is_err() {
            return Err(RequestError::Target(target.to_owned()));
        }
        let mut bytes = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
        if !self.headers.iter().any(|(name, _)| name == http::header::HOST) {
            push_header(&mut bytes, "Host", self.authority.as_bytes());
        }
        for (name, value) in &self.headers {
            push_header(&mut bytes, name.as_str(), value.as_bytes());
        }
        if !self.keep_alive {
            push_header(&mut bytes, "Connection", b"close");
        }
        let needs_length = [Method::POST, Method::PUT, Method::PATCH].contains(method);
        if needs_length || !self.body.is_empty() {
            let length = self.body.len().to_string();
            push_header(&mut bytes, "Content-Length", length.as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        Ok(bytes)
    }
}

fn push_header(bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

/// Parses a header written as `Name: value`; fails for headers that the generator sets itself.
pub(crate) fn header(text: &str) -> Result<(HeaderName, HeaderValue), RequestError> {
    let Some((name, value)) = text.split_once(':') else {
        return Err(RequestError::Header(text.to_owned()));
    };
    let (Ok(name), Ok(value)) = (name.trim().parse::<HeaderName>(), value.trim().parse()) else {
        return Err(RequestError::Header(text.to_owned()));
    };
    // A second one would leave the end of the request undefined (RFC 9112, 6.3).
    if ["content-length", "transfer-encoding", "connection"].contains(&name.as_str()) {
        return Err(RequestError::OwnHeader(name.to_string()));
    }
    Ok((name, value))
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
    fn headers_body_and_close_are_encoded() {
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
    fn a_post_without_a_body_has_the_length_zero() {
        let shape = RequestShape::new("h");
        assert!(text(&shape, "POST", "/").contains("Content-Length: 0\r\n"));
        assert!(!text(&shape, "DELETE", "/").contains("Content-Length"));
    }

    #[test]
    fn a_given_host_replaces_the_address() {
        let mut shape = RequestShape::new("127.0.0.1:9");
        shape.header("Host: example.org").unwrap();
        let request = text(&shape, "GET", "/");
        assert!(request.contains("host: example.org") && !request.contains("127.0.0.1"));
    }

    #[test]
    fn a_further_header_replaces_one_of_the_same_name() {
        let mut shape = RequestShape::new("h");
        shape.header("Priority: u=3").unwrap();
        let urgent = shape.with_headers(&[header("priority: u=0").unwrap()]);
        let request = text(&urgent, "GET", "/");
        assert!(request.contains("priority: u=0\r\n") && !request.contains("u=3"), "{request}");
    }

    #[test]
    fn a_request_cannot_be_split_by_its_parts() {
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
