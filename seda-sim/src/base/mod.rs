//! What every other room stands on: random numbers and time.
//!
//! Imports nothing of this crate. Anything that knows a spec, a request or a graph does not belong
//! here.

pub(crate) mod rng;
pub(crate) mod time;
