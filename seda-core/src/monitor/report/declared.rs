//! What is declared about a stage and the machine, beside what is measured of them.

use serde::{Deserialize, Serialize};

/// The declared bounds of a stage, beside its capacity and its pool's workers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StageLimits {
    /// The most workers that may run it at once; `None`: all of its pool.
    pub cap: Option<usize>,
    /// The most events that may enter per second; `None` without a declared rate.
    pub rate_per_second: Option<f64>,
    /// The most events that may enter at once after a pause; `None` without a declared rate.
    pub rate_burst: Option<u64>,
    /// Its share of the workers' time, relative to the pool's other stages.
    pub weight: u32,
    /// The most pending events.
    pub pending: usize,
    /// The replicated stage that it is a replica of.
    pub replica_of: Option<String>,
    /// True if the events of one key are handled in order.
    pub keyed: bool,
    /// True if the program runs the workers of its pool, as reactors do.
    pub hosted: bool,
    /// True if a controller may change the number of its pool's workers and of its places outside.
    pub sized: bool,
}

/// The machine under the graph, over the last ten seconds. A number of cores is a mean of busy
/// cores. Figures that need procfs are `None` without it and in a simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MachineReport {
    /// Cores that the graph may use; 0 if that is unknown.
    pub cores: usize,
    /// The quota of the control group (`cpu.max`), in cores; `None` without one.
    pub quota: Option<f64>,
    /// Share of time in which the quota held threads back, 0 to 1; `None` without a quota.
    pub throttled: Option<f64>,
    /// Cores that this process used.
    pub process: Option<f64>,
    /// Cores that all processes used.
    pub busy: Option<f64>,
    /// Cores that other processes used: `busy` without `process`.
    pub others: Option<f64>,
    /// Cores that the hypervisor gave to other machines.
    pub steal: Option<f64>,
    /// Cores that the threads of hosted workers used outside stages: a reactor's own work.
    pub reactors: Option<f64>,
}
