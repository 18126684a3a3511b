//! A random graph on threads.

use crate::fate::{Bomb, Job};
use crate::node::{Exit, Node};
use crate::world::World;
use benches::dice::Dice;
use seda_core::GraphError;
use seda_core::{
    Balance, Graph, GraphConfig, OverloadPolicy, Pool, Replicas, Running, Stage, StageConfig,
    WorkerRange,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// What the rest of a generation has to know of its graph.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) stages: Vec<String>,
    /// Those whose order can be checked.
    pub(crate) keyed: Vec<bool>,
    pub(crate) pools: Vec<String>,
    pub(crate) hosted: Option<Pool>,
    pub(crate) classes: usize,
    pub(crate) stuck: bool,
}

const CLASSES: [(&str, u32); 4] = [("gold", 4), ("silver", 2), ("basic", 1), ("idle", 1)];

/// Declares, wires and starts a graph that follows from the dice.
pub(crate) fn start(dice: &mut Dice, world: &Arc<World>) -> Result<(Running, Shape), GraphError> {
    let mut graph = Graph::new("chaos");
    let classes = dice.between(1, 4);
    graph.classes(CLASSES.get(..classes).unwrap_or_default());
    let stuck = dice.one_in(3);
    let capacity = dice.between(2, 9);
    let stages: Vec<Declared> = (0..dice.between(1, 10))
        .map(|n| declare(&mut graph, dice, &format!("s{n}"), 1 << capacity))
        .collect();
    let shared = graph.pool("shared", WorkerRange::new(1, dice.between(1, 4)));
    let hosted = dice.one_in(2).then(|| graph.hosted_pool("hosted", dice.between(1, 2)));
    graph.apply(config(dice, stuck))?;
    let mut shape = Shape {
        stages: stages.iter().map(|declared| declared.name.clone()).collect(),
        keyed: Vec::new(),
        pools: vec!["shared".to_owned()],
        hosted,
        classes,
        stuck,
    };
    for Declared { name, stage, split } in &stages {
        let home = match (dice.below(4), hosted) {
            (0, _) => Some((shared, false)),
            (1, Some(hosted)) => Some((hosted, true)),
            _ => None,
        };
        if home.is_none() {
            shape.pools.push(name.clone());
        }
        let workers = home.is_none().then(|| WorkerRange::new(1, dice.between(1, 4)));
        let settings = StageConfig {
            workers,
            batch: Some(dice.between(1, 32)),
            cap: dice.one_in(4).then(|| dice.between(1, 2)),
            weight: Some(dice.between(1, 4) as u32),
            pending: Some(dice.below(32)),
            ..StageConfig::default()
        };
        graph.configure(*stage, settings)?;
        // Events of one key would not stay with one of several replicas.
        shape.keyed.push(dice.one_in(3) && !split);
        if shape.keyed.last() == Some(&true) {
            graph.keyed(*stage, Job::key)?;
        }
        if dice.one_in(4) {
            graph.weigh(*stage, Job::weight)?;
        }
        hear(&mut graph, *stage, dice.one_in(4), world)?;
        world.sources.lock().push(graph.source(*stage)?);
        let hosted = home.is_some_and(|(_, hosted)| hosted);
        let wire = wire(dice, &stages, (stuck, hosted), world);
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
    /// Whether each of its replicas has a queue of its own.
    split: bool,
}

fn declare(graph: &mut Graph, dice: &mut Dice, name: &str, most: usize) -> Declared {
    let (name, capacity) = (name.to_owned(), dice.between(1, most));
    if !dice.one_in(5) {
        return Declared { stage: graph.stage(&name, capacity), name, split: false };
    }
    let balance = dice.pick(&Balance::ALL).copied().unwrap_or_default();
    let replicas = Replicas { count: dice.between(1, 3), balance };
    let stage = graph.replicated_stage(&name, capacity.max(replicas.count), replicas);
    Declared { name, stage, split: balance != Balance::Central }
}

type Make = Box<dyn Fn() -> Result<Node, seda_core::FactoryError> + Send + Sync>;

fn wire<'a>(
    dice: &mut Dice,
    stages: &'a [Declared],
    (stuck, hosted): (bool, bool),
    world: &Arc<World>,
) -> impl FnOnce(&mut seda_core::Wire<'_>) -> Make + 'a {
    let targets: Vec<usize> = (0..dice.below(4)).map(|_| dice.below(stages.len())).collect();
    let (cohort, fails, bombs) = (dice.one_in(5), dice.between(2, 12), dice.between(2, 12));
    let sticky = if stuck && !hosted && dice.one_in(2) { 2_000 } else { 0 };
    // At ten failures in a row its stage is closed.
    let broken = dice.one_in(16);
    let (seed, world) = (dice.roll(), Arc::clone(world));
    move |wire| {
        let exits = targets.iter().filter_map(|to| {
            let declared = stages.get(*to)?;
            Some(Exit { to: *to, sink: wire.sink(declared.stage) })
        });
        let exits: Vec<Exit> = exits.collect();
        let calls = AtomicUsize::new(0);
        Box::new(move || {
            let call = calls.fetch_add(1, SeqCst) + 1;
            let mut dice = Dice(seed.wrapping_add(call as u64));
            if call.is_multiple_of(fails) || (broken && call > 3) {
                dice.panic_one_in(2);
                return Err("not yet".into());
            }
            Ok(Node {
                world: Arc::clone(&world),
                exits: exits.clone(),
                cohort,
                sticky,
                may_block: !hosted,
                kept: Vec::new(),
                _bomb: Bomb(call.is_multiple_of(bombs)),
                dice,
            })
        })
    }
}

fn hear(
    graph: &mut Graph,
    stage: Stage<Job>,
    panics: bool,
    world: &Arc<World>,
) -> Result<(), GraphError> {
    let world = Arc::downgrade(world);
    graph.on_lost(stage, move |job: Job, reason| {
        job.fate.lose(reason);
        let mut dice = Dice(job.seed ^ 5);
        if panics {
            dice.panic_one_in(8);
        }
        // Perhaps a note of the loss to the first stage.
        let Some(world) = world.upgrade().filter(|_| dice.one_in(8)) else { return };
        if let Some(source) = world.source(0) {
            let sent = source.send(Job::new(&world.fates, 0, 0, dice.roll()));
            world.note(sent.map_err(|refused| refused.into_event()));
        }
    })
}

pub(crate) fn config(dice: &mut Dice, stuck: bool) -> GraphConfig {
    let mut config = GraphConfig {
        budget: dice.one_in(2).then(|| dice.between(4, 600)),
        budget_bytes: dice
            .one_in(3)
            .then(|| bytesize::ByteSize::b(dice.between(5_000, 500_000) as u64)),
        statistics: !dice.one_in(4),
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
    config.control.overload = dice.pick(&policies).copied().unwrap_or_default();
    config
}
