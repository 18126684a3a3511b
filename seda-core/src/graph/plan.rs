//! Builds the running graph from the declared one.

use crate::config::{
    GraphError, GraphWarning, PoolIndex, Pools, Position, Settings, StageIndex, StageSettings,
};
use crate::control::{BatchSizePolicy, ControlPlane, Policies, PoolSizePolicy};
use crate::graph::builder::Graph;
use crate::graph::declared_stage::DeclaredStage;
use crate::graph::replicated::Replicated;
use crate::monitor::{RunningPool, StagePlan, Topology};
use crate::platform::Clock;
use crate::platform::sync::Arc;
use crate::pool::{PoolCore, StageSlots};

/// The program's own policy of a pool; `None`: the default.
type OwnPolicy = Option<Box<dyn PoolSizePolicy>>;

impl Graph {
    /// Checks the graph, puts the settings in force, and returns the parts that run.
    pub(crate) fn build(
        mut self,
        clock: Arc<dyn Clock>,
    ) -> Result<(Arc<ControlPlane>, Vec<GraphWarning>), GraphError> {
        // Check the structure, then the settings.
        self.check()?;
        let declared = self.declaration();
        let settings = Settings::of(&declared, &self.config)?;
        let warnings: Vec<_> = settings.warning().into_iter().chain(self.unreachable()).collect();
        for warning in &warnings {
            tracing::warn!(graph = %self.core.name, "{warning}");
        }
        // Settings of the whole graph.
        self.core.budget.set_limit(settings.budget);
        self.core.bytes.set_limit(settings.budget_bytes);
        self.core.set_classes(self.classes.len());
        let edges: Vec<_> = self.edges.iter().map(|edge| (edge.from, edge.to)).collect();
        self.core.admission.build(self.gates(), &self.routes, &edges);
        self.core.admission.set(&settings.slo, settings.control.admission);
        self.core.set_timed(settings.statistics);
        self.core.valve.set(settings.control.valve, settings.control.overload);
        self.core.clock.start(clock);
        self.core.set_stages(self.stages.iter().map(|stage| Arc::downgrade(&stage.core)).collect());
        // Pools, policies and stages.
        let (pools, pool_sizes) = self.plan_pools(&settings);
        let batch_sizes = self.batch_size_policies();
        let law = self.policies.law.take();
        let policies = Policies { pool_sizes, batch_sizes, law };
        let stages = std::mem::take(&mut self.stages).into_iter().zip(&settings.stages);
        let plans = stages.map(|(stage, set)| plan_stage(stage, set, &settings.shares)).collect();
        let edges = std::mem::take(&mut self.edges);
        let topology = Topology::new(self.core, plans, pools, edges, declared, settings);
        Ok((ControlPlane::new(topology, policies), warnings))
    }

    /// Returns the program's own batch-size policy of each stage; `None`: the default.
    fn batch_size_policies(&mut self) -> Vec<Option<Box<dyn BatchSizePolicy>>> {
        let make = self.policies.batch_size.take();
        let names = self.stages.iter().map(|stage| stage.core.name());
        names.map(|name| make.as_ref().map(|make| make(name))).collect()
    }

    /// Returns for each stage the index of its gate: that of the first of its replicas.
    fn gates(&self) -> Box<[usize]> {
        let first = |stage: usize| {
            let mut declared = self.replicated.iter().map(Replicated::members);
            declared.find(|members| members.contains(&stage)).map_or(stage, |members| members.start)
        };
        (0..self.stages.len()).map(first).collect()
    }

    /// Returns the shared pools, and one pool for each other stage, with their policies.
    fn plan_pools(&mut self, settings: &Settings) -> (Pools<RunningPool>, Vec<OwnPolicy>) {
        let make_policy = self.policies.pool_size.take();
        let mut pools: Vec<_> =
            self.pools.iter().map(|pool| (pool.name.as_str().into(), pool.hosted)).collect();
        for stage in self.stages.iter_mut().filter(|stage| stage.pool.is_none()) {
            stage.pool = Some(pools.len());
            pools.push((Arc::clone(stage.core.name()), false));
        }
        let plans = pools.into_iter().zip(&settings.pools).enumerate();
        let plans = plans.map(|(index, ((name, hosted), range))| {
            let members = self.stages.iter().enumerate();
            let stages = members.filter(|(_, stage)| stage.pool == Some(index));
            let stages = stages.map(|(n, _)| StageIndex::declared(n)).collect();
            let policy = make_policy.as_ref().map(|make| make(&name));
            let core = Arc::new(PoolCore::new(name, *range, hosted));
            (RunningPool { core, stages }, policy)
        });
        let (plans, policies): (Vec<RunningPool>, Vec<OwnPolicy>) = plans.unzip();
        for stage in &self.stages {
            if let Some(plan) = stage.pool.and_then(|pool| plans.get(pool)) {
                stage.core.set_pool(Arc::clone(&plan.core));
            }
        }
        (plans.into_iter().collect(), policies)
    }
}

/// Puts the settings of one stage in force, and opens it.
fn plan_stage(stage: DeclaredStage, settings: &StageSettings, shares: &[u32]) -> StagePlan {
    let DeclaredStage { core, pool, make, .. } = stage;
    core.set_classes(shares);
    let slots = Arc::new(StageSlots::new(settings.batch, settings.cap, settings.weight));
    core.apply(&slots, settings, None);
    core.open();
    StagePlan { core, slots, pool: PoolIndex::declared(pool.unwrap_or(0)), make }
}
