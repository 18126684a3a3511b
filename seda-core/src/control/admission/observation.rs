//! A stage over the last tick, as the admission controller sees it.

use crate::config::{PerClass, Pools, Position, Settings, StageIndex, StageSettings, Stages};
use crate::control::admission::gate_limits::gate_of;
use crate::control::admission::law::AdmissionObservation;
use crate::control::pool_size::PoolObservation;
use crate::event::RefusalReason;
use crate::monitor::{Monitor, Topology};
use crate::platform::sync::Ordering;
use crate::pool::StageFigures;
use crate::stats::{Quantiles, ServedCosts};

/// The least part of a worker that counts as a whole one.
const LEAST_PART: f64 = 0.25;
/// The least share of time on a core. Below it a handler needs nearly no core, and the number of
/// workers that would fill the machine is unknown.
const LEAST_CPU_SHARE: f64 = 0.01;

/// A graph over the last tick.
pub(in crate::control) struct GraphObservation {
    pub(super) stages: Stages<StageObservation>,
    /// By stage: the stages that its events go on to, with the events sent there per event handled.
    /// Only an SLO needs them; empty without one.
    pub(super) next: Stages<Vec<(StageIndex, f64)>>,
}

impl GraphObservation {
    pub(super) fn of(
        monitor: &Monitor,
        topology: &Topology,
        settings: &Settings,
        pools: &Pools<PoolObservation>,
    ) -> Self {
        let pools = within_budget(pools, settings.workers);
        let stages = topology.stages.indices().zip(&settings.stages);
        Self {
            stages: stages
                .map(|(stage, set)| observe_stage(monitor, topology, stage, &pools, set))
                .collect(),
            next: if settings.slo.iter().any(Option::is_some) {
                next_stages(monitor, topology)
            } else {
                topology.stages.map(|_, _| Vec::new())
            },
        }
    }

    /// Returns a graph that has served nothing: every pool may have all its workers, and a stage
    /// that states them all its places outside, or those that it begins with.
    pub(super) fn before_start(topology: &Topology, settings: &Settings) -> Self {
        let stages = topology.stages.indices().zip(&settings.stages);
        let stages = stages.map(|(stage, set)| {
            let pool_workers = topology.pool_of(stage).core.range().max;
            let workers = match set.outstanding {
                Some(places) => places,
                None if set.states_pending() => set.pending,
                None => pool_workers,
            };
            let parallelism = workers as f64;
            StageObservation { workers, pool_workers, parallelism, ..Default::default() }
        });
        let stages = stages.collect();
        Self { stages, next: topology.stages.map(|_, _| Vec::new()) }
    }
}

/// Returns the pools with the most workers that they may have while all pools together have no more
/// than `budget`.
fn within_budget(pools: &Pools<PoolObservation>, budget: usize) -> Pools<PoolObservation> {
    let all: usize = pools.iter().map(|pool| pool.workers).sum();
    let left = budget.saturating_sub(all);
    pools.map(|_, pool| {
        let max = pool.max.min(pool.workers.saturating_add(left));
        PoolObservation { max, ..pool.clone() }
    })
}

/// A stage over the last tick.
#[derive(Clone, Debug, Default)]
pub(crate) struct StageObservation {
    /// Length of the tick.
    pub(crate) seconds: f64,
    /// Requests offered to its gate, or events sent to it if those are more.
    pub(crate) offered: u64,
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
    /// Of these, the events refused at the gate.
    pub(crate) refused_by_class: PerClass<u64>,
    /// Events queued now.
    pub(crate) queued: usize,
    /// Requests inside for the stage, or events queued if those are more.
    pub(crate) inside: usize,
    /// Of the requests inside, those that neither wait at the stage nor are served there.
    pub(crate) elsewhere: f64,
    /// Time for which the queue has not been empty, in seconds; zero if it is empty.
    pub(crate) standing_seconds: f64,
    /// Share of the tick in which the queue was empty.
    pub(crate) empty_share: f64,
    /// The events that a worker takes at once, in the mean; 1 without a batch.
    pub(crate) batch: usize,
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
    /// Workers of the pool now.
    pub(crate) pool_workers: usize,
}

impl StageObservation {
    /// Returns the observation for a law, without the estimates.
    pub(crate) fn observation(&self) -> AdmissionObservation {
        AdmissionObservation {
            seconds: self.seconds,
            completed: self.completed,
            queued: self.queued,
            inside: self.inside,
            elsewhere: self.elsewhere,
            standing_seconds: self.standing_seconds,
            empty_share: self.empty_share,
            batch: self.batch,
            wait_mean: self.wait.mean_seconds(),
            wait_p90: self.wait.quantile_seconds(0.9),
            wait_max: self.wait.quantile_seconds(1.0),
            workers: self.workers,
            parallelism: self.parallelism,
            limit: self.limit,
            ..AdmissionObservation::default()
        }
    }
}

