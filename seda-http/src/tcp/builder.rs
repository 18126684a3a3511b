//! A TCP server, before and while it serves.

use super::accept::{MakeEvent, ReplyAdapter, TcpService};
use super::codec::{ProtocolCodec, Reply};
use super::config::TcpConfig;
use super::protocol::Protocol;
use super::server::TcpServer;
use crate::server::{BindError, EntryError, ReactorGroup, ServeError, ServerBuilder};
use seda_core::{Graph, Pool, Responder, Running, Stage, Terms};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// A server that listens and does not serve yet: clients that connect wait.
#[must_use = "nobody is served before `serve`"]
pub struct Tcp<P: Protocol> {
    config: TcpConfig,
    protocol: P,
    server: ServerBuilder,
    start: Option<Box<Start<P>>>,
}

/// Starts the reactors, with the most bytes of a request.
type Start<P> = dyn FnOnce(ServerBuilder, P, usize, Running) -> Started<P>;
type Started<P> = Result<ReactorGroup<Reply<<P as Protocol>::Answer>>, ServeError>;

impl<P: Protocol> Tcp<P> {
    /// Checks the settings and takes the address, so that a busy port is known before anything
    /// runs.
    ///
    /// # Errors
    /// The key that is wrong, or why the address cannot be had.
    pub fn bind(config: TcpConfig, protocol: P) -> Result<Self, BindError> {
        config.check()?;
        let server = ServerBuilder::bind(&config.server())?;
        Ok(Self { config, protocol, server, start: None })
    }

    /// The address it listens on, with the port that port 0 has become.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// The reactors' pool: attach stages to it whose handlers do not block and end within some
    /// 100 µs; see [`Http::pool`](crate::Http::pool).
    pub fn pool(&mut self, graph: &mut Graph) -> Pool {
        self.server.pool(graph)
    }

    /// Names the stage where requests enter, and says how a request, its client's address and the
    /// way reply_sink of its answer become an event. That runs on the reactor, for admitted requests
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
        let sources = self.server.entry(graph, stage)?;
        let make: Arc<MakeEvent<P, E>> = Arc::new(make);
        let terms = Terms { deadline: self.config.deadline, ..Terms::default() };
        let start = move |server: ServerBuilder, protocol: P, request_bytes, running| {
            server.serve(sources, running, |_, source, _, mailbox| {
                let reply_sink = Arc::new(ReplyAdapter(Arc::clone(mailbox)));
                let (own, make) = (protocol.clone(), Arc::clone(&make));
                let service = TcpService { protocol: own, source, reply_sink, make, terms };
                (ProtocolCodec { protocol: protocol.clone(), request_bytes }, service)
            })
        };
        self.start = Some(Box::new(start));
        Ok(())
    }

    /// Serves: from here on connections are accepted.
    ///
    /// # Errors
    /// If there is no entry, `running` is another graph, or the machine gives no thread. The
    /// graph is then shut down.
    pub fn serve(self, running: Running) -> Result<TcpServer<P::Answer>, ServeError> {
        let Self { config, protocol, server, start } = self;
        let start = start.ok_or(ServeError::NoEntry)?;
        let group = start(server, protocol, config.request_bytes, running)?;
        Ok(TcpServer { group })
    }
}

impl<P: Protocol> fmt::Debug for Tcp<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tcp").field("local_addr", &self.local_addr()).finish_non_exhaustive()
    }
}
