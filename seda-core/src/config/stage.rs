//! The settings of one stage, as a file or code states them.

use crate::config::{CodelConfig, RateConfig, WorkerRange, units};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Settings of one stage. A `None` keeps the value set before, or the default.
///
/// ```
/// use seda_core::{Graph, StageConfig};
///
/// let mut graph = Graph::new("mail");
/// let send = graph.stage::<String>("send", 1_024);
/// graph.configure(send, StageConfig { batch: Some(8), ..StageConfig::default() })?;
/// # Ok::<(), seda_core::GraphError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table like { capacity = 256 }")]
pub struct StageConfig {
    /// Hard bound of the queue, in events. A bound set live below the number of queued events
    /// admits none until the queue has shrunk. Default: as declared in code.
    #[serde(deserialize_with = "units::optional_count")]
    pub capacity: Option<usize>,
    /// Bound above which nothing is admitted, 1 to `capacity`. Default: the capacity.
    #[serde(deserialize_with = "units::optional_count")]
    pub soft: Option<usize>,
    /// Workers of the stage's own pool; refused for a stage in a shared pool. Default: 1 to the
    /// number of cores.
    pub workers: Option<WorkerRange>,
    /// The most events that a worker takes at once, 1 to 4,096. Default: 32.
    #[serde(deserialize_with = "units::optional_count")]
    pub batch: Option<usize>,
    /// Share of a shared pool's time, relative to the pool's other stages, 1 to 1,000,000. Default:
    /// 1.
    #[serde(deserialize_with = "units::optional_count")]
    pub weight: Option<u32>,
    /// The most workers of the pool that run this stage at once. Workers that are inside when the
    /// first cap is set live are not counted. Default: all workers.
    #[serde(deserialize_with = "units::optional_count")]
    pub cap: Option<usize>,
    /// The most events that may be pending outside
    /// ([`Context::defer`](crate::worker::context::Context::defer)). Default: 1,024.
    #[serde(deserialize_with = "units::optional_count")]
    pub pending: Option<usize>,
    /// The initial number of events that may be outside, 1 to `pending`. At this number workers
    /// take no more events, and events wait in the queue. The pool-size controller then sizes the
    /// number between this and `pending`, as it sizes pools: up to the concurrency beyond which the
    /// remote side answers no faster. Where events tell how long they run
    /// ([`Pending::add_thread_time`](crate::Pending::add_thread_time)), it is no more than the
    /// threads need, which may be less than this. Held events do not count. Default: only `pending`
    /// bounds it, and a defer above it is an error.
    #[serde(deserialize_with = "units::optional_count")]
    pub outstanding: Option<usize>,
    /// The limit of the arrival rate, over all senders. An event above it is refused for
    /// `Admission` before any work is spent, and a batch larger than the burst for `TooLarge`; a
    /// waiting send waits. A permit takes its token when it is reserved, and returns the token if
    /// it is given back unused. Replicas with queues of their own have equal shares, and a burst of
    /// at least one event. Default: no limit.
    pub rate: Option<RateConfig>,
    /// Sheds from a standing queue, with or without an SLO. `codel = {}` has the defaults. Default:
    /// off; for requests, admission keeps queues short before any work is spent.
    pub codel: Option<CodelConfig>,
    /// The wait of the oldest queued event above which the newest is served first: under overload
    /// some events are answered at once instead of all too late, and the oldest expire. It needs
    /// deadlines or an SLO, and no keyed stage may have it. (Adaptive LIFO: Maurer, "Fail at
    /// scale", ACM Queue 13(8), 2015.) Default: never.
    #[serde(with = "units::optional_duration")]
    pub newest_first_above: Option<Duration>,
}

/// Default of [`StageConfig::batch`]. At 32 the price of a lock, a clock read and a wake-up per
/// batch is small against one event's own; a larger batch only adds delay.
pub(super) const DEFAULT_BATCH: usize = 32;

/// Default of [`StageConfig::pending`]: the usual limit of a remote service per client.
pub(crate) const DEFAULT_PENDING: usize = 1_024;

impl StageConfig {
    /// Returns these settings, and those of `before` where these are `None`.
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

    /// Returns the settings of one of `members` replicas when these are for all of them together.
    pub(crate) fn part(&self, members: usize, member: usize) -> StageConfig {
        let share = |total: Option<usize>| Some(part(total?, members, member));
        let some = usize::from(self.outstanding.is_some_and(|least| least > 0));
        StageConfig {
            capacity: share(self.capacity),
            soft: share(self.soft),
            pending: share(self.pending),
            // Each replica has at least one, unless the whole is 0, which is refused.
            outstanding: share(self.outstanding).map(|least| least.max(some)),
            rate: self.rate.map(|rate| rate.part(members, member)),
            ..self.clone()
        }
    }
}

/// Returns the n-th of `count` parts of `total`, as even as whole numbers can be.
pub(crate) fn part(total: usize, count: usize, n: usize) -> usize {
    total / count.max(1) + usize::from(n < total % count.max(1))
}
