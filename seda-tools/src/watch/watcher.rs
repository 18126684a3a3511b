//! Watches one process and its descendants.

use super::children::ChildLookup;
use super::ledger::CpuLedger;
use super::process::ProcessStat;
use super::procfs;
use super::sample::{Sample, Surroundings};
use super::task::{Task, TaskLedger};
use std::collections::BTreeSet;
use std::io;
use thiserror::Error;

/// Watches one process and its descendants from outside: in any language, of any user, if the
/// reader may see the processes.
///
/// The watcher remembers the counts of ended processes and threads. Samples between the two ends of
/// a window keep these counts up to date. A descendant is still watched after the end of its
/// parent; one that was forked and orphaned between two samples is missed. The CPU time includes
/// children that were forked and waited for between two samples.
#[derive(Debug)]
pub struct Watcher {
    root: ProcessStat,
    cpu: CpuLedger,
    tasks: TaskLedger,
}

impl Watcher {
    /// Finds the process, which does not notice it.
    ///
    /// # Errors
    ///
    /// Fails if there is no such process or no procfs, and if the reader lacks permission.
    pub fn open(pid: u32) -> Result<Self, WatchError> {
        if !matches!(procfs::text("/proc/self/stat"), Ok(Some(_))) {
            return Err(WatchError::NoProcfs);
        }
        let found = ProcessStat::read(pid).map_err(|source| WatchError::reading(pid, source))?;
        let root = found.filter(|process| !process.ended).ok_or(WatchError::NoProcess { pid })?;
        Ok(Self { root, cpu: CpuLedger::default(), tasks: TaskLedger::default() })
    }

    /// Reads all counts. Takes about 50 µs for each thread of the server, and does not block.
    ///
    /// # Errors
    ///
    /// [`WatchError::Ended`] if the process has ended, even if descendants run: a server that puts
    /// itself into the background continues as another process. Fails also if the reader lacks
    /// permission.
    pub fn sample(&mut self) -> Result<Sample, WatchError> {
        let pid = self.root.id.pid;
        let Some(tree) = self.tree().map_err(|source| WatchError::reading(pid, source))? else {
            return Err(WatchError::Ended { pid, name: self.root.name.clone() });
        };
        self.read(&tree).map_err(|source| WatchError::reading(pid, source))
    }

    /// Returns the present processes, each parent before its children, as the ledger needs them.
    /// `None` if the watched process has ended.
    fn tree(&self) -> io::Result<Option<Vec<ProcessStat>>> {
        let root = ProcessStat::read(self.root.id.pid)?;
        let Some(root) = root.filter(|root| root.id == self.root.id && !root.ended) else {
            return Ok(None);
        };
        // The watched process with its descendants, then the orphans of the last sample.
        let mut tree = ProcessTree::new(ChildLookup::now()?);
        tree.add_with_descendants(root)?;
        for known in self.cpu.known() {
            if !tree.has(known.pid)
                && let Some(orphan) = ProcessStat::read(known.pid)?
                && orphan.id == known
            {
                tree.add_with_descendants(orphan)?;
            }
        }
        Ok(Some(tree.members))
    }

    fn read(&mut self, tree: &[ProcessStat]) -> io::Result<Sample> {
        let pid = self.root.id.pid;
        let mut tasks = Vec::new();
        let mut counts = Vec::new();
        for process in tree {
            for tid in procfs::numbers(&format!("/proc/{}/task", process.id.pid))? {
                let Some(task) = Task::read(process.id.pid, tid)? else { continue };
                counts.push(((process.id, tid), task.counts));
                // An ended process is listed with one thread, which has ended, too.
                if !process.ended {
                    tasks.push(((process.id, tid), task));
                }
            }
        }
        let cpu = self.cpu.update(tree);
        let counts = self.tasks.update(counts.into_iter().collect());
        Ok(Sample::new(&self.root, cpu, counts, &tasks, Surroundings::read(pid)?))
    }
}

/// The processes found so far.
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
                // The child may have ended since, and another process may have its number.
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
    /// There is no process with this number.
    #[error(
        "there is no process {pid}: give the pid of the running server, on this machine and in \
         this container (a /proc mounted with hidepid shows it to its own user and to root only)"
    )]
    NoProcess {
        /// The number of the process.
        pid: u32,
    },
    /// The watched process has ended.
    #[error(
        "process {pid} ({name}) has ended: see why the server ended; if it put itself into the \
         background, give the pid of the process that stayed"
    )]
    Ended {
        /// The number of the process.
        pid: u32,
        /// The name of the process.
        name: String,
    },
    /// The reader lacks permission.
    #[error(
        "process {pid} and its children may not be watched: run as the server's user or as root, \
         or leave --pid out"
    )]
    NotAllowed {
        /// The number of the process.
        pid: u32,
        /// The error of the kernel.
        source: io::Error,
    },
    /// Another error.
    #[error("process {pid} cannot be watched ({source}): try again, or leave --pid out")]
    Unreadable {
        /// The number of the process.
        pid: u32,
        /// The error of the kernel.
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
