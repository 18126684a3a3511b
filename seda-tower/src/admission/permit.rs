//! The place of a request that runs, and the time that it runs.

use crate::admission::entry::Grant;
use crate::admission::graph::AdmissionGraph;
use seda_core::{Pending, Request, Responder, Time};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The place of one request among those that run.
///
/// It ends in one of three ways: [`Permit::complete`], a panic of the service, or a drop, which
/// abandons the request because its client has gone.
pub(crate) struct Permit {
    graph: Arc<AdmissionGraph>,
    request: Arc<Request>,
    /// `None` once it has ended.
    held: Option<Held>,
    granted: Time,
    /// From the grant to the first poll of the service.
    waiting: Duration,
    running: Duration,
}

/// What ends with the request.
struct Held {
    pending: Pending,
    reply: Responder<()>,
}

impl Permit {
    pub(super) fn new(graph: Arc<AdmissionGraph>, request: Arc<Request>, grant: Grant) -> Self {
        let Grant { pending, reply, at } = grant;
        Self {
            graph,
            request,
            held: Some(Held { pending, reply }),
            granted: at,
            waiting: Duration::ZERO,
            running: Duration::ZERO,
        }
    }

    /// Notes that the service begins: until now it has waited for a thread of the runtime.
    pub(super) fn begin(&mut self) {
        self.waiting = self.graph.now().since(self.granted);
    }

    /// Polls the service and counts the time. If it panics, its request is lost.
    pub(super) fn time<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        let began = self.graph.now();
        let timed = Timed { permit: self };
        let result = poll();
        drop(timed);
        self.running += self.graph.now().since(began);
        result
    }

    /// Ends the service: the place is free, and the request is answered.
    pub(super) fn complete(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(Held { mut pending, reply }) = self.held.take() {
            pending.add_thread_time(self.running, self.waiting);
            reply.respond(());
            pending.complete();
        }
    }
}

/// A poll of the service. Dropped by a panic of it, it loses the request with that reason.
struct Timed<'a> {
    permit: &'a mut Permit,
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            drop(self.permit.held.take());
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // Of a permit that was not completed, the event counts as failed and the request as lost.
        if self.held.is_some() && !std::thread::panicking() {
            self.request.abandon();
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("running", &self.running).finish_non_exhaustive()
    }
}

/// The place of a request while its body is sent. The end or the drop of the body ends its service.
#[derive(Debug)]
pub(super) struct BodyPermit(Option<Permit>);

impl BodyPermit {
    pub(super) fn new(permit: Option<Permit>) -> Self {
        Self(permit)
    }

    /// Polls the body and counts the time, until the service has ended.
    pub(super) fn time<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        match &mut self.0 {
            Some(permit) => permit.time(poll),
            None => poll(),
        }
    }

    pub(super) fn complete(&mut self) {
        if let Some(permit) = self.0.take() {
            permit.complete();
        }
    }
}

impl Drop for BodyPermit {
    fn drop(&mut self) {
        // A panic of the body has lost the request already, in `time`.
        self.complete();
    }
}
