//! The graph of a spec: stages, pools and edges, declared as a program declares them.

use super::error::SimError;
use super::inside::Inside;
use super::job::{Edge, Job, StageHandler, TouchedPools, TracedDemand, WayOut};
use super::outside::Outside;
use super::timers::Timer;
use crate::base::rng::{Purpose, Rng};
use crate::spec::{Fault, Spec, StageSpec};
use parking_lot::Mutex;
use seda_core::{
    Clock, FactoryError, Graph, Manual, ManualClock, Pool, Replicas, Route, Source, Stage,
    StageConfig, Wire, WorkerRange,
};
use std::collections::HashMap;
use std::sync::Arc;

/// The other keys of a stage with a hot one: enough that each event has a key of its own.
const OTHER_KEYS: usize = 1 << 40;

/// A graph that is ready to be stepped.
pub(crate) struct Built {
    pub(crate) graph: Manual,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) source: Source<Job>,
    /// The routes from the first stage; empty if they are not known at the entry.
    pub(crate) routes: Vec<KnownRoute>,
    pub(crate) touched: Arc<TouchedPools>,
    pub(crate) traced: Arc<TracedDemand>,
    /// The deferred events of each stage that defers.
    pub(crate) outside: Vec<Arc<Outside>>,
    pub(crate) timers: Vec<Timer>,
    /// The requests inside the graph; `None` unless a demand depends on it.
    pub(crate) inside: Option<Inside>,
    /// The index of each pool, by name.
    pub(crate) pools: HashMap<String, usize>,
    /// The pools of the first stage, where requests enter.
    pub(crate) entry: Vec<usize>,
    /// All queues, in order of declaration.
    pub(crate) queues: Vec<QueueName>,
}

/// A route from the first stage that is known at the entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownRoute {
    /// Cumulative probability: that a request takes this route or an earlier one.
    pub(crate) until: f64,
    pub(crate) route: Route,
}

/// A queue: a stage, or a replica with a queue of its own.
#[derive(Debug)]
pub(crate) struct QueueName {
    /// The index of the stage in the spec.
    pub(crate) stage: usize,
    pub(crate) name: String,
}

/// A declared stage.
struct Declared {
    stage: Stage<Job>,
    /// The pools that run it.
    pools: Vec<usize>,
}

/// A stage that another one sends to.
struct NextStage<'a> {
    /// Cumulative probability, as [`Edge::until`].
    until: f64,
    /// The mean number of copies, as [`Edge::copies`].
    copies: f64,
    declared: &'a Declared,
}

