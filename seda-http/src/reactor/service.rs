//! What a reactor does with a request: the other side of it.

use super::Codec;
use seda_core::{Address, LossReason, Request};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Decides about each request. Runs on the reactor, so it must not block.
pub(crate) trait Service<P: Codec> {
    /// Takes a request in, or answers it at once.
    fn admit(
        &mut self,
        request: P::Request,
        peer: SocketAddr,
        address: Address,
    ) -> Admission<P::Response>;

    /// How many requests were turned away so far, because there is too much to do.
    fn refused_total(&self) -> u64 {
        0
    }

    /// The shortest response time that is promised to anybody, if any is.
    fn slo(&self) -> Option<Duration> {
        None
    }

    /// The answer to a request that the graph gave up.
    fn lost(&mut self, reason: LossReason) -> P::Response;
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Admission<R> {
    /// Here is its answer.
    Answered(R),
    /// The graph has it; its outcome comes to the mailbox.
    Admitted(Arc<Request>),
    /// Somebody outside the graph has it; the outcome comes to the mailbox.
    Awaited,
}
