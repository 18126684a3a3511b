//! A server that is being put together with its graph.

use crate::http::accept::Classify;
use crate::http::config::HttpConfig;
use crate::http::request::HttpRequest;
use crate::http::server::Server;
use crate::server::error::{BindError, EntryError, ServeError};
use bytes::Bytes;
use http::Request;
use seda_core::{Graph, Pool, Running, Source, Stage, Terms};
use socket2::{Domain, Protocol, Socket, Type};
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

/// The name of the reactors' pool in reports and thread names.
pub(crate) const POOL: &str = "reactor";

/// How many connections the kernel keeps for us until they are accepted: what arrives in some
/// 50 ms of a flood of 20,000 connections a second. Kernels cut it to their own bound.
const BACKLOG: i32 = 1024;

/// A server that listens and does not serve yet: clients that connect wait.
///
/// ```no_run
/// use seda_core::{Context, Graph, each};
/// use seda_http::{Body, Http, HttpConfig, HttpRequest, Response};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("hello");
/// let mut http = Http::bind(HttpConfig::default())?;
/// let hello = graph.stage::<HttpRequest>("hello", 1_024);
/// let reactors = http.pool(&mut graph);
/// http.entry(&mut graph, hello)?;
/// graph.attach_in(&reactors, hello, |_wire| {
///     || Ok(each(|call: HttpRequest, _cx: &mut Context| {
///         call.respond(Response::new(Body::from("hello\n")));
///     }))
/// })?;
/// let server = http.serve(graph.start()?)?;
/// println!("http://{}", server.local_addr());
/// let drained = server.drain(Duration::from_secs(5));
/// println!("{}", drained.report);
/// # Ok(())
/// # }
/// ```
#[must_use = "nobody is served before `serve`"]
pub struct Http {
    pub(crate) config: HttpConfig,
    pub(crate) listener: TcpListener,
    pub(crate) local_addr: SocketAddr,
    pub(crate) pool: Option<Pool>,
    /// One for each reactor, so that they share no ledger.
    pub(crate) sources: Vec<Source<HttpRequest>>,
    pub(crate) classify: Option<Arc<Classify>>,
}

impl Http {
    /// Checks the settings and takes the address, so that a busy port is known before anything
    /// runs.
    ///
    /// # Errors
    /// The key that is wrong, or why the address cannot be had.
    pub fn bind(config: HttpConfig) -> Result<Self, BindError> {
        config.check()?;
        let (listener, local_addr) = bind(config.listen)?;
        let (pool, sources, classify) = (None, Vec::new(), None);
        Ok(Self { config, listener, local_addr, pool, sources, classify })
    }

    /// The address it listens on, with the port that port 0 has become.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The reactors' pool: attach stages to it whose handlers do not block and end within some
    /// 100 µs. They run on the threads that own the sockets, so a request that needs no other
    /// stage changes no thread; but while they run no socket is served.
    pub fn pool(&mut self, graph: &mut Graph) -> Pool {
        *self.pool.get_or_insert_with(|| graph.hosted_pool(POOL, self.config.reactors))
    }

    /// Names the stage where requests enter.
    ///
    /// # Errors
    /// If there is an entry already, or the stage is of another graph.
    pub fn entry(
        &mut self,
        graph: &mut Graph,
        stage: Stage<HttpRequest>,
    ) -> Result<(), EntryError> {
        if let Some(source) = self.sources.first() {
            return Err(EntryError::Twice { stage: source.stage().to_owned() });
        }
        self.pool(graph);
        let sources: Result<Vec<_>, _> =
            (0..self.config.reactors).map(|_| graph.source(stage)).collect();
        self.sources = sources?;
        Ok(())
    }

    /// Sets what gives each request its class, its deadline and its
    /// [route](seda_core::Route); it replaces `deadline` of the settings. It runs on the reactor for every request, so it must not block; if it panics the
    /// request has class 0 and the deadline of the settings.
    pub fn classify(
        &mut self,
        classify: impl Fn(&Request<Bytes>) -> Terms + Send + Sync + 'static,
    ) {
        self.classify = Some(Arc::new(classify));
    }

    /// Serves: from here on connections are accepted.
    ///
    /// # Errors
    /// If there is no entry, `running` is another graph, or the machine gives no thread. The
    /// graph is then shut down.
    pub fn serve(self, running: Running) -> Result<Server, ServeError> {
        Server::start(self, running)
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

/// Takes an address; also says which it is, with the port that port 0 has become.
pub(crate) fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BindError> {
    let refused = |source: io::Error| match source.kind() {
        ErrorKind::AddrInUse => BindError::InUse { address },
        _ => BindError::Address { address, source },
    };
    let listener = listen(address).map_err(refused)?;
    let local_addr = listener.local_addr().map_err(refused)?;
    Ok((listener, local_addr))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted server must not wait for its predecessor's connections to be forgotten. On
    // Windows the option means something else: it would share the port with a stranger.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
