//! A TCP server before it serves.

use super::accept::{MakeEvent, TcpService};
use super::codec::{ProtocolCodec, Reply};
use super::config::TcpConfig;
use super::protocol::Protocol;
use super::server::TcpServer;
use crate::server::{BindError, EntryError, ReactorGroup, ServeError, ServerBuilder};
use seda_core::{Graph, Pool, Responder, Running, SendOptions, Stage};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// A TCP server that listens and does not serve yet. Clients that connect wait.
///
/// ```
/// # use seda_core::{Context, Graph, Responder};
/// # use seda_http::BytesMut;
/// # use seda_http::tcp::{Protocol, Tcp, TcpConfig, Unserved};
/// # #[derive(Clone)]
/// # struct Echo;
/// # impl Protocol for Echo {
/// #     type Request = BytesMut;
/// #     type Answer = BytesMut;
/// #     fn decode(&self, input: &mut BytesMut) -> Result<Option<BytesMut>, BytesMut> {
/// #         Ok((!input.is_empty()).then(|| input.split()))
/// #     }
/// #     fn encode(&mut self, answer: BytesMut, output: &mut BytesMut) {
/// #         output.extend_from_slice(&answer);
/// #     }
/// #     fn refuse(&self, _why: Unserved) -> BytesMut {
/// #         BytesMut::new()
/// #     }
/// # }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // `Echo` is a `Protocol` with bytes as requests and answers.
/// let mut graph = Graph::new("echo");
/// let mut tcp = Tcp::bind(TcpConfig::at(([127, 0, 0, 1], 0).into()), Echo)?;
/// let echo = graph.stage::<(BytesMut, Responder<BytesMut>)>("echo", 1_024);
/// tcp.entry(&mut graph, echo, |request, _peer, reply| (request, reply))?;
/// graph.attach_each(echo, |_wire| {
///     |(request, reply): (BytesMut, Responder<BytesMut>), _cx: &mut Context| {
///         reply.respond(request);
///     }
/// })?;
/// let server = tcp.serve(graph.start()?)?;
/// # drop(server);
/// # Ok(())
/// # }
/// ```
#[must_use = "clients wait until `serve` is called"]
pub struct Tcp<P: Protocol> {
    config: TcpConfig,
    protocol: P,
    server: ServerBuilder,
    /// Starts the reactors; `None` before `entry`. It hides the type of the entry's events.
    start: Option<Box<Start<P>>>,
}

/// Starts the reactors with the most bytes of a request.
type Start<P> = dyn FnOnce(ServerBuilder, P, usize, Running) -> Started<P>;
type Started<P> = Result<ReactorGroup<Reply<<P as Protocol>::Answer>>, ServeError>;

impl<P: Protocol> Tcp<P> {
    /// Checks the settings and listens to the address. So a busy port is known before any thread
    /// runs.
    ///
    /// # Errors
    /// [`BindError`] if a setting is out of its bounds or the address is not available.
    pub fn bind(config: TcpConfig, protocol: P) -> Result<Self, BindError> {
        config.check()?;
        let server = ServerBuilder::bind(&config.server())?;
        Ok(Self { config, protocol, server, start: None })
    }

    /// Returns the address that the server listens on, with the port that replaced port 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// Returns the pool of the reactors; the first call declares it in `graph`.
    ///
    /// It is for stages with handlers that do not block and end within about 100 µs; see
    /// [`Http::pool`](crate::Http::pool).
    pub fn pool(&mut self, graph: &mut Graph) -> Pool {
        self.server.pool(graph)
    }

    /// Makes `stage` the stage where requests enter.
    ///
    /// `make` turns a request, the client's address and the responder into an event. It runs on
    /// the reactor, for admitted requests only.
    ///
    /// # Errors
    /// [`EntryError`] if there is an entry already, or `stage` is not of `graph`.
    pub fn entry<E: Send + 'static>(
        &mut self,
        graph: &mut Graph,
        stage: Stage<E>,
        make: impl Fn(P::Request, SocketAddr, Responder<P::Answer>) -> E + Send + Sync + 'static,
    ) -> Result<(), EntryError> {
        let sources = self.server.entry(graph, stage)?;
        let make: Arc<MakeEvent<P, E>> = Arc::new(make);
        let options = SendOptions { deadline: self.config.deadline, ..SendOptions::default() };
        self.start = Some(Box::new(move |server, protocol, request_bytes, running| {
            server.serve(sources, running, |_, source, _, mailbox| {
                let service = TcpService {
                    protocol: protocol.clone(),
                    source,
                    reply_sink: Arc::clone(mailbox),
                    make: Arc::clone(&make),
                    options,
                };
                (ProtocolCodec { protocol: protocol.clone(), request_bytes }, service)
            })
        }));
        Ok(())
    }

    /// Starts the reactors on the running graph. From here on connections are accepted.
    ///
    /// # Errors
    /// [`ServeError`] if there is no entry, `running` is not the graph of the entry, or the
    /// operating system refuses a thread. The graph is then shut down.
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
