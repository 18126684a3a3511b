//! An HTTP server before it serves.

use super::accept::{HttpService, StreamBodies};
use super::access_log::{AccessLogConfig, LogQueue, LogThread, LogWriter, RequestIds};
use super::admin::{AdminView, figures};
use super::admin_config::AdminPlace;
use super::admin_listener::AdminListener;
use super::codec::Http1;
use super::config::HttpConfig;
use super::request::HttpRequest;
use super::retry_after::RetryAfter;
use super::routes::{BodyLimits, Built, Classify, Dispatcher, Routes, RoutesError};
use super::server::Server;
use super::times::{Label, RouteLabel, TimeRecorder, TimeRegistry};
use crate::h1::{Limits, RequestHead};
use crate::reactor::{Body, Counters};
use crate::server::{BindError, EntryError, ListenPlace, ServeError, ServerBuilder, ServerUsage};
use http::Response;
use seda_admin::Admin;
use seda_core::{Graph, Pool, ReplySink, Running, SendOptions, Stage};
use std::fmt;
use std::io::Write;
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};

/// An HTTP server that listens and does not serve yet. Clients that connect wait.
///
/// Bind it, name the stage where requests enter, start the graph, then serve:
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
#[must_use = "clients wait until `serve` is called"]
pub struct Http {
    config: HttpConfig,
    server: ServerBuilder,
    /// The place of the admin side; never [`AdminPlace::Auto`].
    admin_place: AdminPlace,
    /// `None` if the admin side has no listener of its own.
    admin_listener: Option<AdminListener>,
    /// `None` before `entry` or `routes`.
    routes: Option<Built>,
    classify: Option<Arc<Classify>>,
    stream_bodies: Option<Arc<StreamBodies>>,
    any_method: bool,
    /// The writer of the access log.
    log_writer: Option<Box<dyn Write + Send>>,
}

impl Http {
    /// Checks the settings and listens to all places of [`HttpConfig::listen`]. So a busy port is
    /// known before any thread runs.
    ///
    /// # Errors
    /// [`BindError`] if a setting is out of its bounds or a place is not available.
    pub fn bind(config: HttpConfig) -> Result<Self, BindError> {
        config.check()?;
        let server = ServerBuilder::bind(&config.server())?;
        Self::with(config, server)
    }

    /// Checks the settings and listens to these TCP or Unix sockets of the program, in place of
    /// [`HttpConfig::listen`]. It makes them non-blocking.
    ///
    /// If `listen` has one listener, its `proxy_protocol` and `tls` hold for all of the sockets,
    /// and its place counts for nothing. Several listeners may have no such settings.
    ///
    /// Clones of a socket share its backlog, in this process or another. A server that drains does
    /// not accept from such a backlog any more, and does not end it: so another server takes over
    /// without a refused connection.
    ///
    /// ```
    /// # use seda_http::{Http, HttpConfig};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let http = Http::bind_on(HttpConfig::default(), [listener.try_clone()?])?;
    /// assert_eq!(http.local_addr(), listener.local_addr()?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`BindError`] if a setting is out of its bounds, one of several listeners has settings of
    /// its own, a socket does not listen, or there are not 1 to 64 sockets.
    #[cfg(unix)]
    pub fn bind_on<S: Into<OwnedFd>>(
        config: HttpConfig,
        sockets: impl IntoIterator<Item = S>,
    ) -> Result<Self, BindError> {
        config.check()?;
        let server = ServerBuilder::adopt(&config.server(), sockets.into_iter().map(S::into))?;
        Self::with(config, server)
    }

    fn with(config: HttpConfig, server: ServerBuilder) -> Result<Self, BindError> {
        let mut admin_place = config.admin.at.resolved(server.is_private());
        let admin_listener = AdminListener::bind(&mut admin_place, &config.admin.hosts)?;
        Ok(Self {
            config,
            server,
            admin_place,
            admin_listener,
            routes: None,
            classify: None,
            stream_bodies: None,
            any_method: false,
            log_writer: None,
        })
    }

    /// Returns the first TCP address that the server listens on, with the port that replaced port
    /// 0; `0.0.0.0:0` if it listens to Unix sockets alone.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// Returns all places where the server listens, with the ports that replaced port 0. Sockets of
    /// the parent are here by their addresses.
    pub fn local_addrs(&self) -> &[ListenPlace] {
        self.server.local_addrs()
    }

    /// Returns the pool of the reactors; the first call declares it in `graph`.
    ///
    /// It is for stages with handlers that do not block and end within about 100 µs. They run on
    /// the threads that own the sockets, so a request that needs no other stage changes no thread.
    /// While such a handler runs, its reactor serves no socket.
    pub fn pool(&mut self, graph: &mut Graph) -> Pool {
        self.server.pool(graph)
    }

    /// Makes `stage` the stage where all requests enter, whatever their method and path.
    ///
    /// # Errors
    /// [`EntryError`] if there is an entry or a table of routes already, or `stage` is not of
    /// `graph`.
    pub fn entry(
        &mut self,
        graph: &mut Graph,
        stage: Stage<HttpRequest>,
    ) -> Result<(), EntryError> {
        self.server.begin_entry(graph)?;
        self.enter(Built::of_one(graph, stage, &self.config)?);
        Ok(())
    }

