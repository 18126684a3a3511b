//! A spec of a graph that was measured: what a live `/_seda/report` says, to be asked "what if".

use super::arrivals::ArrivalsSpec;
use super::class::ClassSpec;
use super::demand::Demand;
use super::stage::{PoolSpec, RouteSpec, StageSpec};
use super::{Spec, SpecError};
use seda_core::Report;
use seda_core::report::{EdgeReport, StageReport};
use seda_core::{ClassSlo, GraphConfig, SloConfig, WorkerRange};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where requests of several entries part: it takes no time and refuses nobody.
const OUTSIDE: &str = "outside";
/// It is never waited for there, so that any bound would do.
const OUTSIDE_CAPACITY: usize = 65_536;

impl Spec {
    /// The graph of a report: stages that anything came to, with their bounds and workers; services
    /// as their measured quantiles have them; ways by how often they were taken; classes with what
    /// was promised to them, so that the simulation admits as the server does; and arrivals as they
    /// were offered, refused ones too. What waits for a core is taken out of a service, for the
    /// simulation adds it anew.
    ///
    /// Where requests enter at several stages, as at replicas, a stage of its own that takes no time
    /// spreads them by their shares.
    ///
    /// Clients, the classes' weights, what a refusal costs and how the controllers are set are not
    /// in a report: they are the defaults.
    ///
    /// # Errors
    /// Nothing enters the graph, or nothing came in the report's window.
    pub fn from_report(report: &Report, cores: usize) -> Result<Self, SpecError> {
        let entries = entries(report);
        let rate: f64 = entries.iter().map(|entry| entry.rate).sum();
        if entries.is_empty() {
            let needed = "one at least; take the report when requests have come";
            return Err(SpecError::value(
                "edges",
                "none that anything came by from outside",
                needed,
            ));
        }
        if rate <= 0.0 {
            let value =
                format!("0 at {}", entries.iter().map(|e| e.stage).collect::<Vec<_>>().join(", "));
            let needed =
                "more; take the report while requests come, its rates are of the last second";
            return Err(SpecError::value("stages.arrivals_per_second", value, needed));
        }
        let mut stages = stages(report, &entries, rate);
        let classes = classes(report);
        let turned_away = |stage: &StageReport| {
            stage.gate.as_ref().is_some_and(|gate| !gate.turned_away.is_empty())
        };
        let first = stages.first().map(|first| first.name.clone()).unwrap_or_default();
        let spec = Self {
            name: report.graph.clone(),
            cores,
            seed: super::default_seed(),
            warm_up: super::default_warm_up(),
            window: super::default_window(),
            slice: None,
            cool_down: super::default_cool_down(),
            slo: report.classes.iter().filter_map(promised).max(),
            // Refused at the entry for a later stage's sake is only what was known to go there.
            routes_known: first == OUTSIDE
                || report.stages.iter().any(|stage| stage.name != first && turned_away(stage)),
            refusal_cpu: Duration::ZERO,
            arrivals: ArrivalsSpec { rate: Some(rate), ..ArrivalsSpec::default() },
            pools: shared_pools(report, &stages),
            stages: std::mem::take(&mut stages),
            classes,
            client: super::ClientSpec::default(),
            faults: Vec::new(),
            graph: GraphConfig {
                budget: Some(report.budget.limit),
                slo: slo(report),
                ..GraphConfig::default()
            },
        };
        spec.check()?;
        Ok(spec)
    }
}

/// A stage that requests enter at, and how many were offered to it from outside, per second.
struct Entry<'a> {
    stage: &'a str,
    rate: f64,
}

fn entries(report: &Report) -> Vec<Entry<'_>> {
    let came = |edge: &&EdgeReport| edge.from.is_none() && edge.sent + edge.refused > 0;
    let entry = |edge: &EdgeReport| {
        let stage = report.stages.iter().find(|stage| stage.name == edge.to)?;
        // The rate is of what was taken; as many more were offered as ever were.
        let offered = (edge.sent + edge.refused) as f64 / stage.accepted.max(1) as f64;
        Some((stage.name.as_str(), stage.arrivals_per_second * offered))
    };
    let mut rates = BTreeMap::new();
    for (stage, rate) in report.edges.iter().filter(came).filter_map(entry) {
        *rates.entry(stage).or_insert(0.0) += rate;
    }
    rates.into_iter().map(|(stage, rate)| Entry { stage, rate }).collect()
}

