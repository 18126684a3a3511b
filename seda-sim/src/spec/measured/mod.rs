//! The spec of a measured graph, from a live report (`/_seda/report`), to be changed for a
//! "what if".

mod bursts;
mod entries;
mod flow;
mod load;
mod service;

use super::bounds::one_of;
use super::error::SpecError;
use super::stage::{PoolSpec, RouteSpec, StageSpec};
use super::{ArrivalsSpec, Demand, Spec};
use super::{default_cool_down, default_seed, default_warm_up, default_window};
use entries::Entry;
use flow::Flow;
use seda_core::report::StageReport;
use seda_core::{GraphConfig, Mode, RateConfig, Report, SHARDS, StageConfig, WorkerRange};
use std::time::Duration;

/// The stage that spreads requests over several entries. It takes no time and refuses nothing.
const OUTSIDE: &str = "outside";
/// The capacity of that stage. Nothing waits there, so any bound would do.
const OUTSIDE_CAPACITY: usize = 65_536;
/// The largest capacity of a stage that stands for a waiting edge.
const MOST_CAPACITY: usize = 1 << 24;

impl Spec {
    /// Returns the spec of a measured graph on a machine with `cores` cores.
    ///
    /// All figures are of the report's last ten seconds; the shape of a distribution is that of the
    /// graph's life. The report gives the stages that any event reached, with their bounds and
    /// workers; services by the time that they hold a worker, without waits for a core and for
    /// room, and by their share of it on a core; time outside of deferring stages; routes by how
    /// often they were taken, with copies where a stage sends more than one event for one; classes
    /// with their SLOs; the hottest key of a keyed stage; and arrivals as they were offered,
    /// refused ones and bursts included. A stage that sends to itself for ever is a timer. What a
    /// request takes outside the stages is added to it: time on a core, and time to its answer.
    ///
    /// Where requests enter at several stages, as at replicas, an additional stage that takes no
    /// time spreads them by their shares. An edge that waits for room is simulated as a longer
    /// queue behind it, because a simulated worker never waits.
    ///
    /// A report has no clients, weights of classes or settings of controllers: these are the
    /// defaults.
    ///
    /// # Errors
    /// The report is of a version without windows; fewer than 30 requests entered in the last ten
    /// seconds; or the spec is out of bounds ([`Spec::check`]).
    pub fn from_report(report: &Report, cores: usize) -> Result<Self, SpecError> {
        check_windows(report)?;
        let flow = Flow::of(report);
        let entries = entries::of(report, &flow);
        let rate = entries::checked_rate(report, &entries)?;
        let stages = stages(report, &flow, &entries, rate);
        let is_reached = |name: &str| stages.iter().any(|stage| stage.name == name);
        let arrivals = ArrivalsSpec {
            timers: flow.timers.iter().filter(|timer| is_reached(&timer.stage)).cloned().collect(),
            cpu: load::cpu(report, rate),
            ..bursts::arrivals(report, &entries, rate)
        };
        let mut spec = Self {
            name: report.graph.clone(),
            cores,
            seed: default_seed(),
            warm_up: default_warm_up(),
            window: default_window(),
            slice: None,
            cool_down: default_cool_down(),
            slo: report.classes.iter().filter_map(load::class_slo).max(),
            routes_known: knows_routes(report, &stages),
            refusal_cpu: Duration::ZERO,
            arrivals,
            tenants: None,
            pools: shared_pools(report, &stages),
            stages,
            classes: load::classes(report),
            client: load::client(report, &flow),
            faults: Vec::new(),
            graph: graph(report),
        };
        spec.graph.stages.retain(|name, _| spec.stages.iter().any(|stage| stage.name == *name));
        spec.lengthen_waiting_queues(report);
        spec.check()?;
        Ok(spec)
    }

