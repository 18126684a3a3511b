//! A TCP server that serves.

use super::codec::Reply;
use crate::server::ReactorGroup;
use seda_core::{Drained, Running};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// A running server that answers with `A`.
///
/// End it with [`TcpServer::drain`]. Dropped, it ends at once: whoever waits for an answer is
/// [refused](super::Protocol::refuse).
#[must_use = "a server that is dropped ends"]
pub struct TcpServer<A: Send + 'static> {
    pub(super) group: ReactorGroup<Reply<A>>,
}

impl<A: Send + 'static> TcpServer<A> {
    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.group.local_addr()
    }

    /// The running graph, for its report, its journal and its settings.
    pub fn graph(&self) -> &Running {
        self.group.graph()
    }

    /// Ends in good order, within `limit`: connections that wait in the backlog are accepted, then
    /// the listener is closed; every request that was received is answered; then the graph
    /// drains. Who still waits at the limit is refused.
    pub fn drain(self, limit: Duration) -> Drained {
        self.group.drain(limit)
    }
}

impl<A: Send + 'static> fmt::Debug for TcpServer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpServer").field("local_addr", &self.local_addr()).finish_non_exhaustive()
    }
}
