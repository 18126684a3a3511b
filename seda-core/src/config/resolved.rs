//! The settings in force: the file's, else those of the code, else the defaults.

use crate::config::class::ClassConfig;
use crate::config::control::ControlConfig;
use crate::config::declaration::Declaration;
use crate::config::error::{GraphWarning, SettingsError};
use crate::config::fault::SettingFault;
use crate::config::graph::GraphConfig;
use crate::config::pool::WorkerRange;
use crate::config::slo;
use crate::config::stage_settings::{MAX_SHARE, StageSettings};
use std::time::Duration;

/// Default of [`GraphConfig::workers`]: more threads seldom help, and the stacks of these take 8
/// GiB of address space.
const DEFAULT_WORKERS: usize = 1_024;

/// Every setting of a graph, checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) budget: usize,
    /// False if the budget follows from the capacities.
    pub(crate) budget_is_stated: bool,
    pub(crate) budget_bytes: u64,
    /// The most workers of all pools together.
    pub(crate) workers: usize,
    pub(crate) statistics: bool,
    pub(crate) control: ControlConfig,
    /// By class.
    pub(crate) slo: Vec<Option<Duration>>,
    /// By class.
    pub(crate) shares: Vec<u32>,
    pub(crate) stages: Vec<StageSettings>,
    /// The shared pools in order of declaration, then one for each stage with its own.
    pub(crate) pools: Vec<WorkerRange>,
}

impl Settings {
    /// Returns the settings in force, from the declared settings and those of a file.
    ///
    /// The start and a change while the graph runs are both checked here.
    ///
    /// # Errors
    /// The first setting that is out of bounds, or that names something unknown.
    pub(crate) fn of(declared: &Declaration, config: &GraphConfig) -> Result<Self, SettingsError> {
        declared.check_names(config)?;
        // Stages: the file, then the file for all replicas, then code. Some have pools of their
        // own.
        let mut stages = Vec::with_capacity(declared.stages.len());
        let mut own_pools = Vec::new();
        for stage in &declared.stages {
            let of_file = config.stages.get(&*stage.name).cloned().unwrap_or_default();
            let merged = of_file.or(stage.replica_settings(config)).or(stage.config.clone());
            if stage.pool.is_none() {
                let own = stage.servers.map_or_else(WorkerRange::default, WorkerRange::exactly);
                let range = merged.workers.unwrap_or(own);
                check_range(&stage.name, range)?;
                own_pools.push(range);
            }
            stages.push(StageSettings::of(stage, merged, config.control.queue_delay)?);
        }
        // Shared pools come first, then the pools of single stages.
        let mut pools = Vec::with_capacity(declared.pools.len() + own_pools.len());
        for pool in &declared.pools {
            let range = config.pools.get(&pool.name).map_or(pool.range, |of_file| of_file.workers);
            check_range(&pool.name, range)?;
            pools.push(range);
        }
        pools.append(&mut own_pools);
        // Classes: their shares and SLOs.
        let shares = declared.classes.iter().map(|class| share(class, config));
        let shares = shares.collect::<Result<_, _>>()?;
        let slo = declared.classes.iter().map(|class| class_slo(class, config, declared));
        let slo = slo.collect::<Result<_, _>>()?;
        config.control.check()?;
        // Budgets of the whole graph.
        let stated = config.budget.or(declared.budget);
        if stated == Some(0) {
            return Err(SettingFault::new("budget", 0, "1 or more events").into());
        }
        let bytes = config.budget_bytes.or(declared.budget_bytes);
        let budget_bytes = bytes.map_or(DEFAULT_BYTES, |bytes| bytes.as_u64());
        if budget_bytes == 0 {
            let allowed = "1 or more bytes, like \"64MiB\"";
            return Err(SettingFault::new("budget_bytes", 0, allowed).into());
        }
        let workers = worker_budget(config.workers, &pools)?;
        let budget = stated.unwrap_or_else(|| default_budget(&stages));
        Ok(Self {
            budget,
            budget_is_stated: stated.is_some(),
            budget_bytes,
            workers,
            statistics: config.statistics,
            control: config.control.clone(),
            slo,
            shares,
            stages,
            pools,
        })
    }

    /// Returns the part of the takes that a class is entitled to, 0 to 1.
    pub(crate) fn share_of(&self, class: usize) -> f64 {
        let all: u64 = self.shares.iter().map(|share| u64::from(*share)).sum();
        self.shares.get(class).map_or(1.0, |share| f64::from(*share) / all.max(1) as f64)
    }

    /// Returns the warning about settings that are allowed but have no effect.
    pub(crate) fn warning(&self) -> Option<GraphWarning> {
        let capacities = capacities(&self.stages).fold(0, usize::saturating_add);
        let never = GraphWarning::BudgetNeverBinds { budget: self.budget, capacities };
        (self.budget >= capacities && self.budget_is_stated).then_some(never)
    }
}

/// Returns the most workers of all pools together; each pool keeps its minimum.
fn worker_budget(stated: Option<usize>, pools: &[WorkerRange]) -> Result<usize, SettingFault> {
    let least = pools.iter().fold(0, |sum: usize, pool| sum.saturating_add(pool.min));
    match stated {
        Some(workers) if workers < least => {
            let allowed = format!("{least} or more, the sum of the minima of all pools");
            Err(SettingFault::new("workers", workers, allowed))
        }
        stated => Ok(stated.unwrap_or(DEFAULT_WORKERS.max(least))),
    }
}

/// Returns half of the sum of the capacities, and at least the largest of them.
fn default_budget(stages: &[StageSettings]) -> usize {
    let half = capacities(stages).fold(0, usize::saturating_add) / 2;
    half.max(capacities(stages).max().unwrap_or(1))
}

fn capacities(stages: &[StageSettings]) -> impl Iterator<Item = usize> + '_ {
    stages.iter().map(|stage| stage.capacity)
}

/// Returns a class's share of the takes: from the file, else from code.
fn share(class: &ClassConfig, config: &GraphConfig) -> Result<u32, SettingFault> {
    let share = config.classes.get(&class.name).copied().unwrap_or(class.weight);
    if share == 0 || share > MAX_SHARE {
        let key = format!("classes.{}", class.name);
        return Err(SettingFault::new(key, share, "1 to 1000000"));
    }
    Ok(share)
}

/// Returns the SLO of a class: from the file, else from code.
fn class_slo(
    class: &ClassConfig,
    config: &GraphConfig,
    declared: &Declaration,
) -> Result<Option<Duration>, SettingFault> {
    // Checked even if every class has an SLO of its own: a wrong value is a mistake.
    if let Some(p99) = config.slo.p99.or(declared.slo.p99) {
        slo::check("slo.p99", p99)?;
    }
    let of_file = config.slo.of(&class.name);
    let p99 = of_file.or_else(|| declared.slo.of(&class.name));
    if let Some(p99) = p99 {
        slo::check(&format!("slo.classes.{}.p99", class.name), p99)?;
    }
    Ok(p99)
}

fn check_range(pool: &str, range: WorkerRange) -> Result<(), SettingsError> {
    if range.is_valid() {
        return Ok(());
    }
    Err(SettingsError::EmptyRange { pool: pool.to_owned(), range })
}

/// Default of [`GraphConfig::budget_bytes`]: a quarter of the memory of the smallest servers. It
/// bounds only events of stages that weigh them.
pub(crate) const DEFAULT_BYTES: u64 = 256 << 20;
