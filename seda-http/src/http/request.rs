//! The event that enters the graph for each request.

use crate::reactor::Body;
use bytes::Bytes;
use http::{Request, Response};
use seda_core::Responder;
use std::net::SocketAddr;

/// One HTTP request, with the way home for its answer. Dropped unanswered, its client is told:
/// 500 if the handler panicked or forgot it, 503 if it was shed.
#[derive(Debug)]
pub struct HttpRequest {
    /// Method, target, header fields, and the whole body. The field values share the memory that
    /// the request was read into, so keeping one keeps that.
    pub request: Request<Bytes>,
    /// The client's address.
    pub peer: SocketAddr,
    /// Answers the request.
    pub reply: Responder<Response<Body>>,
}

impl HttpRequest {
    /// Answers the request. Content-Length, Transfer-Encoding, Connection and Date are the
    /// server's: what `answer` says of them is left out.
    pub fn respond(self, answer: Response<Body>) {
        self.reply.respond(answer);
    }
}
