//! One reading of all that is counted for a server.

use super::cpus;
use super::listen::ListenCounts;
use super::process::{CpuTicks, ProcessStat, ProcessId};
use super::task::{Task, TaskCounts};
use std::collections::BTreeMap;

/// What was counted up to one moment, for a process and its descendants together.
///
/// Times and counts only grow from one sample of a watcher to the next; alone they mean little,
/// because what they count from differs from process to process. Two make a
/// [`ServerReport`](super::ServerReport).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// The process that is watched.
    pub pid: u32,
    /// What it calls itself (at most 15 bytes).
    pub name: String,
    /// CPU time outside the kernel. Exact to the tick (10 ms) for each process: ended threads and
    /// children are in it.
    pub cpu_user_seconds: f64,
    /// CPU time inside the kernel.
    pub cpu_system_seconds: f64,
    /// Time that threads stood ready without a core; `None` if the kernel does not count it. What
    /// a thread waited between the last sample that saw it and its end is missing.
    pub run_queue_seconds: Option<f64>,
    /// Threads there are now.
    pub threads: u64,
    /// How often a thread gave its core up to wait for something. What was missed is as above.
    pub voluntary_switches: u64,
    /// How often its core was taken from a thread.
    pub involuntary_switches: u64,
    /// Memory held now. Pages that several processes share count in each.
    pub rss_bytes: u64,
    /// The most that each process ever held, added up: no less than they ever held at once.
    pub rss_peak_bytes: u64,
    /// Cores that its threads may run on; see [`ServerReport::cores`](super::ServerReport::cores).
    pub cores: u64,
    /// Connections lost because a listen queue was full, in the whole network namespace.
    pub listen_overflows: u64,
    /// Connections lost by listening sockets for any reason, in the whole network namespace.
    pub listen_drops: u64,
    /// Of each process: what it holds, and the most that it ever held.
    pub(super) memory: BTreeMap<ProcessId, Memory>,
}

/// Memory of one process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) rss: u64,
    pub(super) peak: u64,
}

impl Sample {
    /// Puts together what was read. `cpu` and `counts` are the ledgers' sums, the rest is of this
    /// moment.
    pub(super) fn new(
        root: &ProcessStat,
        cpu: CpuTicks,
        counts: TaskCounts,
        tasks: &[(ProcessId, Task)],
        listen: ListenCounts,
    ) -> Self {
        let mut memory: BTreeMap<ProcessId, Memory> = BTreeMap::new();
        for (process, task) in tasks {
            // All threads of a process say the same, but for a first thread that has ended.
            let entry = memory.entry(*process).or_default();
            entry.rss = entry.rss.max(task.rss_bytes);
            entry.peak = entry.peak.max(task.rss_peak_bytes);
        }
        Self {
            pid: root.id.pid,
            name: root.name.clone(),
            cpu_user_seconds: cpu.user_seconds(),
            cpu_system_seconds: cpu.system_seconds(),
            run_queue_seconds: run_queue_seconds(counts),
            threads: tasks.len() as u64,
            voluntary_switches: counts.voluntary,
            involuntary_switches: counts.involuntary,
            rss_bytes: memory.values().map(|memory| memory.rss).sum(),
            rss_peak_bytes: memory.values().map(|memory| memory.peak).sum(),
            cores: cpus::usable(tasks.iter().map(|(_, task)| task.cpus.as_str())),
            listen_overflows: listen.overflows,
            listen_drops: listen.drops,
            memory,
        }
    }

    /// CPU time in and outside the kernel.
    pub fn cpu_seconds(&self) -> f64 {
        self.cpu_user_seconds + self.cpu_system_seconds
    }
}

/// A thread that exists was given a core at least once: no timeslices at all means not counted.
fn run_queue_seconds(counts: TaskCounts) -> Option<f64> {
    (counts.timeslices > 0).then_some(counts.run_queue_nanos as f64 / 1e9)
}
