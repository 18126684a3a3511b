//! The load generator: an engine that knows no sockets, sockets that know no schedule,
//! and threads that drive the one against the other.
//!
//! ```text
//! source (schedule | clients) -> engine -> Transport: connections -> server
//!             tally <-------------'  ^------- ends of attempts ----'
//! ```

mod alarm;
mod attempt;
mod connection;
mod driver;
mod engine;
mod growth;
mod occupancy;
mod rules;
mod run;
mod series;
mod shares;
mod sockets;
mod source;
mod summary;
mod tally;
mod window;

pub use crate::load::retry::Retry;
pub use run::{LoadError, Loaded, Observer, Progress, Stop, run};
pub use series::{MAX_BINS, Series};
pub use shares::PlanError;
