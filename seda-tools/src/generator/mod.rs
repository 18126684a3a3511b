//! The load generator: an engine without sockets, sockets without a schedule, and threads that
//! connect the two.
//!
//! This room may import `load`, `report`, `watch` and `h1`. Repeating and comparing runs belongs
//! into `experiment`.
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
mod loaded;
mod observer;
mod occupancy;
mod responses;
mod rules;
mod run;
mod series;
mod shares;
mod sockets;
mod source;
mod stop;
mod summary;
mod tally;
mod window;

pub use crate::load::retry::Retry;
pub use loaded::Loaded;
pub use observer::{Observer, Progress};
pub use run::{LoadError, run};
pub use series::{MAX_BINS, Series};
pub use shares::PlanError;
pub use stop::Stop;
