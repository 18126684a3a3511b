//! The layer: its settings, and the graph that its services share.

use crate::admin::AdminService;
use crate::admission::deadline::client_deadline;
use crate::admission::graph::{AdmissionGraph, GraphSettings};
use crate::admission::head::RequestHead;
use crate::admission::refusal::{GrpcStatus, RefusalForm};
use http::Request;
use seda_core::{Drained, GraphConfig, GraphError, Report, SendOptions, Snapshots};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Returns class, tenant, cost and deadline of a request.
type Classify = dyn Fn(&RequestHead<'_>) -> SendOptions + Send + Sync;

/// Returns the name of the route of a request.
type NameRoute = dyn for<'a> Fn(&'a RequestHead<'_>) -> Option<&'a str> + Send + Sync;

/// A layer that decides which requests get in, and how many of them run at once. Nothing has to be
/// set.
///
/// ```
/// use std::time::Duration;
/// use tower::ServiceBuilder;
///
/// async fn hello(_: http::Request<String>) -> Result<http::Response<String>, std::io::Error> {
///     Ok(http::Response::new("hello".to_owned()))
/// }
///
/// let admission = seda_tower::Admission::new().slo(Duration::from_millis(200));
/// let service = ServiceBuilder::new().layer(admission).service_fn(hello);
/// # let _ = service;
/// ```
///
/// Every service of the layer and of its clones shares one graph: a queue, and the requests that
/// run. The graph starts with the first request, or with [`Admission::start`]. Two layers that are
/// made separately have two graphs, and each believes that the threads are its own: use one for
/// each process, or for each listener.
///
/// # What it does
///
/// - A request waits in the queue of the layer until it has a place. There are as many places as
///   keep the threads of the runtime busy: two or so where requests compute, hundreds where they
///   wait for others. So the wait is where it is measured, and not in the run queue of the runtime.
/// - The gate refuses what cannot be served in time: at once, with 503 and Retry-After, or with the
///   status of gRPC. A refusal is an answer, never an error.
/// - When a client leaves, the future of its request is dropped: a request that has not begun
///   leaves the queue.
/// - A deadline that a client states, in `grpc-timeout` or `x-envoy-expected-rq-timeout-ms`,
///   shortens that of the SLO, and never extends it.
///
/// A service lasts until the body of its answer ends or is dropped. If the length of the body is
/// not known, it lasts until the head: a stream is outside of the SLO.
///
/// # What it does not do
///
/// - It does not interrupt a service that runs.
/// - If its graph cannot be started, that is logged, and every request passes. Call
///   [`Admission::start`] to have the error.
/// - After [`Admission::drain`] it refuses every request.
#[derive(Clone)]
pub struct Admission {
    shared: Arc<Shared>,
}

/// What all services of a layer share.
struct Shared {
    settings: Settings,
    graph: OnceLock<Result<Arc<AdmissionGraph>, Arc<GraphError>>>,
}

#[derive(Clone, Default)]
struct Settings {
    graph: GraphSettings,
    classify: Option<Arc<Classify>>,
    name_route: Option<Arc<NameRoute>>,
    grpc_status: GrpcStatus,
}

impl Admission {
    /// Returns a layer without any setting.
    pub fn new() -> Self {
        Self::with_settings(Settings::default())
    }

    fn with_settings(settings: Settings) -> Self {
        Self { shared: Arc::new(Shared { settings, graph: OnceLock::new() }) }
    }

    /// Returns a layer with a changed setting, and a graph of its own.
    fn changed(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.shared.settings.clone();
        change(&mut settings);
        Self::with_settings(settings)
    }

    /// Sets the response time that 99 of 100 answers must not exceed, 1 ms to 10 minutes. Default:
    /// none; requests are then refused only if the server is overloaded.
    pub fn slo(self, p99: Duration) -> Self {
        self.changed(|settings| settings.graph.slo = Some(p99))
    }

    /// Names the graph, in its report and in the names of its threads. Default: `admission`.
    pub fn name(self, name: &str) -> Self {
        self.changed(|settings| settings.graph.name = Some(name.to_owned()))
    }

    /// Sets any setting of the graph, as a file holds it; its one stage is `requests`. Takes
    /// precedence over [`Admission::slo`].
    ///
    /// ```
    /// use seda_core::{GraphConfig, Mode};
    ///
    /// let mut config = GraphConfig::default();
    /// config.control.admission = Mode::Observe; // It decides and refuses nothing.
    /// let admission = seda_tower::Admission::new().config(config);
    /// # let _ = admission;
    /// ```
    pub fn config(self, config: GraphConfig) -> Self {
        self.changed(|settings| settings.graph.config = Some(config))
    }

    /// Sets the function that gives class, tenant, cost and deadline of a request. Default: all
    /// requests are equal.
    ///
    /// What a client sends is not to be trusted: take a class from a header field only if a proxy
    /// of your own sets it, and a tenant only after its credentials were checked.
    ///
    /// ```
    /// use seda_core::SendOptions;
    /// use seda_tower::{Admission, RequestHead};
    ///
    /// let admission = Admission::new().classify(|head: &RequestHead<'_>| SendOptions {
    ///     cost: Some(if head.uri.path() == "/search" { 50 } else { 1 }),
    ///     ..SendOptions::default()
    /// });
    /// # let _ = admission;
    /// ```
    pub fn classify(
        self,
        classify: impl Fn(&RequestHead<'_>) -> SendOptions + Send + Sync + 'static,
    ) -> Self {
        self.changed(|settings| settings.classify = Some(Arc::new(classify)))
    }

    /// Sets the function that names the route of a request. Default: all requests are alike.
    ///
    /// The layer then measures what a request of each route costs: the time from its place to the
    /// end of its answer, without the wait for a thread. While two routes differ at least twofold,
    /// it admits by cost and not by number: a cheap request finds room where an expensive one does
    /// not, and its refusals fall on the routes that cause the overload.
    ///
    /// ```
    /// use axum::{Router, extract::MatchedPath, routing::get};
    /// use seda_tower::Admission;
    ///
    /// let admission = Admission::new()
    ///     .routes(|head| head.extensions.get::<MatchedPath>().map(MatchedPath::as_str));
    /// let app: Router = Router::new()
    ///     .route("/", get(|| async { "cheap" }))
    ///     .route("/reports/{id}", get(|| async { "expensive" }))
    ///     // `Router::layer` is behind the match of a path; a layer around the router is not.
    ///     .layer(admission);
    /// # let _ = app;
    /// ```
    ///
    /// The first 64 names are told apart; requests with others share one route. Name what the
    /// program declares, such as the pattern of a path or a method of gRPC, and never what a client
    /// made up. Requests without a name share a route, too.
    pub fn routes(
        self,
        name: impl for<'a> Fn(&'a RequestHead<'_>) -> Option<&'a str> + Send + Sync + 'static,
    ) -> Self {
        self.changed(|settings| {
            settings.name_route = Some(Arc::new(name));
            settings.graph.by_route = true;
        })
    }

    /// Sets the status of a refusal in gRPC. Default: [`GrpcStatus::Unavailable`].
    pub fn grpc_status(self, status: GrpcStatus) -> Self {
        self.changed(|settings| settings.grpc_status = status)
    }

    /// Starts the graph, if that was not tried before. Call it on the runtime that serves the
    /// requests: the layer counts the threads of that runtime.
    ///
    /// # Errors
    /// The first fault of the settings, by name, or [`GraphError::Thread`]. Requests then pass
    /// without admission.
    pub fn start(&self) -> Result<(), Arc<GraphError>> {
        self.started().as_ref().map(drop).map_err(Arc::clone)
    }

    /// Returns a report; `None` if the graph has ended or could not be started.
    pub fn report(&self) -> Option<Report> {
        self.graph()?.report()
    }

    /// Returns a handle for cached reports; `None` if the graph could not be started.
    pub fn snapshots(&self) -> Option<Snapshots> {
        Some(self.graph()?.snapshots())
    }

    /// Returns the admin side of the graph, to be nested in a router beside the layer. If the graph
    /// could not be started, every page answers 503.
    pub fn admin(&self) -> AdminService {
        AdminService::of(self.graph().map(|graph| Arc::new(graph.admin())))
    }

    /// Ends the graph: further requests are refused, those that wait and run have `limit` to end.
    /// Returns `None` if it has ended before or could not be started.
    ///
    /// Blocks for `limit` at most. In async code call it in `spawn_blocking`, or drain the server
    /// with [`Drain`](crate::Drain).
    pub fn drain(&self, limit: Duration) -> Option<Drained> {
        self.graph()?.drain(limit)
    }

    /// Returns the graph, started; `None` if that has failed.
    pub(super) fn graph(&self) -> Option<&Arc<AdmissionGraph>> {
        self.started().as_ref().ok()
    }

    fn started(&self) -> &Result<Arc<AdmissionGraph>, Arc<GraphError>> {
        self.shared.graph.get_or_init(|| {
            let started = AdmissionGraph::start(&self.shared.settings.graph);
            started.map(Arc::new).map_err(|error| {
                tracing::error!(%error, "the admission layer did not start: every request passes");
                Arc::new(error)
            })
        })
    }

    /// Returns the form of a refusal of this request.
    pub(super) fn refusal_form<B>(&self, request: &Request<B>) -> RefusalForm {
        RefusalForm::of(request.headers(), self.shared.settings.grpc_status)
    }

    /// Returns class, tenant, cost, route and deadline of a request.
    pub(super) fn options<B>(&self, graph: &AdmissionGraph, request: &Request<B>) -> SendOptions {
        let Settings { classify, name_route, .. } = &self.shared.settings;
        let head = RequestHead::of(request);
        let options =
            classify.as_ref().map_or_else(SendOptions::default, |classify| classify(&head));
        let name = name_route.as_ref().and_then(|name| name(&head));
        graph.shortened(graph.routed(options, name), client_deadline(request.headers()))
    }
}

impl Default for Admission {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").field("graph", &self.shared.graph).finish_non_exhaustive()
    }
}
