//! A spec of a graph that was measured: what a live `/_seda/report` says, to be asked "what if".

use super::arrivals::ArrivalsSpec;
use super::demand::Demand;
use super::stage::{RouteSpec, StageSpec};
use super::{Spec, SpecError};
use seda_core::report::{Report, StageReport};
use seda_core::{GraphConfig, WorkerRange};
use std::time::Duration;

impl Spec {
    /// The graph of a report: stages with their bounds, workers and mean service times, taken as
    /// exponential; ways by how often they were taken; arrivals at the rate of the report's
    /// window. What waits for a core is taken out of the service, for the simulation adds it anew.
    /// Classes, clients and what the controllers are set to are not in a report: `[graph]` is the
    /// default.
    ///
    /// Requests enter at the stage that most come to from outside.
    ///
    /// # Errors
    /// The report has no stage that was served, or nothing arrived.
    pub fn from_report(report: &Report, cores: usize) -> Result<Self, SpecError> {
        let outside = report.edges.iter().filter(|edge| edge.from.is_none());
        let entry = outside.max_by_key(|edge| edge.sent + edge.refused);
        let entry = entry.ok_or_else(|| SpecError::value("edges", "none from outside", "one"))?;
        let mut stages: Vec<StageSpec> =
            report.stages.iter().map(|stage| stage_of(stage, report)).collect();
        // A spec's requests enter at its first stage.
        stages.sort_by_key(|stage| stage.name != entry.to);
        let rate = report
            .stages
            .iter()
            .find(|stage| stage.name == entry.to)
            .map_or(0.0, |stage| stage.arrivals_per_second);
        let spec = Self {
            name: report.graph.clone(),
            cores,
            seed: super::default_seed(),
            warm_up: super::default_warm_up(),
            window: super::default_window(),
            cool_down: super::default_cool_down(),
            slo: None,
            routes_known: false,
            refusal_cpu: Duration::ZERO,
            arrivals: ArrivalsSpec { rate: Some(rate), ..ArrivalsSpec::default() },
            classes: Vec::new(),
            client: super::ClientSpec::default(),
            pools: shared_pools(report),
            stages,
            faults: Vec::new(),
            graph: GraphConfig { budget: Some(report.budget.limit), ..GraphConfig::default() },
        };
        spec.check()?;
        Ok(spec)
    }
}

fn stage_of(stage: &StageReport, report: &Report) -> StageSpec {
    let service = stage.service_seconds.quantiles.mean.unwrap_or(0.0);
    let busy = 1.0 - stage.runqueue_share.unwrap_or(0.0);
    let cpu_share = stage.cpu_share.map_or(1.0, |cpu| (cpu / busy.max(f64::MIN_POSITIVE)).min(1.0));
    let shared = is_shared(stage, report);
    let routes = report.edges.iter().filter(|edge| edge.from.as_ref() == Some(&stage.name));
    let handled = stage.handled.max(1) as f64;
    let mut routes: Vec<RouteSpec> = routes
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
        demand: Demand::Exponential { mean: Duration::from_secs_f64((service * busy).max(0.0)) },
        cpu_share,
        routes,
    }
}

fn workers(stage: &StageReport) -> WorkerRange {
    WorkerRange::new(stage.workers.min, stage.workers.max)
}

/// A stage's own pool has its name, and no other stage.
fn is_shared(stage: &StageReport, report: &Report) -> bool {
    stage.pool != stage.name
        || report.stages.iter().filter(|other| other.pool == stage.pool).count() > 1
}

fn shared_pools(report: &Report) -> Vec<super::PoolSpec> {
    let mut pools: Vec<super::PoolSpec> = Vec::new();
    for stage in report.stages.iter().filter(|stage| is_shared(stage, report)) {
        if !pools.iter().any(|pool| pool.name == stage.pool) {
            pools.push(super::PoolSpec { name: stage.pool.clone(), workers: workers(stage) });
        }
    }
    pools
}
