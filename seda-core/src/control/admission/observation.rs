//! A stage over the last tick, as the admission controller sees it.

use crate::config::{PerClass, Pools, StageIndex};
use crate::control::admission::law::AdmissionObservation;
use crate::control::pool_size::PoolObservation;
use crate::monitor::{Monitor, Topology};
use crate::platform::sync::Ordering;
use crate::stats::{Quantiles, ServedCosts};

/// From this part of a worker on it takes one more to do the work.
const LEAST_PART: f64 = 0.25;
/// A handler that is on a core for less than this share of its time has nearly no demand for one:
/// how many of them would fill the machine cannot be told.
const LEAST_CPU_SHARE: f64 = 0.01;

#[derive(Clone, Debug, Default)]
pub(crate) struct StageObservation {
    pub(crate) seconds: f64,
    /// Requests that wanted to pass its gate, or events that were sent to it if those are more.
    pub(crate) offered: u64,
    pub(crate) admitted: u64,
    /// At its gate.
    pub(crate) turned_away: u64,
    /// There, of a lower class, for one of a higher.
    pub(crate) gave_way: u64,
    pub(crate) completed: u64,
    /// The same by class, since the graph began.
    pub(crate) handled: PerClass<u64>,
    /// By class: what came or wanted to, since the graph began.
    pub(crate) came: PerClass<u64>,
    pub(crate) queued: usize,
    pub(crate) inside: usize,
    pub(crate) limit: Option<usize>,
    pub(crate) wait: Quantiles,
    pub(crate) service: Quantiles,
    /// Declared by requests that it has served.
    pub(crate) served: ServedCosts,
    /// Workers that serve it, or would, and how many events they serve at once.
    pub(crate) workers: usize,
    pub(crate) parallelism: f64,
    /// Whether it has its pool for itself: what others leave of a shared one changes from tick to tick.
    pub(crate) alone: bool,
    /// Workers that the pool has.
    pub(crate) hired: usize,
}

impl StageObservation {
    /// What a law is told.
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

/// A stage over the last tick. `pools` is what was seen of them, and `pending` how many events the
/// stage may have outside.
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
    let of =
        |turned_away: &PerClass<u64>, class: usize| turned_away.get(class).copied().unwrap_or(0);
    let away = |class: usize| {
        of(&now.gate.turned_away, class).saturating_sub(of(&then.gate.turned_away, class))
    };
    let came = std::array::from_fn(|class| {
        let offered = queue.classes.get(class).map_or(0, |class| class.offered);
        offered + of(&now.gate.turned_away, class)
    });
    let turned_away: u64 = (0..now.gate.turned_away.len()).map(away).sum();
    let (service, parallelism) = observe_service(monitor, topology, stage, pool, pending);
    StageObservation {
        seconds: pool.seconds,
        offered: (entered + turned_away).max(ledger.offered - before.offered),
        admitted: entered.max(ledger.accepted - before.accepted),
        turned_away,
        gave_way: now.gate.gave_way.saturating_sub(then.gate.gave_way),
        completed: ledger.handled - before.handled,
        handled: std::array::from_fn(|class| {
            queue.classes.get(class).map_or(0, |class| class.handled)
        }),
        came,
        queued: now.depth,
        inside: now.gate.bound.max(now.depth),
        limit: now.gate.limit,
        wait: tick.wait.clone(),
        service,
        served: tick.served,
        workers: whole(parallelism),
        parallelism,
        alone: topology.pool_of(stage).stages.len() == 1,
        hired: pool.workers,
    }
}

/// What an event takes, and how many can be served at once.
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
    // Handled outside: a place there is what serves an event, and the time there what it takes.
    let nanos = outside.nanos / u128::from(outside.count);
    let mut service = Quantiles::default();
    service.record(u64::try_from(nanos).unwrap_or(u64::MAX), outside.count);
    (service, pending as f64)
}

/// Of so many useful workers of a pool, those that a stage has for itself: what the pool's other
/// stages leave, or its weight's share of all, if that is more.
fn own_part(monitor: &Monitor, topology: &Topology, stage: StageIndex, useful: f64) -> f64 {
    let then = monitor.tick_start();
    let pool = topology.pool_of(stage);
    let weight = |stage: &StageIndex| {
        u64::from(topology.stages[*stage].share.weight.load(Ordering::Relaxed))
    };
    let all: u64 = pool.stages.iter().map(weight).sum();
    let share = weight(&stage) as f64 / all.max(1) as f64;
    let mut others = 0;
    for other in pool.stages.iter().filter(|other| **other != stage) {
        let (now, then) = (&monitor.now.stages[*other], &then.stages[*other]);
        others += now.busy.saturating_sub(then.busy);
    }
    let nanos = monitor.now.at.nanos_since(then.at).max(1);
    (useful - others as f64 / nanos as f64).clamp(useful * share, useful)
}

/// As many workers as the pool may have, unless they would only wait for a core: while another
/// allowed worker would help, nobody is to be refused.
fn useful_workers(pool: &PoolObservation) -> f64 {
    let (now, most) = (pool.workers as f64, pool.max.max(pool.workers) as f64);
    let oversubscribed =
        pool.run_queue_share.filter(|share| *share > PoolObservation::OVERSUBSCRIBED);
    if let Some(share) = oversubscribed.filter(|_| pool.workers >= pool.cores) {
        // Service is counted without the time spent waiting for a core.
        return now * (1.0 - share);
    }
    let Some(cpu) = pool.cpu_share.filter(|_| pool.utilization > 0.0) else {
        return most;
    };
    (pool.cores as f64 / cpu.max(LEAST_CPU_SHARE)).clamp(now.min(most), most)
}

/// A small part of a worker is none: what it could do, those that are there do.
pub(crate) fn whole(parallelism: f64) -> usize {
    (parallelism + 1.0 - LEAST_PART) as usize
}
