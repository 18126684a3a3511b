//! The load generator: an engine without sockets, sockets without a schedule, and threads that
//! connect the two.
//!
//! # Threads
//!
//! [`run`] starts the generator threads and receives their progress over a channel. A thread is in
//! one of these states:
//!
//! - **Running**: it starts requests until its share of the schedule is through.
//! - **Stopping**, after [`Stop::ask`] was called once: it starts no request, and requests under
//!   way have one second to end.
//! - **Aborting**, after this second or a second call: it drops the requests under way, which then
//!   do not count as scheduled.
//! - **Ended**: it drops its sender and returns its counts. The channel closes when the last thread
//!   has ended; then `run` adds up the counts.
//!
//! # Imports
//!
//! This room may import `load`, `report`, `watch` and `h1`. Repeating and comparing runs belongs in
//! `experiment`.
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
mod precision;
mod rules;
mod run;
mod shares;
mod socket;
mod sockets;
mod source;
mod stop;
mod summary;
mod tally;

pub use crate::load::retry::Retry;
pub use loaded::Loaded;
pub use observer::{Observer, Progress};
pub use run::{LoadError, check, run, run_until};
pub use shares::PlanError;
pub use stop::Stop;
pub use tally::series::{MAX_BINS, Series};
