//! The settings in force: what a file says, else what code declared, else the default.

use crate::config::class::ClassConfig;
use crate::config::codel::CodelConfig;
use crate::config::control::{ControlConfig, Mode};
use crate::config::declaration::Declaration;
use crate::config::error::{GraphError, GraphWarning};
use crate::config::graph::GraphConfig;
use crate::config::pool::WorkerRange;
use crate::config::rate::RateConfig;
use crate::config::slo;
use crate::config::stage::{DEFAULT_BATCH, DEFAULT_PENDING, StageConfig};
use std::ops::RangeInclusive;
use std::time::Duration;

/// A queue of more events than this is a leak with a name; it would hold gigabytes.
const MAX_CAPACITY: usize = 1 << 28;
/// A share is a number of takes in a row: beyond this the other classes starve.
const MAX_SHARE: u32 = 1_000_000;

/// Who keeps one in one sheds nothing, and there are not a million events in an interval.
const CODEL_KEEPS: RangeInclusive<u32> = 2..=1_000_000;

/// More threads than this seldom help, and their stacks are 8 GiB of address space.
const DEFAULT_WORKERS: usize = 1_024;

/// Everything that can be set of a graph, checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) budget: usize,
    /// Whether somebody said so, or it follows from the capacities.
    pub(crate) budget_is_stated: bool,
    pub(crate) budget_bytes: u64,
    /// Of all pools together.
    pub(crate) workers: usize,
    pub(crate) statistics: bool,
    pub(crate) control: ControlConfig,
    /// By class.
    pub(crate) slo: Vec<Option<Duration>>,
    /// By class.
    pub(crate) shares: Vec<u32>,
    pub(crate) stages: Vec<StageSettings>,
    /// The pools that were declared, then one for each stage that shares none.
    pub(crate) pools: Vec<WorkerRange>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StageSettings {
    pub(crate) capacity: usize,
    /// `None`: the capacity.
    pub(crate) soft: Option<usize>,
    pub(crate) batch: usize,
    pub(crate) weight: u32,
    /// `None`: all workers of the pool.
    pub(crate) cap: Option<usize>,
    pub(crate) pending: usize,
    /// The least of the places outside, if they are sized.
    pub(crate) outstanding: Option<usize>,
    /// `None`: nothing bounds it.
    pub(crate) rate: Option<RateConfig>,
    pub(crate) standing: StandingConfig,
}

impl Settings {
    /// What holds for a graph with this declaration when a file says `config`.
    ///
    /// The one check for a start and for a change while the graph runs.
    pub(crate) fn of(declared: &Declaration, config: &GraphConfig) -> Result<Self, GraphError> {
        declared.check_names(config)?;
        let mut stages = Vec::with_capacity(declared.stages.len());
        let mut own_pools = Vec::new();
        for stage in &declared.stages {
            let said = config.stages.get(&*stage.name).cloned().unwrap_or_default();
            let merged = said.or(stage.said_of_group(config)).or(stage.config.clone());
            if stage.pool.is_none() {
                let own = stage.servers.map_or_else(WorkerRange::default, WorkerRange::exactly);
                let range = merged.workers.unwrap_or(own);
                check_range(&stage.name, range)?;
                own_pools.push(range);
            }
            let shares_pool = stage.pool.is_some();
            if let Some(above) = merged.newest_first_above.filter(|_| stage.keyed) {
                let key = format!("stages.{}.newest_first_above", stage.name);
                let allowed = "nothing for a keyed stage: events of one key are handled in order";
                return Err(fault(&key, format!("{above:?}"), allowed));
            }
            let mut settings = stage_settings(&stage.name, merged, stage.capacity, shares_pool)?;
            settings.standing.mode = config.control.queue_delay;
            stages.push(settings);
        }
        let mut pools = Vec::with_capacity(declared.pools.len() + own_pools.len());
        for pool in &declared.pools {
            let range = config.pools.get(&pool.name).map_or(pool.range, |said| said.workers);
            check_range(&pool.name, range)?;
            pools.push(range);
        }
        pools.append(&mut own_pools);
        let shares = declared.classes.iter().map(|class| share(class, config));
        let shares = shares.collect::<Result<_, _>>()?;
        let slo = declared.classes.iter().map(|class| objective(class, config, declared));
        let slo = slo.collect::<Result<_, _>>()?;
        if let Some((key, value, allowed)) = config.control.fault() {
            return Err(fault(key, value, allowed));
        }
        let stated = config.budget.or(declared.budget);
        if stated == Some(0) {
            return Err(fault("budget", 0, "1 or more events"));
        }
        let bytes = config.budget_bytes.or(declared.budget_bytes);
        let budget_bytes = bytes.map_or(DEFAULT_BYTES, |bytes| bytes.as_u64());
        if budget_bytes == 0 {
            return Err(fault("budget_bytes", 0, "1 or more bytes, like \"64MiB\""));
        }
        let workers = worker_budget(config.workers, &pools)?;
        let budget = stated.unwrap_or_else(|| default_budget(&stages));
        let (statistics, control) = (config.statistics, config.control.clone());
        let budget_is_stated = stated.is_some();
        Ok(Self {
            budget,
            budget_is_stated,
            budget_bytes,
            workers,
            statistics,
            control,
            slo,
            shares,
            stages,
            pools,
        })
    }

