//! The resources of a server between two samples.

use super::sample::Sample;
use super::threads::{self, ThreadsReport};
use serde::{Deserialize, Serialize};

/// A server's process and its descendants, over a window of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServerReport {
    /// The number of the watched process.
    pub pid: u32,
    /// The name of the process (at most 15 bytes).
    pub name: String,
    /// Time between the two samples, by the clock of the reader.
    pub window_seconds: f64,
    /// Number of cores on which its threads may run. A limit by a control group (`cpu.max`) is in
    /// `scheduling`.
    pub cores: u64,
    /// CPU time in user and kernel mode, exact to 10 ms for each process. The kernel may charge the
    /// time for incoming packets to any process that it interrupts.
    pub cpu_seconds: f64,
    /// U: `cpu_seconds` over the time of all `cores` in the window, 0 to 1.
    pub utilization: f64,
    /// Mean number of runnable threads without a core, per core. Above 1 if several threads wait
    /// for each core. `None` if the kernel does not count it.
    pub runqueue_share: Option<f64>,
    /// Number of threads at the end.
    pub threads: u64,
    /// The most threads in any sample.
    pub threads_max: u64,
    /// Number of times that a thread gave up its core to wait.
    pub voluntary_switches: u64,
    /// Number of times that the scheduler took the core from a thread.
    pub involuntary_switches: u64,
    /// The memory.
    #[serde(flatten)]
    pub memory: MemoryReport,
    /// The threads that want to run, and what keeps them from it.
    #[serde(default)]
    pub scheduling: ThreadsReport,
    /// Connections lost because a listen queue was full, in the whole network namespace, other
    /// servers included. 0 if the kernel does not count them.
    pub listen_overflows: u64,
    /// Connections that listening sockets dropped for any reason, overflows included, in the whole
    /// network namespace.
    pub listen_drops: u64,
}

/// The memory of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemoryReport {
    /// Memory at the end, in bytes; shared pages count in each process.
    pub rss_bytes: u64,
    /// The most memory, in bytes. For one process it is the peak of the kernel; for several, the
    /// sum of their peaks: an upper bound.
    pub rss_max_bytes: u64,
}

impl ServerReport {
    /// Returns the difference of two samples of the same watcher, taken `window_seconds` apart.
    /// `peaks` are those of the samples in between.
    pub fn between(
        before: &Sample,
        after: &Sample,
        window_seconds: f64,
        mut peaks: Peaks,
    ) -> ServerReport {
        peaks.include(before);
        peaks.include(after);
        let cpu_seconds = (after.cpu_seconds() - before.cpu_seconds()).max(0.0);
        let core_seconds = window_seconds * after.cores as f64;
        let waited = before.run_queue_seconds.zip(after.run_queue_seconds);
        ServerReport {
            pid: after.pid,
            name: after.name.clone(),
            window_seconds,
            cores: after.cores,
            cpu_seconds,
            // Ticks are rounded, and taking a sample lasts some time.
            utilization: share(cpu_seconds, core_seconds).min(1.0),
            runqueue_share: waited
                .map(|(before, after)| share((after - before).max(0.0), core_seconds)),
            threads: after.threads,
            threads_max: peaks.threads,
            voluntary_switches: after.voluntary_switches.saturating_sub(before.voluntary_switches),
            involuntary_switches: after
                .involuntary_switches
                .saturating_sub(before.involuntary_switches),
            memory: MemoryReport {
                rss_bytes: after.rss_bytes,
                rss_max_bytes: peaks.rss_bytes.max(memory_bound(before, after)),
            },
            scheduling: scheduling(before, after, window_seconds),
            listen_overflows: after.listen_overflows.saturating_sub(before.listen_overflows),
            listen_drops: after.listen_drops.saturating_sub(before.listen_drops),
        }
    }
}

/// Returns the threads between two samples, and what kept them from running.
fn scheduling(before: &Sample, after: &Sample, seconds: f64) -> ThreadsReport {
    let (then, now) = (&before.parts, &after.parts);
    let (busiest, pinned) = threads::between(&then.threads, &now.threads, seconds, after.cores);
    let throttled = now.quota.throttled_micros.saturating_sub(then.quota.throttled_micros);
    ThreadsReport {
        busiest,
        pinned,
        quota_cores: now.quota.cores,
        throttled_share: share(throttled as f64 / 1e6, seconds),
        stolen_share: now.machine.stolen_share(then.machine),
    }
}

