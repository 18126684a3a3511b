//! A TCP server, before and while it serves.

use super::accept::{Entrance, Make, Returns};
use super::codec::{Codec, Word};
use super::config::TcpConfig;
use super::protocol::Protocol;
use crate::http::builder::{POOL, bind};
use crate::reactor::Mailbox;
use crate::server::error::{BindError, EntryError, ServeError};
use crate::server::reactor_group::{Fleet, Harbour};
use seda_core::{Drained, Graph, Pool, Responder, Running, Source, Stage, Terms};
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// A server that listens and does not serve yet: clients that connect wait.
#[must_use = "nobody is served before `serve`"]
pub struct Tcp<P: Protocol> {
    config: TcpConfig,
    protocol: P,
    listener: TcpListener,
    local_addr: SocketAddr,
    pool: Option<Pool>,
    entry: Option<Entry<P>>,
}

/// The entry, without the type of its events.
struct Entry<P: Protocol> {
    stage: String,
    start: Box<Start<P>>,
}

/// Starts the reactors, with the most bytes of a request.
type Start<P> = dyn FnOnce(Harbour, Option<Pool>, P, usize, Running) -> Started<P>;
type Started<P> = Result<Fleet<Word<<P as Protocol>::Answer>>, ServeError>;

impl<P: Protocol> Tcp<P> {
    /// Checks the settings and takes the address, so that a busy port is known before anything
    /// runs.
    ///
    /// # Errors
    /// The key that is wrong, or why the address cannot be had.
    pub fn bind(config: TcpConfig, protocol: P) -> Result<Self, BindError> {
        config.check()?;
        let (listener, local_addr) = bind(config.listen)?;
        Ok(Self { config, protocol, listener, local_addr, pool: None, entry: None })
    }

    /// The address it listens on, with the port that port 0 has become.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The reactors' pool: attach stages to it whose handlers do not block and end within some
    /// 100 µs; see [`Http::pool`](crate::Http::pool).
    pub fn pool(&mut self, graph: &mut Graph) -> Pool {
        *self.pool.get_or_insert_with(|| graph.hosted_pool(POOL, self.config.reactors))
    }

    /// Names the stage where requests enter, and says how a request, its client's address and the
    /// way home of its answer become an event. That runs on the reactor, for admitted requests
    /// only.
    ///
    /// # Errors
    /// If there is an entry already, or the stage is of another graph.
    pub fn entry<E: Send + 'static>(
        &mut self,
        graph: &mut Graph,
        stage: Stage<E>,
        make: impl Fn(P::Request, SocketAddr, Responder<P::Answer>) -> E + Send + Sync + 'static,
    ) -> Result<(), EntryError> {
        if let Some(Entry { stage, .. }) = &self.entry {
            return Err(EntryError::Twice { stage: stage.clone() });
        }
        self.pool(graph);
        let sources: Result<Vec<Source<E>>, _> =
            (0..self.config.reactors).map(|_| graph.source(stage)).collect();
        let sources = sources?;
        let stage = sources.first().map_or("", Source::stage).to_owned();
        let (make, deadline): (Arc<Make<P, E>>, _) = (Arc::new(make), self.config.deadline);
        let terms = Terms { deadline, ..Terms::default() };
        let start = move |harbour, pool, protocol: P, request_bytes, running| {
            Fleet::start(
                harbour,
                pool,
                sources,
                running,
                |_, source, _: &Running, mailbox: &Arc<Mailbox<Word<P::Answer>>>| {
                    let home = Arc::new(Returns(Arc::clone(mailbox)));
                    let (own, make) = (protocol.clone(), Arc::clone(&make));
                    let entrance = Entrance { protocol: own, source, home, make, terms };
                    (Codec { protocol: protocol.clone(), request_bytes }, entrance)
                },
            )
        };
        self.entry = Some(Entry { stage, start: Box::new(start) });
        Ok(())
    }

    /// Serves: from here on connections are accepted.
    ///
    /// # Errors
    /// If there is no entry, `running` is another graph, or the machine gives no thread. The
    /// graph is then shut down.
    pub fn serve(self, running: Running) -> Result<TcpServer<P::Answer>, ServeError> {
        let Self { config, protocol, listener, local_addr, pool, entry } = self;
        let Entry { start, .. } = entry.ok_or(ServeError::NoEntry)?;
        let (connections, settings) = (config.connections, config.settings());
        let harbour = Harbour { listener, local_addr, connections, settings };
        let fleet = start(harbour, pool, protocol, config.request_bytes, running)?;
        Ok(TcpServer { fleet })
    }
}

impl<P: Protocol> fmt::Debug for Tcp<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tcp").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

/// A running server that answers with `A`.
///
/// End it with [`TcpServer::drain`]. Dropped, it ends at once: whoever waits for an answer is
/// [refused](Protocol::refuse).
#[must_use = "a server that is dropped ends"]
pub struct TcpServer<A: Send + 'static> {
    fleet: Fleet<Word<A>>,
}

impl<A: Send + 'static> TcpServer<A> {
    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.fleet.local_addr()
    }

    /// The running graph, for its report, its journal and its settings.
    pub fn graph(&self) -> &Running {
        self.fleet.graph()
    }

    /// Ends in good order, within `limit`: connections that wait in the backlog are accepted, then
    /// the listener is closed; every request that was received is answered; then the graph
    /// drains. Who still waits at the limit is refused.
    pub fn drain(self, limit: Duration) -> Drained {
        self.fleet.drain(limit)
    }
}

impl<A: Send + 'static> fmt::Debug for TcpServer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpServer").field("local_addr", &self.local_addr()).finish_non_exhaustive()
    }
}
