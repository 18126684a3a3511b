//! The observation of a pool for its policy.

use crate::config::Pools;
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
    /// Events that left the pool's stages during the tick: handled, failed or shed.
    pub completed: u64,
    /// Mean wait, in seconds, of events dequeued during the tick; zero if none was dequeued.
    pub wait_seconds: f64,
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
) -> Pools<PoolObservation> {
    topology.pools.map(|_, pool| observe_pool(monitor, topology, pool))
}

fn observe_pool(monitor: &Monitor, topology: &Topology, pool: &RunningPool) -> PoolObservation {
    let then = monitor.tick_start();
    let range = pool.core.range();
    let mut seen = PoolObservation {
        seconds: monitor.now.at.since(then.at).as_secs_f64(),
        workers: pool.core.target(),
        min: range.min,
        max: range.max,
        cores: topology.core.cores(),
        ..PoolObservation::default()
    };
    let (mut wait, mut service) = (TimeSum::default(), TimeSum::default());
    let (mut busy, mut cpu, mut run_queue, mut workers) = (0, Some(0), Some(0), 0);
    for stage in &pool.stages {
        let (now, then) = (&monitor.now.stages[*stage], &then.stages[*stage]);
        seen.queued += now.depth;
        seen.arrived += now.ledger.accepted - then.ledger.accepted;
        seen.completed += now.ledger.ended() - then.ledger.ended();
        wait = wait.plus(now.wait.since(then.wait));
        busy += now.busy - then.busy;
        cpu = cpu.zip(between(then.cpu, now.cpu)).map(|(sum, n)| sum + n);
        run_queue = run_queue.zip(between(then.run_queue, now.run_queue)).map(|(sum, n)| sum + n);
        service = service.plus(now.service.since_or_ever(then.service));
        workers = now.workers - then.workers;
    }
    seen.wait_seconds = wait.mean_seconds().unwrap_or(0.0);
    seen.service_seconds = service.mean_seconds();
    seen.utilization = if workers > 0 { busy as f64 / workers as f64 } else { 0.0 };
    seen.cpu_share = share_of(cpu, busy);
    seen.run_queue_share = share_of(run_queue, busy);
    seen
}

/// Returns a part of busy time as a share; `None` if the part is unknown, or there was no busy
/// time.
fn share_of(part: Option<u64>, busy: u64) -> Option<f64> {
    if busy == 0 {
        return None;
    }
    part.map(|part| part as f64 / busy as f64)
}