    /// Lets requests enter at the stages of their routes.
    ///
    /// # Errors
    /// [`RoutesError`] if there is an entry or a table already, a stage is not of `graph`, or a
    /// route is wrong; the message names it and the remedy.
    pub fn routes(&mut self, graph: &mut Graph, routes: Routes) -> Result<(), RoutesError> {
        self.server.begin_entry(graph)?;
        self.enter(routes.build(graph, &self.config)?);
        Ok(())
    }

    fn enter(&mut self, routes: Built) {
        self.server.end_entry(routes.stage());
        self.routes = Some(routes);
    }

    /// Sets the function that changes the class, deadline, [route](seda_core::Route), cost and
    /// [tenant](seda_core::SendOptions::tenant) of a request by who its client is. It gets those of
    /// its [`Endpoint`](crate::Endpoint); with [`Http::entry`] only the deadline of the settings.
    ///
    /// It sees the [head](RequestHead) of the request, before its body is read or an
    /// [`http::Request`](crate::Request) is made. It runs on the reactor, once per request, so it
    /// must not block. If it panics, the request keeps what it had.
    ///
    /// ```
    /// # use seda_http::{Http, HttpConfig};
    /// use seda_core::{Class, SendOptions};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mut config = HttpConfig::default();
    /// # config.listen.set_port(0);
    /// # let mut http = Http::bind(config)?;
    /// http.classify(|head, options| match head.header("x-batch") {
    ///     Some(_) => SendOptions { class: Class::new(1), deadline: None, ..options },
    ///     None => options,
    /// });
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Each client as a tenant, so that under overload all get an equal share:
    ///
    /// ```
    /// # use seda_http::{Http, HttpConfig};
    /// use seda_core::SendOptions;
    /// use std::net::IpAddr;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mut config = HttpConfig::default();
    /// # config.listen.set_port(0);
    /// # let mut http = Http::bind(config)?;
    /// http.classify(|head, options| {
    ///     let tenant = head.client().map(|client| match client {
    ///         IpAddr::V4(ip) => u64::from(ip.to_bits()),
    ///         // A provider gives each customer the addresses with the same first half.
    ///         IpAddr::V6(ip) => (ip.to_bits() >> 64) as u64,
    ///     });
    ///     SendOptions { tenant, ..options }
    /// });
    /// # Ok(())
    /// # }
    /// ```
    pub fn classify(
        &mut self,
        classify: impl Fn(&RequestHead, SendOptions) -> SendOptions + Send + Sync + 'static,
    ) {
        self.classify = Some(Arc::new(classify));
    }

    /// Streams the bodies of some requests to the program instead of reading them whole. `most`
    /// returns the most bytes of such a body, in place of
    /// [`Limits::body_bytes`](crate::h1::Limits), and `None` for a body that is read whole.
    ///
    /// A table of routes says the same by [`Endpoint::streamed`](crate::Endpoint::streamed); where
    /// both do, this function decides.
    ///
    /// Such a request is admitted at its head and holds its place in the graph while its body
    /// arrives. [`HttpRequest::stream`] reads it. Of the budget of bodies
    /// ([`BodyConfig::budget`](crate::BodyConfig)) it takes 64 KiB.
    ///
    /// `most` runs on a reactor once per request, so it must not block. If it panics, the body is
    /// read whole.
    ///
    /// ```
    /// # use seda_http::{Http, HttpConfig};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mut config = HttpConfig::default();
    /// # config.listen.set_port(0);
    /// # let mut http = Http::bind(config)?;
    /// const UPLOAD_MOST: u64 = 8 * 1024 * 1024 * 1024;
    /// http.stream_bodies(|head| head.uri().path().starts_with("/files/").then_some(UPLOAD_MOST));
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream_bodies(
        &mut self,
        most: impl Fn(&RequestHead) -> Option<u64> + Send + Sync + 'static,
    ) {
        self.stream_bodies = Some(Arc::new(most));
    }

    /// Lets requests with any method except CONNECT reach the program: PROPFIND, PURGE, QUERY. The
    /// entry then has to answer methods that it does not have, with 405 or 501. A table of routes
    /// does so itself, and needs this call only for [`Routes::any`].
    ///
    /// Without this call GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH and TRACE reach the program,
    /// and the server answers others with 501 (RFC 9110 §15.6.2).
    pub fn any_method(&mut self) {
        self.any_method = true;
    }

