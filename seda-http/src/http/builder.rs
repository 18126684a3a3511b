//! A server that is being put together with its graph.

use super::accept::{Classify, HttpService};
use super::admin::Admin;
use super::codec::Http1;
use super::config::HttpConfig;
use super::request::HttpRequest;
use super::retry_after::RetryAfter;
use super::server::Server;
use crate::reactor::Body;
use crate::server::{BindError, EntryError, ServeError, ServerBuilder};
use bytes::Bytes;
use http::{Request, Response};
use seda_core::{Graph, Home, Pool, Running, Source, Stage, Terms};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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
    config: HttpConfig,
    server: ServerBuilder,
    sources: Vec<Source<HttpRequest>>,
    classify: Option<Arc<Classify>>,
}

impl Http {
    /// Checks the settings and takes the address, so that a busy port is known before anything
    /// runs.
    ///
    /// # Errors
    /// The key that is wrong, or why the address cannot be had.
    pub fn bind(config: HttpConfig) -> Result<Self, BindError> {
        config.check()?;
        let server = ServerBuilder::bind(&config.server())?;
        Ok(Self { config, server, sources: Vec::new(), classify: None })
    }

    /// The address it listens on, with the port that port 0 has become.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// The reactors' pool: attach stages to it whose handlers do not block and end within some
    /// 100 µs. They run on the threads that own the sockets, so a request that needs no other
    /// stage changes no thread; but while they run no socket is served.
    pub fn pool(&mut self, graph: &mut Graph) -> Pool {
        self.server.pool(graph)
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
        self.sources = self.server.entry(graph, stage)?;
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
        let Self { config, server, sources, classify } = self;
        let ready = Arc::new(AtomicBool::new(true));
        let group = server.serve(sources, running, |reactor, source, running, mailbox| {
            let reply_sink = Arc::clone(mailbox) as Arc<dyn Home<Response<Body>>>;
            let (snapshots, clock) = (running.snapshots(), running.clock());
            let admin = Admin::new(snapshots.clone(), Arc::clone(&reply_sink), Arc::clone(&ready));
            let seed = reactor as u64;
            let service = HttpService {
                source,
                admin,
                reply_sink,
                retry_after: RetryAfter::new(snapshots, clock, config.retry_after, seed),
                classify: classify.clone(),
                terms: Terms { deadline: config.deadline, ..Terms::default() },
                refused_total: 0,
            };
            (Http1::new(config.limits), service)
        })?;
        Ok(Server::new(ready, group))
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("local_addr", &self.local_addr()).finish_non_exhaustive()
    }
}