/// Returns a stage over the last tick.
fn observe_stage(
    monitor: &Monitor,
    topology: &Topology,
    stage: StageIndex,
    pools: &Pools<PoolObservation>,
    set: &StageSettings,
) -> StageObservation {
    let (now, then) = (&monitor.now.stages[stage], &monitor.tick_start().stages[stage]);
    let (queue, tick) = (&monitor.queues[stage], &monitor.tick[stage]);
    let pool = &pools[topology.stages[stage].pool];
    let (ledger, before) = (&now.ledger, &then.ledger);
    let entered = now.gate.entered.saturating_sub(then.gate.entered);
    let away = now.gate.turned_away.iter().zip(&then.gate.turned_away);
    let turned_away: u64 = away.map(|(now, then)| now.saturating_sub(*then)).sum();
    let (refused_by_class, offered_by_class) = offered(monitor, topology, stage);
    let (service, parallelism) = observe_service(monitor, topology, stage, pool, set);
    StageObservation {
        seconds: pool.seconds,
        offered: (entered + turned_away).max(ledger.offered - before.offered),
        turned_away,
        preempted: now.gate.preempted.saturating_sub(then.gate.preempted),
        completed: ledger.handled - before.handled,
        handled: queue.classes.map(|class| class.handled),
        offered_by_class,
        refused_by_class,
        queued: now.depth,
        inside: now.gate.bound.max(now.depth),
        elsewhere: elsewhere(monitor, topology, stage),
        standing_seconds: queue
            .standing_since
            .map_or(0.0, |since| monitor.now.at.since(since).as_secs_f64()),
        empty_share: now.empty.saturating_sub(then.empty) as f64 / 1e9 / pool.seconds,
        batch: mean_batch(tick),
        limit: now.gate.limit,
        wait: tick.wait.clone(),
        service,
        served: tick.served,
        workers: whole(parallelism).max(1),
        parallelism,
        pool_workers: pool.workers,
    }
}

/// Returns the mean number of events in a batch, rounded up; at least 1.
fn mean_batch(tick: &StageFigures) -> usize {
    let batches = usize::try_from(tick.batches).unwrap_or(usize::MAX).max(1);
    usize::try_from(tick.service.count()).unwrap_or(usize::MAX).div_ceil(batches).max(1)
}

/// Returns the events that a stage's gate has refused since the graph began, and all that were
/// offered, by class. Replicas share a gate, and each counts for an equal part of the refusals.
///
/// An entry counts a refusal of any gate as its own `admission`. These are left out here: a refusal
/// of its own gate would count twice, and one of another gate is no load of the stage.
fn offered(
    monitor: &Monitor,
    topology: &Topology,
    stage: StageIndex,
) -> (PerClass<u64>, PerClass<u64>) {
    let gate = gate_of(topology, stage);
    let sharing = sharing(topology, gate).count().max(1) as u64;
    let away = monitor.now.stages[gate].gate.turned_away.map(|n| n / sharing);
    let offered = PerClass::from_fn(|class| {
        let ledger = &monitor.queues[stage].classes[class];
        let at_gates = ledger.refused.iter().filter(|(of, _)| *of == RefusalReason::Admission);
        let at_gates: u64 = at_gates.map(|(_, n)| n).sum();
        ledger.offered.saturating_sub(at_gates) + away[class]
    });
    (away, offered)
}

/// Returns how many requests inside neither wait at the stage nor are served there: they are at
/// other stages of their route. Replicas share a gate, and each counts for an equal part.
fn elsewhere(monitor: &Monitor, topology: &Topology, stage: StageIndex) -> f64 {
    let gate = gate_of(topology, stage);
    let here: u64 = sharing(topology, gate)
        .map(|member| monitor.queues[member].total())
        .map(|ledger| ledger.queued + ledger.in_hand + ledger.pending)
        .sum();
    let bound = monitor.now.stages[gate].gate.bound as u64;
    bound.saturating_sub(here) as f64 / sharing(topology, gate).count().max(1) as f64
}

/// Returns the stages that share the gate of `gate`: its replicas, which follow it, and itself.
fn sharing(topology: &Topology, gate: StageIndex) -> impl Iterator<Item = StageIndex> {
    let all = topology.stages.indices().skip(gate.get());
    all.take_while(move |other| gate_of(topology, *other) == gate)
}

