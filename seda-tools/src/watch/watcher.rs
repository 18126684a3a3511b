//! Follows one process and all that descend from it.

use super::children::ChildLookup;
use super::ledger::CpuLedger;
use super::listen::ListenCounts;
use super::process::ProcessStat;
use super::procfs;
use super::sample::Sample;
use super::task::{Task, TaskLedger};
use std::collections::BTreeSet;
use std::io;
use thiserror::Error;

/// Watches one process and its descendants from outside, in any language and of any user whose
/// processes one may see.
///
/// It remembers what it saw, so that what ends is not lost: take a sample now and then, and not
/// only at the two ends. A descendant whose parent ends is followed on; one that was made and
/// orphaned between two samples was never seen. Children that were made and waited for between two
/// samples are in the CPU time all the same.
#[derive(Debug)]
pub struct Watcher {
    root: ProcessStat,
    cpu: CpuLedger,
    tasks: TaskLedger,
}

impl Watcher {
    /// Finds the process. It is not told, and cannot notice.
    ///
    /// # Errors
    ///
    /// If there is no such process, no procfs to find it in, or the reader may not look.
    pub fn open(pid: u32) -> Result<Self, WatchError> {
        if !matches!(procfs::text("/proc/self/stat"), Ok(Some(_))) {
            return Err(WatchError::NoProcfs);
        }
        let found = ProcessStat::read(pid).map_err(|source| WatchError::reading(pid, source))?;
        let root = found.filter(|process| !process.ended).ok_or(WatchError::NoProcess { pid })?;
        Ok(Self { root, cpu: CpuLedger::default(), tasks: TaskLedger::default() })
    }

    /// Reads everything. It takes about 50 µs of the reader's time for each thread, and does not
    /// block.
    ///
    /// # Errors
    ///
    /// [`WatchError::Ended`] if the process is gone, descendants or not: a server that puts itself
    /// into the background goes on as another process. Otherwise, if the reader may not look.
    pub fn sample(&mut self) -> Result<Sample, WatchError> {
        let pid = self.root.id.pid;
        let ended = || WatchError::Ended { pid, name: self.root.name.clone() };
        let family = self.family().map_err(|source| WatchError::reading(pid, source))?;
        let family = family.ok_or_else(ended)?;
        self.read(&family).map_err(|source| WatchError::reading(pid, source))
    }

    /// The processes that are there, parents before their children, as the ledger wants them.
    /// `None` if the first of them is not.
    fn family(&self) -> io::Result<Option<Vec<ProcessStat>>> {
        let root = ProcessStat::read(self.root.id.pid)?;
        let Some(root) = root.filter(|root| root.id == self.root.id && !root.ended) else {
            return Ok(None);
        };
        let mut family = ProcessTree::new(ChildLookup::now()?);
        family.add_with_descendants(root)?;
        for known in self.cpu.known() {
            if !family.has(known.pid)
                && let Some(orphan) = ProcessStat::read(known.pid)?
                && orphan.id == known
            {
                family.add_with_descendants(orphan)?;
            }
        }
        Ok(Some(family.members))
    }

    fn read(&mut self, family: &[ProcessStat]) -> io::Result<Sample> {
        let pid = self.root.id.pid;
        let mut tasks = Vec::new();
        let mut counts = Vec::new();
        for process in family {
            for tid in procfs::numbers(&format!("/proc/{}/task", process.id.pid))? {
                let Some(task) = Task::read(process.id.pid, tid)? else { continue };
                counts.push(((process.id, tid), task.counts));
                // What has ended has one thread left in the lists, which is no thread any more.
                if !process.ended {
                    tasks.push((process.id, task));
                }
            }
        }
        let cpu = self.cpu.update(family);
        let counts = self.tasks.update(counts.into_iter().collect());
        let listen = ListenCounts::read(pid)?;
        Ok(Sample::new(&self.root, cpu, counts, &tasks, listen))
    }
}

/// Processes found so far.
struct ProcessTree {
    lookup: ChildLookup,
    members: Vec<ProcessStat>,
    pids: BTreeSet<u32>,
}

impl ProcessTree {
    fn new(lookup: ChildLookup) -> Self {
        Self { lookup, members: Vec::new(), pids: BTreeSet::new() }
    }

    fn has(&self, pid: u32) -> bool {
        self.pids.contains(&pid)
    }

    fn add_with_descendants(&mut self, process: ProcessStat) -> io::Result<()> {
        let mut next = self.members.len();
        self.add(process);
        while let Some(parent) = self.members.get(next).map(|process| process.id.pid) {
            for pid in self.lookup.children_of(parent)? {
                // It may have ended since it was listed, and its number may be another's.
                if !self.has(pid)
                    && let Some(child) = ProcessStat::read(pid)?
                    && child.parent == parent
                {
                    self.add(child);
                }
            }
            next += 1;
        }
        Ok(())
    }

    fn add(&mut self, process: ProcessStat) {
        self.pids.insert(process.id.pid);
        self.members.push(process);
    }
}

/// Why a process cannot be watched.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WatchError {
    /// There is no procfs.
    #[error("/proc cannot be read: a process is watched on Linux with procfs; leave --pid out")]
    NoProcfs,
    /// No process has this number.
    #[error(
        "there is no process {pid}: give the pid of the running server, on this machine and in \
         this container (a /proc mounted with hidepid shows it to its own user and to root only)"
    )]
    NoProcess {
        /// The number.
        pid: u32,
    },
    /// The process was there, and is not any more.
    #[error(
        "process {pid} ({name}) has ended: see why the server ended; if it put itself into the \
         background, give the pid of the process that stayed"
    )]
    Ended {
        /// Its number.
        pid: u32,
        /// What it called itself.
        name: String,
    },
    /// The kernel does not let one look.
    #[error(
        "process {pid} and its children may not be watched: run as the server's user or as root, \
         or leave --pid out"
    )]
    NotAllowed {
        /// The number of the process that was to be watched.
        pid: u32,
        /// What the kernel said.
        source: io::Error,
    },
    /// Anything else.
    #[error("process {pid} cannot be watched ({source}): try again, or leave --pid out")]
    Unreadable {
        /// The number of the process that was to be watched.
        pid: u32,
        /// What the kernel said.
        source: io::Error,
    },
}

impl WatchError {
    fn reading(pid: u32, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::PermissionDenied {
            WatchError::NotAllowed { pid, source }
        } else {
            WatchError::Unreadable { pid, source }
        }
    }
}
