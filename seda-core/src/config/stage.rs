//! Stage.

use crate::config::{CodelConfig, RateConfig, WorkerRange, units};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A stage's settings. What is `None` keeps the default, or what was set before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table like { capacity = 256 }")]
pub struct StageConfig {
    /// Hard bound of the queue, in events. Set live below what is queued, it admits nothing, and
    /// the bound sinks with the queue. Default: as declared in code.
    #[serde(deserialize_with = "units::optional_count")]
    pub capacity: Option<usize>,
    /// Bound above which nothing is admitted, at most `capacity`. Default: the hard bound.
    #[serde(deserialize_with = "units::optional_count")]
    pub soft: Option<usize>,
    /// Workers of the stage's own pool; refused for a stage in a shared pool. Default: one, and
    /// up to one per core.
    pub workers: Option<WorkerRange>,
    /// The most events a worker takes at once. Default: 32.
    #[serde(deserialize_with = "units::optional_count")]
    pub batch: Option<usize>,
    /// Share of a shared pool's time relative to the pool's other stages. Default: 1.
    #[serde(deserialize_with = "units::optional_count")]
    pub weight: Option<u32>,
    /// The most workers of the pool that run this stage at once. The first one set live does not
    /// count those that are inside already. Default: all of them.
    #[serde(deserialize_with = "units::optional_count")]
    pub cap: Option<usize>,
    /// The most events that may be pending outside (see [`crate::worker::context::Context::defer`]). Default:
    /// 1,024.
    #[serde(deserialize_with = "units::optional_count")]
    pub pending: Option<usize>,
    /// How many events may be outside to begin with, 1 to `pending`: workers take nothing beyond,
    /// and what comes waits in the queue. The pool-size controller sizes it between this and
    /// `pending`, as it sizes pools: the remote side gets as much at once as makes it answer more,
    /// and no more. Events that are held do not count. Default: `pending` alone bounds them, and
    /// who would defer beyond it gets an error.
    #[serde(deserialize_with = "units::optional_count")]
    pub outstanding: Option<usize>,
    /// Bounds how many events enter per second, from wherever they come: a declared bound like
    /// `capacity`, no controller. What exceeds it is refused for `admission` before anything is
    /// spent, and more at once than its burst as too large; who may wait does. A place that is
    /// reserved counts when it is reserved, and one that is given back unused does not. Replicas
    /// with queues of their own have equal shares, and one event of the burst at least. Default:
    /// nothing bounds the rate.
    pub rate: Option<RateConfig>,
    /// Sheds from a standing queue, whatever was promised: what has waited for too long while
    /// nobody got through quickly. `codel = {}` has the defaults. Default: off; with an SLO the
    /// limit at the entry keeps queues short before anything is spent.
    pub codel: Option<CodelConfig>,
    /// While the oldest queued event has waited for longer than this, the newest is served first:
    /// under overload some are answered at once instead of all too late, and what has waited in
    /// vain expires at the head. Only with deadlines, or an SLO; not for keyed stages. (Maurer, "Fail
    /// at scale", ACM Queue 13(8), 2015, has it as adaptive LIFO.) Default: the oldest first.
    #[serde(with = "units::optional_duration")]
    pub newest_first_above: Option<Duration>,
}

/// Default of [`StageConfig::batch`]. 32 is where the price of a lock, a clock read and a wake-up
/// per batch has become small against an event's own; more only adds delay.
pub(super) const DEFAULT_BATCH: usize = 32;

/// Default of [`StageConfig::pending`]: what one remote service is usually willing to serve one
/// client at once.
pub(crate) const DEFAULT_PENDING: usize = 1_024;

impl StageConfig {
    /// These settings, and those of `before` where these say nothing.
    pub(crate) fn or(self, before: StageConfig) -> StageConfig {
        StageConfig {
            capacity: self.capacity.or(before.capacity),
            soft: self.soft.or(before.soft),
            workers: self.workers.or(before.workers),
            batch: self.batch.or(before.batch),
            weight: self.weight.or(before.weight),
            cap: self.cap.or(before.cap),
            pending: self.pending.or(before.pending),
            outstanding: self.outstanding.or(before.outstanding),
            rate: self.rate.or(before.rate),
            codel: self.codel.or(before.codel),
            newest_first_above: self.newest_first_above.or(before.newest_first_above),
        }
    }
}

impl StageConfig {
    /// What is said of one of `members` replicas when this is said of all of them.
    pub(crate) fn part(&self, members: usize, member: usize) -> StageConfig {
        let share = |total: Option<usize>| Some(part(total?, members, member));
        let some = usize::from(self.outstanding.is_some_and(|least| least > 0));
        StageConfig {
            capacity: share(self.capacity),
            soft: share(self.soft),
            pending: share(self.pending),
            // Where they are fewer than replicas, each has one; none stays none, and is refused.
            outstanding: share(self.outstanding).map(|least| least.max(some)),
            rate: self.rate.map(|rate| rate.part(members, member)),
            ..self.clone()
        }
    }
}

/// The n-th of `count` parts of `total`, as even as whole numbers can be.
pub(crate) fn part(total: usize, count: usize, n: usize) -> usize {
    total / count.max(1) + usize::from(n < total % count.max(1))
}
