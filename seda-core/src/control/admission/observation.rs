//! A stage over the last tick, as the admission controller sees it.

use crate::config::{PerClass, Pools, StageIndex};
use crate::control::admission::law::AdmissionObservation;
use crate::control::pool_size::PoolObservation;
use crate::monitor::{Monitor, Topology};
use crate::platform::sync::Ordering;
use crate::stats::{Quantiles, ServedCosts};

/// The least part of a worker that counts as a whole one.
const LEAST_PART: f64 = 0.25;
/// The least share of time on a core. Below it a handler needs nearly no core, and the number of
/// workers that would fill the machine is unknown.
const LEAST_CPU_SHARE: f64 = 0.01;

/// A stage over the last tick.
#[derive(Clone, Debug, Default)]
pub(crate) struct StageObservation {
    /// Length of the tick.
    pub(crate) seconds: f64,
    /// Requests offered to its gate, or events sent to it if those are more.
    pub(crate) offered: u64,
    /// Requests that its gate admitted, or events that entered it if those are more.
    pub(crate) admitted: u64,
    /// Requests that its gate refused.
    pub(crate) turned_away: u64,
    /// Requests of a lower class that were preempted for a higher one.
    pub(crate) preempted: u64,
    /// Events handled during the tick.
    pub(crate) completed: u64,
    /// Events handled since the graph began, by class.
    pub(crate) handled: PerClass<u64>,
    /// Events offered, or refused at the gate, since the graph began, by class.
    pub(crate) offered_by_class: PerClass<u64>,
    /// Events queued now.
    pub(crate) queued: usize,
    /// Requests inside for the stage, or events queued if those are more.
    pub(crate) inside: usize,
    /// The limit in force; `None` before the first.
    pub(crate) limit: Option<usize>,
    /// Waits of the events dequeued during the tick.
    pub(crate) wait: Quantiles,
    /// Services that ended during the tick.
    pub(crate) service: Quantiles,
    /// Declared costs of the requests served.
    pub(crate) served: ServedCosts,
    /// Workers that serve it, or could.
    pub(crate) workers: usize,
    /// Events that these workers serve at once.
    pub(crate) parallelism: f64,
    /// Whether it has its pool for itself. Its part of a shared pool changes from tick to tick.
    pub(crate) alone: bool,
    /// Workers of the pool now.
    pub(crate) pool_workers: usize,
}

impl StageObservation {
    /// Returns the observation for a law.
    pub(crate) fn observation(
        &self,
        slo_seconds: f64,
        service_mean: Option<f64>,
        service_p99: Option<f64>,
    ) -> AdmissionObservation {
        AdmissionObservation {
            seconds: self.seconds,
            slo_seconds,
            offered: self.offered,
            admitted: self.admitted,
            completed: self.completed,
            queued: self.queued,
            inside: self.inside,
            wait_mean: self.wait.mean_seconds(),
            wait_p90: self.wait.quantile_seconds(0.9),
            wait_max: self.wait.quantile_seconds(1.0),
            service_mean,
            service_p99,
            workers: self.workers,
            parallelism: self.parallelism,
            limit: self.limit,
            cost_variation: None,
            grows: false,
        }
    }
}

