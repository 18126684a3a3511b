//! The spec of a measured graph, from a live report (`/_seda/report`), to be changed for a
//! "what if".

use super::arrivals::ArrivalsSpec;
use super::class::ClassSpec;
use super::demand::Demand;
use super::error::SpecError;
use super::senders::ClientSpec;
use super::stage::{PoolSpec, RouteSpec, StageSpec};
use super::{Spec, default_cool_down, default_seed, default_warm_up, default_window};
use seda_core::Report;
use seda_core::report::{ClassReport, EdgeReport, StageReport};
use seda_core::{ClassSlo, GraphConfig, SloConfig, WorkerRange};
use std::collections::BTreeMap;
use std::time::Duration;

/// The stage that spreads requests over several entries. It takes no time and refuses nothing.
const OUTSIDE: &str = "outside";
/// The capacity of that stage. Nothing waits there, so any bound would do.
const OUTSIDE_CAPACITY: usize = 65_536;

impl Spec {
    /// Returns the spec of a measured graph on a machine with `cores` cores.
    ///
    /// The report gives the stages that any event reached, with their bounds and workers; services
    /// as their measured quantiles; routes by how often they were taken; classes with their SLOs;
    /// and arrivals as they were offered, refused ones included. Time on the run queue is taken out
    /// of a service, because the simulation adds it again.
    ///
    /// Where requests enter at several stages, as at replicas, an additional stage that takes no
    /// time spreads them by their shares.
    ///
    /// A report has no clients, weights of classes, cost of a refusal or settings of controllers:
    /// these are the defaults.
    ///
    /// # Errors
    /// No request has entered the graph, or none has in the last second; or the spec is out of
    /// bounds ([`Spec::check`]).
    pub fn from_report(report: &Report, cores: usize) -> Result<Self, SpecError> {
        let entries = entries(report);
        let rate: f64 = entries.iter().map(|entry| entry.rate).sum();
        check_entries(&entries, rate)?;
        let stages = stages(report, &entries, rate);
        let spec = Self {
            name: report.graph.clone(),
            cores,
            seed: default_seed(),
            warm_up: default_warm_up(),
            window: default_window(),
            slice: None,
            cool_down: default_cool_down(),
            slo: report.classes.iter().filter_map(class_slo).max(),
            routes_known: knows_routes(report, &stages),
            refusal_cpu: Duration::ZERO,
            arrivals: ArrivalsSpec { rate: Some(rate), ..ArrivalsSpec::default() },
            tenants: None,
            pools: shared_pools(report, &stages),
            stages,
            classes: classes(report),
            client: ClientSpec::default(),
            faults: Vec::new(),
            graph: GraphConfig {
                budget: Some(report.budget.limit),
                slo: slo_config(report),
                ..GraphConfig::default()
            },
        };
        spec.check()?;
        Ok(spec)
    }
}

/// A stage at which requests enter.
struct Entry<'a> {
    stage: &'a str,
    /// Requests offered to it from outside, per second.
    rate: f64,
}

/// Checks that requests enter the graph at some rate.
fn check_entries(entries: &[Entry<'_>], rate: f64) -> Result<(), SpecError> {
    if entries.is_empty() {
        let value = "none from outside that was ever used";
        let allowed = "one at least; take the report when requests have come";
        return Err(SpecError::value("edges", value, allowed));
    }
    if rate <= 0.0 {
        let names: Vec<&str> = entries.iter().map(|entry| entry.stage).collect();
        let value = format!("0 at {}", names.join(", "));
        let allowed = "more; take the report while requests come, its rates are of the last second";
        return Err(SpecError::value("stages.arrivals_per_second", value, allowed));
    }
    Ok(())
}

/// Returns the stages at which requests enter, by name.
fn entries(report: &Report) -> Vec<Entry<'_>> {
    let mut rates = BTreeMap::new();
    for edge in report.edges.iter().filter(|edge| edge.from.is_none() && is_used(edge)) {
        if let Some(stage) = report.stages.iter().find(|stage| stage.name == edge.to) {
            // The rate counts accepted events: lift it by the ratio of offered to accepted ones.
            let offered = (edge.sent + edge.refused) as f64 / stage.accepted.max(1) as f64;
            *rates.entry(stage.name.as_str()).or_insert(0.0) += stage.arrivals_per_second * offered;
        }
    }
    rates.into_iter().map(|(stage, rate)| Entry { stage, rate }).collect()
}

