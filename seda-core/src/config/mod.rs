//! Everything that a file or code can set, checked before it takes effect.
//!
//! The room holds the plain data of settings, their parsing and bounds, the settings in force, and
//! the errors about them. It imports `stats` and `platform`. A mechanism that reads a setting
//! belongs to its own room.
//!
//! The way of a setting: `graph`, `stage`, `pool`, `class`, `slo`, `control` (as written, with the
//! defaults) → `declaration` (what code declares) → `stage_settings` (one stage, with bounds) →
//! `resolved` (the whole graph, in force) → `diff` (what a change changes).

mod class;
mod codel;
mod control;
mod declaration;
mod diff;
mod error;
mod fault;
mod graph;
mod index;
mod policies;
mod pool;
mod rate;
mod replicas;
mod resolved;
mod slo;
mod stage;
mod stage_settings;
pub mod units;
mod word;

pub use class::Class;
pub(crate) use class::{ClassConfig, MAX_CLASSES, PerClass};
pub use codel::{CodelConfig, CodelLaw};
pub use control::{ControlConfig, Mode, UnknownController};
pub(crate) use declaration::{Declaration, Membership, PoolDeclaration, StageDeclaration};
pub use diff::SettingChange;
pub use error::{GraphError, GraphWarning, ReconfigureError, SettingsError};
pub use fault::{ParseWordError, SettingFault};
pub use graph::GraphConfig;
pub(crate) use index::{PoolIndex, Pools, Position, StageIndex, Stages};
pub use policies::{HotspotConfig, Law, OverloadPolicy};
#[cfg(test)]
pub(crate) use pool::MAX_WORKERS;
pub use pool::{PoolConfig, WorkerRange, WorkerRangeError};
pub use rate::RateConfig;
pub(crate) use replicas::MAX_REPLICAS;
pub use replicas::{Balance, Replicas};
pub(crate) use resolved::{DEFAULT_BYTES, Settings};
pub use slo::{ClassSlo, SloConfig};
pub use stage::StageConfig;
pub(crate) use stage::{DEFAULT_PENDING, part};
pub(crate) use stage_settings::{AqmConfig, StageSettings};