/// The stages that requests can come to, the entry first.
fn stages(report: &Report, entries: &[Entry<'_>], rate: f64) -> Vec<StageSpec> {
    let all: Vec<StageSpec> = report.stages.iter().map(|stage| stage_of(stage, report)).collect();
    let mut first: Vec<StageSpec> = match entries {
        [only] => all.iter().filter(|stage| stage.name == only.stage).cloned().collect(),
        several => vec![outside(several, rate)],
    };
    let mut place = 0;
    while let Some(stage) = first.get(place) {
        let come_to = |other: &&StageSpec| {
            let known = first.iter().any(|known| known.name == other.name);
            !known && stage.routes.iter().any(|route| route.to == other.name)
        };
        let next: Vec<StageSpec> = all.iter().filter(come_to).cloned().collect();
        first.extend(next);
        place += 1;
    }
    first
}

fn outside(entries: &[Entry<'_>], rate: f64) -> StageSpec {
    let came = entries.iter().filter(|entry| entry.rate > 0.0);
    let route =
        |entry: &Entry<'_>| RouteSpec { to: entry.stage.to_owned(), share: entry.rate / rate };
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
        routes: came.map(route).collect(),
    }
}

fn stage_of(stage: &StageReport, report: &Report) -> StageSpec {
    let waited = stage.runqueue_share.unwrap_or(0.0);
    let busy = 1.0 - waited;
    let cpu_share = stage.cpu_share.map_or(1.0, |cpu| (cpu / busy.max(f64::MIN_POSITIVE)).min(1.0));
    let shared = is_shared(stage, report);
    let handled = stage.handled.max(1) as f64;
    let came = report.edges.iter().filter(|edge| edge.from.as_ref() == Some(&stage.name));
    let mut routes: Vec<RouteSpec> = came
        .filter(|edge| edge.sent + edge.refused > 0)
        .map(|edge| RouteSpec {
            to: edge.to.clone(),
            share: (edge.sent + edge.refused) as f64 / handled,
        })
        .collect();
    // A handler that sends on several ways, or several events on one: a spec sends one event.
    let sum: f64 = routes.iter().map(|route| route.share).sum();
    routes.iter_mut().filter(|_| sum > 1.0).for_each(|route| route.share /= sum);
    StageSpec {
        name: stage.name.clone(),
        capacity: stage.queue.capacity,
        workers: (!shared).then(|| workers(stage)),
        pool: shared.then(|| stage.pool.clone()),
        batch: 1,
        weight: None,
        cap: None,
        replicas: None,
        balance: None,
        demand: Demand::measured(&stage.service_seconds.quantiles, waited),
        cpu_share,
        routes,
    }
}

fn promised(class: &seda_core::report::ClassReport) -> Option<Duration> {
    class.promised_seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

/// What was promised to each class.
fn slo(report: &Report) -> SloConfig {
    let of = |class| Some(ClassSlo { p99: promised(class)? });
    let classes =
        report.classes.iter().filter_map(|class| Some((class.name.clone(), of(class)?))).collect();
    SloConfig { classes, ..SloConfig::default() }
}

/// The classes by how many of their requests came: those that were answered, and those that were
/// refused at the entry.
fn classes(report: &Report) -> Vec<ClassSpec> {
    let gates = || report.stages.iter().filter_map(|stage| stage.gate.as_ref());
    let came = |name: &String| {
        let answered = report.response_seconds.get(name).map_or(0, |class| class.quantiles.count);
        answered + gates().filter_map(|gate| gate.turned_away.get(name)).sum::<u64>()
    };
    let all: u64 = report.classes.iter().map(|class| came(&class.name)).sum();
    let share = |name: &String| if all > 0 { came(name) as f64 / all as f64 } else { 1.0 };
    let class = |name: &String| ClassSpec { share: share(name), ..ClassSpec::named(name) };
    report.classes.iter().map(|seen| class(&seen.name)).collect()
}

fn workers(stage: &StageReport) -> WorkerRange {
    WorkerRange::new(stage.workers.min, stage.workers.max)
}

/// A stage's own pool has its name, and no other stage.
fn is_shared(stage: &StageReport, report: &Report) -> bool {
    stage.pool != stage.name
        || report.stages.iter().filter(|other| other.pool == stage.pool).count() > 1
}

/// The pools of those stages that are left.
fn shared_pools(report: &Report, stages: &[StageSpec]) -> Vec<PoolSpec> {
    let mut pools: Vec<PoolSpec> = Vec::new();
    for stage in report.stages.iter().filter(|stage| is_shared(stage, report)) {
        let used = stages.iter().any(|left| left.pool.as_ref() == Some(&stage.pool));
        if used && !pools.iter().any(|pool| pool.name == stage.pool) {
            pools.push(PoolSpec { name: stage.pool.clone(), workers: workers(stage) });
        }
    }
    pools
}
