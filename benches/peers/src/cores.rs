//! The cores of this machine that a process may use.

use rustix::thread::{CpuSet, sched_getaffinity};

/// The cores that this process, and what it starts, may use: those of the machine, unless `taskset`
/// or a container allows fewer. Empty if the kernel does not say.
pub fn allowed_cores() -> Vec<usize> {
    let Ok(set) = sched_getaffinity(None) else { return Vec::new() };
    (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect()
}
