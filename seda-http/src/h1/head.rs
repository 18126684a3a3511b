//! A whole head, from the request line to the blank line, to a request.

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header};

use super::{
    framing::{Framing, FramingFields},
    host,
    limits::{HEADERS_MOST, Limits},
    persistence::Persistence,
    rejection::Rejection,
    target,
};

/// A request without its body.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) request: Request<()>,
    pub(super) framing: Framing,
    pub(super) keep_alive: bool,
    /// The client waits for `100 Continue`.
    pub(super) expects_continue: bool,
}

/// Reads a head, from its request line to its blank line. The decoder has checked that every line
/// ends in CRLF, and has read `version` from the first line.
///
/// Target and values are slices of `head`. Only field names that [`http`] does not know are
/// copied.
pub(super) fn read(head: &Bytes, version: Version, limits: &Limits) -> Result<Head, Rejection> {
    let mut table = [const { MaybeUninit::uninit() }; HEADERS_MOST];
    let limit = limits.headers.min(HEADERS_MOST);
    let mut parsed = httparse::Request::new(&mut []);
    parsed
        .parse_with_uninit_headers(head, table.get_mut(..limit).unwrap_or_default())
        .map_err(|error| syntax(error, limit))?;
    // The request line.
    let method = known_method(parsed.method.unwrap_or_default())?;
    let target = head.slice_ref(parsed.path.unwrap_or_default().as_bytes());
    let uri = target::read(target, &method, limits)?;

    // The header fields.
    let mut fields = Fields::default();
    let mut headers = HeaderMap::with_capacity(parsed.headers.len());
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| BAD_NAME)?;
        let value =
            HeaderValue::from_maybe_shared(head.slice_ref(field.value)).map_err(|_| BAD_VALUE)?;
        fields.note(&name, &value)?;
        headers.append(name, value);
    }
    fields.check_host(version)?;
    use_host_of_target(&uri, &mut headers)?;

    Ok(Head {
        framing: fields.framing.resolve(version, limits)?,
        keep_alive: fields.persistence.keeps(version),
        // An expectation of an HTTP/1.0 client is ignored (RFC 9110 §10.1.1).
        expects_continue: fields.expects_continue && version != Version::HTTP_10,
        request: request(method, uri, version, headers),
    })
}

const BAD_NAME: Rejection = Rejection::BadRequest("a field name is malformed");
const BAD_VALUE: Rejection = Rejection::BadRequest("a field value has a forbidden byte");

/// The fields that the codec itself evaluates.
#[derive(Debug, Default)]
struct Fields {
    framing: FramingFields,
    persistence: Persistence,
    hosts: usize,
    expects_continue: bool,
}

impl Fields {
    fn note(&mut self, name: &HeaderName, value: &HeaderValue) -> Result<(), Rejection> {
        let value = value.as_bytes();
        if *name == header::HOST {
            self.hosts += 1;
            if !host::is_valid(value) {
                return Err(Rejection::BadRequest("the Host is not a host"));
            }
        } else if *name == header::CONTENT_LENGTH {
            self.framing.note_content_length(value)?;
        } else if *name == header::TRANSFER_ENCODING {
            self.framing.note_transfer_encoding(value)?;
        } else if *name == header::CONNECTION {
            self.persistence.note(value);
        } else if *name == header::EXPECT {
            if !value.eq_ignore_ascii_case(b"100-continue") {
                return Err(Rejection::ExpectationFailed);
            }
            self.expects_continue = true;
        }
        Ok(())
    }

    /// Checks that HTTP/1.1 has exactly one Host and HTTP/1.0 at most one (RFC 9112 §3.2).
    fn check_host(&self, version: Version) -> Result<(), Rejection> {
        match self.hosts {
            1 => Ok(()),
            0 if version == Version::HTTP_10 => Ok(()),
            0 => Err(Rejection::BadRequest("the Host is missing")),
            _ => Err(Rejection::BadRequest("there is more than one Host")),
        }
    }
}

/// Replaces the Host field by the host of an absolute-form target (RFC 9112 §3.2.2), so that a
/// handler sees one host.
fn use_host_of_target(uri: &Uri, headers: &mut HeaderMap) -> Result<(), Rejection> {
    if let Some(authority) = uri.authority() {
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| BAD_VALUE)?;
        headers.insert(header::HOST, host);
    }
    Ok(())
}

/// Returns the method of a case-sensitive token (RFC 9110 §9.1). An unknown method is rejected with
/// 501, and so is CONNECT, because this server is no proxy.
fn known_method(token: &str) -> Result<Method, Rejection> {
    match token {
        "GET" => Ok(Method::GET),
        "HEAD" => Ok(Method::HEAD),
        "POST" => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "DELETE" => Ok(Method::DELETE),
        "OPTIONS" => Ok(Method::OPTIONS),
        "PATCH" => Ok(Method::PATCH),
        "TRACE" => Ok(Method::TRACE),
        _ => Err(Rejection::NotImplemented("this method")),
    }
}

/// Returns the rejection of a syntax error.
pub(super) fn syntax(error: httparse::Error, limit: usize) -> Rejection {
    match error {
        httparse::Error::TooManyHeaders => Rejection::TooManyFields { limit },
        httparse::Error::HeaderName => BAD_NAME,
        httparse::Error::HeaderValue => BAD_VALUE,
        _ => Rejection::BadRequest("the request line is malformed"),
    }
}

fn request(method: Method, uri: Uri, version: Version, headers: HeaderMap) -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.version_mut() = version;
    *request.headers_mut() = headers;
    request
}
