//! Config.

mod control;
mod declared;
mod diff;
pub mod error;
mod graph;
mod rate;
mod resolved;
mod slo;
pub mod units;

pub use control::{ControlConfig, Mode, UnknownController};
pub(crate) use declared::{Declaration, Membership};
pub use diff::Change;
pub use error::{GraphError, GraphWarning};
pub use graph::{ClassConfig, GraphConfig, PoolConfig};
pub use rate::RateConfig;
pub(crate) use resolved::{Settings, StageSettings};
pub(crate) use slo::MOST;
pub use slo::{ClassSlo, SloConfig};
