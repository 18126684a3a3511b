//! Builds the running graph from the declared one.

use crate::config::{GraphError, GraphWarning, Settings, StageSettings};
use crate::control::batch_size::Batching;
use crate::graph::builder::Graph;
use crate::graph::declared_stage::DeclaredStage;
use crate::graph::replicated::Replicated;
use crate::monitor::{Engine, PoolPlan, StagePlan, StagePolicies};
use crate::platform::Clock;
use crate::platform::sync::Arc;
use crate::pool::{PoolCore, StageSlots};

impl Graph {
    /// Checks the graph, puts the settings in force, and returns the parts that run.
    pub(super) fn build(
        mut self,
        clock: Arc<dyn Clock>,
    ) -> Result<(Arc<Engine>, Vec<GraphWarning>), GraphError> {
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
        self.core.admission.build(self.gates(), &self.routes);
        self.core.admission.set(&settings.slo, settings.control.admission);
        self.core.set_timed(settings.statistics);
        self.core.valve.set(settings.control.valve, settings.control.overload);
        self.core.clock.start(clock);
        self.core.set_stages(self.stages.iter().map(|stage| Arc::downgrade(&stage.core)).collect());
        // Pools, policies and stages.
        let pools = self.plan_pools(&settings);
        let policies = self.plan_policies();
        let stages = std::mem::take(&mut self.stages).into_iter().zip(&settings.stages);
        let plans = stages.map(|(stage, set)| plan_stage(stage, set, &settings.shares)).collect();
        let edges = std::mem::take(&mut self.edges);
        let engine = Engine::new(self.core, plans, policies, pools, edges, declared, settings);
        Ok((engine, warnings))
    }

    /// Makes the policies of stages.
    fn plan_policies(&mut self) -> StagePolicies {
        let make = self.policies.batch_size.take();
        let batchings = self.stages.iter().map(|stage| {
            let policy = make.as_ref().map(|make| make(stage.core.name()));
            Batching::new(policy)
        });
        StagePolicies { batchings: batchings.collect(), law: self.policies.law.take() }
    }

    /// Returns for each stage the index of its gate: that of the first of its replicas.
    fn gates(&self) -> Box<[usize]> {
        let first = |stage: usize| {
            let mut declared = self.replicated.iter().map(Replicated::members);
            declared.find(|members| members.contains(&stage)).map_or(stage, |members| members.start)
        };
        (0..self.stages.len()).map(first).collect()
    }

    /// Returns the shared pools, and one for each stage without.
    fn plan_pools(&mut self, settings: &Settings) -> Vec<PoolPlan> {
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
            let stages = members.filter(|(_, stage)| stage.pool == Some(index)).map(|(n, _)| n);
            let policy = make_policy.as_ref().map(|make| make(&name));
            let core = Arc::new(PoolCore::new(name, *range, hosted));
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

/// Puts the settings of one stage in force, and opens it.
fn plan_stage(stage: DeclaredStage, settings: &StageSettings, shares: &[u32]) -> StagePlan {
    let DeclaredStage { core, pool, make, .. } = stage;
    core.set_classes(shares);
    core.set_capacity(settings.capacity);
    core.set_soft(settings.soft.unwrap_or(usize::MAX));
    core.set_pending_limit(settings.pending);
    core.set_outside_limit(settings.outstanding.unwrap_or(usize::MAX));
    core.set_standing(&settings.standing);
    core.set_rate(settings.rate);
    core.open();
    let share = Arc::new(StageSlots::new(settings.batch, settings.cap, settings.weight));
    StagePlan { core, share, pool: pool.unwrap_or(0), make }
}