    /// Gives a stage behind an edge that waits the room of the stage before it, too. The graph then
    /// holds as many events, and refuses at the same load.
    fn lengthen_waiting_queues(&mut self, report: &Report) {
        // As often as there are stages: a path of waiting edges has no circle.
        let before = self.stages.clone();
        let mut more = vec![0_usize; before.len()];
        for _ in 0..before.len() {
            let mut next = vec![0; before.len()];
            for edge in report.edges.iter().filter(|edge| edge.waits) {
                let place = |name: &str| before.iter().position(|stage| stage.name == name);
                let from = edge.from.as_deref().and_then(place);
                if let (Some(from), Some(to)) = (from, place(&edge.to))
                    && let (Some(sender), Some(room)) = (before.get(from), next.get_mut(to))
                {
                    let workers = sender.workers.map_or(1, |range| range.max);
                    let held = sender.capacity + workers + more.get(from).copied().unwrap_or(0);
                    *room = held.min(MOST_CAPACITY).max(*room);
                }
            }
            more = next;
        }
        for (stage, more) in self.stages.iter_mut().zip(more) {
            stage.capacity = stage.capacity.saturating_add(more);
        }
    }
}

/// Checks that the report has the windows of this version.
fn check_windows(report: &Report) -> Result<(), SpecError> {
    let has_windows = |stage: &StageReport| stage.last_ten_seconds.seconds > 0.0;
    if report.stages.iter().any(has_windows) {
        return Ok(());
    }
    let names: Vec<&str> = report.stages.iter().map(|stage| stage.name.as_str()).collect();
    let value = match names.as_slice() {
        [] => "missing, and so are all stages".to_owned(),
        names => format!("missing, {}", one_of(names).replacen("one of", "at", 1)),
    };
    let allowed = "a report of this version of seda, taken after a second or more of load";
    Err(SpecError::value("stages.last_ten_seconds", value, allowed))
}

/// Returns whether the server knew routes at its entry: only then does the entry refuse requests on
/// behalf of a later stage.
fn knows_routes(report: &Report, stages: &[StageSpec]) -> bool {
    let first = stages.first().map(|first| first.name.as_str()).unwrap_or_default();
    first == OUTSIDE
        || report.stages.iter().any(|stage| stage.name != first && has_turned_away(stage))
}

fn has_turned_away(stage: &StageReport) -> bool {
    stage.gate.as_ref().is_some_and(|gate| !gate.turned_away.is_empty())
}

