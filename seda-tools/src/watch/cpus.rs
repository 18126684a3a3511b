//! Lists of cores in the notation of the kernel: "0-3,8".

use super::procfs;
use std::collections::BTreeSet;

/// Returns the number of cores in all lists together; a core counts once.
///
/// Only cores that are online count, because a list may name all cores that the machine could have.
/// A limit by a control group (`cpu.max`) is ignored.
pub(super) fn usable<'a>(lists: impl Iterator<Item = &'a str>) -> u64 {
    // Without sysfs every listed core counts as online.
    let online = procfs::text("/sys/devices/system/cpu/online").ok().flatten();
    count(lists, online.as_deref())
}

fn count<'a>(lists: impl Iterator<Item = &'a str>, online: Option<&str>) -> u64 {
    // There may be thousands of threads, most of them with the same list.
    let different: BTreeSet<&str> = lists.collect();
    let mut allowed: BTreeSet<u32> = different.into_iter().flat_map(cores).collect();
    if let Some(online) = online {
        let online: BTreeSet<u32> = cores(online).collect();
        allowed.retain(|core| online.contains(core));
    }
    allowed.len() as u64
}

fn cores(list: &str) -> impl Iterator<Item = u32> {
    list.trim().split(',').filter_map(range).flatten()
}

fn range(text: &str) -> Option<std::ops::RangeInclusive<u32>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::task::Task;

    #[test]
    fn a_core_counts_once_and_only_if_it_is_online() {
        assert_eq!(count(["0-3,8"].into_iter(), None), 5);
        assert_eq!(count(["0", "1", "0-1"].into_iter(), Some("0-3\n")), 2);
        assert_eq!(count(["0-127"].into_iter(), Some("0-1\n")), 2);
        assert_eq!(count(["", "x"].into_iter(), None), 0);
    }

    #[test]
    fn the_count_equals_that_of_the_scheduler() {
        let pid = std::process::id();
        let task = Task::read(pid, pid).unwrap().unwrap();
        let allowed = rustix::thread::sched_getaffinity(rustix::thread::Pid::from_raw(pid as i32));
        assert_eq!(usable([task.cpus.as_str()].into_iter()), allowed.unwrap().count() as u64);
    }
}
