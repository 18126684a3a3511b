//! The head of a request, from its request line to the blank line.

use std::mem::MaybeUninit;
use std::net::IpAddr;

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header};

use super::{
    framing::{Framing, FramingFields},
    host,
    limits::{HEADERS_MOST, Limits},
    lines,
    persistence::Persistence,
    rejection::Rejection,
    target,
};

/// The longest field name that [`http`] can hold.
const NAME_BYTES_MOST: usize = 65_535;

/// The head of a request: all that is known before its body has arrived.
///
/// It is checked, and no [`http::Request`] is made of it yet: a refused request costs no map of its
/// header fields. Its parts share the memory of the bytes that were read.
///
/// ```
/// use seda_http::BytesMut;
/// use seda_http::h1::{Decoded, Decoder, Limits};
///
/// let mut input = BytesMut::from("GET /page?n=1 HTTP/1.1\r\nHost: a\r\nPriority: u=0\r\n\r\n");
/// let Decoded::Request(head, ..) = Decoder::new(Limits::default()).decode(&mut input) else {
///     unreachable!()
/// };
/// assert_eq!(head.uri().query(), Some("n=1"));
/// assert_eq!(head.header("priority"), Some("u=0"));
/// assert_eq!(head.content_length(), Some(0));
/// ```
#[derive(Clone, Debug)]
pub struct RequestHead {
    method: Method,
    uri: Uri,
    /// The connection has TLS.
    is_encrypted: bool,
    version: Version,
    framing: Framing,
    /// The lines of the header fields, each with its CRLF.
    lines: Bytes,
    /// The number of lines.
    count: usize,
    client: Option<IpAddr>,
}

impl RequestHead {
    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the target. Its path is neither decoded nor normalised.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns the scheme of the connection: `https` with TLS, else `http`.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        if self.is_encrypted { Scheme::HTTPS } else { Scheme::HTTP }
    }

    /// Returns the version: HTTP/1.0 or HTTP/1.1.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Returns the value of the first header field with this name, in any case. `None` if there is
    /// none, or its value is not UTF-8.
    ///
    /// It scans the fields: 5 to 10 ns for each.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        if let Some(authority) = self.uri.authority()
            && name.eq_ignore_ascii_case("host")
        {
            return Some(authority.as_str());
        }
        str::from_utf8(self.field(name)?).ok()
    }

    /// Returns the bytes of the first header field with this name, in any case.
    pub(crate) fn field(&self, name: &str) -> Option<&[u8]> {
        let mut fields = self.fields();
        let found = fields.find(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| value)
    }

    /// Returns the values of all header fields with this name, in any case, in order.
    pub(crate) fn fields_named(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let fields = self.fields();
        let found = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| value)
    }

    /// Returns the address of the client that the server has found, as
    /// [`HttpRequest::client`](crate::HttpRequest::client) does. `None` if it is not known, as
    /// without a server.
    #[must_use]
    pub fn client(&self) -> Option<IpAddr> {
        self.client
    }

    pub(crate) fn set_client(&mut self, client: Option<IpAddr>) {
        self.client = client;
    }

    /// Returns the declared length of the body in bytes; 0 without a body. `None` if the body is
    /// chunked, and its length is not known.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        match self.framing {
            Framing::Length(length) => Some(length as u64),
            Framing::Chunked => None,
        }
    }

    /// Makes the request with this body. With TLS, its extensions have the [`Scheme`].
    ///
    /// The Host field of an absolute-form target is replaced by the host of the target (RFC 9112
    /// §3.2.2), so that a handler sees one host.
    #[must_use]
    pub fn into_request(self, body: Bytes) -> Request<Bytes> {
        let mut headers = HeaderMap::with_capacity(self.count);
        for (name, value) in self.fields() {
            let name = HeaderName::from_bytes(name);
            let value = HeaderValue::from_maybe_shared(self.lines.slice_ref(value));
            debug_assert!(name.is_ok() && value.is_ok(), "`read` has checked both");
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        let authority = self.uri.authority().map(|it| HeaderValue::from_str(it.as_str()));
        if let Some(Ok(host)) = authority {
            headers.insert(header::HOST, host);
        }
        let mut request = Request::new(body);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.version_mut() = self.version;
        *request.headers_mut() = headers;
        if self.is_encrypted {
            request.extensions_mut().insert(Scheme::HTTPS);
        }
        request
    }

    pub(super) fn framing(&self) -> Framing {
        self.framing
    }

    /// Returns the name and the value of each field, in order.
    fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        lines::split(&self.lines).filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at(colon);
            Some((name, value.get(1..)?.trim_ascii()))
        })
    }
}

