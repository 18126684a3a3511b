//! A running TCP server.

use super::codec::Reply;
use crate::server::ReactorGroup;
use seda_core::{Drained, Running};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// A running TCP server with its graph. `A` is the type of its answers.
///
/// End it with [`TcpServer::drain`]. A server that is dropped ends at once and answers its open
/// requests with [`Protocol::refuse`](super::Protocol::refuse).
///
/// ```
/// use seda_http::tcp::TcpServer;
/// use std::time::Duration;
///
/// fn stop(server: TcpServer<String>) {
///     println!("{} answered", server.graph().report().requests.answered);
///     let drained = server.drain(Duration::from_secs(5));
///     println!("{}", drained.report);
/// }
/// # let _ = stop;
/// ```
#[must_use = "a server that is dropped ends"]
pub struct TcpServer<A: Send + 'static> {
    pub(super) group: ReactorGroup<Reply<A>>,
}

impl<A: Send + 'static> TcpServer<A> {
    /// Returns the address that the server listens on, with the port that replaced port 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.group.local_addr()
    }

    /// Returns the running graph, for its report, its journal and its settings.
    pub fn graph(&self) -> &Running {
        self.group.graph()
    }

    /// Ends the server within `limit` and returns the final report.
    ///
    /// 1. Connections in the backlog are accepted, then the listener is closed.
    /// 2. Every request that arrives before the server's FIN is answered.
    /// 3. The graph drains. Requests that are still open at the limit are answered with
    ///    [`Protocol::refuse`](super::Protocol::refuse).
    pub fn drain(self, limit: Duration) -> Drained {
        self.group.drain(Duration::ZERO, limit)
    }
}

impl<A: Send + 'static> fmt::Debug for TcpServer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpServer").field("local_addr", &self.local_addr()).finish_non_exhaustive()
    }
}
