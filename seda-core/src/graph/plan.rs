//! From a graph that is declared to one that can run.

use super::{DeclaredPool, DeclaredStage, Graph, MakePolicy};
use crate::clock::Clock;
use crate::control::{LittlesLaw, PoolSizePolicy};
use crate::engine::{Engine, PoolPlan, StagePlan};
use crate::error::{GraphError, GraphWarning};
use crate::pool::{PoolCore, WorkerRange};
use crate::runner::StageShare;
use crate::stage::{DEFAULT_BATCH, DEFAULT_PENDING};
use crate::sync::Arc;

impl Graph {
    /// From declaration to something that can run.
    pub(crate) fn build(
        mut self,
        clock: Arc<dyn Clock>,
    ) -> Result<(Arc<Engine>, Vec<GraphWarning>), GraphError> {
        self.check()?;
        let budget = self.config.budget.unwrap_or_else(|| self.default_budget());
        let warnings = self.warnings(budget);
        for warning in &warnings {
            tracing::warn!(graph = %self.core.name, "{warning}");
        }
        self.core.budget.set_limit(budget);
        if let Some(bytes) = self.config.budget_bytes {
            self.core.bytes.set_limit(bytes.as_u64());
        }
        self.core.set_classes(self.classes.len());
        self.core.set_timed(self.config.statistics);
        self.core.valve.set(self.config.control.valve, self.config.control.overload);
        self.core.clock.start(clock);
        self.core.set_stages(self.stages.iter().map(|stage| Arc::downgrade(&stage.core)).collect());
        let make_policy = self.make_policy.take();
        let pools = self.plan_pools(make_policy);
        let stages = std::mem::take(&mut self.stages);
        let weights: Vec<u32> = self.classes.iter().map(|class| class.weight).collect();
        let plans = stages.into_iter().map(|stage| plan_stage(stage, &weights)).collect();
        let (core, edges, classes) = (self.core, self.edges, self.classes);
        Ok((Engine::new(core, plans, pools, edges, classes, self.config), warnings))
    }

    /// The declared pools, and one for each stage that shares none.
    fn plan_pools(&mut self, make_policy: Option<MakePolicy>) -> Vec<PoolPlan> {
        for index in 0..self.stages.len() {
            let Some(stage) = self.stages.get_mut(index).filter(|stage| stage.pool.is_none())
            else {
                continue;
            };
            let own = stage.servers.map_or_else(WorkerRange::default, WorkerRange::exactly);
            let range = stage.config.workers.unwrap_or(own);
            stage.pool = Some(self.pools.len());
            let name = stage.core.name().to_string();
            self.pools.push(DeclaredPool { name, range, hosted: false });
        }
        let control = &self.config.control;
        let plans = self.pools.iter().enumerate().map(|(index, pool)| {
            let members = self.stages.iter().enumerate();
            let stages = members.filter(|(_, stage)| stage.pool == Some(index)).map(|(n, _)| n);
            let policy = match &make_policy {
                Some(make) => make(&pool.name),
                None => Box::new(LittlesLaw::new(control)) as Box<dyn PoolSizePolicy>,
            };
            let core = Arc::new(PoolCore::new(pool.name.as_str().into(), pool.range, pool.hosted));
            PoolPlan { core, stages: stages.collect(), policy }
        });
        let plans: Vec<PoolPlan> = plans.collect();
        for stage in &self.stages {
            if let Some(plan) = stage.pool.and_then(|pool| plans.get(pool)) {
                stage.core.set_pool(Arc::clone(&plan.core));
            }
        }
        plans
    }
}

fn plan_stage(stage: DeclaredStage, weights: &[u32]) -> StagePlan {
    let DeclaredStage { core, capacity, config, pool, make, .. } = stage;
    let capacity = config.capacity.unwrap_or(capacity);
    core.set_classes(weights);
    core.set_capacity(capacity);
    core.set_soft(config.soft.unwrap_or(capacity));
    core.set_pending_limit(config.pending.unwrap_or(DEFAULT_PENDING));
    core.open();
    let batch = config.batch.unwrap_or(DEFAULT_BATCH);
    let share = Arc::new(StageShare::new(batch, config.cap, config.weight.unwrap_or(1)));
    StagePlan { core, share, pool: pool.unwrap_or(0), make }
}
