//! The resources of this process: threads, descriptors, memory.

use std::fmt;
use std::fs;
use std::time::Duration;

/// The resources that this process holds, as the kernel reports them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// Number of threads.
    pub threads: usize,
    /// Number of open descriptors.
    pub descriptors: usize,
    /// Resident memory in KiB.
    pub rss_kib: u64,
}

impl Holdings {
    /// Returns the present resources; zeros on a system without procfs.
    pub fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let rss = rss.and_then(|rss| rss.split_ascii_whitespace().next()?.parse().ok());
        Self {
            threads: entries("/proc/self/task"),
            // One descriptor is that of the directory being read.
            descriptors: entries("/proc/self/fd").saturating_sub(1),
            rss_kib: rss.unwrap_or(0),
        }
    }
}

/// Counts the entries of a directory; 0 if it cannot be read.
fn entries(path: &str) -> usize {
    fs::read_dir(path).map_or(0, Iterator::count)
}

impl fmt::Display for Holdings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { threads, descriptors, rss_kib } = self;
        write!(f, "{threads} threads, {descriptors} descriptors, {rss_kib} KiB")
    }
}

/// Calls `ready` every millisecond until it returns true; false if it does not within `limit`.
pub fn wait_until(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    const SLICE: Duration = Duration::from_millis(1);
    let mut left = limit;
    while !ready() {
        if left.is_zero() {
            return false;
        }
        std::thread::park_timeout(SLICE);
        left = left.saturating_sub(SLICE);
    }
    true
}
