//! The servers that the benchmarks compare seda with.
//!
//! A [`Contestant`] is one of them with its settings; [`Contestant::start`] returns a [`Server`]
//! that runs on the given cores. Measurements need release builds: call [`build`] first. The
//! servers themselves are in the program `peer`. They share `answers` and `burn`, so they differ
//! only in how they schedule work.

pub mod answers;
mod burn;
mod contestant;
mod cores;
mod document;
mod error;
mod launch;
mod nginx;
mod programs;
mod server;
mod setup;
mod site;

pub use burn::burn;
pub use contestant::{Contestant, UnknownContestant};
pub use cores::allowed_cores;
pub use document::{DocumentError, Marks};
pub use error::StartError;
pub use programs::{BuildError, build, root};
pub use server::Server;
pub use setup::{GENERATOR_CORE, SERVER_CORE, SetupError, pin_generator, stop_on_signal};
