//! A graph that runs on threads.

use crate::config::{GraphConfig, GraphError, GraphWarning, ReconfigureError, SettingChange};
use crate::control::ControlPlane;
use crate::monitor::history::History;
use crate::monitor::report::Report;
use crate::platform::Clock;
use crate::platform::sync::Arc;
use crate::pool::Pool;
use crate::runtime::drain::{self, Drained};
use crate::runtime::settings::set_soft_capacity;
use crate::runtime::snapshots::Snapshots;
use crate::runtime::threads::Threads;
use crate::stage::{CoreClaim, Decision};
use crate::worker::Worker;
use crossbeam_channel::Receiver;
use std::fmt;
use std::time::Duration;

/// Time that a shutdown waits for workers, also when a [`Running`] is dropped.
const DROP_LIMIT: Duration = Duration::from_secs(1);

/// A graph that runs on threads, each named after its stage or pool.
///
/// [`Running::drain`] ends it after its events have ended; [`Running::shutdown`] sheds them.
/// Dropping it is a shutdown, which waits one second for its threads at most.
///
/// ```
/// use seda_core::Graph;
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("count");
/// let count = graph.stage::<u64>("count", 64);
/// graph.attach_each(count, |_wire| |_n, _cx| {})?;
/// let numbers = graph.source(count)?;
/// let running = graph.start()?;
/// numbers.send(7)?;
/// let drained = running.drain(Duration::from_secs(5));
/// assert_eq!(drained.report.events.handled, 1);
/// # Ok(())
/// # }
/// ```
pub struct Running {
    plane: Arc<ControlPlane>,
    threads: Arc<Threads>,
    warnings: Vec<GraphWarning>,
    ended: bool,
}

impl Running {
    pub(crate) fn start(
        plane: Arc<ControlPlane>,
        warnings: Vec<GraphWarning>,
    ) -> Result<Self, GraphError> {
        let threads = Threads::start(&plane)?;
        Ok(Self { plane, threads, warnings, ended: false })
    }

    /// Returns the warnings of the start: legal settings that are probably mistakes.
    pub fn warnings(&self) -> &[GraphWarning] {
        &self.warnings
    }

