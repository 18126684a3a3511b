//! The event that enters the graph for each request.

use crate::reactor::{Body, BodyReader};
use bytes::Bytes;
use http::{Request, Response};
use seda_core::Responder;
use std::net::SocketAddr;

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
#[derive(Debug)]
pub struct HttpRequest {
    /// Method, target, header fields and the body.
    ///
    /// Field values and body share the memory of the bytes that were read: keeping one value keeps
    /// that memory.
    pub request: Request<Bytes>,
    /// The reader of the body, if it is streamed ([`Http::stream_bodies`](crate::Http)); the body
    /// of `request` is then empty. `None` for a body that was read whole.
    pub stream: Option<BodyReader>,
    /// The address of the client.
    pub peer: SocketAddr,
    /// The responder of the request; [`HttpRequest::respond`] uses it.
    pub reply: Responder<Response<Body>>,
}

impl HttpRequest {
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
}