/// Returns the stages that requests or timers can reach, the entry first.
fn stages(report: &Report, flow: &Flow, entries: &[Entry<'_>], rate: f64) -> Vec<StageSpec> {
    let all: Vec<StageSpec> =
        report.stages.iter().map(|stage| stage_spec(stage, report, flow)).collect();
    let mut reached: Vec<StageSpec> = match entries {
        [only] => all.iter().filter(|stage| stage.name == only.stage).cloned().collect(),
        several => vec![outside(several, rate)],
    };
    let timed = |stage: &&StageSpec| flow.timers.iter().any(|timer| timer.stage == stage.name);
    for stage in all.iter().filter(timed) {
        if reached.iter().all(|known| known.name != stage.name) {
            reached.push(stage.clone());
        }
    }
    let mut index = 0;
    while let Some(stage) = reached.get(index) {
        let routed = all.iter().filter(|next| stage.routes.iter().any(|r| r.to == next.name));
        let new = routed.filter(|next| !reached.iter().any(|known| known.name == next.name));
        let new: Vec<StageSpec> = new.cloned().collect();
        reached.extend(new);
        index += 1;
    }
    reached
}

/// Returns the stage that spreads requests over several entries.
fn outside(entries: &[Entry<'_>], rate: f64) -> StageSpec {
    let used = entries.iter().filter(|entry| entry.rate > 0.0);
    let routes = used.map(|entry| RouteSpec::new(entry.stage, entry.rate / rate)).collect();
    StageSpec {
        name: OUTSIDE.to_owned(),
        capacity: OUTSIDE_CAPACITY,
        workers: Some(WorkerRange::exactly(1)),
        pool: None,
        batch: 1,
        weight: None,
        cap: None,
        replicas: None,
        balance: None,
        demand: Demand::Deterministic { mean: Duration::ZERO },
        cpu_share: 1.0,
        outside: None,
        hot_key: None,
        routes,
    }
}

fn stage_spec(stage: &StageReport, report: &Report, flow: &Flow) -> StageSpec {
    let service = service::of(stage, &report.machine);
    let is_shared = is_shared(stage, report);
    StageSpec {
        name: stage.name.clone(),
        capacity: stage.queue.capacity,
        workers: (!is_shared).then(|| workers(stage)),
        pool: is_shared.then(|| stage.pool.clone()),
        batch: 1,
        weight: (is_shared && stage.limits.weight > 0).then_some(stage.limits.weight),
        cap: stage.limits.cap.filter(|_| is_shared),
        replicas: None,
        balance: None,
        demand: service.demand,
        cpu_share: service.cpu_share,
        outside: service.outside,
        hot_key: hot_key(stage),
        routes: flow.routes_of(&stage.name),
    }
}

/// Returns the workers of a pool: the present number, unless a controller may change it.
fn pool_workers(stage: &StageReport) -> WorkerRange {
    let workers = &stage.workers;
    if stage.limits.sized {
        WorkerRange::new(workers.min, workers.max)
    } else {
        WorkerRange::exactly(workers.now.max(1))
    }
}

/// Returns the workers of a stage's own pool.
fn workers(stage: &StageReport) -> WorkerRange {
    let range = pool_workers(stage);
    // A cap on a stage with a pool of its own is a smaller pool.
    let cap = stage.limits.cap.unwrap_or(usize::MAX).max(1);
    WorkerRange::new(range.min.min(cap), range.max.min(cap))
}

/// Returns the share of the hottest key of a stage; `None` if it is not keyed.
fn hot_key(stage: &StageReport) -> Option<f64> {
    let share = stage.last_ten_seconds.busiest_shard_share.unwrap_or(0.0);
    // The shard of the hottest key has its part of the other keys, too.
    let even = 1.0 / SHARDS as f64;
    stage.limits.keyed.then(|| ((share - even) / (1.0 - even)).clamp(0.0, 1.0))
}

/// Returns the settings of the graph: its budget, its SLOs, rates and places outside, and the
/// controllers that are on.
fn graph(report: &Report) -> GraphConfig {
    let mut graph = GraphConfig {
        budget: Some(report.budget.limit),
        slo: load::slo_config(report),
        ..GraphConfig::default()
    };
    if report.stages.iter().all(|stage| !stage.limits.sized) {
        graph.control.pool_size = Mode::Off;
    }
    // The places are the present ones: a model of the remote side is not in the report.
    graph.control.outstanding = Mode::Off;
    for stage in &report.stages {
        let limits = &stage.limits;
        let rate = limits.rate_per_second.map(|per_second| RateConfig {
            per_second,
            burst: limits.rate_burst.unwrap_or(1).max(1),
        });
        let defers = stage.last_ten_seconds.outside_seconds.is_some();
        let outstanding = stage.outstanding.filter(|_| defers);
        let pending = (defers && limits.pending > 0).then_some(limits.pending);
        let config = StageConfig { rate, outstanding, pending, ..StageConfig::default() };
        if config != StageConfig::default() {
            graph.stages.insert(stage.name.clone(), config);
        }
    }
    graph
}

/// Returns whether the pool of a stage is shared. A stage's own pool has the stage's name, and runs
/// no other stage.
fn is_shared(stage: &StageReport, report: &Report) -> bool {
    stage.pool != stage.name
        || report.stages.iter().filter(|other| other.pool == stage.pool).count() > 1
}

/// Returns the shared pools of the stages in the spec.
fn shared_pools(report: &Report, stages: &[StageSpec]) -> Vec<PoolSpec> {
    let mut pools: Vec<PoolSpec> = Vec::new();
    for stage in report.stages.iter().filter(|stage| is_shared(stage, report)) {
        let is_used = stages.iter().any(|used| used.pool.as_ref() == Some(&stage.pool));
        if is_used && !pools.iter().any(|pool| pool.name == stage.pool) {
            pools.push(PoolSpec { name: stage.pool.clone(), workers: pool_workers(stage) });
        }
    }
    pools
}
