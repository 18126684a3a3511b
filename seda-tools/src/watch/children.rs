//! Whose child is whose, at one moment.

use super::process::ProcessStat;
use super::procfs;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

/// Where the children of a process can be found.
#[derive(Debug)]
pub(super) enum ChildLookup {
    /// In `/proc/PID/task/TID/children`: a child is listed with the thread that made it.
    Lists,
    /// The kernel was built without those lists (`CONFIG_PROC_CHILDREN`): all processes were asked
    /// for their parents instead.
    Parents(BTreeMap<u32, BTreeSet<u32>>),
}

impl ChildLookup {
    /// What holds now; looks at every process of the machine if there are no lists.
    ///
    /// # Errors
    ///
    /// As [`procfs::text`].
    pub(super) fn now() -> io::Result<Self> {
        if Path::new("/proc/thread-self/children").exists() {
            return Ok(ChildLookup::Lists);
        }
        Self::scan()
    }

    fn scan() -> io::Result<Self> {
        let mut children: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for pid in procfs::numbers("/proc")? {
            // Some processes of others may be hidden; the server's own are asked again, by name.
            if let Ok(Some(process)) = ProcessStat::read(pid) {
                children.entry(process.parent).or_default().insert(pid);
            }
        }
        Ok(ChildLookup::Parents(children))
    }

    /// The children of a process; none if it has ended.
    ///
    /// # Errors
    ///
    /// As [`procfs::text`].
    pub(super) fn children_of(&self, pid: u32) -> io::Result<BTreeSet<u32>> {
        match self {
            ChildLookup::Lists => settled(|| listed(pid)),
            ChildLookup::Parents(children) => Ok(children.get(&pid).cloned().unwrap_or_default()),
        }
    }
}

/// Reads until it reads the same twice.
///
/// The kernel may leave out a child when another ends just then, and a child changes its list when
/// the thread ends that made it. One left out now and found later would look like a newcomer, and
/// all that it ever did like the work of a moment.
fn settled(read: impl Fn() -> io::Result<BTreeSet<u32>>) -> io::Result<BTreeSet<u32>> {
    // Each reading takes microseconds: a family that changes eight times over is never settled.
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
    fn one_reading_that_leaves_a_child_out_is_not_believed() {
        let readings = RefCell::new(vec![[1, 2], [1, 2], [1, 1]]);
        let read = || Ok(BTreeSet::from(readings.borrow_mut().pop().unwrap()));
        assert_eq!(settled(read).unwrap(), BTreeSet::from([1, 2]));
    }
}
