//! The event that enters the graph for each request.

use super::access_log::RequestId;
use super::client::ClientAddress;
use super::responses::{Answer, ErrorResponse};
use crate::reactor::{Body, BodyReader};
use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response};
use seda_core::Responder;
use std::net::{IpAddr, SocketAddr};

/// An HTTP request with the responder for its response.
///
/// A request that is dropped without a response is answered by the server: 500 if its handler
/// panicked or dropped it, 503 if it was shed.
///
/// ```
/// use seda_http::{Body, HttpRequest, Method, Response, StatusCode};
///
/// fn handle(call: HttpRequest) {
///     let mut response = Response::new(Body::from(format!("hello {}\n", call.peer.ip())));
///     if call.request.method() != Method::GET {
///         *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
///     }
///     call.respond(response);
/// }
/// # let _ = handle;
/// ```
///
/// # Parameters
///
/// `P` is the type of the request's parameters, which [`Routes`](crate::Routes) read from its
/// target with serde. A route answers 400 itself if they do not fit.
///
/// | `P` | read from |
/// | --- | --- |
/// | `()`, the default | nothing |
/// | a struct | the parameters of the path, and the query for its other fields, both by name |
/// | a number, a string, … | the only parameter of the path |
/// | a tuple | the parameters of the path, in order |
///
/// ```
/// use seda_http::{HttpRequest, StatusCode, text};
/// use serde::Deserialize;
///
/// /// Of `/users/{id}?verbose=true`.
/// #[derive(Deserialize)]
/// struct User {
///     id: u64,
///     #[serde(default)]
///     verbose: bool,
/// }
///
/// fn handle(call: HttpRequest<User>) {
///     let User { id, verbose } = call.params;
///     call.respond(text(StatusCode::OK, format!("user {id}, verbose: {verbose}\n")));
/// }
/// # let _ = handle;
/// ```
#[derive(Debug)]
pub struct HttpRequest<P = ()> {
    /// Method, target, header fields and the body.
    ///
    /// Field values and body share the memory of the bytes that were read: keeping one value keeps
    /// that memory.
    pub request: Request<Bytes>,
    /// The parameters of the target.
    pub params: P,
    /// The reader of the body, if it is streamed ([`Http::stream_bodies`](crate::Http)); the body
    /// of `request` is then empty. `None` for a body that was read whole.
    pub stream: Option<BodyReader>,
    /// The other end of the connection: the client, or the proxy in front of the server. At a Unix
    /// socket it is `0.0.0.0:0`. [`HttpRequest::client`] returns the client in each case.
    pub peer: SocketAddr,
    /// The responder of the request; [`HttpRequest::respond`] uses it.
    pub reply: Responder<Response<Body>>,
}

impl<P> HttpRequest<P> {
    /// Returns the address of the client, an IPv4 one never as IPv6:
    ///
    /// 1. the peer of the connection, or the client that its PROXY header names
    ///    ([`ListenerConfig::proxy_protocol`](crate::ListenerConfig));
    /// 2. if that is one of [`HttpConfig::trusted_proxies`](crate::HttpConfig), the client that
    ///    `Forwarded` or `X-Forwarded-For` names: the right-most address that is not trusted.
    ///
    /// Left of an address that is not readable nothing is believed: the client is the last proxy
    /// before it.
    ///
    /// `None` if the address is not known, as at a Unix socket without a proxy, or if the two
    /// fields differ: one may be the client's own, and nothing tells which.
    ///
    /// ```
    /// use seda_http::{HttpRequest, StatusCode, text};
    ///
    /// fn handle(call: HttpRequest) {
    ///     let line = match call.client() {
    ///         Some(client) => format!("hello {client}\n"),
    ///         None => "hello\n".to_owned(),
    ///     };
    ///     call.respond(text(StatusCode::OK, line));
    /// }
    /// # let _ = handle;
    /// ```
    pub fn client(&self) -> Option<IpAddr> {
        let peer = self.peer.ip().to_canonical();
        ClientAddress::of(&self.request, (!peer.is_unspecified()).then_some(peer))
    }

    /// Returns the id of this request: that of its `x-request-id` if it has 1 to 128 letters,
    /// digits, `-` and `_`, else a new one. That field of `request` and of the answer has it too.
    /// `None` if [`AccessLogConfig::request_ids`](crate::AccessLogConfig::request_ids) is false.
    ///
    /// A program that asks other services passes it on, with the field `traceparent` if the request
    /// has one: the server neither checks nor changes that field.
    ///
    /// ```
    /// use seda_http::{HttpRequest, StatusCode, text};
    ///
    /// fn handle(call: HttpRequest) {
    ///     let line = format!("see the log at {}\n", call.id().unwrap_or("no id"));
    ///     call.respond(text(StatusCode::INTERNAL_SERVER_ERROR, line));
    /// }
    /// # let _ = handle;
    /// ```
    pub fn id(&self) -> Option<&str> {
        self.request.extensions().get::<RequestId>().map(RequestId::as_str)
    }

    /// Returns the scheme of the connection: `https` with TLS, else `http`. Absolute links and
    /// redirects need it.
    ///
    /// ```
    /// use seda_http::{HttpRequest, StatusCode, text};
    ///
    /// fn handle(call: HttpRequest) {
    ///     let host = call.request.headers()["host"].to_str().unwrap_or_default();
    ///     let link = format!("{}://{host}/\n", call.scheme());
    ///     call.respond(text(StatusCode::OK, link));
    /// }
    /// # let _ = handle;
    /// ```
    pub fn scheme(&self) -> Scheme {
        self.request.extensions().get().cloned().unwrap_or(Scheme::HTTP)
    }

    /// Returns the id of the last event that the client has seen, if it connects again to an event
    /// stream (WHATWG HTML, §9.2.4). `None` if there is none, or it is not UTF-8.
    pub fn last_event_id(&self) -> Option<&str> {
        str::from_utf8(self.request.headers().get("last-event-id")?.as_bytes()).ok()
    }

    /// Responds to the request.
    ///
    /// The server itself writes Content-Length, Transfer-Encoding, Connection and Date. These
    /// fields of `response` are ignored.
    ///
    /// A response that HTTP/1.1 cannot carry is replaced by a 500, logged as an error and counted
    /// in [`ServerCounts::replaced_responses`](crate::ServerCounts): one with a status from 100 to
    /// 199, or a 204, 205 or 304 with a body.
    pub fn respond(self, response: Response<Body>) {
        self.reply.respond(response);
    }

    /// Responds with the result of `handle`, which may end early by `?` with a response as its
    /// error: a status, an [`ExtractError`](crate::ExtractError), an error of the program.
    ///
    /// ```
    /// use seda_http::{HttpRequest, StatusCode, json};
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Sum {
    ///     terms: Vec<u64>,
    /// }
    ///
    /// fn handle(call: HttpRequest) {
    ///     call.answer(|call| {
    ///         let sum: Sum = call.json()?;
    ///         if sum.terms.is_empty() {
    ///             return Err(StatusCode::UNPROCESSABLE_ENTITY.into());
    ///         }
    ///         Ok(json(StatusCode::OK, &sum.terms.iter().sum::<u64>()))
    ///     });
    /// }
    /// # let _ = handle;
    /// ```
    pub fn answer(self, handle: impl FnOnce(&Self) -> Answer) {
        let response = handle(&self).unwrap_or_else(ErrorResponse::response);
        self.respond(response);
    }
}
