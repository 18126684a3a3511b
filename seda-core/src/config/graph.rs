//! The settings of a graph, as a file holds them.

use crate::config::control::ControlConfig;
use crate::config::pool::PoolConfig;
use crate::config::slo::SloConfig;
use crate::config::stage::StageConfig;
use crate::config::units;
use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of a graph, as a file holds them; every one has a default.
///
/// They take precedence over code, at the start ([`Graph::apply`](crate::graph::Graph::apply)) and
/// while the graph runs ([`Running::reconfigure`](crate::runtime::Running::reconfigure)). All can
/// change live, except the workers of a hosted pool.
///
/// ```
/// let text = r#"
///     budget = 2048
///     slo.p99 = "200ms"
///     control.pool_size = "observe"
///     classes.gold = 3
///     pools.front.workers = "2..8"
///
///     [stages.render]
///     capacity = 256
///     soft = 200
///     batch = 16
/// "#;
/// let config: seda_core::GraphConfig = toml::from_str(text)?;
/// assert_eq!(config.budget, Some(2048));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of a graph's settings")]
pub struct GraphConfig {
    /// The most events in the graph: queued, in hand, pending and reserved. `None`: half of the sum
    /// of all capacities, and at least the largest of them, so that it binds before all queues are
    /// full, and never before a single one is.
    #[serde(deserialize_with = "units::optional_count")]
    pub budget: Option<usize>,
    /// The most bytes of events in the graph, counted at the stages that weigh their events:
    /// "64MiB". `None`: 256 MiB, a quarter of the memory of the smallest servers.
    #[serde(deserialize_with = "units::optional_size")]
    pub budget_bytes: Option<ByteSize>,
    /// The most workers of all pools together. Each pool keeps its minimum; where the pools want
    /// more than this, the largest get less. `None`: 1,024, whose stacks are 8 GiB of address
    /// space, or the sum of the minima if that is more.
    #[serde(deserialize_with = "units::optional_count")]
    pub workers: Option<usize>,
    /// Whether waits, services and occupancy are recorded; the ledgers always are. If it changes
    /// within the window of a report, rates cover only a part of that window.
    pub statistics: bool,
    /// The service-level objective.
    pub slo: SloConfig,
    /// The controllers.
    pub control: ControlConfig,
    /// Settings of stages, by name.
    pub stages: BTreeMap<String, StageConfig>,
    /// Settings of shared pools, by name.
    pub pools: BTreeMap<String, PoolConfig>,
    /// Shares of classes, by name: the number of events of a class that are taken from a queue in
    /// its turn of the round robin, 1 to 1,000,000. Default: as declared in code.
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
