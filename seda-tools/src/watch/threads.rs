//! Which threads of a server want to run, and which of them limits it.
//!
//! A server with one busy thread uses half of two cores, and no core more would help. Therefore the
//! limit is looked for thread by thread: a thread that runs or waits for a core all the time has no
//! time to spare.

use super::cpus;
use super::process::ProcessId;
use super::task::Task;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A thread, distinct from one of another process with the same number.
pub(super) type ThreadKey = (ProcessId, u32);

/// The times of a thread since it began, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ThreadTimes {
    pub(super) name: String,
    pub(super) running: u64,
    /// Ready to run, without a core.
    pub(super) waiting: u64,
    /// The cores on which it may run, in the notation of the kernel.
    pub(super) cpus: String,
}

impl ThreadTimes {
    /// Returns the times of a thread up to now.
    pub(super) fn of(task: &Task) -> Self {
        Self {
            name: task.name.clone(),
            running: task.running_nanos,
            waiting: task.counts.run_queue_nanos,
            cpus: task.cpus.clone(),
        }
    }
}

/// The threads of a server over a window of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ThreadsReport {
    /// The thread that ran or waited for a core most of the time; `None` if the kernel does not
    /// count it.
    pub busiest: Option<BusyThread>,
    /// The threads that may run on some of the server's cores only, where these are used most.
    pub pinned: Option<PinnedThreads>,
    /// The time of how many cores the control group of the server may use; `None` without a quota.
    pub quota_cores: Option<f64>,
    /// Share of the window in which threads of the control group were stopped by its quota. With
    /// several cores it may exceed 1.
    pub throttled_share: f64,
    /// Share of the machine's time that the host of a virtual machine gave to others.
    pub stolen_share: f64,
}

/// One thread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BusyThread {
    /// The number of the thread.
    pub tid: u32,
    /// The name of the thread (at most 15 bytes).
    pub name: String,
    /// Share of the window in which it ran, 0 to 1.
    pub running: f64,
    /// Share of the window in which it was ready to run, without a core.
    pub waiting: f64,
}

/// Threads that may run on some of the server's cores only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PinnedThreads {
    /// The cores, in the notation of the kernel: "0-3,8".
    pub cpus: String,
    /// Number of these cores.
    pub cores: u64,
    /// Number of threads.
    pub threads: u64,
    /// Share of the time of these cores that the threads used, 0 to 1.
    pub utilization: f64,
}

impl BusyThread {
    /// Returns the share of the window in which the thread wanted to run.
    pub fn wanted(&self) -> f64 {
        self.running + self.waiting
    }
}

/// The times of one thread within the window.
struct Delta<'a> {
    tid: u32,
    times: &'a ThreadTimes,
    running: f64,
    waiting: f64,
}

/// Returns the busiest thread, and the pinned threads on the most used cores.
pub(super) fn between(
    before: &BTreeMap<ThreadKey, ThreadTimes>,
    after: &BTreeMap<ThreadKey, ThreadTimes>,
    seconds: f64,
    cores: u64,
) -> (Option<BusyThread>, Option<PinnedThreads>) {
    let deltas = deltas(before, after, seconds);
    let busiest = deltas.iter().max_by(|a, b| a.wanted().total_cmp(&b.wanted()));
    let busiest = busiest.filter(|busiest| busiest.wanted() > 0.0).map(|busiest| BusyThread {
        tid: busiest.tid,
        name: busiest.times.name.clone(),
        running: busiest.running.min(1.0),
        waiting: busiest.waiting,
    });
    (busiest, pinned(&deltas, cores))
}

fn deltas<'a>(
    before: &BTreeMap<ThreadKey, ThreadTimes>,
    after: &'a BTreeMap<ThreadKey, ThreadTimes>,
    seconds: f64,
) -> Vec<Delta<'a>> {
    let share = |now: u64, then: u64| match seconds {
        seconds if seconds > 0.0 => now.saturating_sub(then) as f64 / 1e9 / seconds,
        _ => 0.0,
    };
    let delta = |(key, times): (&ThreadKey, &'a ThreadTimes)| {
        // A thread that began within the window has no earlier times; nor has one with the number
        // of a thread that ended.
        let earlier = before.get(key).filter(|earlier| earlier.running <= times.running);
        let (running, waiting) =
            earlier.map_or((0, 0), |earlier| (earlier.running, earlier.waiting));
        Delta {
            tid: key.1,
            times,
            running: share(times.running, running),
            waiting: share(times.waiting, waiting),
        }
    };
    after.iter().map(delta).collect()
}