    /// Whether admission has anything to do.
    pub(crate) fn admits(&self) -> bool {
        self.control.admission != Mode::Off && self.slo.iter().any(Option::is_some)
    }

    /// The part of the takes that a class is entitled to, 0 to 1.
    pub(crate) fn share_of(&self, class: usize) -> f64 {
        let all: u64 = self.shares.iter().map(|share| u64::from(*share)).sum();
        self.shares.get(class).map_or(1.0, |share| f64::from(*share) / all.max(1) as f64)
    }

    /// What is odd about the settings, though they can be.
    pub(crate) fn warning(&self) -> Option<GraphWarning> {
        let capacities = capacities(&self.stages).fold(0, usize::saturating_add);
        let never = GraphWarning::BudgetNeverBinds { budget: self.budget, capacities };
        (self.budget >= capacities && self.budget_is_stated).then_some(never)
    }
}

/// How many workers all pools may have together.
fn worker_budget(said: Option<usize>, pools: &[WorkerRange]) -> Result<usize, GraphError> {
    let least = pools.iter().fold(0, |sum: usize, pool| sum.saturating_add(pool.min));
    match said {
        Some(workers) if workers < least => {
            let allowed = format!("{least} or more: the fewest that the pools may have, together");
            Err(fault("workers", workers, &allowed))
        }
        said => Ok(said.unwrap_or(DEFAULT_WORKERS.max(least))),
    }
}

/// Half of what the queues hold together, and as much as the largest of them.
fn default_budget(stages: &[StageSettings]) -> usize {
    let half = capacities(stages).fold(0, usize::saturating_add) / 2;
    half.max(capacities(stages).max().unwrap_or(1))
}

fn capacities(stages: &[StageSettings]) -> impl Iterator<Item = usize> + '_ {
    stages.iter().map(|stage| stage.capacity)
}

fn share(class: &ClassConfig, config: &GraphConfig) -> Result<u32, GraphError> {
    let share = config.classes.get(&class.name).copied().unwrap_or(class.weight);
    if share == 0 || share > MAX_SHARE {
        return Err(fault(&format!("classes.{}", class.name), share, "1 to 1000000"));
    }
    Ok(share)
}

/// What a class was promised: by a file, else by code.
fn objective(
    class: &ClassConfig,
    config: &GraphConfig,
    declared: &Declaration,
) -> Result<Option<Duration>, GraphError> {
    let outside = |p99: &Duration| !(slo::LEAST..=slo::MOST).contains(p99);
    // Also where every class has its own: it was meant for something.
    if let Some(p99) = config.slo.p99.or(declared.slo.p99).filter(outside) {
        return Err(fault("slo.p99", format!("{p99:?}"), slo::ALLOWED));
    }
    let said = config.slo.of(&class.name);
    let objective = said.or_else(|| declared.slo.of(&class.name));
    if let Some(p99) = objective.filter(outside) {
        let key = format!("slo.classes.{}.p99", class.name);
        return Err(fault(&key, format!("{p99:?}"), slo::ALLOWED));
    }
    Ok(objective)
}

fn check_range(pool: &str, range: WorkerRange) -> Result<(), GraphError> {
    if range.is_valid() {
        return Ok(());
    }
    Err(GraphError::EmptyRange { pool: pool.to_owned(), range })
}

