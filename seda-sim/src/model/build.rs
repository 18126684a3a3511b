//! The graph of a spec: stages, pools and edges, as a program would declare them.

use crate::base::rng::{Dice, Use};
use crate::model::job::{Foreseen, Job, Step, Touched, Way};
use crate::run::SimError;
use crate::spec::{Fault, Spec, StageSpec};
use parking_lot::Mutex;
use seda_core::{
    Balance, Graph, Manual, ManualClock, Replicas, Route, Source, Stage, StageConfig, WorkerRange,
};
use std::collections::HashMap;
use std::sync::Arc;

/// A graph that is ready to be stepped.
pub(crate) struct Built {
    pub(crate) graph: Manual,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) source: Source<Job>,
    /// The ways from the first stage, each up to a probability, if they are known at the entry.
    pub(crate) routes: Vec<(f64, Route)>,
    pub(crate) touched: Arc<Touched>,
    pub(crate) foreseen: Arc<Foreseen>,
    /// Pools by name.
    pub(crate) pools: HashMap<String, usize>,
    /// Pools of the first stage, where requests enter.
    pub(crate) entry: Vec<usize>,
    /// Every queue in order of declaration: its stage's place in the spec, and its name.
    pub(crate) queues: Vec<(usize, String)>,
}

pub(crate) fn build(spec: &Spec, seed: u64) -> Result<Built, SimError> {
    let mut graph = Graph::new(&spec.name);
    graph.cores(spec.cores);
    if !spec.classes.is_empty() {
        let classes: Vec<_> =
            spec.classes.iter().map(|class| (class.name.as_str(), class.weight)).collect();
        graph.classes(&classes);
    }
    let mut pools = HashMap::new();
    let shared: HashMap<_, _> = spec
        .pools
        .iter()
        .map(|pool| {
            pools.insert(pool.name.clone(), pools.len());
            (pool.name.as_str(), graph.pool(&pool.name, pool.workers))
        })
        .collect();
    let mut queues = Vec::new();
    let mut stages: Vec<(Stage<Job>, Vec<usize>)> = Vec::new();
    for (index, stage) in spec.stages.iter().enumerate() {
        let declared = declare(&mut graph, stage);
        let first = queues.len();
        queues.extend(names(stage).into_iter().map(|name| (index, name)));
        let own = match &stage.pool {
            Some(pool) => pools.get(pool).copied().into_iter().collect(),
            None => {
                let names = queues.iter().skip(first);
                names
                    .map(|(_, name)| {
                        let pool = pools.len();
                        pools.insert(name.clone(), pool);
                        pool
                    })
                    .collect()
            }
        };
        graph.configure(declared, config(stage))?;
        stages.push((declared, own));
    }
    let touched = Arc::new(Touched::new(pools.len()));
    let foreseen = Arc::new(Foreseen::default());
    for (index, stage) in spec.stages.iter().enumerate() {
        let Some((declared, _)) = stages.get(index) else {
            continue;
        };
        let dice = Arc::new(Mutex::new(Dice::new(seed, Use::Routes(index))));
        let panics = panics(spec, stage);
        let touched = Arc::clone(&touched);
        let foreseen = stage.demand.is_traced().then(|| Arc::clone(&foreseen));
        let wire = |wire: &mut seda_core::Wire<'_>| {
            let mut until = 0.0;
            let mut ways = Vec::new();
            for route in &stage.routes {
                until += route.share;
                let to = spec.stages.iter().position(|stage| stage.name == route.to);
                if let Some((to, pools)) = to.and_then(|to| stages.get(to)) {
                    ways.push(Way { until, sink: wire.sink(*to), pools: pools.clone() });
                }
            }
            let step = Step { ways, panics: 0.0, dice, touched, foreseen };
            move |replica: usize| {
                let panics = panics.get(replica).copied().unwrap_or(0.0);
                Ok(Step { panics, ..step.clone() })
            }
        };
        match stage.pool.as_ref().and_then(|pool| shared.get(pool.as_str())) {
            Some(pool) => graph.attach_replicas_in(pool, *declared, wire)?,
            None => graph.attach_replicas(*declared, wire)?,
        }
    }
    let routes = known_routes(spec, &mut graph, &stages)?;
    graph.apply(spec.graph.clone())?;
    let (first, entry) = stages.first().cloned().ok_or(SimError::NoStage)?;
    let source = graph.source(first)?;
    let clock = Arc::new(ManualClock::new());
    let graph = graph.start_manual(Arc::clone(&clock) as Arc<dyn seda_core::Clock>)?;
    Ok(Built { graph, clock, source, routes, touched, foreseen, pools, entry, queues })
}

/// The first stage's ways as routes of requests, if the spec says that they are known.
fn known_routes(
    spec: &Spec,
    graph: &mut Graph,
    stages: &[(Stage<Job>, Vec<usize>)],
) -> Result<Vec<(f64, Route)>, SimError> {
    let first = spec.stages.first().filter(|_| spec.routes_known);
    let mut until = 0.0;
    let mut routes = Vec::new();
    for way in first.iter().flat_map(|first| &first.routes) {
        until += way.share;
        let to = spec.stages.iter().position(|stage| stage.name == way.to);
        if let Some((to, _)) = to.and_then(|to| stages.get(to)) {
            routes.push((until, graph.route([to.id()])?));
        }
    }
    Ok(routes)
}

fn declare(graph: &mut Graph, stage: &StageSpec) -> Stage<Job> {
    match stage.replicas {
        None => graph.stage(&stage.name, stage.capacity),
        Some(count) => {
            let balance = stage.balance.unwrap_or_default();
            graph.replicated_stage(&stage.name, stage.capacity, Replicas { count, balance })
        }
    }
}

/// The names of its queues, which are those of their pools.
fn names(stage: &StageSpec) -> Vec<String> {
    match stage.replicas {
        Some(count) if stage.balance.unwrap_or_default() != Balance::Central => {
            (1..=count).map(|n| format!("{}-{n}", stage.name)).collect()
        }
        _ => vec![stage.name.clone()],
    }
}

fn config(stage: &StageSpec) -> StageConfig {
    // Replicas bring their number of workers; nothing else does, and a simulation must not depend
    // on how many cores the machine has that it runs on.
    let own = stage.replicas.is_none() && stage.pool.is_none();
    let workers = stage.workers.or(own.then(|| WorkerRange::exactly(1)));
    StageConfig {
        workers,
        batch: Some(stage.batch),
        weight: stage.weight,
        cap: stage.cap,
        ..StageConfig::default()
    }
}

/// By replica, for how many of its events it panics; a stage has one.
fn panics(spec: &Spec, stage: &StageSpec) -> Vec<f64> {
    let of = |name: &String| {
        let shares = spec.faults.iter().filter_map(|fault| match fault {
            Fault::Panic { stage: panicking, share }
                if *panicking == stage.name || panicking == name =>
            {
                Some(*share)
            }
            _ => None,
        });
        shares.sum()
    };
    let names = names(stage);
    let replicas = stage.replicas.unwrap_or(1).max(1);
    // Replicas behind one queue have its name.
    (0..replicas).filter_map(|replica| names.get(replica).or(names.first())).map(of).collect()
}
