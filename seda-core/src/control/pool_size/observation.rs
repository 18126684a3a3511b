//! The observation of a pool for its policy.

use crate::config::{PoolIndex, Pools, Position, Settings, StageIndex, Stages};
use crate::event::RefusalReason;
use crate::monitor::{Monitor, RunningPool, TimeSum, Topology, between};

/// A pool over the last tick, as its policy sees it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PoolObservation {
    /// Length of the tick, in seconds; never zero.
    pub seconds: f64,
    /// Workers now.
    pub workers: usize,
    /// The fewest workers allowed.
    pub min: usize,
    /// The most workers allowed.
    pub max: usize,
    /// Cores of the machine.
    pub cores: usize,
    /// Events queued at the pool's stages.
    pub queued: usize,
    /// Events that arrived during the tick.
    pub arrived: u64,
    /// Events offered during the tick: those that arrived, and those refused because the pool's
    /// stages could not serve more of them, at a full queue or at a gate.
    pub offered: u64,
    /// Events that the pool's handlers ended during the tick: handled or failed. Shed events are
    /// not served, so they do not count.
    pub completed: u64,
    /// Workers that are in a handler now.
    pub busy: usize,
    /// Mean time, in seconds, that these workers have spent on their present events; zero without
    /// such workers.
    pub busy_seconds: f64,
    /// Mean wait, in seconds, of events dequeued during the tick; zero if none was dequeued.
    pub wait_seconds: f64,
    /// Wait so far, in seconds, of the oldest queued event that one more worker could take; zero
    /// without such an event.
    pub oldest_seconds: f64,
    /// Mean service time in seconds, over the events of all the pool's stages; `None` before the
    /// first event is served.
    pub service_seconds: Option<f64>,
    /// Share of the workers' time that they spent in handlers, 0 to 1.
    pub utilization: f64,
    /// Share of busy time on a core; `None` without procfs.
    pub cpu_share: Option<f64>,
    /// Share of busy time spent waiting for a core; `None` without procfs.
    pub run_queue_share: Option<f64>,
}

impl PoolObservation {
    /// Above this share of busy time spent waiting for a core, the cores are scarce, not the
    /// workers: one more worker would only wait, too.
    pub(in crate::control) const OVERSUBSCRIBED: f64 = 0.25;
}

/// Returns every pool over the last tick.
pub(in crate::control) fn observe_pools(
    monitor: &Monitor,
    topology: &Topology,
    settings: &Settings,
) -> Pools<PoolObservation> {
    let refused = refused_events(monitor, topology, settings);
    topology.pools.map(|index, pool| observe_pool(monitor, topology, index, pool, &refused))
}

/// Returns how many events each stage refused during the tick because it could not serve more.
pub(in crate::control) fn refused_events(
    monitor: &Monitor,
    topology: &Topology,
    settings: &Settings,
) -> Stages<u64> {
    let all_away = topology.stages.indices().map(|stage| turned_away(monitor, stage)).sum();
    let stages = topology.stages.indices().zip(&settings.stages);
    stages
        .map(|(stage, set)| refused_at(monitor, topology, stage, all_away, set.rate.is_some()))
        .collect()
}

fn observe_pool(
    monitor: &Monitor,
    topology: &Topology,
    index: PoolIndex,
    pool: &RunningPool,
    refused: &Stages<u64>,
) -> PoolObservation {
    let then = monitor.tick_start();
    let range = pool.core.range();
    let running = monitor.running[index];
    let mut seen = PoolObservation {
        seconds: monitor.now.at.since(then.at).as_secs_f64(),
        workers: pool.core.target(),
        min: range.min,
        max: range.max,
        cores: topology.core.cores(),
        busy: running.count,
        busy_seconds: running.nanos as f64 / running.count.max(1) as f64 / 1e9,
        ..PoolObservation::default()
    };
    let (mut wait, mut service) = (TimeSum::default(), TimeSum::default());
    let (mut busy, mut split, mut workers) = (0, 0, 0);
    let (mut cpu, mut run_queue) = (Some(0), Some(0));
    for stage in &pool.stages {
        let (now, then) = (&monitor.now.stages[*stage], &then.stages[*stage]);
        seen.queued += now.depth;
        seen.arrived += now.ledger.accepted - then.ledger.accepted;
        seen.offered += now.ledger.accepted - then.ledger.accepted + refused[*stage];
        seen.completed += now.ledger.served() - then.ledger.served();
        seen.oldest_seconds = seen.oldest_seconds.max(longest_wait(monitor, topology, *stage));
        wait = wait.plus(now.wait.since(then.wait));
        busy += now.busy - then.busy;
        split += now.split - then.split;
        cpu = cpu.zip(between(then.cpu, now.cpu)).map(|(sum, n)| sum + n);
        run_queue = run_queue.zip(between(then.run_queue, now.run_queue)).map(|(sum, n)| sum + n);
        service = service.plus(now.service.since_or_ever(then.service));
        workers = now.workers - then.workers;
    }
    seen.wait_seconds = wait.mean_seconds().unwrap_or(0.0);
    seen.service_seconds = service.mean_seconds();
    seen.utilization = if workers > 0 { busy as f64 / workers as f64 } else { 0.0 };
    seen.cpu_share = share_of(cpu, split);
    seen.run_queue_share = share_of(run_queue, split);
    seen
}

