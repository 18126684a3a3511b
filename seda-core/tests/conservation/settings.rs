//! New settings for a running graph, legal or not.

use crate::conservation::build::NAMES;
use crate::conservation::check::same;
use crate::conservation::plan::Plan;
use crate::conservation::rng::Rng;
use seda_core::Mode;
use seda_core::{CodelConfig, RateConfig};
use seda_core::{
    GraphConfig, Manual, OverloadPolicy, PoolConfig, Report, StageConfig, WorkerRange,
};
use std::time::Duration;

/// Applies random settings. Refused settings must have changed nothing.
pub(crate) fn reconfigure(manual: &mut Manual, plan: &Plan, rng: &mut Rng) -> Result<(), String> {
    let before = bounds(&manual.report());
    let config = draw(plan, rng);
    match manual.reconfigure(&config) {
        Ok(_) => Ok(()),
        Err(_) => same("bounds after a refused change", bounds(&manual.report()), before),
    }
}

fn draw(plan: &Plan, rng: &mut Rng) -> GraphConfig {
    let mut config = plan.config();
    if rng.one_in(2) {
        config.budget = Some(rng.below(48) as usize);
    }
    if rng.one_in(4) {
        config.budget_bytes = Some(bytesize::ByteSize::b(rng.below(40_000)));
    }
    if rng.one_in(4) {
        config.statistics = !config.statistics;
    }
    if rng.one_in(4) {
        config.control.valve =
            rng.pick(&[Mode::On, Mode::Observe, Mode::Off]).copied().unwrap_or_default();
        let policies = [OverloadPolicy::LongestQueue, OverloadPolicy::Random];
        config.control.overload = rng.pick(&policies).copied().unwrap_or_default();
    }
    if rng.one_in(4) {
        config.control.queue_delay =
            rng.pick(&[Mode::On, Mode::Observe, Mode::Off]).copied().unwrap_or_default();
    }
    for (name, pool) in crate::conservation::build::POOLS.iter().zip(&plan.pools) {
        // The workers of a hosted pool are fixed; one attempt in sixteen must fail.
        if rng.one_in(if pool.hosted { 16 } else { 3 }) {
            config.pools.insert((*name).to_owned(), PoolConfig { workers: range(rng) });
        }
    }
    for (stage, name) in NAMES.iter().enumerate().take(plan.stages.len()) {
        if rng.one_in(3) {
            config.stages.insert((*name).to_owned(), stage_config(plan, stage, rng));
        }
    }
    config
}

fn stage_config(plan: &Plan, stage: usize, rng: &mut Rng) -> StageConfig {
    let some = |rng: &mut Rng, n: u64| rng.one_in(2).then(|| rng.below(n) as usize);
    // Values out of bounds are rare; otherwise no configuration would be legal.
    let positive = |n: usize, rng: &mut Rng| n.max(usize::from(!rng.one_in(16)));
    let capacity = some(rng, 17).map(|n| positive(n, rng));
    let soft = some(rng, 8).map(|n| positive(n, rng)).filter(|_| rng.one_in(2));
    let workers = (plan.pool_of(stage).is_none() && rng.one_in(2)).then(|| range(rng));
    StageConfig {
        capacity,
        soft,
        workers,
        batch: some(rng, 8).map(|n| positive(n, rng)),
        weight: None,
        cap: some(rng, 4).map(|n| positive(n, rng)),
        pending: some(rng, 5),
        outstanding: rng.one_in(6).then_some(1),
        codel: rng.one_in(4).then(CodelConfig::default),
        newest_first_above: rng.one_in(4).then_some(Duration::from_millis(1)),
        rate: rng.one_in(6).then(|| RateConfig { per_second: 1e3, burst: 1 + rng.below(8) }),
    }
}

fn range(rng: &mut Rng) -> WorkerRange {
    let min = 1 + rng.below(3) as usize;
    WorkerRange::new(min, min + rng.below(3) as usize)
}

/// The bounds in force.
#[derive(Debug, PartialEq, Eq)]
struct Bounds {
    budget: usize,
    budget_bytes: u64,
    queues: Vec<QueueBounds>,
}

#[derive(Debug, PartialEq, Eq)]
struct QueueBounds {
    soft: usize,
    capacity: usize,
}

fn bounds(report: &Report) -> Bounds {
    let queues = report.stages.iter().map(|stage| &stage.queue);
    let queues = queues.map(|queue| QueueBounds { soft: queue.soft, capacity: queue.capacity });
    let (budget, budget_bytes) = (report.budget.limit, report.budget.bytes_limit);
    Bounds { budget, budget_bytes, queues: queues.collect() }
}