    /// Returns the clock of all times in the graph.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.plane.topology.core.clock) as Arc<dyn Clock>
    }

    /// Returns a report of the whole graph. Its rates cover about the last second.
    ///
    /// Takes milliseconds in a large graph; [`Running::snapshots`] serves many readers.
    pub fn report(&self) -> Report {
        self.plane.report()
    }

    /// Returns a handle for cached reports, which the control thread makes.
    pub fn snapshots(&self) -> Snapshots {
        self.threads.snapshots(&self.plane)
    }

    /// Returns the last `seconds`, 600 at most: a record of each, with classes, edges and
    /// distributions for the last 60. Empty in the first second, and for a graph with more than 256
    /// stages.
    ///
    /// ```
    /// # use seda_core::Graph;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mut graph = Graph::new("pages");
    /// # let render = graph.stage::<u32>("render", 64);
    /// # graph.attach_each(render, |_wire| |_page, _cx| {})?;
    /// # let running = graph.start()?;
    /// let history = running.history(60);
    /// std::fs::write("/dev/null", serde_json::to_vec(&history)?)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn history(&self, seconds: usize) -> History {
        self.plane.history.lock().read(seconds)
    }

    /// Returns a channel of all decisions of controllers from now on. A reader that is 1,024
    /// decisions behind misses the following ones.
    pub fn journal(&self) -> Receiver<Decision> {
        self.plane.topology.core.journal.subscribe()
    }

    /// Applies all settings of `config` or none, for example after its file has changed. Returns
    /// the changes in the order of a file; each is journaled.
    ///
    /// `config` replaces that of [`Graph::apply`](crate::graph::Graph::apply) and of earlier calls:
    /// a setting that it does not name returns to its declared value.
    ///
    /// - No accepted event is lost. A capacity or budget set below its present use admits no event
    ///   until enough of the events inside have ended.
    /// - A stage's first cap does not count the workers that are inside already.
    /// - Workers that a new range demands are started before this returns. Surplus workers retire
    ///   after their batch.
    /// - Values set live with [`Running::set_workers`] and [`Running::set_soft_capacity`] stay
    ///   until their range or soft capacity changes. A new range changes the number of workers only
    ///   if that number lies outside it.
    ///
    /// Blocks while a report is made, for milliseconds at most. Must not be called from a handler.
    ///
    /// # Errors
    /// [`ReconfigureError::Settings`], as at the start, names the key, its value and the allowed
    /// values. [`ReconfigureError::Fixed`] is for a setting that cannot change while the graph
    /// runs: the workers of a hosted pool. After an error all settings are as before.
    ///
    /// ```
    /// use seda_core::{Graph, GraphConfig, StageConfig};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut graph = Graph::new("pages");
    /// let render = graph.stage::<u32>("render", 64);
    /// graph.attach_each(render, |_wire| |_page, _cx| {})?;
    /// let running = graph.start()?;
    ///
    /// let mut config = GraphConfig::default();
    /// let larger = StageConfig { capacity: Some(128), ..StageConfig::default() };
    /// config.stages.insert("render".to_owned(), larger);
    /// let changes = running.reconfigure(&config)?;
    /// assert_eq!(changes[1].to_string(), "`stages.render.capacity`: 64 → 128");
    /// // A budget that is not stated follows from the capacities.
    /// assert_eq!(changes[0].key, "budget");
    ///
    /// config.budget = Some(0);
    /// assert!(running.reconfigure(&config).is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn reconfigure(
        &self,
        config: &GraphConfig,
    ) -> Result<Vec<SettingChange>, ReconfigureError> {
        let changes = self.plane.reconfigure(config)?;
        if !changes.is_empty() {
            self.threads.follow(&self.plane);
        }
        Ok(changes)
    }

    /// Sets the number of workers of a pool, or of a stage's own pool, clamped to its range.
    /// Returns the new number; `None` if there is no such pool. A pool-size controller that is on
    /// continues from there.
    pub fn set_workers(&self, pool: &str, workers: usize) -> Option<usize> {
        let pools = &self.plane.topology.pools;
        let index = pools.position(|known| *known.core.name == *pool)?;
        let set = pools[index].core.set_target(workers);
        self.threads.add_workers(&self.plane, index);
        Some(set)
    }

    /// Sets the soft capacity of a stage, in events: above it the queue refuses events. It is
    /// clamped to the hard capacity. Returns false if there is no such stage.
    pub fn set_soft_capacity(&self, stage: &str, soft: usize) -> bool {
        set_soft_capacity(&self.plane.topology, stage, soft)
    }

    /// Returns the workers of a hosted pool. A thread of the program drives each with
    /// [`Worker::run`] or [`Worker::turn`].
    ///
    /// Each worker is returned once; a later call returns replacements of dropped workers. The
    /// result is empty for an ordinary pool and for a pool of another graph.
    pub fn hosted_workers(&self, pool: Pool) -> Vec<Worker> {
        let topology = &self.plane.topology;
        if pool.graph != topology.core.id {
            return Vec::new();
        }
        match topology.pools.index_of(pool.index) {
            Some(index) if topology.pools[index].core.hosted => {
                std::iter::from_fn(|| topology.add_worker(index)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns a claim, at first lowered, for a thread that takes requests in and shares cores with
    /// the workers.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut graph = seda_core::Graph::new("server");
    /// let work = graph.stage::<u32>("work", 8);
    /// graph.attach_each(work, |_wire| |_event, _cx| {})?;
    /// let source = graph.source(work)?;
    /// let running = graph.start()?;
    /// let mut claim = running.core_claim();
    /// claim.set(true);
    /// source.send(1)?; // Take in what waits; a worker leaves its core free.
    /// claim.set(false);
    /// # Ok(())
    /// # }
    /// ```
    pub fn core_claim(&self) -> CoreClaim {
        CoreClaim::new(Arc::clone(&self.plane.topology.core.calls.core_claims))
    }

    /// Drains the graph: refuses new events, lets those inside end, and ends the workers.
    ///
    /// Takes about `limit` at most. Events inside at the limit are shed, and their owners are
    /// notified.
    pub fn drain(mut self, limit: Duration) -> Drained {
        self.ended = true;
        drain::drain(&self.plane, &self.threads, limit)
    }

    /// Ends the graph at once. Queued events are shed, and their owners are notified. Events in
    /// hand end normally if they end within one second.
    pub fn shutdown(mut self) -> Drained {
        self.ended = true;
        drain::end(&self.plane, &self.threads, DROP_LIMIT)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            drain::end(&self.plane, &self.threads, DROP_LIMIT);
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("graph", &self.plane.topology.core.name)
            .finish_non_exhaustive()
    }
}
