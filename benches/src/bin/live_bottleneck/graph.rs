//! Builds a description as a graph on threads.

use crate::description::{Description, EdgeSpec, StageSpec};
use crate::fault::Fault;
use crate::job::Job;
use crate::node::{Exit, Node, Port};
use crate::remote::Remote;
use crate::work::Lock;
use seda_core::{
    Balance, Graph, GraphConfig, Mode, Pool, RateConfig, Replicas, Running, SloConfig, Source,
    Stage, StageConfig, Wire, WorkerRange,
};
use std::sync::Arc;
use std::time::Duration;

/// The longest wait for room: longer than any run, so that no waiting send gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running graph and its entry.
pub(crate) struct Live {
    pub(crate) running: Running,
    pub(crate) entry: Source<Job>,
}

/// What a graph is started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settings {
    /// No setting at all.
    Nothing,
    /// An SLO.
    Slo(Duration),
    /// No admission: nothing is refused before a queue is full.
    Open,
}

/// Starts the graph.
pub(crate) fn start(description: &Description, settings: Settings) -> Result<Live, Fault> {
    let mut graph = Graph::new("live");
    match settings {
        Settings::Nothing => {}
        Settings::Slo(slo) => graph.slo(SloConfig::new(slo)),
        Settings::Open => {
            let mut config = GraphConfig::default();
            config.control.admission = Mode::Off;
            graph.apply(config)?;
        }
    }
    if description.second_class > 0.0 {
        graph.classes(&[("cheap", 1), ("costly", 1)]);
    }
    description.budget.into_iter().for_each(|budget| graph.budget(budget));
    let pools: Vec<Pool> = description
        .pools
        .iter()
        .map(|pool| graph.pool(pool.name, WorkerRange::exactly(pool.workers)))
        .collect();
    let locks: Vec<Arc<Lock>> =
        description.locks.iter().map(|kind| Arc::new(Lock::new(*kind))).collect();
    let stages: Vec<Stage<Job>> =
        description.stages.iter().map(|spec| declare(&mut graph, spec)).collect();
    for (spec, stage) in description.stages.iter().zip(&stages) {
        graph.configure(*stage, stage_settings(spec))?;
        if spec.is_keyed {
            graph.keyed(*stage, |job: &Job| job.key)?;
        }
        let lock = spec.demand.hold.and_then(|hold| locks.get(hold.lock)).cloned();
        let remote = match spec.remote {
            Some(remote) => Some((remote, Remote::start(remote.servers)?)),
            None => None,
        };
        let node = Node { demand: spec.demand, lock, remote, exits: Vec::new() };
        let wire = |wire: &mut Wire<'_>| Node { exits: exits(wire, &spec.edges, &stages), ..node };
        attach(&mut graph, spec, *stage, spec.pool.and_then(|pool| pools.get(pool)), wire)?;
    }
    let first = *stages.first().ok_or(Fault::NoEntry)?;
    let entry = graph.source(first)?;
    let spinner = description.spinner.and_then(|n| stages.get(n));
    let spinner = spinner.map(|stage| graph.source(*stage)).transpose()?;
    let running = graph.start()?;
    if let Some(spinner) = spinner {
        spinner.send(Job::new(0, false, 0, None)).map_err(|_| Fault::NoSpinner)?;
    }
    Ok(Live { running, entry })
}

fn declare(graph: &mut Graph, spec: &StageSpec) -> Stage<Job> {
    match spec.replicas {
        None => graph.stage(spec.name, spec.capacity),
        Some(replicas) => {
            let shared = Replicas { count: replicas.count, balance: Balance::RoundRobin };
            graph.replicated_stage(spec.name, spec.capacity, shared)
        }
    }
}

fn stage_settings(spec: &StageSpec) -> StageConfig {
    let has_own_pool = spec.pool.is_none() && spec.replicas.is_none();
    StageConfig {
        workers: has_own_pool.then(|| WorkerRange::exactly(spec.workers)),
        cap: spec.cap,
        rate: spec.rate.map(|per_second| RateConfig { per_second, burst: 20 }),
        outstanding: spec.remote.map(|remote| remote.outstanding),
        pending: spec.remote.map(|remote| remote.pending),
        ..StageConfig::default()
    }
}

fn exits(wire: &mut Wire<'_>, edges: &[EdgeSpec], stages: &[Stage<Job>]) -> Vec<Exit> {
    let exits = edges.iter().filter_map(|edge| {
        let to = *stages.get(edge.to)?;
        let port = if edge.waits {
            Port::Waiting(wire.waiting_sink(to, PATIENCE))
        } else {
            Port::Plain(wire.sink(to))
        };
        Some(Exit { probability: edge.probability, copies: edge.copies, port })
    });
    exits.collect()
}

fn attach(
    graph: &mut Graph,
    spec: &StageSpec,
    stage: Stage<Job>,
    pool: Option<&Pool>,
    wire: impl FnOnce(&mut Wire<'_>) -> Node,
) -> Result<(), Fault> {
    let replicas = spec.replicas;
    let make = |wiring: &mut Wire<'_>| {
        let node = wire(wiring);
        move |number: usize| {
            let slow = replicas.filter(|replicas| replicas.slow == number);
            let demand = node.demand.times(slow.map_or(1.0, |slow| slow.factor));
            Ok(Node { demand, ..node.clone() })
        }
    };
    match pool {
        Some(pool) => graph.attach_replicas_in(pool, stage, make)?,
        None => graph.attach_replicas(stage, make)?,
    }
    Ok(())
}
