//! The CPU quota of the control group of a process (kernel documentation, `cgroup-v2`).

use super::procfs;
use std::io;
use std::path::{Path, PathBuf};

/// The quota of a group, and how often its processes were stopped by it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Quota {
    /// The time of how many cores the processes may use; `None` without a quota.
    pub(super) cores: Option<f64>,
    /// Time for which threads were stopped, in microseconds since the group began.
    pub(super) throttled_micros: u64,
}

/// Where the groups are.
const ROOT: &str = "/sys/fs/cgroup";
/// Where those of the first version are.
const ROOT_OF_ONE: &str = "/sys/fs/cgroup/cpu";

impl Quota {
    /// Reads the tightest quota of the groups of a process; none if the kernel has no groups.
    ///
    /// # Errors
    ///
    /// Fails as [`procfs::text`].
    pub(super) fn read(pid: u32) -> io::Result<Self> {
        let groups = procfs::text(&format!("/proc/{pid}/cgroup"))?.unwrap_or_default();
        let quotas = groups.lines().flat_map(|line| match group(line) {
            Some((Version::One, path)) => folders(ROOT_OF_ONE, path, read_one),
            Some((Version::Two, path)) => folders(ROOT, path, read_two),
            None => Vec::new(),
        });
        // The quota of a group limits the groups below it, too.
        let cores = |quota: &Self| quota.cores.unwrap_or(f64::INFINITY);
        let tightest = quotas.min_by(|a, b| cores(a).total_cmp(&cores(b)));
        Ok(tightest.unwrap_or_default())
    }

    /// Makes a quota of microseconds in each period; there is none if the quota is no number above
    /// 0.
    fn new(quota: Option<&str>, period: Option<&str>, throttled_micros: u64) -> Self {
        let number = |text: Option<&str>| text?.trim().parse::<f64>().ok().filter(|n| *n > 0.0);
        let cores = number(quota).zip(number(period)).map(|(quota, period)| quota / period);
        Self { cores, throttled_micros }
    }
}

/// Reads a file of a group; a missing or hidden file is empty.
fn text(folder: &Path, file: &str) -> String {
    procfs::text(&folder.join(file).to_string_lossy()).ok().flatten().unwrap_or_default()
}

/// Reads `cpu.max`, such as "50000 100000" or "max 100000", and `cpu.stat`.
fn read_two(folder: &Path) -> Quota {
    let max = text(folder, "cpu.max");
    let mut words = max.split_ascii_whitespace();
    let throttled = count(&text(folder, "cpu.stat"), "throttled_usec");
    Quota::new(words.next(), words.next(), throttled)
}

/// Reads the files of the first version of groups; a quota of -1 is none.
fn read_one(folder: &Path) -> Quota {
    let (quota, period) = (text(folder, "cpu.cfs_quota_us"), text(folder, "cpu.cfs_period_us"));
    let nanos = count(&text(folder, "cpu.stat"), "throttled_time");
    Quota::new(Some(&quota), Some(&period), nanos / 1_000)
}

/// Returns the number in the line "name number"; 0 without the line.
fn count(text: &str, name: &str) -> u64 {
    let number = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    number.and_then(|number| number.trim().parse().ok()).unwrap_or_default()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Returns the group in a line of `/proc/PID/cgroup` that has the controller of CPU time.
fn group(line: &str) -> Option<(Version, &str)> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (controllers, path) = (parts.next()?, parts.next()?);
    match controllers {
        "" => Some((Version::Two, path)),
        list if list.split(',').any(|name| name == "cpu") => Some((Version::One, path)),
        _ => None,
    }
}

/// Reads the folder of a group, and those of the groups above it.
fn folders(root: &str, group: &str, read: fn(&Path) -> Quota) -> Vec<Quota> {
    above(root, group).iter().map(|folder| read(folder)).collect()
}

fn above(root: &str, group: &str) -> Vec<PathBuf> {
    let names: Vec<&str> = group.split('/').filter(|name| !name.is_empty()).collect();
    let path = |count: usize| names.iter().take(count).fold(PathBuf::from(root), |p, n| p.join(n));
    (0..=names.len()).rev().map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_the_time_of_some_cores() {
        let of = |quota, period| Quota::new(Some(quota), Some(period), 7).cores;
        assert_eq!(of("50000", "100000\n"), Some(0.5));
        for (quota, period) in [("max", "100000"), ("-1\n", "100000"), ("", ""), ("5", "0")] {
            assert_eq!(of(quota, period), None, "{quota} {period}");
        }
        let stat = "nr_throttled 4\nthrottled_usec 123456\n";
        assert_eq!((count(stat, "throttled_usec"), count(stat, "throttled")), (123_456, 0));
    }

    #[test]
    fn the_group_of_cpu_time_is_found_in_both_versions() {
        assert_eq!(group("0::/a/b"), Some((Version::Two, "/a/b")));
        assert_eq!(group("1:cpu,cpuacct:/x:y"), Some((Version::One, "/x:y")));
        assert_eq!((group("2:cpuacct:/"), group("")), (None, None));
    }

    #[test]
    fn the_groups_above_count_too() {
        let root = PathBuf::from("/r");
        assert_eq!(above("/r", "/a/b"), [root.join("a/b"), root.join("a"), root.clone()]);
        assert_eq!(above("/r", "/"), [root]);
    }
}
