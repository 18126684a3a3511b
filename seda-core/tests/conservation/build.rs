//! The build of a plan: a stepped graph and its world.

use crate::conservation::job::Job;
use crate::conservation::node::{Node, Outgoing};
use crate::conservation::plan::{Acting, Factory, Lost, Overload, Plan, Sizing, StagePlan};
use crate::conservation::rng::{PanicOnDrop, Rng};
use crate::conservation::world::{Facts, World};
use crate::support::ON_PURPOSE;
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
/// Limit of waiting edges. A stepped graph never waits.
const WAIT_LIMIT: Duration = Duration::from_millis(1);

impl Plan {
    /// Starts the graph and returns it with its world.
    pub(crate) fn start(&self) -> Result<(Manual, Arc<World>), GraphError> {
        let facts = |stage: &StagePlan| Facts {
            notified: stage.lost != Lost::Silent,
            keyed: stage.is_keyed(),
            weighs: stage.weighs,
        };
        let world = World::new(self.stages.iter().map(facts).collect(), self.classes);
        let mut graph = Graph::new("random");
        graph.classes(&CLASS_NAMES[..self.classes]);
        graph.apply(self.config())?;
        if let Sizing::Random(_) | Sizing::Panicking = self.sizing {
            let sizing = self.sizing;
            graph.pool_size_policy(move |_pool| RandomSizes::new(sizing));
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
            attach_on_lost(&mut graph, stage, plan.lost, &world)?;
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
            let exits = leaving.map(|edge| Outgoing {
                to: edge.to,
                sink: wire.sink(stages[edge.to]),
                waiting: edge.waits.then(|| wire.waiting_sink(stages[edge.to], WAIT_LIMIT)),
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
                    rng: Rng(call as u64),
                    _panic_on_drop: PanicOnDrop(
                        factory.drop_panics.is_some_and(|every| call.is_multiple_of(every)),
                    ),
                })
            })
        }
    }

    /// Returns the settings of the graph.
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

/// Returns the number of a stage, or of a replica's stage, by its name.
pub(crate) fn number(name: &str) -> Option<usize> {
    NAMES.iter().position(|known| name.starts_with(known))
}

type MakeNode = Box<dyn Fn() -> Result<Node, seda_core::FactoryError> + Send + Sync>;

impl Factory {
    fn fails(self, call: usize) -> bool {
        call <= self.first || self.every.is_some_and(|every| call.is_multiple_of(every))
    }

    /// True if no call fails.
    pub(crate) fn is_sound(self) -> bool {
        self.first == 0 && self.every.is_none()
    }
}

fn attach_on_lost(
    graph: &mut Graph,
    stage: Stage<Job>,
    lost: Lost,
    world: &Arc<World>,
) -> Result<(), GraphError> {
    let world = Arc::clone(world);
    let on_lost = move |job: Job, reason: LossReason| {
        job.fate.lose(reason);
        if lost == Lost::Panicking {
            Rng(job.seed ^ 5).panic_one_in(3);
        }
        if let Some(source) = world.source(0).filter(|_| lost == Lost::Sending) {
            let sent = source.send(Job::new(&world, 0, 0, 0, job.seed ^ 6));
            world.note(None, 0, 0, sent.map_err(|refused| refused.into_event()));
        }
    };
    if lost == Lost::Silent { Ok(()) } else { graph.on_lost(stage, on_lost) }
}

/// A pool-size policy that decides at random, or panics.
struct RandomSizes {
    rng: Rng,
    panics: bool,
}

impl RandomSizes {
    fn new(sizing: Sizing) -> Self {
        let (rng, panics) = match sizing {
            Sizing::Random(seed) => (Rng(seed), false),
            Sizing::Usual | Sizing::Panicking => (Rng(1), true),
        };
        Self { rng, panics }
    }
}

impl PoolSizePolicy for RandomSizes {
    fn decide(&mut self, _seen: &PoolObservation) -> Option<(usize, String)> {
        if self.panics {
            self.rng.panic_one_in(2);
        }
        Some((self.rng.below(8) as usize, "at random".to_owned()))
    }
}
