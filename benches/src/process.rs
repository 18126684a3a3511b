//! What this process holds: threads, descriptors, memory.

use std::fmt;
use std::fs;
use std::time::Duration;

/// What the kernel says that this process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// Its threads.
    pub threads: usize,
    /// Its open descriptors.
    pub descriptors: usize,
    /// Its memory that is in core, in KiB.
    pub rss_kib: u64,
}

impl Holdings {
    /// What it holds now; zeros where there is no procfs.
    pub fn now() -> Self {
        let entries = |path: &str| fs::read_dir(path).map_or(0, Iterator::count);
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let rss = rss.and_then(|rss| rss.split_ascii_whitespace().next()?.parse().ok());
        Self {
            threads: entries("/proc/self/task"),
            // One of them reads the directory.
            descriptors: entries("/proc/self/fd").saturating_sub(1),
            rss_kib: rss.unwrap_or(0),
        }
    }
}

impl fmt::Display for Holdings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { threads, descriptors, rss_kib } = self;
        write!(f, "{threads} threads, {descriptors} descriptors, {rss_kib} KiB")
    }
}

/// Looks every millisecond, `limit` long at most, whether `ready` says yes; returns whether it did.
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
