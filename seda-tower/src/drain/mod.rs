//! The end of a server: lame duck, then a drain, within one time limit.

use crate::admin::AdminService;
use crate::admission::Admission;
use crate::slot::Slot;
use seda_core::Drained;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The least time for the graph, also after the connections have used up the limit: the requests
/// that still wait are told.
const GRAPH_LIMIT: Duration = Duration::from_millis(250);

/// The end of a server, within one time limit.
///
/// At the signal these steps begin:
///
/// 1. *Lame duck*: the probe of readiness answers 503, and the server goes on as before, so that
///    load balancers send their requests elsewhere.
/// 2. *Stop*: the server accepts no connection and lets those that it has end.
/// 3. *Drain*: the graph refuses requests, and those inside end.
///
/// ```no_run
/// use axum::Router;
/// use seda_tower::{Admission, Drain};
/// use std::future::IntoFuture;
/// use std::time::Duration;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let admission = Admission::new();
/// let app: Router = Router::new().layer(admission.clone());
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let interrupted = async { tokio::signal::ctrl_c().await.unwrap_or(()) };
/// let ended = Drain::new(&admission, Duration::from_secs(20))
///     .lame_duck(Duration::from_secs(5))
///     .serve(interrupted, |stop| {
///         axum::serve(listener, app).with_graceful_shutdown(stop).into_future()
///     })
///     .await;
/// if let Some(drained) = ended.graph {
///     println!("{}", drained.report);
/// }
/// # Ok(())
/// # }
/// ```
///
/// It needs a runtime of tokio with its timers enabled.
#[derive(Clone, Debug)]
#[must_use = "a drain does nothing until it serves"]
pub struct Drain {
    admission: Admission,
    admin: Option<AdminService>,
    limit: Duration,
    lame_duck: Duration,
}

/// How a server has ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ended<T> {
    /// The result of the server; `None` if connections were left at the limit.
    pub server: Option<T>,
    /// The end of the graph; `None` if it had ended before or never started.
    pub graph: Option<Drained>,
}

impl Drain {
    /// Returns a drain that takes `limit` at most, all steps together, and a quarter of a second
    /// more if connections have used it up.
    pub fn new(admission: &Admission, limit: Duration) -> Self {
        Self { admission: admission.clone(), admin: None, limit, lame_duck: Duration::ZERO }
    }

    /// Sets how long the server goes on after the signal. Default: not at all. Load balancers
    /// notice after two or three of their checks.
    pub fn lame_duck(self, time: Duration) -> Self {
        Self { lame_duck: time, ..self }
    }

    /// Sets the admin side: its probe of readiness answers 503 from the signal on.
    pub fn admin(self, admin: &AdminService) -> Self {
        Self { admin: Some(admin.clone()), ..self }
    }

    /// Runs a server until it ends, or `signal` and the drain after it. `server` makes the future
    /// of the server; it is given the future that tells it to stop.
    pub async fn serve<F: Future>(
        self,
        signal: impl Future<Output = ()>,
        server: impl FnOnce(Stop) -> F,
    ) -> Ended<F::Output> {
        let slot = Arc::new(Slot::new());
        let mut server = pin!(server(Stop { slot: Arc::clone(&slot) }));
        let mut result = first_of(signal, server.as_mut()).await;
        let until = Instant::now() + self.limit;
        if result.is_none() {
            // Lame duck.
            self.admin.iter().for_each(AdminService::set_draining);
            let stop_at = until.min(Instant::now() + self.lame_duck);
            result = timeout_at(stop_at, server.as_mut()).await.ok();
        }
        if result.is_none() {
            // Stop: the slot is new, so it takes the word.
            let _ = slot.fill(());
            result = timeout_at(until, server.as_mut()).await.ok();
        }
        // Drain.
        let left = until.saturating_duration_since(Instant::now()).max(GRAPH_LIMIT);
        Ended { server: result, graph: drain_graph(self.admission, left).await }
    }
}

/// Returns the result of the server if it ends before the signal.
async fn first_of<F: Future>(
    signal: impl Future<Output = ()>,
    mut server: Pin<&mut F>,
) -> Option<F::Output> {
    let mut signal = pin!(signal);
    poll_fn(|cx| {
        if let Poll::Ready(result) = server.as_mut().poll(cx) {
            return Poll::Ready(Some(result));
        }
        signal.as_mut().poll(cx).map(|()| None)
    })
    .await
}

async fn drain_graph(admission: Admission, limit: Duration) -> Option<Drained> {
    let drained = tokio::task::spawn_blocking(move || admission.drain(limit));
    // The runtime itself ends: there is no report.
    drained.await.ok().flatten()
}

/// Resolves when the server has to stop: for the graceful shutdown of axum or hyper-util.
pub struct Stop {
    slot: Arc<Slot<()>>,
}

impl Future for Stop {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.slot.poll(cx)
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stop")
    }
}
