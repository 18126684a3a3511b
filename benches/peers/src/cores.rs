//! The cores of this machine that a process may use.

use rustix::thread::{CpuSet, sched_getaffinity};

/// Returns the cores that this process and its children may use: those of the machine, unless
/// `taskset` or a container allows fewer. Empty if the kernel does not tell.
pub fn allowed_cores() -> Vec<usize> {
    let Ok(set) = sched_getaffinity(None) else { return Vec::new() };
    (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect()
}