/// Declares the graph of a spec and starts it on a manual clock.
pub(crate) fn build(spec: &Spec, seed: u64) -> Result<Built, SimError> {
    let mut graph = Graph::new(&spec.name);
    graph.cores(spec.cores);
    if !spec.classes.is_empty() {
        let classes: Vec<_> =
            spec.classes.iter().map(|class| (class.name.as_str(), class.weight)).collect();
        graph.classes(&classes);
    }
    // Pools are numbered: shared ones first, then the stages' own ones in order of declaration.
    let mut pools = HashMap::new();
    let mut shared = HashMap::new();
    for pool in &spec.pools {
        add_pool(&mut pools, &pool.name);
        shared.insert(pool.name.as_str(), graph.pool(&pool.name, pool.workers));
    }
    let mut queues = Vec::new();
    let mut stages = Vec::new();
    for (index, stage) in spec.stages.iter().enumerate() {
        let names = stage.queue_names();
        let own = match &stage.pool {
            Some(pool) => pools.get(pool).copied().into_iter().collect(),
            None => names.iter().map(|name| add_pool(&mut pools, name)).collect(),
        };
        queues.extend(names.into_iter().map(|name| QueueName { stage: index, name }));
        let declared = declare(&mut graph, stage);
        graph.configure(declared, config(stage))?;
        declare_key(&mut graph, declared, stage, Rng::new(seed, Purpose::Keys(index)))?;
        stages.push(Declared { stage: declared, pools: own });
    }
    // Edges need all stages to be declared.
    let touched = Arc::new(TouchedPools::new(pools.len()));
    let traced = Arc::new(TracedDemand::default());
    let clock = Arc::new(ManualClock::new());
    let mut outside = Vec::new();
    for (index, (stage, declared)) in spec.stages.iter().zip(&stages).enumerate() {
        let rng = Rng::new(seed, Purpose::Outside(index));
        let way_out = way_out(stage, declared, &clock, rng);
        outside.extend(way_out.as_ref().map(|way| Arc::clone(&way.outside)));
        let handler = StageHandler {
            edges: Vec::new(),
            outside: way_out,
            panics: 0.0,
            rng: Arc::new(Mutex::new(Rng::new(seed, Purpose::Routing(index)))),
            touched: Arc::clone(&touched),
            traced: stage.demand.is_traced().then(|| Arc::clone(&traced)),
        };
        let next = next_stages(spec, stage, &stages);
        let panics = panics(spec, stage);
        let pool = stage.pool.as_ref().and_then(|pool| shared.get(pool.as_str()));
        attach(&mut graph, pool, declared.stage, |wire| factory(wire, handler, &next, panics))?;
    }
    let routes = known_routes(spec, &mut graph, &stages)?;
    let timers = timers(spec, seed, &mut graph, &stages)?;
    // The settings in `[graph]` override the declared ones.
    graph.apply(spec.graph.clone())?;
    let first = stages.into_iter().next().ok_or(SimError::NoStage)?;
    let source = graph.source(first.stage)?;
    let is_contended = spec.stages.iter().any(|stage| stage.demand.is_contended());
    let inside = is_contended.then(Inside::default);
    let graph = graph.start_manual(Arc::clone(&clock) as Arc<dyn Clock>)?;
    Ok(Built {
        graph,
        clock,
        source,
        routes,
        touched,
        traced,
        outside,
        timers,
        inside,
        pools,
        entry: first.pools,
        queues,
    })
}

/// Makes a stage keyed if its spec has a hot key.
fn declare_key(
    graph: &mut Graph,
    declared: Stage<Job>,
    stage: &StageSpec,
    rng: Rng,
) -> Result<(), SimError> {
    if let Some(hot) = stage.hot_key {
        let rng = Mutex::new(rng);
        graph.keyed(declared, move |_job| draw_key(&rng, hot))?;
    }
    Ok(())
}

/// Gives a pool the next index and returns it.
fn add_pool(pools: &mut HashMap<String, usize>, name: &str) -> usize {
    let index = pools.len();
    pools.insert(name.to_owned(), index);
    index
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

fn config(stage: &StageSpec) -> StageConfig {
    // Replicas and shared pools have a number of workers of their own. Every other stage is given
    // one, because a simulation must not depend on the cores of the machine that it runs on.
    let has_own_pool = stage.replicas.is_none() && stage.pool.is_none();
    let workers = match stage.workers {
        None if has_own_pool => Some(WorkerRange::exactly(1)),
        workers => workers,
    };
    StageConfig {
        workers,
        batch: Some(stage.batch),
        weight: stage.weight,
        cap: stage.cap,
        ..StageConfig::default()
    }
}

/// Returns the stages that a stage sends to, with cumulative probabilities.
fn next_stages<'a>(spec: &Spec, stage: &StageSpec, stages: &'a [Declared]) -> Vec<NextStage<'a>> {
    let mut until = 0.0;
    let mut next = Vec::with_capacity(stage.routes.len());
    for route in &stage.routes {
        let copies = if route.copies { route.share } else { 0.0 };
        until += if route.copies { 0.0 } else { route.share };
        let index = spec.stages.iter().position(|stage| stage.name == route.to);
        let declared = index.and_then(|index| stages.get(index));
        debug_assert!(declared.is_some(), "a checked spec has no route to an unknown stage");
        next.extend(declared.map(|declared| NextStage { until, copies, declared }));
    }
    next
}

