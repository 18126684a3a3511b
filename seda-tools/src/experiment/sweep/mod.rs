//! Sweeps: the same server under loads from half its capacity to many times of it.
//!
//! A round probes for the capacity and then runs every load, so that what a shared machine takes
//! away from one, it takes away from the other. The logic stands on a [`Rig`], which runs one load;
//! the tests have one that is a formula.

mod assertion;
mod capacity;
mod display;
mod live;
mod points;
mod report;
mod rounds;
mod stages;

pub use assertion::{Assertion, AssertionError, Verdict};
pub use capacity::NoCapacity;
pub use live::Live;
pub use report::{LambdaMax, Point, Round, Run, Spread, StagePoint, SweepReport};
pub(crate) use rounds::settle;
pub use rounds::{Load, Measured, Rest, Rig, SweepError, SweepPlan, pool, sweep};
