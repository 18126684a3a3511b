//! One attempt at a request, and its end.

use crate::h1::{Answer, AnswerFault};
use seda_core::Time;

/// Names an attempt. A retry has another generation, and so has the next request in the same place:
/// the end of an old attempt matches no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Attempt {
    /// The request's place among those under way: a small number that is used again.
    pub(crate) place: u32,
    pub(crate) generation: u32,
}

/// An attempt on its way to the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dispatch {
    pub(crate) attempt: Attempt,
    /// The index of the request in the workload's targets.
    pub(crate) target: u32,
    /// The client of a closed loop, which has its own connection.
    pub(crate) client: Option<u32>,
}

/// The end of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A complete answer; the first byte of the request was sent at `sent`.
    Answered { answer: Answer, sent: Time },
    /// No answer.
    Failed(Failure),
}

/// An attempt that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) attempt: Attempt,
    pub(crate) end: End,
    pub(crate) at: Time,
}

/// Why an attempt got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server's host refused the connection.
    ConnectRefused,
    /// The server's host is unreachable or silent.
    ConnectFailed,
    /// This machine has no local port left for another connection.
    NoLocalPort,
    /// This process may not open another descriptor.
    NoDescriptor,
    /// The connection was closed after the request, before any byte of an answer.
    ClosedBeforeAnswer,
    /// The connection was closed in the middle of an answer.
    ClosedInAnswer,
    /// The server reset the connection.
    Reset,
    /// The session failed: most likely the certificate is not trusted.
    Tls,
    /// The received bytes are not an answer.
    Malformed(AnswerFault),
}

impl Failure {
    /// Returns true if no connection was made.
    pub(crate) fn is_connect_failure(self) -> bool {
        use Failure::{ConnectFailed, ConnectRefused, NoDescriptor, NoLocalPort, Tls};
        matches!(self, ConnectRefused | ConnectFailed | NoLocalPort | NoDescriptor | Tls)
    }

    /// Returns true if the generator's machine failed, so that the load was not the one asked for.
    pub(crate) fn is_local(self) -> bool {
        matches!(self, Failure::NoLocalPort | Failure::NoDescriptor)
    }

    /// Describes the failure for the report.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Failure::ConnectRefused => "connection refused",
            Failure::ConnectFailed => "no connection could be made",
            Failure::NoLocalPort => "no local port left on this machine",
            Failure::NoDescriptor => "no descriptor left for this process",
            Failure::ClosedBeforeAnswer => "closed before the answer",
            Failure::ClosedInAnswer => "closed in the middle of the answer",
            Failure::Reset => "reset by the server",
            Failure::Tls => "TLS failed: see the certificate, --cacert and --insecure",
            Failure::Malformed(fault) => fault.as_str(),
        }
    }
}

/// Carries attempts to the server: sockets, or the model of a server in tests.
///
/// The driver of a transport passes the ends of attempts to the engine, because most ends come
/// later.
pub(crate) trait Transport {
    /// Sends an attempt, or queues it until a connection is free.
    fn send(&mut self, dispatch: Dispatch);
    /// Closes the connection of an attempt that has timed out. It has no end.
    fn abandon(&mut self, attempt: Attempt);
}