/// A head, and the properties of its exchange.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) request: RequestHead,
    pub(super) keep_alive: bool,
    /// The client waits for `100 Continue`.
    pub(super) expects_continue: bool,
}

/// Reads a head, from its request line to its blank line. The decoder has checked that every line
/// ends in CRLF, and has read `version` from the first line.
///
/// Target and fields are slices of `head`.
pub(super) fn read(
    head: &Bytes,
    version: Version,
    is_encrypted: bool,
    methods: Methods,
    limits: &Limits,
) -> Result<Head, Rejection> {
    let mut table = [const { MaybeUninit::uninit() }; HEADERS_MOST];
    let limit = limits.headers.min(HEADERS_MOST);
    let mut parsed = httparse::Request::new(&mut []);
    parsed
        .parse_with_uninit_headers(head, table.get_mut(..limit).unwrap_or_default())
        .map_err(|error| syntax(error, limit))?;
    // The request line.
    let method = method(parsed.method.unwrap_or_default(), methods)?;
    let target = head.slice_ref(parsed.path.unwrap_or_default().as_bytes());
    let uri = target::read(target, &method, is_encrypted, limits)?;

    // The header fields.
    let mut fields = Fields::default();
    for field in parsed.headers.iter() {
        if field.name.len() > NAME_BYTES_MOST {
            return Err(BAD_NAME);
        }
        fields.note(field.name.as_bytes(), field.value)?;
    }
    fields.check_host(version)?;

    let framing = fields.framing.resolve(version, limits)?;
    let (lines, count) = (field_lines(head), parsed.headers.len());
    Ok(Head {
        keep_alive: fields.persistence.keeps(version),
        // An expectation of an HTTP/1.0 client is ignored (RFC 9110 §10.1.1).
        expects_continue: fields.expects_continue && version != Version::HTTP_10,
        request: RequestHead {
            method,
            uri,
            is_encrypted,
            version,
            framing,
            lines,
            count,
            client: None,
        },
    })
}

/// Returns the lines between the request line and the blank line.
fn field_lines(head: &Bytes) -> Bytes {
    let start = lines::split(head).next().map_or(0, |line| line.len() + 2);
    let end = head.len().saturating_sub(2);
    head.slice(start.min(end)..end)
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
    fn note(&mut self, name: &[u8], value: &[u8]) -> Result<(), Rejection> {
        if name.eq_ignore_ascii_case(b"host") {
            self.hosts += 1;
            if !host::is_valid(value) {
                return Err(Rejection::BadRequest("the Host is not a host"));
            }
        } else if name.eq_ignore_ascii_case(b"content-length") {
            self.framing.note_content_length(value)?;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.framing.note_transfer_encoding(value)?;
        } else if name.eq_ignore_ascii_case(b"connection") {
            self.persistence.note(value);
        } else if name.eq_ignore_ascii_case(b"expect") {
            let expectations = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            for expectation in expectations.filter(|it| !it.is_empty()) {
                if !expectation.eq_ignore_ascii_case(b"100-continue") {
                    return Err(Rejection::ExpectationFailed);
                }
                self.expects_continue = true;
            }
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

/// The methods that a decoder accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Methods {
    /// The methods of RFC 9110 and PATCH, without CONNECT.
    Known,
    /// Every token except CONNECT.
    Any,
}

/// Returns the method of a case-sensitive token (RFC 9110 §9.1). Another one is rejected with 501,
/// and so is CONNECT, because this server is no proxy.
fn method(token: &str, methods: Methods) -> Result<Method, Rejection> {
    match token {
        "GET" => Ok(Method::GET),
        "HEAD" => Ok(Method::HEAD),
        "POST" => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "DELETE" => Ok(Method::DELETE),
        "OPTIONS" => Ok(Method::OPTIONS),
        "PATCH" => Ok(Method::PATCH),
        "TRACE" => Ok(Method::TRACE),
        "CONNECT" => Err(Rejection::NotImplemented("this method")),
        _ if methods == Methods::Any => Method::from_bytes(token.as_bytes())
            .map_err(|_| Rejection::BadRequest("the method is not a token")),
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
