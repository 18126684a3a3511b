//! Random numbers and time, which everything else is made of.

pub(crate) mod rng;
pub(crate) mod time;