/// Returns whether any event was offered over an edge.
fn is_used(edge: &EdgeReport) -> bool {
    edge.sent + edge.refused > 0
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

/// Returns the stages that requests can reach, the entry first.
fn stages(report: &Report, entries: &[Entry<'_>], rate: f64) -> Vec<StageSpec> {
    let all: Vec<StageSpec> = report.stages.iter().map(|stage| stage_spec(stage, report)).collect();
    let mut reached: Vec<StageSpec> = match entries {
        [only] => all.iter().filter(|stage| stage.name == only.stage).cloned().collect(),
        several => vec![outside(several, rate)],
    };
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
    let routes = used
        .map(|entry| RouteSpec { to: entry.stage.to_owned(), share: entry.rate / rate })
        .collect();
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
        hot_key: None,
        outside: None,
        demand: Demand::Deterministic { mean: Duration::ZERO },
        cpu_share: 1.0,
        routes,
    }
}

fn stage_spec(stage: &StageReport, report: &Report) -> StageSpec {
    // Shares in a report are of all the time of a worker, so take out the time on the run queue.
    let runqueue = stage.runqueue_share.unwrap_or(0.0);
    let busy = 1.0 - runqueue;
    let cpu_share = stage.cpu_share.map_or(1.0, |cpu| (cpu / busy.max(f64::MIN_POSITIVE)).min(1.0));
    let is_shared = is_shared(stage, report);
    StageSpec {
        name: stage.name.clone(),
        capacity: stage.queue.capacity,
        workers: (!is_shared).then(|| workers(stage)),
        pool: is_shared.then(|| stage.pool.clone()),
        batch: 1,
        weight: None,
        cap: None,
        replicas: None,
        balance: None,
        hot_key: None,
        outside: None,
        demand: Demand::measured(&stage.service_seconds.quantiles, runqueue),
        cpu_share,
        routes: routes(stage, report),
    }
}

/// Returns the routes of a stage, by how often they were taken.
fn routes(stage: &StageReport, report: &Report) -> Vec<RouteSpec> {
    let handled = stage.handled.max(1) as f64;
    let edges = report.edges.iter();
    let edges = edges.filter(|edge| edge.from.as_ref() == Some(&stage.name) && is_used(edge));
    let mut routes: Vec<RouteSpec> = edges
        .map(|edge| RouteSpec {
            to: edge.to.clone(),
            share: (edge.sent + edge.refused) as f64 / handled,
        })
        .collect();
    // A real handler may send several events for one; a simulated one sends at most one.
    let sum: f64 = routes.iter().map(|route| route.share).sum();
    if sum > 1.0 {
        routes.iter_mut().for_each(|route| route.share /= sum);
    }
    routes
}

/// Returns the SLO of a class, if it has one.
fn class_slo(class: &ClassReport) -> Option<Duration> {
    class.promised_seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

/// Returns the SLOs of all classes, so that the simulation admits as the server does.
fn slo_config(report: &Report) -> SloConfig {
    let mut config = SloConfig::default();
    for class in &report.classes {
        if let Some(p99) = class_slo(class) {
            config.classes.insert(class.name.clone(), ClassSlo { p99 });
        }
    }
    config
}

/// Returns the classes, with their shares of all requests.
fn classes(report: &Report) -> Vec<ClassSpec> {
    let all: u64 = report.classes.iter().map(|class| requests(&class.name, report)).sum();
    let mut classes = Vec::with_capacity(report.classes.len());
    for class in &report.classes {
        let mut spec = ClassSpec::named(&class.name);
        if all > 0 {
            spec.share = requests(&class.name, report) as f64 / all as f64;
        }
        classes.push(spec);
    }
    classes
}

/// Returns the number of requests of a class: answered ones, and ones refused at the entry.
fn requests(class: &String, report: &Report) -> u64 {
    let answered = report.response_seconds.get(class).map_or(0, |class| class.quantiles.count);
    let gates = report.stages.iter().filter_map(|stage| stage.gate.as_ref());
    answered + gates.filter_map(|gate| gate.turned_away.get(class)).sum::<u64>()
}

fn workers(stage: &StageReport) -> WorkerRange {
    WorkerRange::new(stage.workers.min, stage.workers.max)
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
            pools.push(PoolSpec { name: stage.pool.clone(), workers: workers(stage) });
        }
    }
    pools
}
