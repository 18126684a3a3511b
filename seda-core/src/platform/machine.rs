//! The kernel's figures of this process and of the machine: processor time, steal, and the quota
//! of the control group.
//!
//! The sources are `/proc/self/stat` and `/proc/stat` (proc(5), in ticks of 10 ms: `USER_HZ` is 100
//! on every architecture that Rust's std supports), and `cpu.max` and `cpu.stat` of the control
//! group (kernel documentation, `cgroup-v2`).

use std::fs;
use std::path::{Path, PathBuf};

/// Nanoseconds of one tick of the kernel's clock for user space.
const TICK_NANOS: u64 = 10_000_000;

/// Processor times since the machine or the process began, in nanoseconds; `None` where the kernel
/// provides none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MachineTimes {
    /// Of this process, in user space and in the kernel.
    pub(crate) process: Option<u64>,
    /// Of all processes.
    pub(crate) busy: Option<u64>,
    /// Taken by the hypervisor for other machines.
    pub(crate) steal: Option<u64>,
    /// In which the quota held threads of the control group back.
    pub(crate) throttled: Option<u64>,
}

/// The control group of this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct ControlGroup {
    /// Its quota in cores, the least of its own and those of the groups above it; `None` without.
    pub(crate) quota: Option<f64>,
    /// Its directory, if it has a quota.
    directory: Option<PathBuf>,
}

impl MachineTimes {
    /// Reads the figures of now.
    pub(crate) fn read(group: &ControlGroup) -> Self {
        let process = fs::read_to_string("/proc/self/stat").ok();
        let machine = fs::read_to_string("/proc/stat").ok();
        let (busy, steal) = machine.as_deref().and_then(machine_times).unzip();
        let stat = group.directory.as_ref().map(|directory| directory.join("cpu.stat"));
        let stat = stat.and_then(|path| fs::read_to_string(path).ok());
        Self {
            process: process.as_deref().and_then(process_time),
            busy,
            steal,
            throttled: stat.as_deref().and_then(throttled_time),
        }
    }
}

impl ControlGroup {
    /// Finds the control group of this process.
    pub(crate) fn find() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let path = groups.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
        let root = Path::new("/sys/fs/cgroup");
        let own = root.join(path);
        let above = own.ancestors().take_while(|directory| directory.starts_with(root));
        let quotas = above.filter_map(|directory| {
            let text = fs::read_to_string(directory.join("cpu.max")).ok()?;
            Some((quota(&text)?, directory.to_path_buf()))
        });
        let least = quotas.min_by(|(a, _), (b, _)| a.total_cmp(b));
        let (quota, directory) = least.unzip();
        Self { quota, directory }
    }
}

/// Returns the time of a process in user space and in the kernel, from its `stat`.
fn process_time(stat: &str) -> Option<u64> {
    // The name may contain spaces and parentheses: count from its end.
    let (_, after) = stat.rsplit_once(')')?;
    let mut fields = after.split_ascii_whitespace().skip(11).map(str::parse::<u64>);
    let user = fields.next()?.ok()?;
    let kernel = fields.next()?.ok()?;
    Some((user + kernel) * TICK_NANOS)
}

/// Returns the busy and the stolen time of all cores, from the machine's `stat`.
fn machine_times(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line.split_ascii_whitespace().map_while(|n| n.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal; guests are in user and nice already.
    let [user, nice, system, _idle, _iowait, irq, softirq, steal] = *ticks.first_chunk()?;
    Some(((user + nice + system + irq + softirq) * TICK_NANOS, steal * TICK_NANOS))
}

/// Returns the throttled time, from a control group's `cpu.stat`.
fn throttled_time(stat: &str) -> Option<u64> {
    let micros = stat.lines().find_map(|line| line.strip_prefix("throttled_usec "))?;
    Some(micros.trim().parse::<u64>().ok()?.saturating_mul(1_000))
}

/// Returns the quota in cores, from a control group's `cpu.max`; `None` without one.
fn quota(max: &str) -> Option<f64> {
    let mut parts = max.split_ascii_whitespace();
    let quota: f64 = parts.next()?.parse().ok()?;
    let period: f64 = parts.next()?.parse().ok()?;
    (period > 0.0).then(|| quota / period)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_process_is_counted_from_the_end_of_its_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 4 0\n";
        assert_eq!(process_time(stat), Some(2_000_000_000));
        assert_eq!(process_time("7 (a"), None);
    }

    #[test]
    fn waiting_for_a_disk_is_not_busy_and_guests_are_not_counted_twice() {
        let stat = "cpu  100 10 50 900 40 5 5 30 7 7\ncpu0 1 2 3\n";
        assert_eq!(machine_times(stat), Some((1_700_000_000, 300_000_000)));
        assert_eq!(machine_times("cpu 1 2 3\n"), None);
    }

    #[test]
    fn a_quota_is_in_cores_and_max_is_none() {
        assert_eq!(quota("150000 100000\n"), Some(1.5));
        assert_eq!(quota("max 100000\n"), None);
        assert_eq!(throttled_time("usage_usec 1\nthrottled_usec 25\n"), Some(25_000));
    }
}
