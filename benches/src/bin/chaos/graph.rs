//! A random graph on threads.

use crate::fate::{Exit, Job, PanicOnDrop};
use crate::node::Node;
use crate::world::World;
use benches::rng::Rng;
use seda_core::GraphError;
use seda_core::{
    Balance, Graph, GraphConfig, OverloadPolicy, Pool, Replicas, Running, Stage, StageConfig,
    WorkerRange,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// The facts of a graph that the rest of its generation needs.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) stages: Vec<String>,
    /// For each stage, true if the order of its events can be checked.
    pub(crate) keyed: Vec<bool>,
    pub(crate) pools: Vec<String>,
    pub(crate) hosted: Option<Pool>,
    pub(crate) classes: usize,
    pub(crate) stuck: bool,
}

const CLASSES: [(&str, u32); 4] = [("gold", 4), ("silver", 2), ("basic", 1), ("idle", 1)];

/// Declares, wires and starts a graph drawn from `rng`.
pub(crate) fn start(rng: &mut Rng, world: &Arc<World>) -> Result<(Running, Shape), GraphError> {
    let mut graph = Graph::new("chaos");
    let classes = rng.between(1, 4);
    graph.classes(CLASSES.get(..classes).unwrap_or_default());
    let stuck = rng.one_in(3);
    let capacity = rng.between(2, 9);
    let stages: Vec<Declared> = (0..rng.between(1, 10))
        .map(|n| declare(&mut graph, rng, &format!("s{n}"), 1 << capacity))
        .collect();
    let shared = graph.pool("shared", WorkerRange::new(1, rng.between(1, 4)));
    let hosted = rng.one_in(2).then(|| graph.hosted_pool("hosted", rng.between(1, 2)));
    graph.apply(config(rng, stuck))?;
    let mut shape = Shape {
        stages: stages.iter().map(|declared| declared.name.clone()).collect(),
        keyed: Vec::new(),
        pools: vec!["shared".to_owned()],
        hosted,
        classes,
        stuck,
    };
    for Declared { name, stage, split } in &stages {
        let home = match (rng.below(4), hosted) {
            (0, _) => Some((shared, false)),
            (1, Some(hosted)) => Some((hosted, true)),
            _ => None,
        };
        if home.is_none() {
            shape.pools.push(name.clone());
        }
        let workers = home.is_none().then(|| WorkerRange::new(1, rng.between(1, 4)));
        let settings = StageConfig {
            workers,
            batch: Some(rng.between(1, 32)),
            cap: rng.one_in(4).then(|| rng.between(1, 2)),
            weight: Some(rng.between(1, 4) as u32),
            pending: Some(rng.below(32)),
            ..StageConfig::default()
        };
        graph.configure(*stage, settings)?;
        // The events of one key would not stay with one of several replicas.
        shape.keyed.push(rng.one_in(3) && !split);
        if shape.keyed.last() == Some(&true) {
            graph.keyed(*stage, Job::key)?;
        }
        if rng.one_in(4) {
            graph.weigh(*stage, Job::weight)?;
        }
        record_losses(&mut graph, *stage, rng.one_in(4), world)?;
        world.sources.lock().push(graph.source(*stage)?);
        let hosted = home.is_some_and(|(_, hosted)| hosted);
        let wire = wire(rng, &stages, (stuck, hosted), world);
        match home {
            Some((pool, _)) => graph.attach_in(&pool, *stage, wire)?,
            None => graph.attach(*stage, wire)?,
        }
    }
    Ok((graph.start()?, shape))
}

struct Declared {
    name: String,
    stage: Stage<Job>,
    /// True if each of its replicas has a queue of its own.
    split: bool,
}

fn declare(graph: &mut Graph, rng: &mut Rng, name: &str, most: usize) -> Declared {
    let (name, capacity) = (name.to_owned(), rng.between(1, most));
    if !rng.one_in(5) {
        return Declared { stage: graph.stage(&name, capacity), name, split: false };
    }
    let balance = rng.pick(&Balance::ALL).copied().unwrap_or_default();
    let replicas = Replicas { count: rng.between(1, 3), balance };
    let stage = graph.replicated_stage(&name, capacity.max(replicas.count), replicas);
    Declared { name, stage, split: balance != Balance::Central }
}

type Make = Box<dyn Fn() -> Result<Node, seda_core::FactoryError> + Send + Sync>;

fn wire<'a>(
    rng: &mut Rng,
    stages: &'a [Declared],
    (stuck, hosted): (bool, bool),
    world: &Arc<World>,
) -> impl FnOnce(&mut seda_core::Wire<'_>) -> Make + 'a {
    let targets: Vec<usize> = (0..rng.below(4)).map(|_| rng.below(stages.len())).collect();
    let (cohort, fails, bombs) = (rng.one_in(5), rng.between(2, 12), rng.between(2, 12));
    let sticky = if stuck && !hosted && rng.one_in(2) { 2_000 } else { 0 };
    // Ten failures in a row close the stage.
    let broken = rng.one_in(16);
    let (seed, world) = (rng.next_u64(), Arc::clone(world));
    move |wire| {
        let mut exits = Vec::new();
        for to in targets {
            if let Some(declared) = stages.get(to) {
                exits.push(Exit { to, sink: wire.sink(declared.stage) });
            }
        }
        let calls = AtomicUsize::new(0);
        Box::new(move || {
            let call = calls.fetch_add(1, SeqCst) + 1;
            let mut rng = Rng(seed.wrapping_add(call as u64));
            if call.is_multiple_of(fails) || (broken && call > 3) {
                rng.panic_one_in(2);
                return Err("not yet".into());
            }
            Ok(Node {
                world: Arc::clone(&world),
                exits: exits.clone(),
                cohort,
                sticky,
                may_block: !hosted,
                kept: Vec::new(),
                _panics: PanicOnDrop(call.is_multiple_of(bombs)),
                rng,
            })
        })
    }
}

fn record_losses(
    graph: &mut Graph,
    stage: Stage<Job>,
    panics: bool,
    world: &Arc<World>,
) -> Result<(), GraphError> {
    let world = Arc::downgrade(world);
    graph.on_lost(stage, move |job: Job, reason| {
        job.fate.lose(reason);
        let mut rng = Rng(job.seed ^ 5);
        if panics {
            rng.panic_one_in(8);
        }
        // Now and then the loss is reported to the first stage.
        let Some(world) = world.upgrade() else { return };
        if rng.one_in(8)
            && let Some(source) = world.source(0)
        {
            let sent = source.send(Job::new(&world.fates, 0, 0, rng.next_u64()));
            world.note(sent.map_err(|refused| refused.into_event()));
        }
    })
}

pub(crate) fn config(rng: &mut Rng, stuck: bool) -> GraphConfig {
    let mut config = GraphConfig {
        budget: rng.one_in(2).then(|| rng.between(4, 600)),
        budget_bytes: rng
            .one_in(3)
            .then(|| bytesize::ByteSize::b(rng.between(5_000, 500_000) as u64)),
        statistics: !rng.one_in(4),
        ..GraphConfig::default()
    };
    config.control.tick = Duration::from_millis(10);
    config.control.idle_after = Duration::from_millis(20);
    config.control.stuck_after = Duration::from_millis(if stuck { 50 } else { 10_000 });
    let policies = [
        OverloadPolicy::LongestQueue,
        OverloadPolicy::TailDrop,
        OverloadPolicy::Random,
        OverloadPolicy::None,
    ];
    config.control.overload = rng.pick(&policies).copied().unwrap_or_default();
    config
}
