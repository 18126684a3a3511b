//! Whether a graph may start.

use super::Graph;
use crate::error::{GraphError, GraphWarning};
use crate::event::MAX_CLASSES;
use crate::stage::StageConfig;
use std::collections::HashSet;

/// Names go into metric labels and thread names.
const MAX_NAME: usize = 64;
/// A queue of more events than this is a leak with a name; it would hold gigabytes.
const MAX_CAPACITY: usize = 1 << 28;

impl Graph {
    /// The first thing that is wrong with the graph.
    pub(super) fn check(&self) -> Result<(), GraphError> {
        if self.stages.is_empty() {
            return Err(GraphError::NoStages { graph: self.core.name.to_string() });
        }
        self.check_replicas()?;
        self.check_names()?;
        self.check_stages()?;
        self.check_pools()?;
        self.check_waiting_edges()?;
        self.check_settings()
    }

    fn check_names(&self) -> Result<(), GraphError> {
        let (mut stages, mut pools) = (HashSet::new(), HashSet::new());
        for stage in &self.stages {
            let stage = stage.core.name().to_string();
            check_name(&stage)?;
            if !stages.insert(stage.clone()) {
                return Err(GraphError::StageNameTwice { stage });
            }
        }
        for pool in &self.pools {
            check_name(&pool.name)?;
            if !pools.insert(pool.name.clone()) {
                return Err(GraphError::PoolNameTwice { pool: pool.name.clone() });
            }
        }
        Ok(())
    }

    fn check_stages(&self) -> Result<(), GraphError> {
        for stage in &self.stages {
            let name = stage.core.name().to_string();
            let capacity = stage.config.capacity.unwrap_or(stage.capacity);
            if capacity == 0 {
                return Err(GraphError::ZeroCapacity { stage: name });
            }
            if stage.make.is_none() {
                return Err(GraphError::NoHandler { stage: name });
            }
            check_stage_settings(&name, &stage.config, capacity, stage.pool.is_some())?;
        }
        Ok(())
    }

    fn check_pools(&self) -> Result<(), GraphError> {
        let own = self
            .stages
            .iter()
            .filter_map(|stage| Some((stage.core.name().to_string(), stage.config.workers?)));
        let shared = self.pools.iter().map(|pool| (pool.name.clone(), pool.range));
        match own.chain(shared).find(|(_, range)| !range.is_valid()) {
            Some((pool, range)) => Err(GraphError::EmptyRange { pool, range }),
            None => Ok(()),
        }
    }

    /// A worker that waits holds up its whole pool, so pools count as one node: an edge waits for
    /// itself if its end's pool can reach its beginning's.
    fn check_waiting_edges(&self) -> Result<(), GraphError> {
        for edge in self.edges.iter().filter(|edge| edge.waits) {
            let Some(from) = edge.from else { continue };
            if self.reachable(&[edge.to]).contains(&self.node(from)) {
                let name = |index: usize| {
                    self.stages.get(index).map_or_else(String::new, |s| s.core.name().to_string())
                };
                return Err(GraphError::WaitingOnCycle { from: name(from), to: name(edge.to) });
            }
        }
        Ok(())
    }

    fn check_settings(&self) -> Result<(), GraphError> {
        let setting = |key: &str, value: String, allowed: &str| {
            Err(GraphError::Setting { key: key.to_owned(), value, allowed: allowed.to_owned() })
        };
        if self.config.budget == Some(0) {
            return setting("budget", "0".to_owned(), "1 or more events");
        }
        if self.config.budget_bytes.is_some_and(|bytes| bytes.as_u64() == 0) {
            return setting("budget_bytes", "0".to_owned(), "1 or more bytes, like \"64MiB\"");
        }
        if let Some((key, value, allowed)) = self.config.control.fault() {
            return setting(key, value, allowed);
        }
        let (classes, mut names) = (self.classes.len(), HashSet::new());
        if classes == 0 || classes > MAX_CLASSES {
            return setting("classes", classes.to_string(), "1 to 8 classes");
        }
        for class in &self.classes {
            if class.weight == 0 || class.weight > 1_000_000 {
                let key = format!("classes.{}.weight", class.name);
                return setting(&key, class.weight.to_string(), "1 to 1000000");
            }
            if !names.insert(&class.name) {
                return setting("classes", format!("`{}` twice", class.name), "names that differ");
            }
        }
        Ok(())
    }

