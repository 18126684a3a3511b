//! A server that serves, and how it ends.

use crate::http::accept::Entrance;
use crate::http::admin::Admin;
use crate::http::builder::Http;
use crate::http::codec::Http1;
use crate::http::retry_after::Advice;
use crate::reactor::Body;
use crate::server::error::ServeError;
use crate::server::reactor_group::{Fleet, Harbour};
use http::Response;
use seda_core::{Drained, Home, Running, Terms};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

type Answer = Response<Body>;

/// A running server.
///
/// End it with [`Server::drain`]. Dropped, it ends at once: whoever waits for an answer is told
/// 503.
#[must_use = "a server that is dropped ends"]
pub struct Server {
    ready: Arc<AtomicBool>,
    fleet: Fleet<Answer>,
}

impl Server {
    pub(crate) fn start(http: Http, running: Running) -> Result<Self, ServeError> {
        let Http { config, listener, local_addr, pool, sources, classify } = http;
        let ready = Arc::new(AtomicBool::new(true));
        let (connections, settings) = (config.connections, config.settings());
        let harbour = Harbour { listener, local_addr, connections, settings };
        let fleet =
            Fleet::start(harbour, pool, sources, running, |reactor, source, running, mailbox| {
                let home = Arc::clone(mailbox) as Arc<dyn Home<Answer>>;
                let (snapshots, clock) = (running.snapshots(), running.clock());
                let admin = Admin::new(snapshots.clone(), Arc::clone(&home), Arc::clone(&ready));
                let seed = reactor as u64;
                let entrance = Entrance {
                    source,
                    admin,
                    home,
                    advice: Advice::new(snapshots, clock, config.retry_after, seed),
                    classify: classify.clone(),
                    terms: Terms { deadline: config.deadline, ..Terms::default() },
                    turned_away: 0,
                };
                (Http1::new(config.limits), entrance)
            })?;
        Ok(Self { ready, fleet })
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.fleet.local_addr()
    }

    /// The running graph, for its report, its journal and its settings.
    pub fn graph(&self) -> &Running {
        self.fleet.graph()
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
        self.fleet.drain(limit)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("local_addr", &self.local_addr()).finish_non_exhaustive()
    }
}
