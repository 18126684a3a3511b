//! The files of a thread: `schedstat` and `status` under `/proc/PID/task/TID`.

use super::process::ProcessId;
use super::procfs;
use std::collections::BTreeMap;
use std::io;
use std::ops::AddAssign;

/// The state of a thread at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) counts: TaskCounts,
    /// The name of the thread: at most 15 bytes.
    pub(super) name: String,
    /// Time on a core, in nanoseconds; 0 if the kernel does not count it.
    pub(super) running_nanos: u64,
    /// The cores on which it may run, in the notation of the kernel: "0-3,8".
    pub(super) cpus: String,
    /// Memory of its process now, in bytes; 0 if the process has ended.
    pub(super) rss_bytes: u64,
    /// The memory peak of its process, in bytes.
    pub(super) rss_peak_bytes: u64,
}

impl Task {
    /// Reads the files of a thread; `None` if it has ended.
    ///
    /// # Errors
    ///
    /// Fails as [`procfs::text`].
    pub(super) fn read(pid: u32, tid: u32) -> io::Result<Option<Self>> {
        let Some(status) = procfs::text(&format!("/proc/{pid}/task/{tid}/status"))? else {
            return Ok(None);
        };
        let mut task = Self::parse_status(&status);
        // A kernel without scheduler statistics lacks the file, or writes zeros.
        if let Some(line) = procfs::text(&format!("/proc/{pid}/task/{tid}/schedstat"))? {
            let [running, waiting, timeslices] = parse_schedstat(&line);
            task.running_nanos = running;
            (task.counts.run_queue_nanos, task.counts.timeslices) = (waiting, timeslices);
        }
        Ok(Some(task))
    }

    fn parse_status(text: &str) -> Self {
        let mut task = Self::default();
        for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
            let first = value.split_ascii_whitespace().next().unwrap_or_default();
            match key {
                "Name" => task.name = value.trim().to_owned(),
                "VmHWM" => task.rss_peak_bytes = number(first) * BYTES_PER_KB,
                "VmRSS" => task.rss_bytes = number(first) * BYTES_PER_KB,
                "Cpus_allowed_list" => task.cpus = first.to_owned(),
                "voluntary_ctxt_switches" => task.counts.voluntary = number(first),
                "nonvoluntary_ctxt_switches" => task.counts.involuntary = number(first),
                _ => {}
            }
        }
        task
    }
}

/// Parses a number of the kernel; 0 if the kernel does not count it.
fn number(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}

/// The "kB" of the kernel are 1024 bytes (proc_pid_status(5)).
const BYTES_PER_KB: u64 = 1024;

/// The counts of a thread since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TaskCounts {
    /// Time on the run queue, without a core.
    pub(super) run_queue_nanos: u64,
    /// Number of timeslices; always 0 if the kernel does not count them.
    pub(super) timeslices: u64,
    /// Number of times that it gave up its core to wait.
    pub(super) voluntary: u64,
    /// Number of times that the scheduler took its core.
    pub(super) involuntary: u64,
}

impl TaskCounts {
    /// Returns true if these can be later counts of the same thread: no count decreases.
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
/// The kernel drops the counts of an ended thread, so its last known counts stay in the sum. Later
/// counts are missing, and all counts of a thread that was never seen. The sums never decrease, and
/// are exact for threads that stay.
#[derive(Debug, Default)]
pub(super) struct TaskLedger {
    latest: BTreeMap<(ProcessId, u32), TaskCounts>,
    ended: TaskCounts,
}

impl TaskLedger {
    /// Updates the ledger with the counts of all threads; returns the sum since each began.
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

/// Returns the nanoseconds on a core, those on the run queue, and the number of timeslices (kernel
/// documentation, `sched-stats`); zeros if the kernel does not count them.
fn parse_schedstat(line: &str) -> [u64; 3] {
    let mut numbers = line.split_ascii_whitespace().map(number);
    std::array::from_fn(|_| numbers.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_the_kernel_are_parsed() {
        let status = "Name:\tx: y\nVmHWM:\t    4052 kB\nVmRSS:\t  12 kB\nThreads:\t1\n\
            Cpus_allowed_list:\t0-1,4\nvoluntary_ctxt_switches:\t39\nnonvoluntary_ctxt_switches:\t7\n";
        let task = Task::parse_status(status);
        assert_eq!(task.cpus, "0-1,4");
        assert_eq!((task.rss_bytes, task.rss_peak_bytes), (12 * 1024, 4052 * 1024));
        assert_eq!((task.counts.voluntary, task.counts.involuntary), (39, 7));
        assert_eq!(task.name, "x: y");
        assert_eq!(parse_schedstat("18134867 5047514 40\n"), [18_134_867, 5_047_514, 40]);
        assert_eq!(parse_schedstat(""), [0, 0, 0]);
    }

    fn ran(run_queue_nanos: u64, timeslices: u64) -> TaskCounts {
        TaskCounts { run_queue_nanos, timeslices, voluntary: timeslices, involuntary: 0 }
    }

    fn key(tid: u32) -> (ProcessId, u32) {
        (ProcessId { pid: 1, began: 0 }, tid)
    }

    #[test]
    fn an_ended_thread_stays_in_the_sum_once() {
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
