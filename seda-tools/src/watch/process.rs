//! The stat line of a process: `/proc/PID/stat` (proc_pid_stat(5)).

use super::procfs;
use rustix::param::clock_ticks_per_second;
use std::io;
use std::ops::AddAssign;

/// A process, distinct from a later one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProcessId {
    pub(super) pid: u32,
    /// When the process began, in ticks since the machine started.
    pub(super) began: u64,
}

/// The state of a process at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProcessStat {
    pub(super) id: ProcessId,
    /// The name of the process: at most 15 bytes.
    pub(super) name: String,
    pub(super) parent: u32,
    /// True if all threads have ended and the parent has not waited for the process yet.
    pub(super) ended: bool,
    /// Ticks of its threads, ended ones included.
    pub(super) own: CpuTicks,
    /// Ticks of the children that it waited for, and of those that they had waited for.
    pub(super) reaped: CpuTicks,
}

impl ProcessStat {
    /// Reads the line of a process; `None` if there is no such process, or if the line has another
    /// format.
    ///
    /// # Errors
    ///
    /// Fails as [`procfs::text`].
    pub(super) fn read(pid: u32) -> io::Result<Option<Self>> {
        let line = procfs::text(&format!("/proc/{pid}/stat"))?;
        Ok(line.as_deref().and_then(Self::parse))
    }

    fn parse(line: &str) -> Option<Self> {
        // The name stands in brackets and may contain brackets: the last one ends it.
        let (pid, rest) = line.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let fields = Fields(rest.split_ascii_whitespace().collect());
        // After its first thread has ended, a process is a zombie while its other threads run.
        let is_zombie = matches!(fields.text(3)?, "Z" | "X" | "x");
        Some(Self {
            id: ProcessId { pid: pid.parse().ok()?, began: fields.number(22)? },
            name: name.to_owned(),
            parent: fields.text(4)?.parse().ok()?,
            ended: is_zombie && fields.number(20)? <= 1,
            own: CpuTicks { user: fields.number(14)?, system: fields.number(15)? },
            reaped: CpuTicks { user: fields.number(16)?, system: fields.number(17)? },
        })
    }
}

/// The fields from the state on, by the numbers of the manual: the state is number 3.
struct Fields<'a>(Vec<&'a str>);

impl<'a> Fields<'a> {
    fn text(&self, number: usize) -> Option<&'a str> {
        self.0.get(number.checked_sub(3)?).copied()
    }

    fn number(&self, number: usize) -> Option<u64> {
        self.text(number)?.parse().ok()
    }
}

/// CPU time in the ticks of the kernel, on most machines of 10 ms, rounded down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CpuTicks {
    pub(super) user: u64,
    pub(super) system: u64,
}

impl CpuTicks {
    /// Returns the excess over `other`, at least 0.
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
    fn a_process_reads_its_own_line() {
        let own = ProcessStat::read(std::process::id()).unwrap().unwrap();
        assert_eq!(own.id.pid, std::process::id());
        assert_eq!(own.parent, std::os::unix::process::parent_id());
        assert!(!own.ended);
    }
}
