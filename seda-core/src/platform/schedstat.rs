//! The kernel's figures of a thread: time on a core, and time waiting for one.
//!
//! Wall time of a busy worker = on CPU + waiting for a core + blocked. Without the middle term,
//! oversubscription would look like blocking handlers, and a pool that grows on blocking would
//! grow without end.
//!
//! The source is `/proc/self/task/TID/schedstat` (kernel documentation, `sched-stats`): time on CPU
//! in ns, time on a run queue in ns, number of timeslices. Any thread may read it, so the figures
//! of a stuck worker are known too.

use std::fs;

/// The kernel's number of a thread, on machines with procfs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ThreadId(u32);

impl ThreadId {
    /// Returns the calling thread's number; `None` without procfs.
    pub(crate) fn current() -> Option<Self> {
        // The link reads `PID/task/TID`.
        let link = fs::read_link("/proc/thread-self").ok()?;
        link.file_name()?.to_str()?.parse().ok().map(ThreadId)
    }

    #[cfg(test)]
    pub(crate) fn numbered(number: u32) -> Self {
        Self(number)
    }

    /// Returns the path of a file that the kernel keeps about the thread.
    pub(super) fn path(self, file: &str) -> String {
        format!("/proc/self/task/{}/{file}", self.0)
    }
}

/// A thread's time on a core and on a run queue, in nanoseconds since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schedstat {
    pub(crate) cpu: u64,
    pub(crate) run_queue: u64,
}

impl Schedstat {
    /// Reads the figures of a thread of this process; `None` if the kernel provides none.
    pub(crate) fn of(thread: ThreadId) -> Option<Self> {
        Self::parse(&fs::read_to_string(thread.path("schedstat")).ok()?)
    }

    fn parse(line: &str) -> Option<Self> {
        let mut numbers = line.split_ascii_whitespace().map(str::parse);
        let cpu = numbers.next()?.ok()?;
        let run_queue = numbers.next()?.ok()?;
        Some(Self { cpu, run_queue })
    }

    /// Returns the difference from `earlier` to this reading.
    pub(crate) fn since(self, earlier: Schedstat) -> Schedstat {
        Schedstat {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            run_queue: self.run_queue.saturating_sub(earlier.run_queue),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_is_parsed_and_any_other_is_unknown() {
        assert_eq!(Schedstat::parse("12 34 5\n"), Some(Schedstat { cpu: 12, run_queue: 34 }));
        assert_eq!(Schedstat::parse("12"), None);
        assert_eq!(Schedstat::parse("a b c"), None);
    }
}
