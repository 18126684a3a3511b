//! A graph that runs: on threads ([`Running`]), or stepped by hand ([`Manual`]).

use crate::config::{GraphConfig, GraphError, GraphWarning, ReconfigureError, SettingChange};
use crate::control::ControlPlane;
use crate::monitor::report::Report;
use crate::platform::Clock;
use crate::platform::sync::Arc;
use crate::pool::Pool;
use crate::runtime::drain::Drained;
use crate::runtime::snapshots::Snapshots;
use crate::runtime::threads::Threads;
use crate::stage::Decision;
use crate::worker::Worker;
use crossbeam_channel::Receiver;
use std::fmt;
use std::time::Duration;

/// How long [`Running`] waits for its workers when it is dropped without a drain.
const DROP_LIMIT: Duration = Duration::from_secs(1);

/// A graph whose workers run on threads named after their stages.
///
/// End it with [`Running::drain`] to finish what is in it, or [`Running::shutdown`] to give that
/// up. Dropping it is a shutdown that waits a second for its threads at most.
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

    /// What is odd about the graph, though it runs.
    pub fn warnings(&self) -> &[GraphWarning] {
        &self.warnings
    }

    /// The clock that all of the graph's times are read from.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.plane.topology.core.clock) as Arc<dyn Clock>
    }

    /// A snapshot of everything; rates are over the last second or so.
    pub fn report(&self) -> Report {
        self.plane.report()
    }

    /// A handle that gives out cached snapshots to anyone, made by the control thread.
    pub fn snapshots(&self) -> Snapshots {
        self.threads.snapshots()
    }

    /// Every decision of a controller from now on. A reader that is 1,024 decisions behind
    /// misses what comes next.
    pub fn journal(&self) -> Receiver<Decision> {
        self.plane.topology.core.journal.subscribe()
    }

    /// Sets everything that `config` says, as when its file is read again: whole, or not at all.
    /// It replaces what [`Graph::apply`](crate::graph::Graph::apply) or an earlier call said, so what it
    /// does not name has its declared value again. Returns what has changed, in the order of a
    /// file; each change is in the journal.
    ///
    /// Nothing that was accepted is lost. Below what a queue or the graph holds, a new capacity
    /// or budget admits nothing; what is there stays, and the bound sinks with it. A cap set for
    /// the first time does not count the workers that are inside already. Workers that a range
    /// calls for are hired before this returns, those that are too many retire after their batch.
    ///
    /// What was set live, with [`Running::set_workers`] and [`Running::set_soft_capacity`], stays
    /// for as long as the range or the soft capacity that it moves in is not changed; a new range
    /// only moves a size that it does not contain.
    ///
    /// Blocks while a report is made, for milliseconds at most. Not to be called from a handler.
    ///
    /// # Errors
    /// As at the start: [`ReconfigureError::Settings`] names the
    /// key, its value and what is allowed. [`ReconfigureError::Fixed`] for what cannot change while the
    /// graph runs: the workers of a hosted pool. Nothing has changed then.
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
    /// // The budget was not stated: it follows from the capacities.
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

    /// Sets how many workers a pool, or the own pool of a stage, should have, within its range.
    /// Returns what was set; `None` if there is no such pool. A pool-size controller that is on
    /// goes on from there.
    pub fn set_workers(&self, pool: &str, workers: usize) -> Option<usize> {
        let pools = &self.plane.topology.pools;
        let index = pools.position(|known| *known.core.name == *pool)?;
        let set = pools[index].core.set_target(workers);
        self.threads.add_worker(&self.plane, index);
        Some(set)
    }

    /// Sets the bound above which a stage's queue admits nothing, at most its hard capacity.
    /// Returns whether there is such a stage.
    pub fn set_soft_capacity(&self, stage: &str, soft: usize) -> bool {
        set_soft_capacity(&self.plane, stage, soft)
    }

    /// The workers of a hosted pool, each to be driven with [`Worker::run`] or [`Worker::turn`]
    /// by a thread of the caller's. Each is handed out once: a second call gives none, unless one
    /// was dropped, which it then replaces.
    pub fn hosted_workers(&self, pool: Pool) -> Vec<Worker> {
        let own = pool.graph == self.plane.topology.core.id;
        let topology = &self.plane.topology;
        let index = topology.pools.index_of(pool.index);
        let hosted = index.filter(|index| own && topology.pools[*index].core.hosted);
        let hire = |index| std::iter::from_fn(move || topology.add_worker(index)).collect();
        hosted.map_or_else(Vec::new, hire)
    }

    /// Refuses what comes, finishes what is inside, ends the workers. Takes `limit` at most;
    /// what is left then is given up and told to its owners.
    pub fn drain(mut self, limit: Duration) -> Drained {
        self.ended = true;
        crate::runtime::drain::drain(&self.plane, &self.threads, limit)
    }

    /// Ends at once: what is queued is given up and told to its owners; events in hand are
    /// finished if they end within a second.
    pub fn shutdown(mut self) -> Drained {
        self.ended = true;
        crate::runtime::drain::end(&self.plane, &self.threads, DROP_LIMIT)
    }
}

pub(super) fn set_soft_capacity(plane: &ControlPlane, stage: &str, soft: usize) -> bool {
    let plan = plane.topology.stages.iter().find(|plan| **plan.core.name() == *stage);
    plan.map(|plan| plan.core.set_soft(soft)).is_some()
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            crate::runtime::drain::end(&self.plane, &self.threads, DROP_LIMIT);
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