/// Returns, for each stage, the stages that its events go on to, with the events sent there per
/// event handled since the start.
fn next_stages(monitor: &Monitor, topology: &Topology) -> Stages<Vec<(StageIndex, f64)>> {
    let mut next = topology.stages.map(|_, _| Vec::new());
    for edge in &topology.edges {
        let Some(stage) = edge.source() else { continue };
        let sent =
            monitor.queues[edge.target()].edges.get(edge.number).map_or(0, |(sent, _)| *sent);
        if sent > 0 {
            let handled = monitor.queues[stage].total().handled.max(1);
            next[stage].push((edge.target(), sent as f64 / handled as f64));
        }
    }
    next
}

/// Returns the service times of events, and how many events can be served at once.
fn observe_service(
    monitor: &Monitor,
    topology: &Topology,
    stage: StageIndex,
    pool: &PoolObservation,
    set: &StageSettings,
) -> (Quantiles, f64) {
    let (now, then) = (&monitor.now.stages[stage], &monitor.tick_start().stages[stage]);
    let outside = now.deferred.times.since(then.deferred.times);
    let is_new = now.deferred.times.count == 0 && now.service.count == 0;
    let (outside_now, _) = topology.stages[stage].core.outside();
    if is_new && set.states_pending() || outside.count == 0 && outside_now > 0 {
        // The workers' own time is not the service of events that are still outside.
        return (Quantiles::default(), places_outside(monitor, topology, stage, set));
    }
    if outside.count == 0 {
        let parallelism = own_part(monitor, topology, stage, useful_workers(pool));
        return (monitor.tick[stage].service.clone(), parallelism);
    }
    // Deferred events are served by the places outside, for the time that they are outside.
    let nanos = outside.nanos / u128::from(outside.count);
    let mut service = Quantiles::default();
    service.record(u64::try_from(nanos).unwrap_or(u64::MAX), outside.count);
    (service, places_outside(monitor, topology, stage, set))
}

/// Returns how many events are served at once outside: as many as keep the threads busy, where the
/// events tell how long they run, else as many as the stage may have.
fn places_outside(
    monitor: &Monitor,
    topology: &Topology,
    stage: StageIndex,
    set: &StageSettings,
) -> f64 {
    let most = set.pending as f64;
    let (now, then) = (&monitor.now.stages[stage], &monitor.tick_start().stages[stage]);
    let (ever, tick) = (now.deferred.threads, now.deferred.threads.since(then.deferred.threads));
    let (recent, threads) = (if tick.events > 0 { tick } else { ever }, topology.core.cores());
    match recent.served_at_once(threads).zip(recent.places_of_use(threads)) {
        Some((events, of_use)) => {
            // Where the places cannot grow, they drain no faster than they do: the threads may
            // serve others beside, such as the clients that are refused.
            let (_, limit) = topology.stages[stage].core.outside();
            let is_full_grown = limit as f64 >= of_use;
            let events = if is_full_grown { events.min(of_use) } else { events };
            events.clamp(1.0, most.max(1.0))
        }
        None => {
            set.outstanding.filter(|_| now.deferred.times.count == 0).map_or(most, |n| n as f64)
        }
    }
}

/// Returns the part of a pool's `useful` workers that serves a stage: the part that the pool's
/// other stages leave, or the share of its weight if that is more.
fn own_part(monitor: &Monitor, topology: &Topology, stage: StageIndex, useful: f64) -> f64 {
    let then = monitor.tick_start();
    let pool = topology.pool_of(stage);
    let all: u64 = pool.stages.iter().map(|member| weight(topology, *member)).sum();
    let share = weight(topology, stage) as f64 / all.max(1) as f64;
    // The stage's own bound on its workers.
    let cap = topology.stages[stage].slots.cap.load(Ordering::Relaxed) as f64;
    let mut others = 0;
    for other in pool.stages.iter().filter(|other| **other != stage) {
        let (now, then) = (&monitor.now.stages[*other], &then.stages[*other]);
        others += now.busy.saturating_sub(then.busy);
    }
    let nanos = monitor.now.at.nanos_since(then.at).max(1);
    (useful - others as f64 / nanos as f64).clamp(useful * share, useful).min(cap)
}

fn weight(topology: &Topology, stage: StageIndex) -> u64 {
    u64::from(topology.stages[stage].slots.weight.load(Ordering::Relaxed))
}

/// Returns how many workers of a pool are useful: as many as it may have, unless more would only
/// wait for a core. No request is refused while another allowed worker would help.
fn useful_workers(pool: &PoolObservation) -> f64 {
    let (now, most) = (pool.workers as f64, pool.max.max(pool.workers) as f64);
    let waits = pool.run_queue_share.is_some_and(|share| share > PoolObservation::OVERSUBSCRIBED);
    if waits && pool.workers >= pool.cores {
        // More workers would only wait for a core. Service times have the wait of these.
        return now;
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
