//! Ground truth for the bottleneck that a report names: generated graphs, and what limits them.
//!
//! A [`Subject`] is a graph, drawn from a kind and a seed. Its [`Truth`] is known by intervention:
//! each stage's demand is halved, each pool and the cores are doubled, each bound is widened, and
//! the rate at which the graph is full is simulated again. The change that gains most shows what
//! limits the graph. A [`Look`] runs the graph under a load and judges what its report says.

mod action;
mod cause;
mod change;
mod draw;
mod kind;
mod look;
mod path;
mod said;
mod saturation;
mod sketch;
mod subject;
mod topology;
mod truth;
mod twist;
mod verdict;

pub use cause::Cause;
pub use change::Change;
pub use kind::{Kind, KindError};
pub use look::{LOADS, Look};
pub use said::Said;
pub use subject::Subject;
pub use truth::Truth;
pub use verdict::Verdict;