    /// Sets the writer of the access log: standard output, a file, a socket. The settings say if
    /// there is a log, and its form ([`AccessLogConfig`]).
    ///
    /// A thread of its own writes batches of whole lines, and flushes when no further line waits.
    /// So a file needs no buffer. The thread ends with the server, after the last line. The first
    /// error of the writer is logged; from then on lines are dropped and counted in
    /// [`ServerCounts::dropped_log_lines`](crate::ServerCounts).
    ///
    /// ```
    /// # use seda_http::{AccessLogFormat, Http, HttpConfig};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut config = HttpConfig::default();
    /// config.access_log.format = Some(AccessLogFormat::Combined);
    /// # config.listen.set_port(0);
    /// let mut http = Http::bind(config)?;
    /// http.access_log(std::io::stdout());
    /// # Ok(())
    /// # }
    /// ```
    pub fn access_log(&mut self, writer: impl Write + Send + 'static) {
        self.log_writer = Some(Box::new(writer));
    }

    /// Starts the reactors on the running graph. From here on connections are accepted.
    ///
    /// # Errors
    /// [`ServeError`] if there is no entry, `running` is not the graph of the entry, the settings
    /// have an access log without a writer, or the operating system refuses a thread. The graph is
    /// then shut down.
    pub fn serve(self, running: Running) -> Result<Server, ServeError> {
        let Self { config, server, admin_place, admin_listener, routes, .. } = self;
        let Self { classify, stream_bodies, any_method, log_writer, .. } = self;
        let Built { table, endpoints } = routes.ok_or(ServeError::NoEntry)?;
        let any_method = any_method || table.has_extensions();
        // A route may allow longer bodies than the settings do.
        let admin_limits =
            BodyLimits { bytes: config.limits.body_bytes, time: None, streamed: None };
        let limits = Limits { body_bytes: table.body_bytes_most(), ..config.limits };
        let counters = server.counters();
        let (log_thread, log_queue) = start_log(config.access_log, log_writer, &counters)?.unzip();
        let request_ids = config.access_log.request_ids;
        let times = Arc::new(TimeRegistry::new(table.patterns().to_vec()));
        let usage = Arc::<OnceLock<ServerUsage>>::default();
        let admin = admin_side(&running, &times, &usage);
        let access = config.admin.public_access(server.is_private());
        let group = server.serve(endpoints, running, |reactor, endpoints, running, mailbox| {
            let reply_sink = Arc::clone(mailbox) as Arc<dyn ReplySink<Response<Body>>>;
            let snapshots = running.snapshots();
            let seed = reactor as u64;
            let range = config.retry_after;
            let service = HttpService {
                dispatcher: Dispatcher::new(
                    Arc::clone(&table),
                    endpoints,
                    classify.clone(),
                    Arc::clone(&counters),
                ),
                admin: AdminView::new(Arc::clone(&admin), access.clone(), Arc::clone(&reply_sink)),
                reply_sink,
                retry_after: RetryAfter::new(snapshots, running.clock(), range, seed),
                admin_limits,
                stream_bodies: stream_bodies.clone(),
                refused_total: 0,
                label: Label::new(RouteLabel::Unmatched, None),
                server_timing: config.access_log.server_timing,
                trace: None,
            };
            let codec = Http1::new(limits, Arc::clone(&counters));
            let may_stream = stream_bodies.is_some() || table.streams_bodies();
            let recorder = TimeRecorder::new(Arc::clone(&times), running.clock());
            let codec = codec.allow(any_method, may_stream).trust(config.trusted_proxies.clone());
            let codec = codec.time(recorder);
            let log = log_queue.clone().map(|queue| queue.on(running.clock()));
            (codec.note(log, request_ids.then(RequestIds::default)), service)
        })?;
        // Set once: this is the only group.
        let _ = usage.set(group.usage());
        let clock = group.graph().clock();
        let settings = config.server().settings;
        let lame_duck = config.closing.lame_duck;
        let admin_reactor = admin_listener
            .map(|listener| listener.serve(Arc::clone(&admin), config.limits, settings, clock))
            .transpose()?;
        tracing::info!(place = %admin_place, "shows the admin pages");
        Ok(Server::new(admin, admin_place, lame_duck, group, times, admin_reactor, log_thread))
    }
}

/// Returns the admin side. `usage` is set once the server serves.
fn admin_side(
    running: &Running,
    times: &Arc<TimeRegistry>,
    usage: &Arc<OnceLock<ServerUsage>>,
) -> Arc<Admin> {
    let (times, usage) = (Arc::clone(times), Arc::clone(usage));
    let figures = move || figures(&times, usage.get());
    Arc::new(Admin::with_server(running.snapshots(), figures))
}

/// Starts the thread of the access log; returns `None` if the log is off.
fn start_log(
    config: AccessLogConfig,
    writer: Option<Box<dyn Write + Send>>,
    counters: &Arc<Counters>,
) -> Result<Option<(LogThread, LogQueue)>, ServeError> {
    if config.format.is_some() && writer.is_none() {
        return Err(ServeError::NoLogWriter);
    }
    let log = writer.and_then(|writer| LogWriter::new(config, writer, Arc::clone(counters)));
    let Some((queue, writer)) = log else { return Ok(None) };
    let thread = writer.start().map_err(|source| ServeError::AccessLog { source })?;
    Ok(Some((thread, queue)))
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("local_addr", &self.local_addr()).finish_non_exhaustive()
    }
}
