//! The map of a running graph: its stages, pools and edges, and the settings in force.
//!
//! The monitor, reports, controllers and the runtime read it. It decides nothing.

use crate::config::{
    ClassConfig, Declaration, PoolIndex, Pools, Position, Settings, StageIndex, Stages,
};
use crate::platform::Time;
use crate::platform::sync::{Arc, Mutex};
use crate::pool::{PoolCore, StageSlots};
use crate::stage::{AnyStage, GraphShared};
use crate::worker::context::Context;
use crate::worker::{AnyRunner, Worker};
use std::fmt;

/// A stage, ready to run.
pub(crate) struct StagePlan {
    pub(crate) core: Arc<dyn AnyStage>,
    pub(crate) slots: Arc<StageSlots>,
    pub(crate) pool: PoolIndex,
    pub(crate) make: Option<MakeRunner>,
}

/// A pool and the stages that it runs.
pub(crate) struct RunningPool {
    pub(crate) core: Arc<PoolCore>,
    pub(crate) stages: Vec<StageIndex>,
}

/// Makes the runner of a stage for one worker, by the worker's number in its pool.
pub(crate) type MakeRunner =
    Box<dyn Fn(&Arc<StageSlots>, usize) -> Box<dyn AnyRunner> + Send + Sync>;

/// An edge into a stage, from another one or from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) from: Option<usize>,
    pub(crate) to: usize,
    /// The number of the edge among those into `to`.
    pub(crate) number: usize,
    pub(crate) waits: bool,
}

impl Edge {
    /// Returns the stage that the edge leaves; `None` for an edge from outside.
    pub(crate) fn source(&self) -> Option<StageIndex> {
        self.from.map(StageIndex::declared)
    }

    /// Returns the stage that the edge enters.
    pub(crate) fn target(&self) -> StageIndex {
        StageIndex::declared(self.to)
    }
}

/// The map of a graph. All of it but the settings is fixed at the start.
pub(crate) struct Topology {
    pub(crate) core: Arc<GraphShared>,
    pub(crate) stages: Stages<StagePlan>,
    pub(crate) pools: Pools<RunningPool>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) declared: Declaration,
    /// The settings in force, replaced as a whole.
    settings: Mutex<Arc<Settings>>,
}

impl Topology {
    pub(crate) fn new(
        core: Arc<GraphShared>,
        stages: Stages<StagePlan>,
        pools: Pools<RunningPool>,
        edges: Vec<Edge>,
        declared: Declaration,
        settings: Settings,
    ) -> Self {
        Self { core, stages, pools, edges, declared, settings: Mutex::new(Arc::new(settings)) }
    }

    pub(crate) fn now(&self) -> Time {
        self.core.now()
    }

    /// Returns the settings in force.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.lock())
    }

    /// Replaces the settings as a whole. The control plane calls this under the monitor's lock.
    pub(crate) fn set_settings(&self, settings: Settings) {
        *self.settings.lock() = Arc::new(settings);
    }

    pub(crate) fn classes(&self) -> &[ClassConfig] {
        &self.declared.classes
    }

    /// Returns the pool that runs a stage.
    pub(crate) fn pool_of(&self, stage: StageIndex) -> &RunningPool {
        &self.pools[self.stages[stage].pool]
    }

    /// Adds a worker to a pool; returns `None` if the pool has its target size.
    pub(crate) fn add_worker(&self, index: PoolIndex) -> Option<Worker> {
        let pool = &self.pools[index];
        let stats = pool.core.add_worker(pool.stages.len())?;
        let members = pool.stages.iter().map(|stage| &self.stages[*stage]);
        let runners: Vec<Box<dyn AnyRunner>> = members
            .filter_map(|stage| Some((stage.make.as_ref()?)(&stage.slots, stats.number)))
            .collect();
        let core = Arc::clone(&self.core);
        let cx = Context::new(core, stats, Arc::clone(&pool.core), self.edges.len());
        Some(Worker::new(Arc::clone(&pool.core), runners, cx))
    }
}

impl fmt::Debug for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topology").field("graph", &self.core.name).finish_non_exhaustive()
    }
}
