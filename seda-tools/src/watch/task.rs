//! What the kernel says of a thread: `schedstat` and `status` under `/proc/PID/task/TID`.

use super::process::ProcessId;
use super::procfs;
use std::collections::BTreeMap;
use std::io;
use std::ops::AddAssign;

/// A thread at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) counts: TaskCounts,
    /// The cores that it may run on, as the kernel lists them: "0-3,8".
    pub(super) cpus: String,
    /// What its process holds in memory now, in bytes; 0 in the threads of one that has ended.
    pub(super) rss_bytes: u64,
    /// The most that its process ever held.
    pub(super) rss_peak_bytes: u64,
}

impl Task {
    /// Reads a thread's files; `None` if it has ended.
    ///
    /// # Errors
    ///
    /// As [`procfs::text`].
    pub(super) fn read(pid: u32, tid: u32) -> io::Result<Option<Self>> {
        let Some(status) = procfs::text(&format!("/proc/{pid}/task/{tid}/status"))? else {
            return Ok(None);
        };
        let mut task = Self::parse_status(&status);
        // A kernel without scheduler statistics has no such file, or zeros in it.
        if let Some(line) = procfs::text(&format!("/proc/{pid}/task/{tid}/schedstat"))? {
            (task.counts.run_queue_nanos, task.counts.timeslices) = parse_schedstat(&line);
        }
        Ok(Some(task))
    }

    fn parse_status(text: &str) -> Self {
        let mut task = Self::default();
        for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
            let first = value.split_ascii_whitespace().next().unwrap_or_default();
            let number = || first.parse::<u64>().unwrap_or(0);
            match key {
                "VmHWM" => task.rss_peak_bytes = number() * BYTES_PER_KB,
                "VmRSS" => task.rss_bytes = number() * BYTES_PER_KB,
                "Cpus_allowed_list" => task.cpus = first.to_owned(),
                "voluntary_ctxt_switches" => task.counts.voluntary = number(),
                "nonvoluntary_ctxt_switches" => task.counts.involuntary = number(),
                _ => {}
            }
        }
        task
    }
}

/// The kernel writes "kB" and means 1024 bytes (proc_pid_status(5)).
const BYTES_PER_KB: u64 = 1024;

/// What a thread did since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TaskCounts {
    /// Ready to run, without a core.
    pub(super) run_queue_nanos: u64,
    /// How often it was given a core; 0 throughout where the kernel does not count.
    pub(super) timeslices: u64,
    /// It gave its core up, to wait for something.
    pub(super) voluntary: u64,
    /// Its core was taken from it.
    pub(super) involuntary: u64,
}

impl TaskCounts {
    /// Whether these could be of the same thread later: nothing that is counted goes back.
    fn may_follow(self, earlier: TaskCounts) -> bool {
        self.run_queue_nanos >= earlier.run_queue_nanos
            && self.timeslices >= earlier.timeslices
            && self.voluntary >= earlier.voluntary
            && self.involuntary >= earlier.involuntary
    }
}

impl AddAssign for TaskCounts {
    fn add_assign(&mut self, other: TaskCounts) {
        self.run_queue_nanos += other.run_queue_nanos;
        self.timeslices += other.timeslices;
        self.voluntary += other.voluntary;
        self.involuntary += other.involuntary;
    }
}

/// Sums over threads that come and go.
///
/// No file keeps these counts of a thread that ended, so what it was last seen with stays in the
/// sum. What it did after that, and all that a thread did that was never seen, is missing: the sums
/// never go back, and are exact for threads that stay.
#[derive(Debug, Default)]
pub(super) struct TaskLedger {
    latest: BTreeMap<(ProcessId, u32), TaskCounts>,
    ended: TaskCounts,
}

impl TaskLedger {
    /// Takes in what all threads say now, and returns the sum since each began.
    pub(super) fn update(&mut self, now: BTreeMap<(ProcessId, u32), TaskCounts>) -> TaskCounts {
        for (key, earlier) in &self.latest {
            if !now.get(key).is_some_and(|counts| counts.may_follow(*earlier)) {
                self.ended += *earlier;
            }
        }
        let mut sum = self.ended;
        for counts in now.values() {
            sum += *counts;
        }
        self.latest = now;
        sum
    }
}

/// Nanoseconds on a run queue and the number of timeslices: the second and third of three numbers
/// (kernel documentation, `sched-stats`).
fn parse_schedstat(line: &str) -> (u64, u64) {
    let mut numbers = line.split_ascii_whitespace().skip(1).map(|word| word.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lines_are_read() {
        let status = "Name:\tx: y\nVmHWM:\t    4052 kB\nVmRSS:\t  12 kB\nThreads:\t1\n\
            Cpus_allowed_list:\t0-1,4\nvoluntary_ctxt_switches:\t39\nnonvoluntary_ctxt_switches:\t7\n";
        let task = Task::parse_status(status);
        assert_eq!(task.cpus, "0-1,4");
        assert_eq!((task.rss_bytes, task.rss_peak_bytes), (12 * 1024, 4052 * 1024));
        assert_eq!((task.counts.voluntary, task.counts.involuntary), (39, 7));
        assert_eq!(parse_schedstat("18134867 5047514 40\n"), (5_047_514, 40));
        assert_eq!(parse_schedstat(""), (0, 0));
    }

    fn ran(run_queue_nanos: u64, timeslices: u64) -> TaskCounts {
        TaskCounts { run_queue_nanos, timeslices, voluntary: timeslices, involuntary: 0 }
    }

    fn key(tid: u32) -> (ProcessId, u32) {
        (ProcessId { pid: 1, began: 0 }, tid)
    }

    #[test]
    fn a_thread_that_ended_stays_in_the_sum_once() {
        let mut ledger = TaskLedger::default();
        let both = BTreeMap::from([(key(1), ran(10, 1)), (key(2), ran(20, 2))]);
        assert_eq!(ledger.update(both), ran(30, 3));
        let first = BTreeMap::from([(key(1), ran(15, 2))]);
        assert_eq!(ledger.update(first.clone()), ran(35, 4));
        assert_eq!(ledger.update(first), ran(35, 4));
    }

    #[test]
    fn a_new_thread_with_an_old_number_is_another_thread() {
        let mut ledger = TaskLedger::default();
        ledger.update(BTreeMap::from([(key(2), ran(20, 9))]));
        assert_eq!(ledger.update(BTreeMap::from([(key(2), ran(30, 1))])), ran(50, 10));
    }

    #[test]
    fn a_thread_reads_its_own_files() {
        let pid = std::process::id();
        let task = Task::read(pid, pid).unwrap().unwrap();
        assert!(task.rss_bytes > 0 && task.rss_peak_bytes > 0);
        assert!(!task.cpus.is_empty());
        assert_eq!(Task::read(pid, 4_194_305).unwrap(), None);
    }
}