/// Returns `part` over `whole`; 0 if `whole` is 0.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// The maxima over some samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peaks {
    /// The most threads.
    pub threads: u64,
    /// The most memory, in bytes.
    pub rss_bytes: u64,
}

impl Peaks {
    /// Includes a sample.
    pub fn include(&mut self, sample: &Sample) {
        self.threads = self.threads.max(sample.threads);
        self.rss_bytes = self.rss_bytes.max(sample.rss_bytes);
    }
}

/// Returns an upper bound of the memory in the window. The kernel keeps the peak of a process since
/// its start: a peak that rose within the window belongs to it, another one may be older.
fn memory_bound(before: &Sample, after: &Sample) -> u64 {
    let of_each = after.parts.memory.iter().map(|(process, now)| {
        let earlier = before.parts.memory.get(process).copied().unwrap_or_default();
        if now.peak > earlier.peak { now.peak } else { now.rss.max(earlier.rss) }
    });
    of_each.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::process::ProcessId;
    use crate::watch::sample::{Memory, Parts};
    use std::collections::BTreeMap;

    fn sample(scale: u64) -> Sample {
        Sample {
            pid: 7,
            name: "server".to_owned(),
            cpu_user_seconds: scale as f64,
            cpu_system_seconds: 0.5 * scale as f64,
            run_queue_seconds: Some(2.0 * scale as f64),
            threads: 3 * scale,
            voluntary_switches: 10 * scale,
            involuntary_switches: 100 * scale,
            rss_bytes: 1000 * scale,
            cores: 2,
            listen_overflows: 4 * scale,
            listen_drops: 5 * scale,
            ..Sample::default()
        }
    }

    #[test]
    fn counts_are_differences_and_shares_are_of_all_cores() {
        let between = Peaks { threads: 50, rss_bytes: 1500 };
        let report = ServerReport::between(&sample(1), &sample(3), 4.0, between);
        let expected = ServerReport {
            pid: 7,
            name: "server".to_owned(),
            window_seconds: 4.0,
            cores: 2,
            cpu_seconds: 3.0,
            utilization: 0.375,
            runqueue_share: Some(0.5),
            threads: 9,
            threads_max: 50,
            voluntary_switches: 20,
            involuntary_switches: 200,
            memory: MemoryReport { rss_bytes: 3000, rss_max_bytes: 3000 },
            scheduling: ThreadsReport::default(),
            listen_overflows: 8,
            listen_drops: 10,
        };
        assert_eq!(report, expected);
    }

    #[test]
    fn figures_are_neither_negative_nor_infinite_nor_above_all_cores() {
        let backwards = ServerReport::between(&sample(3), &sample(1), 4.0, Peaks::default());
        assert_eq!((backwards.cpu_seconds, backwards.runqueue_share), (0.0, Some(0.0)));
        assert_eq!((backwards.voluntary_switches, backwards.threads_max), (0, 9));
        let instant = ServerReport::between(&sample(1), &sample(3), 0.0, Peaks::default());
        assert_eq!((instant.utilization, instant.runqueue_share), (0.0, Some(0.0)));
        let short = ServerReport::between(&sample(1), &sample(3), 1.4, Peaks::default());
        assert_eq!(short.utilization, 1.0);
    }

    #[test]
    fn a_count_that_the_kernel_lacks_is_none() {
        let unknown = Sample { run_queue_seconds: None, ..sample(3) };
        let report = ServerReport::between(&sample(1), &unknown, 4.0, Peaks::default());
        assert_eq!(report.runqueue_share, None);
    }

    #[test]
    fn only_a_peak_that_rose_in_the_window_counts() {
        let with = |rss: u64, peak: u64| Sample {
            rss_bytes: rss,
            parts: Parts {
                memory: BTreeMap::from([(ProcessId { pid: 7, began: 0 }, Memory { rss, peak })]),
                ..Parts::default()
            },
            ..sample(1)
        };
        let most = |before: &Sample, after: &Sample| {
            ServerReport::between(before, after, 1.0, Peaks::default()).memory.rss_max_bytes
        };
        assert_eq!(most(&with(40, 900), &with(30, 900)), 40);
        assert_eq!(most(&with(40, 900), &with(30, 901)), 901);
        let forked = Sample { parts: Parts::default(), rss_bytes: 0, ..sample(1) };
        assert_eq!(most(&forked, &with(30, 80)), 80);
    }
}
