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

impl Quota {
    /// Reads the tightest quota of the groups of a process; none if the kernel has no groups.
    ///
    /// # Errors
    ///
    /// Fails as [`procfs::text`].
    pub(super) fn read(pid: u32) -> io::Result<Self> {
        let groups = procfs::text(&format!("/proc/{pid}/cgroup"))?.unwrap_or_default();
        let Some(group) = groups.lines().find_map(|line| line.strip_prefix("0::")) else {
            return Ok(Self::default());
        };
        let mut tightest = Self::default();
        // The quota of a group limits the groups below it, too.
        for folder in folders(group) {
            let quota = Self::read_folder(&folder);
            let cores = |quota: &Self| quota.cores.unwrap_or(f64::INFINITY);
            if cores(&quota) < cores(&tightest) {
                tightest = quota;
            }
        }
        Ok(tightest)
    }

    /// Reads the files of one group; a missing or hidden file is no quota.
    fn read_folder(folder: &Path) -> Self {
        let text = |file: &str| {
            let path = folder.join(file);
            procfs::text(&path.to_string_lossy()).ok().flatten().unwrap_or_default()
        };
        Self::parse(&text("cpu.max"), &text("cpu.stat"))
    }

    /// Parses `cpu.max`, such as "50000 100000" or "max 100000", and `cpu.stat`.
    fn parse(max: &str, stat: &str) -> Self {
        let mut words = max.split_ascii_whitespace().map(str::parse::<f64>);
        let cores = match (words.next(), words.next()) {
            (Some(Ok(quota)), Some(Ok(period))) if period > 0.0 => Some(quota / period),
            _ => None,
        };
        let throttled = stat.lines().find_map(|line| line.strip_prefix("throttled_usec "));
        let throttled = throttled.and_then(|micros| micros.trim().parse().ok());
        Self { cores, throttled_micros: throttled.unwrap_or_default() }
    }
}

/// Returns the folder of a group, and those of the groups above it.
fn folders(group: &str) -> Vec<PathBuf> {
    let names: Vec<&str> = group.split('/').filter(|name| !name.is_empty()).collect();
    let path = |count: usize| names.iter().take(count).fold(PathBuf::from(ROOT), |p, n| p.join(n));
    (0..=names.len()).rev().map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_the_time_of_some_cores() {
        let stat = "usage_usec 7\nnr_periods 9\nnr_throttled 4\nthrottled_usec 123456\n";
        let half = Quota { cores: Some(0.5), throttled_micros: 123_456 };
        assert_eq!(Quota::parse("50000 100000\n", stat), half);
        assert_eq!(Quota::parse("max 100000\n", ""), Quota::default());
        assert_eq!(Quota::parse("", ""), Quota::default());
    }

    #[test]
    fn the_groups_above_count_too() {
        let root = PathBuf::from(ROOT);
        assert_eq!(folders("/a/b"), [root.join("a/b"), root.join("a"), root.clone()]);
        assert_eq!(folders("/"), [root]);
    }
}
