//! One reading of all counts of a server.

use super::cgroup::Quota;
use super::cpus;
use super::listen::ListenCounts;
use super::machine::MachineTicks;
use super::process::{CpuTicks, ProcessId, ProcessStat};
use super::task::{Task, TaskCounts};
use super::threads::{ThreadKey, ThreadTimes};
use std::collections::BTreeMap;
use std::io;

/// The counts of a process and its descendants up to one moment.
///
/// Times and counts never decrease from one sample of a watcher to the next. Their origin differs
/// from process to process, so only the difference of two samples has a meaning: see
/// [`ServerReport`](super::ServerReport).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// The number of the watched process.
    pub pid: u32,
    /// The name of the process (at most 15 bytes).
    pub name: String,
    /// CPU time in user mode, exact to the tick (10 ms) for each process, ended threads and
    /// children included.
    pub cpu_user_seconds: f64,
    /// CPU time in kernel mode.
    pub cpu_system_seconds: f64,
    /// Time of runnable threads without a core; `None` if the kernel does not count it. The time
    /// between the last sample of a thread and its end is missing.
    pub run_queue_seconds: Option<f64>,
    /// Number of threads now.
    pub threads: u64,
    /// Number of times that a thread gave up its core to wait, without those after the last sample
    /// of an ended thread.
    pub voluntary_switches: u64,
    /// Number of times that the scheduler took the core from a thread, likewise.
    pub involuntary_switches: u64,
    /// Memory now, in bytes. Shared pages count in each process.
    pub rss_bytes: u64,
    /// The sum of the memory peaks of all processes, in bytes: an upper bound.
    pub rss_peak_bytes: u64,
    /// Number of cores on which its threads may run; see
    /// [`ServerReport::cores`](super::ServerReport::cores).
    pub cores: u64,
    /// Connections lost because a listen queue was full, in the whole network namespace.
    pub listen_overflows: u64,
    /// Connections that listening sockets dropped for any reason, in the whole network namespace.
    pub listen_drops: u64,
    /// What each process and thread has used.
    pub(super) parts: Parts,
}

/// The processes and threads of a sample, and the time that others took from them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parts {
    pub(super) memory: BTreeMap<ProcessId, Memory>,
    pub(super) threads: BTreeMap<ThreadKey, ThreadTimes>,
    pub(super) quota: Quota,
    pub(super) machine: MachineTicks,
}

/// Memory of one process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) rss: u64,
    pub(super) peak: u64,
}

impl Sample {
    /// Makes a sample. `cpu` and `counts` are the sums of the ledgers; the rest is that of this
    /// moment.
    pub(super) fn new(
        root: &ProcessStat,
        cpu: CpuTicks,
        counts: TaskCounts,
        tasks: &[(ThreadKey, Task)],
        surroundings: Surroundings,
    ) -> Self {
        let Surroundings { listen, quota, machine } = surroundings;
        let mut memory: BTreeMap<ProcessId, Memory> = BTreeMap::new();
        let mut threads = BTreeMap::new();
        for (key, task) in tasks {
            threads.insert(*key, ThreadTimes::of(task));
            let (process, _) = key;
            // All threads of a process have the same values, except for an ended first thread.
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
            parts: Parts { memory, threads, quota, machine },
        }
    }

    /// Returns the CPU time in user and kernel mode.
    pub fn cpu_seconds(&self) -> f64 {
        self.cpu_user_seconds + self.cpu_system_seconds
    }
}

/// The counts around a server at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Surroundings {
    pub(super) listen: ListenCounts,
    pub(super) quota: Quota,
    pub(super) machine: MachineTicks,
}

impl Surroundings {
    /// Reads the counts around a process.
    ///
    /// # Errors
    ///
    /// Fails if the reader lacks permission.
    pub(super) fn read(pid: u32) -> io::Result<Self> {
        let (listen, quota) = (ListenCounts::read(pid)?, Quota::read(pid)?);
        Ok(Self { listen, quota, machine: MachineTicks::read()? })
    }
}

/// Returns `None` without timeslices: every thread had a core once, so the kernel does not count.
fn run_queue_seconds(counts: TaskCounts) -> Option<f64> {
    (counts.timeslices > 0).then_some(counts.run_queue_nanos as f64 / 1e9)
}
