//! The graph behind a layer: one stage. Its events are outside while their services run.

use crate::admission::driver::Driver;
use crate::admission::entry::{Entry, GrantReceiver, GrantSlot};
use crate::admission::retry_after::RetryAfter;
use crate::admission::routes::Routes;
use crate::runtime::{self, Pause, Runtime};
use crate::slot::Slot;
use parking_lot::Mutex;
use seda_admin::{Admin, ServerFigure, ServerFigures};
use seda_core::{
    Clock, Drained, Graph, GraphConfig, GraphError, RefusalReason, ReplyAddress, Report, Running,
    SendOptions, SloConfig, Snapshots, Source, StageConfig, Time,
};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The name of the stage.
const STAGE: &str = "requests";

/// The most requests that wait. The gate keeps the queue far shorter; this bounds its memory.
const QUEUE_MOST: usize = 16_384;

/// The most requests that run. It is the number of long polls that a process with the usual limit
/// of descriptors could hold.
const OUTSIDE_MOST: usize = 16_384;

/// The places of each thread before the first request has ended. A first burst of requests that
/// compute for 10 ms then waits for 0.16 s in the run queue of the runtime; one of requests that
/// sleep for 20 ms is served at 800 a second until the first tick.
const FIRST_PLACES: usize = 16;

/// The longest time without a pause, in which the runtime looks at its sockets. A look takes about
/// 2 us.
const PAUSE_AFTER: Duration = Duration::from_millis(1);

/// How a layer decides, beside what it measures.
#[derive(Clone, Debug, Default)]
pub(super) struct GraphSettings {
    /// `None`: "admission".
    pub(super) name: Option<String>,
    pub(super) slo: Option<Duration>,
    pub(super) config: Option<GraphConfig>,
    /// Whether requests have names of routes.
    pub(super) by_route: bool,
}

/// The running graph of a layer.
pub(crate) struct AdmissionGraph {
    /// `None` after a drain.
    running: Mutex<Option<Running>>,
    source: Source<Entry>,
    clock: Arc<dyn Clock>,
    snapshots: Snapshots,
    runtime: Runtime,
    pub(super) retry_after: RetryAfter,
    /// `None` if all requests are alike.
    routes: Option<Routes>,
    /// When a service last made the runtime look at its sockets, in nanoseconds.
    paused_at: AtomicU64,
}

impl AdmissionGraph {
    /// Starts the graph. Call it on a thread of the runtime that will poll the futures.
    pub(super) fn start(settings: &GraphSettings) -> Result<Self, GraphError> {
        let mut graph = Graph::new(settings.name.as_deref().unwrap_or("admission"));
        let runtime = Runtime::current();
        let threads = runtime.threads();
        graph.cores(threads);
        let pool = graph.hosted_pool("callers", 1);
        let stage = graph.stage::<Entry>(STAGE, QUEUE_MOST);
        graph.attach_each_in(&pool, stage, |_wire| |entry: Entry, cx| entry.grant(cx))?;
        let places = StageConfig {
            pending: Some(OUTSIDE_MOST),
            outstanding: Some(threads.saturating_mul(FIRST_PLACES).min(OUTSIDE_MOST)),
            ..StageConfig::default()
        };
        graph.configure(stage, places)?;
        if let Some(slo) = settings.slo {
            graph.slo(SloConfig::new(slo));
        }
        if let Some(config) = &settings.config {
            graph.apply(config.clone())?;
        }
        let by_route = settings.by_route;
        let routes = by_route.then(|| Routes::declare(&mut graph, stage.id())).transpose()?;
        let source = graph.source(stage)?;
        let running = graph.start()?;
        // The list of idle workers holds the driver until the worker retires.
        Driver::start(running.hosted_workers(pool).pop());
        let (clock, snapshots) = (running.clock(), running.snapshots());
        Ok(Self {
            retry_after: RetryAfter::new(snapshots.clone(), Arc::clone(&clock)),
            running: Mutex::new(Some(running)),
            source,
            clock,
            snapshots,
            runtime,
            routes,
            paused_at: AtomicU64::new(0),
        })
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }

    pub(super) fn snapshots(&self) -> Snapshots {
        self.snapshots.clone()
    }

    /// Returns the admin side of the graph, with the figures of the runtime around it.
    pub(super) fn admin(&self) -> Admin {
        let runtime = self.runtime.clone();
        Admin::with_server(self.snapshots(), move || figures(&runtime))
    }

    /// Returns a report; `None` after a drain.
    pub(super) fn report(&self) -> Option<Report> {
        self.running.lock().as_ref().map(Running::report)
    }

    /// Drains the graph; `None` if that was done before.
    pub(super) fn drain(&self, limit: Duration) -> Option<Drained> {
        // Not under the lock: reports are asked for meanwhile.
        let running = self.running.lock().take();
        running.map(|running| running.drain(limit))
    }

    /// Puts a request into the queue.
    ///
    /// # Errors
    /// The reason why it is refused.
    pub(super) fn enter(&self, options: SendOptions) -> Result<GrantReceiver, RefusalReason> {
        let slot: Arc<GrantSlot> = Arc::new(Slot::new());
        let waiting = Arc::clone(&slot);
        let entered = self.source.request_to(
            Arc::clone(&slot) as _,
            ReplyAddress::default(),
            options,
            |reply| Entry { slot: waiting, reply },
        );
        match entered {
            Ok(request) => Ok(GrantReceiver::new(slot, request)),
            Err(refusal) => Err(refusal.reason()),
        }
    }

    /// Returns the options with the route of a name, unless they have one.
    pub(super) fn routed(&self, options: SendOptions, name: Option<&str>) -> SendOptions {
        let named = || self.routes.as_ref()?.of(name?);
        SendOptions { route: options.route.or_else(named), ..options }
    }

    /// Returns the options with the deadline of the client, if that is shorter than the server's.
    pub(super) fn shortened(&self, options: SendOptions, client: Option<Duration>) -> SendOptions {
        let Some(client) = client else { return options };
        let own = options.deadline.or_else(|| self.source.slo_of(self.source.class_of(options)));
        match own {
            Some(own) if own <= client => options,
            _ => SendOptions { deadline: Some(client), ..options },
        }
    }

    /// Returns the pause that a service makes before it begins, if the last one was long ago.
    pub(super) fn pause(&self) -> Option<Pause> {
        let now = self.now();
        let last = Time::from_nanos(self.paused_at.load(Ordering::Relaxed));
        if now.since(last) < PAUSE_AFTER {
            return None;
        }
        self.paused_at.store(now.as_nanos(), Ordering::Relaxed);
        runtime::pause()
    }
}

/// Returns the figures of the runtime, for the metrics page. Each costs the read of a counter.
fn figures(runtime: &Runtime) -> ServerFigures {
    let mut figures = ServerFigures::default();
    if let Some(depth) = runtime.queue_depth() {
        let help = "Tasks in the queue that all threads of the runtime share.";
        let depth = depth as u64;
        figures.counts.push(ServerFigure::gauge("seda_tower_runtime_queue_depth", help, depth));
    }
    figures
}

impl fmt::Debug for AdmissionGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdmissionGraph").field("running", &self.running).finish_non_exhaustive()
    }
}
