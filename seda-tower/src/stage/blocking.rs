//! A stage for closures that block or compute.

use crate::stage::answer::Answer;
use seda_core::{
    Drained, Graph, GraphConfig, GraphError, Report, Running, SendOptions, Snapshots, Source,
    StageConfig, WorkerRange,
};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The most threads: as many as `spawn_blocking` of tokio has.
const WORKERS_MOST: usize = 512;

/// The most closures that wait. The gate keeps the queue far shorter.
const QUEUE_MOST: usize = 16_384;

/// A closure that answers its request.
type Job = Box<dyn FnOnce() + Send>;

/// Runs closures that block or compute on a pool of threads, with a bound on those that wait: in
/// place of `spawn_blocking` of tokio, which has none.
///
/// The pool grows as far as more threads help, up to 512, and shrinks again. A closure that cannot
/// run in time is refused with [`StageError::Refused`](crate::StageError::Refused). Waits, times
/// and the bottleneck are in its report.
///
/// ```
/// use seda_tower::Blocking;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let blocking = Blocking::start("disk")?;
/// let text = blocking.spawn(|| std::fs::read_to_string("Cargo.toml")).await??;
/// assert!(text.contains("[package]"));
/// # Ok(())
/// # }
/// ```
///
/// Two things differ from `spawn_blocking`: a closure may be refused, and it does not run if its
/// future is dropped before. A closure that panics loses its request; its thread goes on.
///
/// Clones share the graph. It ends with the last of them, and waits a second at most for closures
/// that run.
#[derive(Clone)]
pub struct Blocking {
    shared: Arc<Shared>,
    source: Source<Job>,
    options: SendOptions,
}

struct Shared {
    running: Running,
}

impl Blocking {
    /// Starts a graph with one stage, both of this name.
    ///
    /// # Errors
    /// [`GraphError::Thread`] if the machine refuses a thread.
    pub fn start(name: &str) -> Result<Self, GraphError> {
        Self::start_with(name, GraphConfig::default())
    }

    /// As [`Blocking::start`], with settings as a file holds them: the SLO, the threads
    /// (`stages.NAME.workers`), the controllers.
    ///
    /// # Errors
    /// The first fault of the settings, by name, or [`GraphError::Thread`].
    pub fn start_with(name: &str, config: GraphConfig) -> Result<Self, GraphError> {
        let mut graph = Graph::new(name);
        let stage = graph.stage::<Job>(name, QUEUE_MOST);
        graph.attach_each(stage, |_wire| |job: Job, _cx| job())?;
        let workers = Some(WorkerRange::new(1, WORKERS_MOST));
        graph.configure(stage, StageConfig { workers, ..StageConfig::default() })?;
        graph.apply(config)?;
        let source = graph.source(stage)?;
        let shared = Arc::new(Shared { running: graph.start()? });
        Ok(Self { shared, source, options: SendOptions::default() })
    }

    /// Returns a handle that gives its closures a class, deadline, cost or tenant.
    pub fn with_options(&self, options: SendOptions) -> Self {
        Self { options, ..self.clone() }
    }

    /// Sends a closure to the pool, and returns the future of its result.
    pub fn spawn<R: Send + 'static>(
        &self,
        closure: impl FnOnce() -> R + Send + 'static,
    ) -> Answer<R> {
        Answer::ask(&self.source, self.options, |reply| Box::new(move || reply.respond(closure())))
    }

    /// Returns a report.
    pub fn report(&self) -> Report {
        self.shared.running.report()
    }

    /// Returns a handle for cached reports.
    pub fn snapshots(&self) -> Snapshots {
        self.shared.running.snapshots()
    }

    /// Ends the graph: closures that wait or run have `limit` to end. Blocks for `limit` at most.
    /// Returns `None` if other clones are left; they go on.
    pub fn drain(self, limit: Duration) -> Option<Drained> {
        let shared = Arc::into_inner(self.shared)?;
        Some(shared.running.drain(limit))
    }
}

impl fmt::Debug for Blocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").field("running", &self.shared.running).finish_non_exhaustive()
    }
}
