//! A server that serves, and how it ends.

use crate::reactor::Body;
use crate::server::ReactorGroup;
use http::Response;
use seda_core::{Drained, Running};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A running server.
///
/// End it with [`Server::drain`]. Dropped, it ends at once: whoever waits for an answer is told
/// 503.
#[must_use = "a server that is dropped ends"]
pub struct Server {
    ready: Arc<AtomicBool>,
    group: ReactorGroup<Response<Body>>,
}

impl Server {
    /// `ready` is false from the beginning of a drain on.
    pub(super) fn new(ready: Arc<AtomicBool>, group: ReactorGroup<Response<Body>>) -> Self {
        Self { ready, group }
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.group.local_addr()
    }

    /// The running graph, for its report, its journal and its settings.
    pub fn graph(&self) -> &Running {
        self.group.graph()
    }

    /// Ends in good order, within `limit`.
    ///
    /// 1. `/_seda/ready` says 503.
    /// 2. Connections that wait in the backlog are accepted, then the listener is closed.
    /// 3. The graph stays open: what was begun on a connection is finished, its last answer says
    ///    `Connection: close`. A connection without a request is looked at once more and closed.
    ///    So every request that was received before our FIN is answered.
    /// 4. When no connection is left, or nine tenths of the limit have passed, the graph drains.
    ///    Who still waits then is answered 503.
    pub fn drain(self, limit: Duration) -> Drained {
        self.ready.store(false, Ordering::SeqCst);
        self.group.drain(limit)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("local_addr", &self.local_addr()).finish_non_exhaustive()
    }
}
