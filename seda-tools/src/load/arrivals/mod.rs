//! When requests are meant to start: nanoseconds since the run began, never descending.
//!
//! The times are fixed before the first request is sent and depend on no answer: that is what
//! makes the load open. A server that is slow meets the same arrivals as one that is fast.
//!
//! - [`Process`]: how the arrivals of a rate are spaced.
//! - [`Profile`]: the rate over the time of the run, in [`Part`]s.
//! - [`Arrivals`]: the times themselves, [drawn](Arrivals::drawn) from a profile or
//!   [recorded](Arrivals::recorded) in a trace, whole or one thread's [shard](Arrivals::shard).

mod poisson;
mod process;
mod profile;
mod recorded;
mod stream;
mod stretch;
mod uniform;
mod unit;

pub use process::{Process, ProcessError};
pub use profile::{LONGEST_PROFILE, MAX_RATE, Part, Profile, ProfileError};
pub use stream::Arrivals;
pub(crate) use unit::unit;

#[cfg(test)]
mod stream_tests;
