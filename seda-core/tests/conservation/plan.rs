//! A random graph.

use crate::job::Job;
use crate::node::{Node, World};
use proptest::collection::vec;
use proptest::prelude::*;
use seda_core::{Graph, Manual, Source, StageConfig, WorkerRange};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    stages: Vec<StagePlan>,
    edges: Vec<(usize, usize)>,
    classes: usize,
    budget: Option<usize>,
    bytes: Option<u64>,
    shared_pool: Range,
    policy: usize,
    statistics: bool,
}

/// The fewest and the most workers.
type Range = (usize, usize);

#[derive(Clone, Debug)]
struct StagePlan {
    capacity: usize,
    shares: bool,
    workers: Range,
    batch: usize,
    pending: usize,
    cohort: bool,
    /// How many calls of the factory fail at first; at ten in a row the stage is closed.
    failing: usize,
    /// Every so many calls of the factory fail later on: what is in hand then has to wait.
    relapse: Option<usize>,
    keyed: bool,
    weighs: bool,
}

fn range() -> impl Strategy<Value = Range> {
    (1..3_usize, 0..3_usize).prop_map(|(min, more)| (min, min + more))
}

fn stage() -> impl Strategy<Value = StagePlan> {
    let failing = prop_oneof![8 => Just(0), 1 => 1..4_usize, 1 => Just(40)];
    let relapse = proptest::option::weighted(0.3, 2..9_usize);
    let bounds = (1..17_usize, any::<bool>(), range(), 1..9_usize, 0..6_usize);
    (bounds, 0..4_u8, failing, relapse, 0..3_u8, 0..3_u8).prop_map(
        |(bounds, cohort, failing, relapse, keyed, weighs)| {
            let (capacity, shares, workers, batch, pending) = bounds;
            let (cohort, keyed, weighs) = (cohort == 0, keyed == 0, weighs == 0);
            StagePlan {
                capacity,
                shares,
                workers,
                batch,
                pending,
                cohort,
                failing,
                relapse,
                keyed,
                weighs,
            }
        },
    )
}

pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    let stages = vec(stage(), 1..7);
    let edges = vec((0..6_usize, 0..6_usize), 1..10);
    let budget = proptest::option::of(1..40_usize);
    let bytes = proptest::option::of(1_000..20_000_u64);
    (stages, edges, 1..4_usize, (budget, bytes), range(), 0..4_usize, 0..12_u8).prop_map(
        |(stages, edges, classes, (budget, bytes), shared_pool, policy, statistics)| Plan {
            stages,
            edges,
            classes,
            budget,
            bytes,
            shared_pool,
            policy,
            // Merging histograms is most of a debug build's time.
            statistics: statistics == 0,
        },
    )
}

pub(crate) const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

impl Plan {
    /// The graph, started, and a source into each stage.
    pub(crate) fn start(&self, world: &Arc<World>) -> (Manual, Vec<Source<Job>>) {
        let mut graph = Graph::new("random");
        graph.classes(&[("gold", 4), ("silver", 2), ("basic", 1)][..self.classes]);
        graph.apply(self.config()).unwrap();
        let declare = |graph: &mut Graph, (n, plan): (usize, &StagePlan)| {
            graph.stage::<Job>(NAMES[n], plan.capacity)
        };
        let stages: Vec<_> =
            self.stages.iter().enumerate().map(|plan| declare(&mut graph, plan)).collect();
        let pool = graph.pool("shared", WorkerRange::new(self.shared_pool.0, self.shared_pool.1));
        let mut sources = Vec::new();
        for (n, plan) in self.stages.iter().enumerate() {
            graph.on_lost(stages[n], |job: Job, reason| job.lose(reason)).unwrap();
            if plan.keyed {
                graph.keyed(stages[n], |job| job.key()).unwrap();
            }
            if plan.weighs {
                graph.weigh(stages[n], Job::bytes).unwrap();
            }
            graph.configure(stages[n], plan.config()).unwrap();
            sources.push(graph.source(stages[n]).unwrap());
            let leaving = self.edges.iter().filter(|(from, _)| from % stages.len() == n);
            let targets: Vec<_> = leaving.map(|(_, to)| stages[to % stages.len()]).collect();
            let (world, cohort, failing, relapse) =
                (Arc::clone(world), plan.cohort, plan.failing, plan.relapse);
            let calls = AtomicUsize::new(1);
            let wire = move |wire: &mut seda_core::Wire<'_>| {
                let sinks: Vec<_> = targets.into_iter().map(|to| wire.sink(to)).collect();
                move || {
                    let call = calls.fetch_add(1, SeqCst);
                    if call <= failing || relapse.is_some_and(|n| call.is_multiple_of(n)) {
                        return Err("not yet".into());
                    }
                    let (world, sinks) = (Arc::clone(&world), sinks.clone());
                    Ok(Node::new(world, sinks, cohort))
                }
            };
            if plan.shares {
                graph.attach_in(&pool, stages[n], wire).unwrap();
            } else {
                graph.attach(stages[n], wire).unwrap();
            }
        }
        let manual = graph.start_manual(Arc::clone(world) as Arc<dyn seda_core::Clock>).unwrap();
        (manual, sources)
    }

    /// Whether every handler can be made whenever it is wanted.
    pub(crate) fn is_reliable(&self) -> bool {
        self.stages.iter().all(|stage| stage.failing == 0 && stage.relapse.is_none())
    }

    fn config(&self) -> seda_core::GraphConfig {
        use seda_core::OverloadPolicy::{LongestQueue, None, Random, TailDrop};
        let mut config = seda_core::GraphConfig { budget: self.budget, ..Default::default() };
        config.budget_bytes = self.bytes.map(bytesize::ByteSize::b);
        config.statistics = self.statistics;
        config.control.overload = [LongestQueue, TailDrop, Random, None][self.policy];
        config
    }
}

impl StagePlan {
    fn config(&self) -> StageConfig {
        let workers = WorkerRange::new(self.workers.0, self.workers.1);
        StageConfig {
            workers: (!self.shares).then_some(workers),
            batch: Some(self.batch),
            pending: Some(self.pending),
            cap: self.shares.then_some(self.workers.1),
            ..StageConfig::default()
        }
    }
}
