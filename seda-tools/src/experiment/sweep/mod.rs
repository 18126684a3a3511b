//! Sweeps: one server under loads from half its capacity to many times its capacity.
//!
//! A round probes for the capacity and then runs every load, so that a disturbance of a shared
//! machine affects all loads alike. The logic uses a [`Rig`], which runs one load; in tests the rig
//! is a formula.

mod assertion;
mod capacity;
mod display;
mod error;
mod intervals;
mod live;
mod plan;
mod points;
mod report;
mod response_spreads;
mod rounds;
mod settle;
mod spread;
mod stages;

pub use super::relation::AssertionResult;
pub use assertion::{Assertion, AssertionError};
pub use error::{NoCapacity, SweepError};
pub use live::Live;
pub use plan::{Load, Measured, Pause, Rig, SweepPlan};
pub use report::{LambdaMax, Point, Round, Run, StagePoint, SweepReport};
pub use response_spreads::ResponseSpreads;
pub use rounds::{pool, sweep};
pub(crate) use settle::settle;
pub use spread::Spread;
