//! One try at one request, and how it can end.

use crate::h1::Answer;
use seda_core::Time;

/// Names a try. A request that is tried again, or whose place is used again, has another
/// generation: an end that comes late finds nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Attempt {
    /// The request's place among those under way; small numbers, used again.
    pub(crate) place: u32,
    pub(crate) generation: u32,
}

/// What is asked to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) attempt: Attempt,
    /// Which of the workload's targets.
    pub(crate) target: u32,
    /// The client of a closed loop: it has a connection of its own.
    pub(crate) client: Option<u32>,
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With a whole answer, to a request whose bytes were sent at the moment given.
    Answered { answer: Answer, sent: Time },
    /// Without one.
    Failed(Failure),
}

/// Why a try got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server's host said no to the connection.
    ConnectRefused,
    /// No way to the server's host, or it did not say anything.
    ConnectFailed,
    /// This machine has no local port left for another connection.
    NoLocalPort,
    /// This process may not open another descriptor.
    NoDescriptor,
    /// Closed after the request, before any byte of an answer.
    ClosedBeforeAnswer,
    /// Closed in the middle of an answer.
    ClosedInAnswer,
    /// Reset by the server.
    Reset,
    /// What came is not HTTP/1.x.
    NotHttp,
}

impl Failure {
    /// Whether there never was a connection.
    pub(crate) fn is_connecting(self) -> bool {
        use Failure::{ConnectFailed, ConnectRefused, NoDescriptor, NoLocalPort};
        matches!(self, ConnectRefused | ConnectFailed | NoLocalPort | NoDescriptor)
    }

    /// Whether the fault is on this side, so that the load was not the one asked for.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Failure::NoLocalPort | Failure::NoDescriptor)
    }

    /// In words, for the report.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Failure::ConnectRefused => "connection refused",
            Failure::ConnectFailed => "no connection could be made",
            Failure::NoLocalPort => "no local port left on this machine",
            Failure::NoDescriptor => "no descriptor left for this process",
            Failure::ClosedBeforeAnswer => "closed before the answer",
            Failure::ClosedInAnswer => "closed in the middle of the answer",
            Failure::Reset => "reset by the server",
            Failure::NotHttp => "the answer is not HTTP/1.x",
        }
    }
}

/// What carries tries to the server: sockets, or a model of a server in tests.
///
/// Ends are not returned from here, since most come later; whoever drives the transport hands
/// them to the engine.
pub(crate) trait Transport {
    /// Sends, or queues until a connection is free.
    fn send(&mut self, order: Order);
    /// Nobody waits for this one any more: its connection is closed. No end will come.
    fn abandon(&mut self, attempt: Attempt);
}
