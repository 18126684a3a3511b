//! What the kernel says of a process in one line: `/proc/PID/stat` (proc_pid_stat(5)).

use super::procfs;
use rustix::param::clock_ticks_per_second;
use std::io;
use std::ops::AddAssign;

/// A process, told apart from a later one that was given the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProcessId {
    pub(super) pid: u32,
    /// When it began, in ticks since the machine did.
    pub(super) began: u64,
}

/// A process at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProcessStat {
    pub(super) id: ProcessId,
    /// What it calls itself: at most 15 bytes.
    pub(super) name: String,
    pub(super) parent: u32,
    /// Nothing of it runs any more; its parent has not yet asked how it ended.
    pub(super) ended: bool,
    /// Used by its own threads, those that ended included.
    pub(super) own: CpuTicks,
    /// Used by the children that it waited for, and by those that they had waited for.
    pub(super) reaped: CpuTicks,
}

impl ProcessStat {
    /// Reads the line of a process; `None` if there is none, or nothing that can be understood.
    ///
    /// # Errors
    ///
    /// As [`procfs::text`].
    pub(super) fn read(pid: u32) -> io::Result<Option<Self>> {
        let line = procfs::text(&format!("/proc/{pid}/stat"))?;
        Ok(line.as_deref().and_then(Self::parse))
    }

    fn parse(line: &str) -> Option<Self> {
        // The name stands in brackets and may itself have any: its end is the last one.
        let (pid, rest) = line.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // The manual counts from 1, and the state, which is first here, is its third.
        let field = |number: usize| fields.get(number.checked_sub(3)?).copied();
        let number = |index: usize| field(index)?.parse::<u64>().ok();
        // A first thread that ended leaves a zombie, but the process is there while others run.
        let zombie = matches!(field(3)?, "Z" | "X" | "x");
        Some(Self {
            id: ProcessId { pid: pid.parse().ok()?, began: number(22)? },
            name: name.to_owned(),
            parent: field(4)?.parse().ok()?,
            ended: zombie && number(20)? <= 1,
            own: CpuTicks { user: number(14)?, system: number(15)? },
            reaped: CpuTicks { user: number(16)?, system: number(17)? },
        })
    }
}

/// CPU time as the kernel tells it: in ticks of, nearly everywhere, 10 ms. What it knows is finer;
/// what it says is rounded down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CpuTicks {
    pub(super) user: u64,
    pub(super) system: u64,
}

impl CpuTicks {
    /// What is more than `other`, and nothing where it is less.
    pub(super) fn beyond(self, other: CpuTicks) -> CpuTicks {
        CpuTicks {
            user: self.user.saturating_sub(other.user),
            system: self.system.saturating_sub(other.system),
        }
    }

    pub(super) fn user_seconds(self) -> f64 {
        self.user as f64 / clock_ticks_per_second() as f64
    }

    pub(super) fn system_seconds(self) -> f64 {
        self.system as f64 / clock_ticks_per_second() as f64
    }
}

impl AddAssign for CpuTicks {
    fn add_assign(&mut self, other: CpuTicks) {
        self.user += other.user;
        self.system += other.system;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let line = "17 (a) S 1 (b) R 4 17 17 0 -1 4194304 1 2 3 4 50 6 700 8 20 0 9 0 12345 1 1\n";
        let expected = ProcessStat {
            id: ProcessId { pid: 17, began: 12345 },
            name: "a) S 1 (b".to_owned(),
            parent: 4,
            ended: false,
            own: CpuTicks { user: 50, system: 6 },
            reaped: CpuTicks { user: 700, system: 8 },
        };
        assert_eq!(ProcessStat::parse(line), Some(expected));
        assert_eq!(ProcessStat::parse("17 (a) S 4 17"), None);
        assert_eq!(ProcessStat::parse(""), None);
    }

    #[test]
    fn a_zombie_has_ended_unless_other_threads_of_it_run() {
        let line =
            |threads: u64| format!("1 (a) Z 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 {threads} 0 5");
        assert!(ProcessStat::parse(&line(1)).unwrap().ended);
        assert!(!ProcessStat::parse(&line(2)).unwrap().ended);
    }

    #[test]
    fn the_process_that_reads_finds_itself() {
        let own = ProcessStat::read(std::process::id()).unwrap().unwrap();
        assert_eq!(own.id.pid, std::process::id());
        assert_eq!(own.parent, std::os::unix::process::parent_id());
        assert!(!own.ended);
    }
}
