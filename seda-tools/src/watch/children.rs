//! The children of processes at one moment.

use super::process::ProcessStat;
use super::procfs;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

/// Finds the children of a process.
#[derive(Debug)]
pub(super) enum ChildLookup {
    /// Reads `/proc/PID/task/TID/children`: a child is listed with the thread that forked it.
    Lists,
    /// Looks in the children by parent, collected from all processes: the kernel was built without
    /// the lists (`CONFIG_PROC_CHILDREN`).
    Parents(BTreeMap<u32, BTreeSet<u32>>),
}

impl ChildLookup {
    /// Returns the lookup of this moment. Reads every process of the machine if there are no lists.
    ///
    /// # Errors
    ///
    /// Fails as [`procfs::text`].
    pub(super) fn now() -> io::Result<Self> {
        if Path::new("/proc/thread-self/children").exists() {
            return Ok(ChildLookup::Lists);
        }
        Self::scan()
    }

    fn scan() -> io::Result<Self> {
        let mut children: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for pid in procfs::numbers("/proc")? {
            // Processes of other users may be hidden; those of the server are read again later.
            if let Ok(Some(process)) = ProcessStat::read(pid) {
                children.entry(process.parent).or_default().insert(pid);
            }
        }
        Ok(ChildLookup::Parents(children))
    }

    /// Returns the children of a process; none if it has ended.
    ///
    /// # Errors
    ///
    /// Fails as [`procfs::text`].
    pub(super) fn children_of(&self, pid: u32) -> io::Result<BTreeSet<u32>> {
        match self {
            ChildLookup::Lists => settled(|| listed(pid)),
            ChildLookup::Parents(children) => Ok(children.get(&pid).cloned().unwrap_or_default()),
        }
    }
}

/// Reads until two readings in a row are equal.
///
/// The kernel may omit a child while another one ends, and a child moves to another list when the
/// thread that forked it ends. A child that is omitted now and found later would look new, and the
/// CPU time of its whole life would look recent.
fn settled(read: impl Fn() -> io::Result<BTreeSet<u32>>) -> io::Result<BTreeSet<u32>> {
    // A reading takes microseconds; children that change eight times in a row never settle.
    const TRIES: usize = 8;
    let mut latest = read()?;
    for _ in 0..TRIES {
        let again = read()?;
        if again == latest {
            break;
        }
        latest = again;
    }
    Ok(latest)
}

fn listed(pid: u32) -> io::Result<BTreeSet<u32>> {
    let mut children = BTreeSet::new();
    for tid in procfs::numbers(&format!("/proc/{pid}/task"))? {
        let list = procfs::text(&format!("/proc/{pid}/task/{tid}/children"))?.unwrap_or_default();
        children.extend(list.split_ascii_whitespace().filter_map(|word| word.parse::<u32>().ok()));
    }
    Ok(children)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::tests::Server;
    use std::cell::RefCell;

    #[test]
    fn lists_and_parents_name_the_same_child() {
        let server = Server::run("exec sleep 1000");
        for lookup in [ChildLookup::Lists, ChildLookup::scan().unwrap()] {
            let children = lookup.children_of(std::process::id()).unwrap();
            assert!(children.contains(&server.pid()), "{lookup:?}");
            assert!(lookup.children_of(server.pid()).unwrap().is_empty());
        }
    }

    #[test]
    fn a_single_reading_that_omits_a_child_is_not_trusted() {
        let readings = RefCell::new(vec![[1, 2], [1, 2], [1, 1]]);
        let read = || Ok(BTreeSet::from(readings.borrow_mut().pop().unwrap()));
        assert_eq!(settled(read).unwrap(), BTreeSet::from([1, 2]));
    }
}
