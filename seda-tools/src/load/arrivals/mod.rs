//! The intended start times of requests: nanoseconds since the run began, never descending.
//!
//! The times are fixed before the first request is sent and depend on no answer. This makes the
//! load open: a slow server meets the same arrivals as a fast one.
//!
//! - [`Process`]: the spacing of arrivals at a given rate.
//! - [`Profile`]: the rate over the time of the run, in [`Part`]s.
//! - [`Arrivals`]: the times, [drawn](Arrivals::drawn) from a profile or
//!   [recorded](Arrivals::recorded) in a trace, whole or as the [shard](Arrivals::shard) of a
//!   thread.

mod process;
mod profile;
mod recorded;
mod renewal;
mod stream;
mod stretch;
mod uniform;
mod unit;

pub use process::{Process, ProcessError};
pub use profile::{LONGEST_PROFILE, MAX_RATE, Profile, ProfileError};
pub use seda_sim::spec::Part;
pub use stream::Arrivals;
pub(crate) use unit::unit;

#[cfg(test)]
mod stream_tests;
