//! Runs loads against servers and turns them into figures, rows of overload cells among them.
//!
//! This room imports `judge` and `settings`. The plan of a whole cell belongs to `cases`.

pub(crate) mod fetch;
pub(crate) mod ledger;
pub(crate) mod load_point;
pub(crate) mod meter;
pub(crate) mod paths;
pub(crate) mod profile;
pub(crate) mod round;
pub(crate) mod runner;
pub(crate) mod sampler;
pub(crate) mod series;
pub(crate) mod servers;
pub(crate) mod threads;
