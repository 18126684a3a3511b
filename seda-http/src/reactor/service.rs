//! The interface through which a reactor gives requests to the graph.

use super::{Codec, Origin};
use seda_core::{LossReason, ReplyAddress, Request, Time};
use std::sync::Arc;
use std::time::Duration;

/// Decides about each request. Its methods run on the reactor, so they must not block.
pub(crate) trait Service<C: Codec> {
    /// Decides from its head whether the body of a request is read, and how. `now` is the time of
    /// the poll.
    ///
    /// # Errors
    /// The response to a request that is refused now.
    fn check(&mut self, head: &C::Head, now: Time) -> Result<C::Decision, C::Response>;

    /// Admits a request to the graph, or responds to it at once. `decision` is that of
    /// [`Service::check`]; `None` for a request that arrived whole.
    fn admit(
        &mut self,
        request: C::Request,
        decision: Option<C::Decision>,
        origin: &Origin,
        address: ReplyAddress,
    ) -> Admission<C::Response>;

    /// Notes in an exchange its request: the one that was checked or admitted last. `now` is the
    /// time of the poll.
    fn label(&mut self, _exchange: &mut C::Exchange, _now: Time) {}

    /// Returns the response to a request for whose body there is no memory.
    fn no_memory(&mut self) -> C::Response;

    /// Returns the number of requests refused so far because of overload.
    fn refused_total(&self) -> u64 {
        0
    }

    /// Returns the shortest response-time SLO of any class; `None` if there is no SLO.
    fn slo(&self) -> Option<Duration> {
        None
    }

    /// Returns the response to an admitted request that the graph has lost.
    fn lost(&mut self, reason: LossReason) -> C::Response;
}

/// The result of [`Service::admit`].
#[derive(Debug)]
pub(crate) enum Admission<R> {
    /// The service responds at once.
    Answered(R),
    /// The graph has the request; its outcome comes to the mailbox.
    Admitted(Arc<Request>),
    /// The request is handled outside the graph; its outcome comes to the mailbox.
    External,
}