impl Delta<'_> {
    fn wanted(&self) -> f64 {
        self.running + self.waiting
    }
}

/// Returns the threads that share fewer than all `cores`, where these cores are used most.
fn pinned(deltas: &[Delta<'_>], cores: u64) -> Option<PinnedThreads> {
    let mut by_list: BTreeMap<&str, (u64, f64)> = BTreeMap::new();
    for delta in deltas {
        let (threads, running) = by_list.entry(&delta.times.cpus).or_default();
        *threads += 1;
        *running += delta.running;
    }
    let groups = by_list.into_iter().map(|(cpus, (threads, running))| {
        let count = cpus::usable(std::iter::once(cpus));
        let utilization = if count > 0 { (running / count as f64).min(1.0) } else { 0.0 };
        PinnedThreads { cpus: cpus.to_owned(), cores: count, threads, utilization }
    });
    let narrow = groups.filter(|group| (1..cores).contains(&group.cores));
    narrow.max_by(|a, b| a.utilization.total_cmp(&b.utilization))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn key(tid: u32) -> ThreadKey {
        (ProcessId { pid: 1, began: 0 }, tid)
    }

    fn times(name: &str, running: f64, waiting: f64, cpus: &str) -> ThreadTimes {
        let nanos = |seconds: f64| (seconds * SECOND as f64) as u64;
        let (running, waiting) = (nanos(running), nanos(waiting));
        ThreadTimes { name: name.to_owned(), running, waiting, cpus: cpus.to_owned() }
    }

    #[test]
    fn the_busiest_thread_ran_or_waited_most() {
        // A node under load for 5 s: one thread of JavaScript, and helpers that sleep.
        let before = BTreeMap::from([
            (key(1), times("node", 100.0, 2.0, "0-1")),
            (key(2), times("V8Worker", 3.0, 0.1, "0-1")),
        ]);
        let after = BTreeMap::from([
            (key(1), times("node", 104.5, 2.5, "0-1")),
            (key(2), times("V8Worker", 3.2, 0.1, "0-1")),
            (key(3), times("new", 0.5, 0.0, "0-1")),
        ]);
        let (busiest, pinned) = between(&before, &after, 5.0, 2);
        let busiest = busiest.unwrap();
        assert_eq!((busiest.tid, busiest.name.as_str()), (1, "node"));
        assert!((busiest.running - 0.9).abs() < 1e-9 && (busiest.waiting - 0.1).abs() < 1e-9);
        assert_eq!(pinned, None, "all threads may use both cores");
    }

    #[test]
    fn a_thread_with_the_number_of_an_ended_one_is_another_thread() {
        let before = BTreeMap::from([(key(2), times("old", 900.0, 0.0, "0"))]);
        let after = BTreeMap::from([(key(2), times("new", 2.0, 0.0, "0"))]);
        assert_eq!(between(&before, &after, 4.0, 1).0.unwrap().running, 0.5);
    }

    #[test]
    fn threads_on_one_of_two_cores_are_pinned() {
        let of = |running: f64| {
            BTreeMap::from([
                (key(1), times("main", 0.1 * running, 0.0, "0-1")),
                (key(2), times("a", 0.5 * running, 0.0, "0")),
                (key(3), times("b", 0.45 * running, 0.0, "0")),
            ])
        };
        let (_, pinned) = between(&of(0.0), &of(2.0), 2.0, 2);
        let pinned = pinned.unwrap();
        assert_eq!((pinned.cpus.as_str(), pinned.cores, pinned.threads), ("0", 1, 2));
        assert!((pinned.utilization - 0.95).abs() < 1e-9);
    }

    #[test]
    fn no_figure_is_infinite_without_time() {
        let all = BTreeMap::from([(key(1), times("a", 1.0, 1.0, "0"))]);
        assert_eq!(between(&BTreeMap::new(), &all, 0.0, 1), (None, None));
        assert_eq!(between(&BTreeMap::new(), &BTreeMap::new(), 1.0, 2), (None, None));
    }
}
