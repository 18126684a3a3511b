//! Config.

mod class;
mod codel;
mod control;
mod declared;
mod diff;
pub mod error;
mod graph;
mod policies;
mod pool;
mod rate;
mod replicas;
mod resolved;
mod slo;
mod stage;
pub mod units;

pub(crate) use class::PerClass;
pub use class::{Class, ClassConfig, MAX_CLASSES};
pub use codel::{CodelConfig, CodelLaw};
pub(crate) use declared::{DeclaredPool, StageDeclaration};
pub use policies::{HotspotConfig, Law, OverloadPolicy};
#[cfg(test)]
pub(crate) use pool::MAX_WORKERS;
pub use pool::{PoolConfig, WorkerRange};
pub use replicas::{Balance, MAX_REPLICAS, Replicas};
pub(crate) use resolved::{DEFAULT_BYTES, StandingConfig};
pub(crate) use stage::part;
pub use stage::{DEFAULT_PENDING, StageConfig};

pub use control::{ControlConfig, Mode};
pub(crate) use declared::{Declaration, Membership};
pub use diff::Change;
pub use error::{GraphError, GraphWarning};
pub use graph::GraphConfig;
pub use rate::RateConfig;
pub(crate) use resolved::{Settings, StageSettings};
pub(crate) use slo::MOST;
pub use slo::{ClassSlo, SloConfig};
