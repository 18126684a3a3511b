//! The figures of a stage and of an edge over the last second and the last ten seconds.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A stage over a window of time. Counts are of the events in the window.
///
/// The window of ten seconds is what the bottleneck is found from; the window of one second shows
/// changes. Both are shorter while the graph is younger, and each may be longer by up to a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StageWindow {
    /// The window's length in seconds; 0 if nothing is known.
    pub seconds: f64,
    /// Events sent to the stage.
    pub offered: u64,
    /// Events that entered it.
    pub accepted: u64,
    /// Events handled to the end.
    pub served: u64,
    /// Events lost to a panic, or deferred and dropped.
    pub failed: u64,
    /// Events accepted and given up.
    pub shed: u64,
    /// Events given back to the sender, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Requests refused at an entry on behalf of this stage by its gate.
    pub turned_away: u64,
    /// Time in the queue, of the events that were taken.
    pub wait: WindowTimes,
    /// Time in the handler, of the events that ended.
    pub service: WindowTimes,
    /// Share of the pool's time that its workers spent on this stage, 0 to 1.
    pub utilization: f64,
    /// Mean number of workers that ran this stage.
    pub busy_workers: f64,
    /// The time that a worker was held per event.
    pub holding: Holding,
    /// Mean time outside, from the taking of a deferred event to its completion, in seconds; `None`
    /// if none was completed.
    pub outside_seconds: Option<f64>,
    /// Mean number of deferred events outside.
    pub outside: f64,
    /// Mean number of events in the stage: queued, in hand and pending.
    pub occupancy: f64,
    /// Index of dispersion of the arrivals: variance over mean of the events offered per tick. 1
    /// for Poisson arrivals, more for bursts. `None` with fewer than five ticks or no arrivals.
    pub dispersion: Option<f64>,
    /// How long bursts last; `None` as `dispersion`.
    pub bursts: Option<BurstFigures>,
    /// Mean number of the pool's workers that are busy while at least one is: Σ i·cᵢ / (1 − c₀),
    /// where cᵢ is the share of ticks with i busy workers. `None` while no tick found one.
    pub parallelism: Option<f64>,
    /// Share of the events that went to the busiest shard, 0 to 1; `None` unless the stage is keyed
    /// and events came.
    pub busiest_shard_share: Option<f64>,
}

/// How long the bursts of a stage's arrivals last, beside how large they are
/// ([`StageWindow::dispersion`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BurstFigures {
    /// The mean length of a tick, in seconds.
    pub tick_seconds: f64,
    /// The covariance of the events offered in neighbouring ticks, over their mean. 0 for Poisson
    /// arrivals; as large as the dispersion above 1 if bursts are much longer than a tick.
    pub persistence: f64,
}

/// A distribution of durations over a window, in seconds. All but `count` are `None` without any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct WindowTimes {
    /// The number of durations.
    pub count: u64,
    /// The mean.
    pub mean: Option<f64>,
    /// The median, within 1 %.
    pub p50: Option<f64>,
    /// 99 % of the durations are at most this, within 1 %.
    pub p99: Option<f64>,
    /// 99.9 % of the durations are at most this, within 1 %. With fewer than 3,688 of them it is
    /// near the longest and says little: texts and the live page then say "too few".
    pub p999: Option<f64>,
    /// The squared coefficient of variation, where the longest hundredth counts as the 99th
    /// percentile; 0 if all are equal, 1 for an exponential distribution.
    pub variation: Option<f64>,
}

/// The time that a worker is held per event that it ends, in seconds. The parts add up to `total`;
/// those that need procfs are `None` without it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Holding {
    /// All of it; `None` if no event ended.
    pub total: Option<f64>,
    /// On a core.
    pub cpu: Option<f64>,
    /// Ready to run, waiting for a core.
    pub core_wait: Option<f64>,
    /// Waiting for room in a later stage
    /// ([`Context::send_waiting`](crate::worker::context::Context::send_waiting)).
    pub room_wait: f64,
    /// Waiting for a lock, as far as samples of what workers wait in tell; else 0, and the time is
    /// in `blocked`.
    pub lock_wait: f64,
    /// Blocked otherwise: I/O, sleep.
    pub blocked: Option<f64>,
    /// Beside `total`: the time on a thread of an event outside
    /// ([`Pending::add_thread_time`](crate::worker::Pending::add_thread_time)); `None` if events do
    /// not tell it.
    pub outside_cpu: Option<f64>,
    /// Beside `total`: the time for which an event outside could have run and waited for a thread,
    /// in the mean: the lag of the executor that polls it. `None` as for `outside_cpu`.
    pub outside_wait: Option<f64>,
}

/// What the workers of a stage were blocked in, from samples of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BlockedIn {
    /// The kind of the wait.
    pub wait: BlockedWait,
    /// The thing waited for, as far as it is known: a lock's address, a descriptor.
    pub object: String,
    /// The stage whose workers hold it; `None` if that is unknown.
    pub holder: Option<String>,
    /// The number of samples of this wait in the last ten seconds.
    pub samples: u64,
    /// The share of the stage's busy samples, 0 to 1.
    pub share: f64,
}

/// The kind of a wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BlockedWait {
    /// A lock or a condition of another thread.
    Lock,
    /// A sleep.
    Sleep,
    /// A read, a write or a poll of a descriptor.
    Descriptor,
    /// A message, a condition, or a lock that parks each thread by itself: only one thread waits
    /// for the object.
    Wake,
    /// Anything else.
    #[default]
    Unknown,
}

impl BlockedIn {
    /// Returns the wait and its object in words.
    pub(super) fn name(&self) -> String {
        let kind = match self.wait {
            BlockedWait::Lock => "a lock",
            BlockedWait::Sleep => "sleep",
            BlockedWait::Descriptor => "I/O",
            BlockedWait::Wake => "waiting for a message or a condition",
            BlockedWait::Unknown => "an unknown call",
        };
        if self.object.is_empty() { kind.to_owned() } else { format!("{kind} ({})", self.object) }
    }
}

/// A lock that several workers were seen to wait for in the last ten seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LockReport {
    /// Its address; `None` if each thread waits at an address of its own. Then the lock follows
    /// from waits that exclude each other, and may be several locks.
    pub address: Option<String>,
    /// The number of looks at busy workers, in equal distances.
    pub looks: u64,
    /// The number of looks at which a worker waited for it.
    pub contended: u64,
    /// Share of time in which a stage's worker held it, by stage, as estimated. The holder is busy
    /// in a stage that uses the lock, and does not wait while others do. A lock is seen only with
    /// two users or more; for random arrivals (M/M/1) the square root of that part of time is the
    /// part with one or more.
    pub held: BTreeMap<String, f64>,
    /// Mean number of workers that waited for it, by stage.
    pub waiting: BTreeMap<String, f64>,
}

/// An edge over a window of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EdgeWindow {
    /// Events sent and accepted.
    pub sent: u64,
    /// Events refused.
    pub refused: u64,
}
