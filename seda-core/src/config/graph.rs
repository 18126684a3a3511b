//! Settings of a graph, as a file can hold them.

use crate::config::control::ControlConfig;
use crate::config::pool::PoolConfig;
use crate::config::slo::SloConfig;
use crate::config::stage::StageConfig;
use crate::config::units;
use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of a graph; every one has a default. They go before what code declares, at the start
/// ([`crate::graph::Graph::apply`]) and while the graph runs ([`crate::runtime::Running::reconfigure`]). All can
/// change live, except the workers of a hosted pool.
///
/// ```toml
/// budget = 2048
/// slo.p99 = "200ms"
/// control.pool_size = "observe"
/// classes.gold = 3
/// pools.front.workers = "2..8"
///
/// [stages.render]
/// capacity = 256
/// soft = 200
/// batch = 16
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of a graph's settings")]
pub struct GraphConfig {
    /// How many events the graph may hold: queued, in hand, pending and reserved. `None`: half of
    /// what the queues hold together, and as much as the largest of them, so that it binds
    /// before the queues are all full and never before a single one is.
    #[serde(deserialize_with = "units::optional_count")]
    pub budget: Option<usize>,
    /// How many bytes the events in it may have, as far as their stages weigh them: "64MiB".
    /// `None`: 256 MiB, a quarter of what the smallest machines that run servers have.
    #[serde(deserialize_with = "units::optional_size")]
    pub budget_bytes: Option<ByteSize>,
    /// How many workers all pools may have together. Each keeps the fewest it may have; where they
    /// want more than there are, the largest give way. `None`: 1,024, with which 8 GiB of address
    /// space are stacks, or the fewest if those are more.
    #[serde(deserialize_with = "units::optional_count")]
    pub workers: Option<usize>,
    /// Whether waits, services and occupancy are recorded. The ledgers always are. Rates of a
    /// report's window in which it changes are of a part of it.
    pub statistics: bool,
    /// What was promised of response times.
    pub slo: SloConfig,
    /// The controllers.
    pub control: ControlConfig,
    /// Settings of stages, by name.
    pub stages: BTreeMap<String, StageConfig>,
    /// Settings of shared pools, by name.
    pub pools: BTreeMap<String, PoolConfig>,
    /// Shares of classes by name: how many events of a class are taken out of a queue in its
    /// turn of the round robin, 1 to 1,000,000. Default: as declared in code.
    #[serde(deserialize_with = "units::counts")]
    pub classes: BTreeMap<String, u32>,
}

impl Default for GraphConfig {
    fn default() -> Self {
        Self {
            budget: None,
            budget_bytes: None,
            workers: None,
            statistics: true,
            slo: SloConfig::default(),
            control: ControlConfig::default(),
            stages: BTreeMap::new(),
            pools: BTreeMap::new(),
            classes: BTreeMap::new(),
        }
    }
}