/// Wires the edges of `handler` and returns the factory of its replicas, by their index.
fn factory(
    wire: &mut Wire<'_>,
    mut handler: StageHandler,
    next: &[NextStage<'_>],
    panics: Vec<f64>,
) -> impl Fn(usize) -> Result<StageHandler, FactoryError> + Send + Sync + use<> {
    for NextStage { until, copies, declared } in next {
        let sink = wire.sink(declared.stage);
        let pools = declared.pools.clone();
        handler.edges.push(Edge { until: *until, copies: *copies, sink, pools });
    }
    move |replica| {
        let panics = panics.get(replica).copied().unwrap_or(0.0);
        Ok(StageHandler { panics, ..handler.clone() })
    }
}

/// Returns the probability that an event makes a replica panic, by replica; one for a plain stage.
fn panics(spec: &Spec, stage: &StageSpec) -> Vec<f64> {
    let names = stage.queue_names();
    let replicas = stage.replicas.unwrap_or(1).max(1);
    // Replicas behind one queue share the name of the stage.
    (0..replicas)
        .filter_map(|replica| names.get(replica).or(names.first()))
        .map(|name| panic_share(spec, stage, name))
        .collect()
}

/// Returns the sum of the shares of all panics of a queue.
fn panic_share(spec: &Spec, stage: &StageSpec, queue: &String) -> f64 {
    let shares = spec.faults.iter().filter_map(|fault| match fault {
        Fault::Panic { stage: panicking, share }
            if *panicking == stage.name || panicking == queue =>
        {
            Some(*share)
        }
        _ => None,
    });
    shares.sum()
}

/// Returns the timers of a spec.
fn timers(
    spec: &Spec,
    seed: u64,
    graph: &mut Graph,
    stages: &[Declared],
) -> Result<Vec<Timer>, SimError> {
    let mut timers = Vec::with_capacity(spec.arrivals.timers.len());
    for (number, timer) in spec.arrivals.timers.iter().enumerate() {
        let index = spec.stages.iter().position(|stage| stage.name == timer.stage);
        if let Some(target) = index.and_then(|index| stages.get(index)) {
            let source = graph.source(target.stage)?;
            timers.extend(Timer::new(timer, number, seed, source, target.pools.clone()));
        }
    }
    Ok(timers)
}

/// Attaches the handlers of a stage, in a shared pool if there is one.
fn attach<F: Fn(usize) -> Result<StageHandler, FactoryError> + Send + Sync + 'static>(
    graph: &mut Graph,
    pool: Option<&Pool>,
    stage: Stage<Job>,
    wire: impl FnOnce(&mut Wire<'_>) -> F,
) -> Result<(), SimError> {
    match pool {
        Some(pool) => graph.attach_replicas_in(pool, stage, wire)?,
        None => graph.attach_replicas(stage, wire)?,
    }
    Ok(())
}

/// Returns the way outside of a stage that defers.
fn way_out(
    stage: &StageSpec,
    declared: &Declared,
    clock: &Arc<ManualClock>,
    rng: Rng,
) -> Option<WayOut> {
    let outside = Arc::new(Outside::new(clock, stage.outside.as_ref()?, rng));
    Some(WayOut { outside, pools: declared.pools.clone() })
}

/// Draws the key of an event: the hottest one is 0.
fn draw_key(rng: &Mutex<Rng>, hot: f64) -> usize {
    let mut rng = rng.lock();
    if rng.unit() < hot { 0 } else { 1 + rng.below(OTHER_KEYS) }
}

/// Returns the routes from the first stage; none unless the spec has them known at the entry.
fn known_routes(
    spec: &Spec,
    graph: &mut Graph,
    stages: &[Declared],
) -> Result<Vec<KnownRoute>, SimError> {
    let mut routes = Vec::new();
    if let Some(first) = spec.stages.first()
        && spec.routes_known
    {
        for NextStage { until, declared, .. } in next_stages(spec, first, stages) {
            routes.push(KnownRoute { until, route: graph.route([declared.stage.id()])? });
        }
    }
    Ok(routes)
}
