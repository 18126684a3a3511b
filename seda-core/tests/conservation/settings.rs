//! New settings for a graph that runs, allowed or not.

use crate::build::NAMES;
use crate::check::same;
use crate::dice::Dice;
use crate::plan::Plan;
use seda_core::Mode;
use seda_core::{CodelConfig, RateConfig};
use seda_core::{
    GraphConfig, Manual, OverloadPolicy, PoolConfig, Report, StageConfig, WorkerRange,
};
use std::time::Duration;

/// Sets what follows from the dice; what is refused must have changed nothing.
pub(crate) fn reconfigure(manual: &mut Manual, plan: &Plan, dice: &mut Dice) -> Result<(), String> {
    let before = bounds(&manual.report());
    let config = draw(plan, dice);
    match manual.reconfigure(&config) {
        Ok(_) => Ok(()),
        Err(_) => same("bounds after a refused change", bounds(&manual.report()), before),
    }
}

fn draw(plan: &Plan, dice: &mut Dice) -> GraphConfig {
    let mut config = plan.config();
    if dice.one_in(2) {
        config.budget = Some(dice.below(48) as usize);
    }
    if dice.one_in(4) {
        config.budget_bytes = Some(bytesize::ByteSize::b(dice.below(40_000)));
    }
    if dice.one_in(4) {
        config.statistics = !config.statistics;
    }
    if dice.one_in(4) {
        config.control.valve =
            dice.pick(&[Mode::On, Mode::Observe, Mode::Off]).copied().unwrap_or_default();
        let policies = [OverloadPolicy::LongestQueue, OverloadPolicy::Random];
        config.control.overload = dice.pick(&policies).copied().unwrap_or_default();
    }
    if dice.one_in(4) {
        config.control.queue_delay =
            dice.pick(&[Mode::On, Mode::Observe, Mode::Off]).copied().unwrap_or_default();
    }
    for (name, pool) in crate::build::POOLS.iter().zip(&plan.pools) {
        // The workers of a hosted pool are fixed; now and then it is tried.
        if dice.one_in(if pool.hosted { 16 } else { 3 }) {
            config.pools.insert((*name).to_owned(), PoolConfig { workers: range(dice) });
        }
    }
    for (stage, name) in NAMES.iter().enumerate().take(plan.stages.len()) {
        if dice.one_in(3) {
            config.stages.insert((*name).to_owned(), stage_config(plan, stage, dice));
        }
    }
    config
}

fn stage_config(plan: &Plan, stage: usize, dice: &mut Dice) -> StageConfig {
    let some = |dice: &mut Dice, n: u64| dice.one_in(2).then(|| dice.below(n) as usize);
    // Those that are out of bounds are rare, or no change would ever be taken.
    let positive = |n: usize, dice: &mut Dice| n.max(usize::from(!dice.one_in(16)));
    let capacity = some(dice, 17).map(|n| positive(n, dice));
    let soft = some(dice, 8).map(|n| positive(n, dice)).filter(|_| dice.one_in(2));
    let workers = (plan.pool_of(stage).is_none() && dice.one_in(2)).then(|| range(dice));
    StageConfig {
        capacity,
        soft,
        workers,
        batch: some(dice, 8).map(|n| positive(n, dice)),
        weight: None,
        cap: some(dice, 4).map(|n| positive(n, dice)),
        pending: some(dice, 5),
        outstanding: dice.one_in(6).then_some(1),
        codel: dice.one_in(4).then(CodelConfig::default),
        newest_first_above: dice.one_in(4).then_some(Duration::from_millis(1)),
        rate: dice.one_in(6).then(|| RateConfig { per_second: 1e3, burst: 1 + dice.below(8) }),
    }
}

fn range(dice: &mut Dice) -> WorkerRange {
    let min = 1 + dice.below(3) as usize;
    WorkerRange::new(min, min + dice.below(3) as usize)
}

type Bounds = (usize, u64, Vec<(usize, usize)>);

fn bounds(report: &Report) -> Bounds {
    let queues = report.stages.iter().map(|stage| (stage.queue.soft, stage.queue.capacity));
    (report.budget.limit, report.budget.bytes_limit, queues.collect())
}
