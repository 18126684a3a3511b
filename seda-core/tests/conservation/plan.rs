//! A random graph.

use crate::build::number;
use seda_core::report::StageReport;
use seda_core::{Balance, Replicas};
use serde::{Deserialize, Serialize};

/// Everything that is chosen before a graph starts. As JSON it can be kept and run again.
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

/// The fewest and the most workers.
pub(crate) type Range = (usize, usize);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StagePlan {
    pub(crate) capacity: usize,
    /// One of the pools; its own if there are not as many.
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

/// Who hears of a stage's lost jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Lost {
    Nobody,
    Somebody,
    /// Who panics now and then.
    Panicking,
    /// Who sends another job to the first stage.
    Sending,
}

/// When making a handler fails.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Factory {
    /// How many calls fail at first; at ten in a row the stage is closed.
    pub(crate) first: usize,
    /// Every so many calls fail later on: what is in hand then has to wait.
    pub(crate) every: Option<usize>,
    /// Every so many handlers panic when they are dropped.
    pub(crate) bombs: Option<usize>,
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
    /// Whether each replica has a queue of its own; events of one key would not stay together.
    pub(crate) fn is_split(&self) -> bool {
        self.replicas.is_some_and(|replicas| replicas.balance != Balance::Central)
    }

    pub(crate) fn is_keyed(&self) -> bool {
        self.keyed && !self.is_split()
    }
}

impl Plan {
    /// Whether a waiting edge lies on a cycle of stages or pools: such a graph does not start.
    pub(crate) fn waits_in_a_circle(&self) -> bool {
        self.edges.iter().any(|edge| edge.waits && self.leads_to(edge.to, edge.from))
    }

    /// The plan of a stage, or of the one that it is a replica of.
    pub(crate) fn stage(&self, stage: &StageReport) -> Option<&StagePlan> {
        self.stages.get(number(&stage.name)?)
    }

    /// The pool of a stage, if it shares one.
    pub(crate) fn pool_of(&self, stage: usize) -> Option<usize> {
        let pool = self.stages[stage].pool;
        (pool < self.pools.len()).then_some(pool)
    }

    /// Whether the workers of one stage are those of another, or send to those that are, or so on.
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