    /// What is odd about the graph.
    pub(super) fn warnings(&self, budget: usize) -> Vec<GraphWarning> {
        let capacities = self.capacities().fold(0, usize::saturating_add);
        let never = GraphWarning::BudgetNeverBinds { budget, capacities };
        let mut warnings: Vec<_> = (budget >= capacities && self.config.budget.is_some())
            .then_some(never)
            .into_iter()
            .collect();
        let entries = self.edges.iter().filter(|edge| edge.from.is_none()).map(|edge| edge.to);
        let reached = self.reachable_stages(&entries.collect::<Vec<_>>());
        for (index, stage) in self.stages.iter().enumerate() {
            if !reached.contains(&index) {
                warnings.push(GraphWarning::Unreachable { stage: stage.core.name().to_string() });
            }
        }
        warnings
    }

    /// Half of what the queues hold together, and as much as the largest of them.
    pub(super) fn default_budget(&self) -> usize {
        let half = self.capacities().fold(0, usize::saturating_add) / 2;
        half.max(self.capacities().max().unwrap_or(1))
    }

    fn capacities(&self) -> impl Iterator<Item = usize> + '_ {
        self.stages.iter().map(|stage| stage.config.capacity.unwrap_or(stage.capacity))
    }

    /// A stage's pool if it shares one, else itself.
    fn node(&self, stage: usize) -> (bool, usize) {
        match self.stages.get(stage).and_then(|stage| stage.pool) {
            Some(pool) => (true, pool),
            None => (false, stage),
        }
    }

    /// The nodes that can be reached from some stages, those included, where a node leads on
    /// from every stage of it.
    fn reachable(&self, from: &[usize]) -> HashSet<(bool, usize)> {
        let mut reached = HashSet::new();
        let mut next: Vec<_> = from.iter().map(|stage| self.node(*stage)).collect();
        while let Some(node) = next.pop() {
            if reached.insert(node) {
                let leaving = self
                    .edges
                    .iter()
                    .filter(|edge| edge.from.is_some_and(|from| self.node(from) == node));
                next.extend(leaving.map(|edge| self.node(edge.to)));
            }
        }
        reached
    }

    fn reachable_stages(&self, from: &[usize]) -> HashSet<usize> {
        let mut reached = HashSet::new();
        let mut next = from.to_vec();
        while let Some(stage) = next.pop() {
            if reached.insert(stage) {
                let leaving = self.edges.iter().filter(|edge| edge.from == Some(stage));
                next.extend(leaving.map(|edge| edge.to));
            }
        }
        reached
    }
}

fn check_name(name: &str) -> Result<(), GraphError> {
    let printable = name.chars().all(|c| !c.is_control());
    if name.is_empty() || name.len() > MAX_NAME || !printable {
        return Err(GraphError::BadName { name: name.escape_debug().to_string() });
    }
    Ok(())
}

fn check_stage_settings(
    stage: &str,
    config: &StageConfig,
    capacity: usize,
    shares_pool: bool,
) -> Result<(), GraphError> {
    let fault = if capacity > MAX_CAPACITY {
        Some(("capacity", capacity, format!("1 to {MAX_CAPACITY} events")))
    } else if let Some(soft) = config.soft.filter(|soft| *soft == 0 || *soft > capacity) {
        Some(("soft", soft, format!("1 to the capacity, {capacity}")))
    } else if let Some(batch) = config.batch.filter(|batch| !(1..=4096).contains(batch)) {
        Some(("batch", batch, "1 to 4096 events".to_owned()))
    } else if config.weight == Some(0) {
        Some(("weight", 0, "1 or more".to_owned()))
    } else if config.cap == Some(0) {
        Some(("cap", 0, "1 or more workers".to_owned()))
    } else if let Some(range) = config.workers.filter(|_| shares_pool) {
        let allowed = "nothing for a stage in a shared pool: set the pool's workers".to_owned();
        Some(("workers", range.max, allowed))
    } else {
        None
    };
    match fault {
        Some((key, value, allowed)) => Err(GraphError::Setting {
            key: format!("stages.{stage}.{key}"),
            value: value.to_string(),
            allowed,
        }),
        None => Ok(()),
    }
}