/// Returns a stage over the last tick. `pending` is the limit of its events outside.
pub(super) fn observe_stage(
    monitor: &Monitor,
    topology: &Topology,
    stage: StageIndex,
    pools: &Pools<PoolObservation>,
    pending: usize,
) -> StageObservation {
    let (now, then) = (&monitor.now.stages[stage], &monitor.tick_start().stages[stage]);
    let (queue, tick) = (&monitor.queues[stage], &monitor.tick[stage]);
    let pool = &pools[topology.stages[stage].pool];
    let (ledger, before) = (&now.ledger, &then.ledger);
    let entered = now.gate.entered.saturating_sub(then.gate.entered);
    let away = now.gate.turned_away.iter().zip(&then.gate.turned_away);
    let turned_away: u64 = away.map(|(now, then)| now.saturating_sub(*then)).sum();
    let offered_by_class =
        PerClass::from_fn(|class| queue.classes[class].offered + now.gate.turned_away[class]);
    let (service, parallelism) = observe_service(monitor, topology, stage, pool, pending);
    StageObservation {
        seconds: pool.seconds,
        offered: (entered + turned_away).max(ledger.offered - before.offered),
        admitted: entered.max(ledger.accepted - before.accepted),
        turned_away,
        preempted: now.gate.preempted.saturating_sub(then.gate.preempted),
        completed: ledger.handled - before.handled,
        handled: queue.classes.map(|class| class.handled),
        offered_by_class,
        queued: now.depth,
        inside: now.gate.bound.max(now.depth),
        limit: now.gate.limit,
        wait: tick.wait.clone(),
        service,
        served: tick.served,
        workers: whole(parallelism),
        parallelism,
        alone: topology.pool_of(stage).stages.len() == 1,
        pool_workers: pool.workers,
    }
}

/// Returns the service times of events, and how many events can be served at once.
fn observe_service(
    monitor: &Monitor,
    topology: &Topology,
    stage: StageIndex,
    pool: &PoolObservation,
    pending: usize,
) -> (Quantiles, f64) {
    let (now, then) = (&monitor.now.stages[stage], &monitor.tick_start().stages[stage]);
    let outside = now.deferred.since(then.deferred);
    if outside.count == 0 {
        let parallelism = own_part(monitor, topology, stage, useful_workers(pool));
        return (monitor.tick[stage].service.clone(), parallelism);
    }
    // Deferred events are served by the places outside, for the time that they are outside.
    let nanos = outside.nanos / u128::from(outside.count);
    let mut service = Quantiles::default();
    service.record(u64::try_from(nanos).unwrap_or(u64::MAX), outside.count);
    (service, pending as f64)
}

/// Returns the part of a pool's `useful` workers that serves a stage: the part that the pool's
/// other stages leave, or the share of its weight if that is more.
fn own_part(monitor: &Monitor, topology: &Topology, stage: StageIndex, useful: f64) -> f64 {
    let then = monitor.tick_start();
    let pool = topology.pool_of(stage);
    let all: u64 = pool.stages.iter().map(|member| weight(topology, *member)).sum();
    let share = weight(topology, stage) as f64 / all.max(1) as f64;
    let mut others = 0;
    for other in pool.stages.iter().filter(|other| **other != stage) {
        let (now, then) = (&monitor.now.stages[*other], &then.stages[*other]);
        others += now.busy.saturating_sub(then.busy);
    }
    let nanos = monitor.now.at.nanos_since(then.at).max(1);
    (useful - others as f64 / nanos as f64).clamp(useful * share, useful)
}

fn weight(topology: &Topology, stage: StageIndex) -> u64 {
    u64::from(topology.stages[stage].slots.weight.load(Ordering::Relaxed))
}

/// Returns how many workers of a pool are useful: as many as it may have, unless more would only
/// wait for a core. No request is refused while another allowed worker would help.
fn useful_workers(pool: &PoolObservation) -> f64 {
    let (now, most) = (pool.workers as f64, pool.max.max(pool.workers) as f64);
    let oversubscribed =
        pool.run_queue_share.filter(|share| *share > PoolObservation::OVERSUBSCRIBED);
    if let Some(share) = oversubscribed.filter(|_| pool.workers >= pool.cores) {
        // Workers that share cores count only for the time in which they do not wait for one.
        return now * (1.0 - share);
    }
    let Some(cpu) = pool.cpu_share.filter(|_| pool.utilization > 0.0) else {
        return most;
    };
    (pool.cores as f64 / cpu.max(LEAST_CPU_SHARE)).clamp(now.min(most), most)
}

/// Rounds to whole workers. A small part of a worker counts as none.
pub(crate) fn whole(parallelism: f64) -> usize {
    (parallelism + 1.0 - LEAST_PART) as usize
}
