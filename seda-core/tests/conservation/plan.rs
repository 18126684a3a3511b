//! The plan of a random graph.

use crate::conservation::build::number;
use seda_core::report::StageReport;
use seda_core::{Balance, Replicas};
use serde::{Deserialize, Serialize};

/// All choices made before the start of a graph. As JSON, a plan can be kept and run again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) stages: Vec<StagePlan>,
    pub(crate) edges: Vec<EdgePlan>,
    pub(crate) pools: Vec<PoolPlan>,
    pub(crate) classes: usize,
    pub(crate) budget: Option<usize>,
    pub(crate) budget_bytes: Option<u64>,
    pub(crate) overload: Overload,
    pub(crate) valve: Acting,
    pub(crate) sizing: Sizing,
    pub(crate) statistics: bool,
}

/// The least and the greatest number of workers.
pub(crate) type Range = (usize, usize);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StagePlan {
    pub(crate) capacity: usize,
    /// Index of a pool; beyond the last one, the stage has a pool of its own.
    pub(crate) pool: usize,
    pub(crate) workers: Range,
    pub(crate) cap: Option<usize>,
    pub(crate) weight: u32,
    pub(crate) batch: usize,
    pub(crate) pending: usize,
    pub(crate) cohort: bool,
    pub(crate) replicas: Option<Replicas>,
    pub(crate) keyed: bool,
    pub(crate) weighs: bool,
    pub(crate) lost: Lost,
    pub(crate) factory: Factory,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct EdgePlan {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) waits: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct PoolPlan {
    pub(crate) workers: Range,
    pub(crate) hosted: bool,
}

/// The `on_lost` of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Lost {
    /// There is none.
    Silent,
    Notified,
    /// It panics at times.
    Panicking,
    /// It sends a job to the first stage.
    Sending,
}

/// The failures of a handler's factory.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Factory {
    /// Number of failing calls at first; ten in a row close the stage.
    pub(crate) first: usize,
    /// Each call with a number divisible by this fails, and events in hand wait.
    pub(crate) every: Option<usize>,
    /// Each handler with a number divisible by this panics when dropped.
    pub(crate) drop_panics: Option<usize>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Overload {
    LongestQueue,
    TailDrop,
    Random,
    None,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Acting {
    On,
    Observe,
    Off,
}

/// The pool-size policy.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Sizing {
    Usual,
    Random(u64),
    Panicking,
}

impl StagePlan {
    /// True if each replica has a queue of its own; then the stage cannot be keyed.
    pub(crate) fn is_split(&self) -> bool {
        self.replicas.is_some_and(|replicas| replicas.balance != Balance::Central)
    }

    pub(crate) fn is_keyed(&self) -> bool {
        self.keyed && !self.is_split()
    }
}

impl Plan {
    /// True if a waiting edge lies on a cycle of stages or pools; then the graph does not start.
    pub(crate) fn waits_on_cycle(&self) -> bool {
        self.edges.iter().any(|edge| edge.waits && self.leads_to(edge.to, edge.from))
    }

    /// Returns the plan of a stage, or of a replica's stage.
    pub(crate) fn stage(&self, stage: &StageReport) -> Option<&StagePlan> {
        self.stages.get(number(&stage.name)?)
    }

    /// Returns the shared pool of a stage; `None` if it has its own.
    pub(crate) fn pool_of(&self, stage: usize) -> Option<usize> {
        let pool = self.stages[stage].pool;
        (pool < self.pools.len()).then_some(pool)
    }

    /// True if `to` is reachable from `from`, over edges and shared pools.
    fn leads_to(&self, from: usize, to: usize) -> bool {
        let together = |one: usize, other: usize| {
            one == other
                || self.pool_of(one).is_some_and(|_| self.pool_of(one) == self.pool_of(other))
        };
        let mut reached = vec![from];
        let mut seen = 0;
        while let Some(&stage) = reached.get(seen) {
            seen += 1;
            let sent = self.edges.iter().filter(|edge| edge.from == stage).map(|edge| edge.to);
            let beside = (0..self.stages.len()).filter(|other| together(stage, *other));
            for next in sent.chain(beside) {
                if !reached.contains(&next) {
                    reached.push(next);
                }
            }
        }
        reached.contains(&to)
    }
}
