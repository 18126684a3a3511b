//! A request with its responder: the event of a stage that is a service.

use seda_core::Responder;

/// A request to a stage, with the path of its answer. If it is dropped without an answer, the
/// request is lost and its client is told.
#[derive(Debug)]
pub struct Call<Req, Res> {
    /// The request.
    pub request: Req,
    reply: Responder<Res>,
}

impl<Req, Res> Call<Req, Res> {
    pub(super) fn new(request: Req, reply: Responder<Res>) -> Self {
        Self { request, reply }
    }

    /// Answers the request.
    pub fn respond(self, answer: Res) {
        self.reply.respond(answer);
    }

    /// Returns whether the client has gone, so that a long handler can stop.
    pub fn is_abandoned(&self) -> bool {
        self.reply.is_abandoned()
    }

    /// Returns the request and its responder, to send them on.
    pub fn into_parts(self) -> (Req, Responder<Res>) {
        (self.request, self.reply)
    }
}