/// Returns the wait, in seconds, of the oldest event that one more worker could take; zero without
/// one. At a stage that has reached its cap of workers, or its limit of events outside, no further
/// worker could take any.
fn longest_wait(monitor: &Monitor, topology: &Topology, stage: StageIndex) -> f64 {
    let plan = &topology.stages[stage];
    let (outside, most) = plan.core.outside();
    if outside >= most || !plan.slots.has_room() {
        return 0.0;
    }
    monitor.queues[stage].longest_wait.as_secs_f64()
}

/// Returns how many events a stage refused during the tick because it could not serve more: at its
/// full queue, or at a gate or limit of the admission controller.
///
/// An entry counts the refusals of all gates on its routes as `admission`. Those of other stages'
/// gates, of `all_away` at all gates together, are not its own. Where a `rate` is declared, a
/// refusal by `admission` at the queue may be the rate's, which more workers do not change.
fn refused_at(
    monitor: &Monitor,
    topology: &Topology,
    stage: StageIndex,
    all_away: u64,
    has_rate: bool,
) -> u64 {
    let own = own_turned_away(monitor, topology, stage);
    let others = all_away.saturating_sub(own);
    let at_queue = if has_rate { 0 } else { refused_for(monitor, stage, RefusalReason::Admission) };
    refused_for(monitor, stage, RefusalReason::Full) + own.max(at_queue.saturating_sub(others))
}

/// Returns how many events a stage refused during the tick for one reason.
fn refused_for(monitor: &Monitor, stage: StageIndex, reason: RefusalReason) -> u64 {
    let (now, then) = (&monitor.now.stages[stage], &monitor.tick_start().stages[stage]);
    let refused = now.ledger.refused.iter().zip(then.ledger.refused.iter());
    let of_reason = refused.filter(|((known, _), _)| *known == reason);
    of_reason.map(|((_, now), (_, then))| now.saturating_sub(then)).sum()
}

/// Returns a stage's part of the requests that its gate refused during the tick; replicas share
/// one gate.
fn own_turned_away(monitor: &Monitor, topology: &Topology, stage: StageIndex) -> u64 {
    let admission = &topology.core.admission;
    let gate = admission.gate_number(stage.get());
    let sharing =
        topology.stages.indices().filter(|other| admission.gate_number(other.get()) == gate);
    let sharing = sharing.count().max(1) as u64;
    let owner = gate.and_then(|gate| topology.stages.index_of(gate));
    owner.map_or(0, |owner| turned_away(monitor, owner).div_ceil(sharing))
}

/// Returns how many requests a stage's gate refused during the tick.
fn turned_away(monitor: &Monitor, stage: StageIndex) -> u64 {
    let (now, then) = (&monitor.now.stages[stage].gate, &monitor.tick_start().stages[stage].gate);
    let away = now.turned_away.iter().zip(&then.turned_away);
    away.map(|(now, then)| now.saturating_sub(*then)).sum()
}

/// Returns a part of busy time as a share; `None` if the part is unknown, or there was no busy
/// time.
fn share_of(part: Option<u64>, busy: u64) -> Option<f64> {
    if busy == 0 {
        return None;
    }
    part.map(|part| part as f64 / busy as f64)
}