fn stage_settings(
    stage: &str,
    config: StageConfig,
    declared_capacity: usize,
    shares_pool: bool,
) -> Result<StageSettings, GraphError> {
    let capacity = config.capacity.unwrap_or(declared_capacity);
    if capacity == 0 {
        return Err(GraphError::ZeroCapacity { stage: stage.to_owned() });
    }
    let key = |key: &str| format!("stages.{stage}.{key}");
    if capacity > MAX_CAPACITY {
        let allowed = format!("1 to {MAX_CAPACITY} events");
        return Err(fault(&key("capacity"), capacity, &allowed));
    }
    if let Some(soft) = config.soft.filter(|soft| *soft == 0 || *soft > capacity) {
        return Err(fault(&key("soft"), soft, &format!("1 to the capacity, {capacity}")));
    }
    if let Some(batch) = config.batch.filter(|batch| !(1..=4096).contains(batch)) {
        return Err(fault(&key("batch"), batch, "1 to 4096 events"));
    }
    if let Some(weight) = config.weight.filter(|weight| !(1..=MAX_SHARE).contains(weight)) {
        return Err(fault(&key("weight"), weight, "1 to 1000000"));
    }
    if config.cap == Some(0) {
        return Err(fault(&key("cap"), 0, "1 or more workers"));
    }
    if let Some(pending) = config.pending.filter(|pending| *pending > MAX_CAPACITY) {
        return Err(fault(&key("pending"), pending, &format!("0 to {MAX_CAPACITY} events")));
    }
    let pending = config.pending.unwrap_or(DEFAULT_PENDING);
    if let Some(least) = config.outstanding.filter(|least| !(1..=pending).contains(least)) {
        let allowed = format!("1 to the stage's `pending`, {pending}");
        return Err(fault(&key("outstanding"), least, &allowed));
    }
    if let Some(range) = config.workers.filter(|_| shares_pool) {
        let allowed = "nothing for a stage in a shared pool: set the pool's workers";
        return Err(fault(&key("workers"), range, allowed));
    }
    if let Some((name, value, allowed)) = config.rate.and_then(RateConfig::fault) {
        return Err(fault(&key(&format!("rate.{name}")), value, allowed));
    }
    Ok(StageSettings {
        capacity,
        soft: config.soft,
        batch: config.batch.unwrap_or(DEFAULT_BATCH),
        weight: config.weight.unwrap_or(1),
        cap: config.cap,
        pending,
        outstanding: config.outstanding,
        rate: config.rate,
        standing: standing(stage, config.codel, config.newest_first_above)?,
    })
}

/// What a stage does about a standing queue.
fn standing(
    stage: &str,
    codel: Option<CodelConfig>,
    newest_first_above: Option<Duration>,
) -> Result<StandingConfig, GraphError> {
    let key = |key: &str| format!("stages.{stage}.{key}");
    let within = |time: Duration| (slo::LEAST..=slo::MOST).contains(&time);
    if let Some(codel) = &codel {
        for (name, time) in [("target", codel.target), ("interval", codel.interval)] {
            if !within(time) {
                let name = key(&format!("codel.{name}"));
                return Err(fault(&name, format!("{time:?}"), slo::ALLOWED));
            }
        }
        if codel.target >= codel.interval {
            let (name, value) = (key("codel.target"), format!("{:?}", codel.target));
            return Err(fault(&name, value, "less than the interval"));
        }
        if !CODEL_KEEPS.contains(&codel.keep_one_in) {
            let allowed = "2 to 1000000: 1 would keep all; without `codel` nothing is shed";
            return Err(fault(&key("codel.keep_one_in"), codel.keep_one_in, allowed));
        }
    }
    if let Some(above) = newest_first_above.filter(|above| !within(*above)) {
        return Err(fault(&key("newest_first_above"), format!("{above:?}"), slo::ALLOWED));
    }
    Ok(StandingConfig { mode: Mode::default(), codel, newest_first_above })
}

fn fault(key: &str, value: impl ToString, allowed: &str) -> GraphError {
    let (key, value, allowed) = (key.to_owned(), value.to_string(), allowed.to_owned());
    GraphError::Setting { key, value, allowed }
}

/// The options as they are set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StandingConfig {
    pub(crate) mode: Mode,
    pub(crate) codel: Option<CodelConfig>,
    pub(crate) newest_first_above: Option<Duration>,
}

/// Default of the byte budget. A quarter of a gibibyte is what the smallest machines that run
/// servers can spare; it bounds only events of stages that weigh them.
pub(crate) const DEFAULT_BYTES: u64 = 256 << 20;
