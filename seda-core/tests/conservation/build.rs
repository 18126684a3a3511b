//! From a plan to a graph that can be stepped.

use crate::dice::{Bomb, Dice};
use crate::job::Job;
use crate::node::{Exit, Node};
use crate::plan::{Acting, Factory, Lost, Overload, Plan, Sizing, StagePlan};
use crate::support::ON_PURPOSE;
use crate::world::{Facts, World};
use seda_core::GraphError;
use seda_core::control::{PoolObservation, PoolSizePolicy};
use seda_core::{
    Graph, GraphConfig, LossReason, Manual, Mode, OverloadPolicy, Stage, StageConfig, WorkerRange,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

pub(crate) const NAMES: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
pub(crate) const POOLS: [&str; 3] = ["shared", "common", "reactor"];
pub(crate) const CLASS_NAMES: [(&str, u32); 4] =
    [("gold", 4), ("silver", 2), ("basic", 1), ("idle", 1)];
/// Nothing waits on a graph that is stepped.
const PATIENCE: Duration = Duration::from_millis(1);

impl Plan {
    /// The graph, started, and what is outside of it.
    pub(crate) fn start(&self) -> Result<(Manual, Arc<World>), GraphError> {
        let facts = |stage: &StagePlan| Facts {
            heard: stage.lost != Lost::Nobody,
            keyed: stage.is_keyed(),
            weighs: stage.weighs,
        };
        let world = World::new(self.stages.iter().map(facts).collect(), self.classes);
        let mut graph = Graph::new("random");
        graph.classes(&CLASS_NAMES[..self.classes]);
        graph.apply(self.config())?;
        if let Sizing::Random(_) | Sizing::Panicking = self.sizing {
            let sizing = self.sizing;
            graph.pool_size_policy(move |_pool| Whims::new(sizing));
        }
        let stages: Vec<Stage<Job>> = self
            .stages
            .iter()
            .zip(NAMES)
            .map(|(plan, name)| match plan.replicas {
                Some(replicas) => {
                    let capacity = plan.capacity.max(replicas.count);
                    graph.replicated_stage(name, capacity, replicas)
                }
                None => graph.stage(name, plan.capacity),
            })
            .collect();
        let range = |(min, max)| WorkerRange::new(min, max);
        let pools = self.pools.iter().zip(POOLS).map(|(pool, name)| {
            if pool.hosted {
                graph.hosted_pool(name, pool.workers.1)
            } else {
                graph.pool(name, range(pool.workers))
            }
        });
        let pools: Vec<_> = pools.collect();
        for (n, plan) in self.stages.iter().enumerate() {
            let stage = stages[n];
            graph.configure(stage, self.stage_config(n))?;
            if plan.is_keyed() {
                graph.keyed(stage, Job::key)?;
            }
            if plan.weighs {
                graph.weigh(stage, Job::weight)?;
            }
            hear(&mut graph, stage, plan.lost, &world)?;
            world.sources.lock().push(graph.source(stage)?);
            let wire = self.wire(n, &stages, &world);
            match self.pool_of(n) {
                Some(pool) => graph.attach_in(&pools[pool], stage, wire)?,
                None => graph.attach(stage, wire)?,
            }
        }
        let clock = Arc::clone(&world.clock);
        Ok((graph.start_manual(clock)?, world))
    }

    fn wire<'a>(
        &'a self,
        stage: usize,
        stages: &'a [Stage<Job>],
        world: &'a Arc<World>,
    ) -> impl FnOnce(&mut seda_core::Wire<'_>) -> MakeNode + 'a {
        move |wire| {
            let leaving = self.edges.iter().filter(|edge| edge.from == stage);
            let exits = leaving.map(|edge| Exit {
                to: edge.to,
                sink: wire.sink(stages[edge.to]),
                waiting: edge.waits.then(|| wire.waiting_sink(stages[edge.to], PATIENCE)),
            });
            let (exits, world) = (exits.collect::<Vec<_>>(), Arc::clone(world));
            let (cohort, factory) = (self.stages[stage].cohort, self.stages[stage].factory);
            let calls = AtomicUsize::new(0);
            Box::new(move || {
                let call = calls.fetch_add(1, SeqCst) + 1;
                if factory.fails(call) {
                    world.counts.lock().stages[stage].factory_failures += 1;
                    if call.is_multiple_of(2) {
                        std::panic::panic_any(ON_PURPOSE);
                    }
                    return Err("not yet".into());
                }
                Ok(Node {
                    world: Arc::clone(&world),
                    stage,
                    exits: exits.clone(),
                    cohort,
                    owes: false,
                    kept: Vec::new(),
                    dice: Dice(call as u64),
                    _bomb: Bomb(factory.bombs.is_some_and(|every| call.is_multiple_of(every))),
                })
            })
        }
    }

    /// What is said of the graph beside its declaration.
    pub(crate) fn config(&self) -> GraphConfig {
        let mut config = GraphConfig { budget: self.budget, ..GraphConfig::default() };
        config.budget_bytes = self.budget_bytes.map(bytesize::ByteSize::b);
        config.statistics = self.statistics;
        config.control.overload = match self.overload {
            Overload::LongestQueue => OverloadPolicy::LongestQueue,
            Overload::TailDrop => OverloadPolicy::TailDrop,
            Overload::Random => OverloadPolicy::Random,
            Overload::None => OverloadPolicy::None,
        };
        config.control.valve = match self.valve {
            Acting::On => Mode::On,
            Acting::Observe => Mode::Observe,
            Acting::Off => Mode::Off,
        };
        config
    }

    fn stage_config(&self, stage: usize) -> StageConfig {
        let (plan, shares) = (&self.stages[stage], self.pool_of(stage).is_some());
        let workers = WorkerRange::new(plan.workers.0, plan.workers.1);
        StageConfig {
            workers: (!shares).then_some(workers),
            batch: Some(plan.batch),
            pending: Some(plan.pending),
            cap: plan.cap,
            weight: Some(plan.weight),
            ..StageConfig::default()
        }
    }
}

/// The number of a stage, or of the stage that it is a replica of, by its name.
pub(crate) fn number(name: &str) -> Option<usize> {
    NAMES.iter().position(|known| name.starts_with(known))
}

type MakeNode = Box<dyn Fn() -> Result<Node, seda_core::FactoryError> + Send + Sync>;

impl Factory {
    fn fails(self, call: usize) -> bool {
        call <= self.first || self.every.is_some_and(|every| call.is_multiple_of(every))
    }

    /// Whether every call gives a handler.
    pub(crate) fn is_sound(self) -> bool {
        self.first == 0 && self.every.is_none()
    }
}

fn hear(
    graph: &mut Graph,
    stage: Stage<Job>,
    lost: Lost,
    world: &Arc<World>,
) -> Result<(), GraphError> {
    let world = Arc::clone(world);
    let hear = move |job: Job, reason: LossReason| {
        job.fate.lose(reason);
        if lost == Lost::Panicking {
            Dice(job.seed ^ 5).panic_one_in(3);
        }
        if let Some(source) = world.source(0).filter(|_| lost == Lost::Sending) {
            let sent = source.send(Job::new(&world, 0, 0, 0, job.seed ^ 6));
            world.note(None, 0, 0, sent.map_err(|refused| refused.into_event()));
        }
    };
    if lost == Lost::Nobody { Ok(()) } else { graph.on_lost(stage, hear) }
}

/// A pool-size policy without reason.
struct Whims {
    dice: Dice,
    panics: bool,
}

impl Whims {
    fn new(sizing: Sizing) -> Self {
        let (dice, panics) = match sizing {
            Sizing::Random(seed) => (Dice(seed), false),
            Sizing::Usual | Sizing::Panicking => (Dice(1), true),
        };
        Self { dice, panics }
    }
}

impl PoolSizePolicy for Whims {
    fn decide(&mut self, _seen: &PoolObservation) -> Option<(usize, String)> {
        if self.panics {
            self.dice.panic_one_in(2);
        }
        Some((self.dice.below(8) as usize, "a whim".to_owned()))
    }
}
