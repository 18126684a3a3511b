//! The servers that seda is compared with.
//!
//! A [`Contestant`] is one of them, with its settings; [`Contestant::start`] gives a [`Server`] that
//! runs on the cores it was given. What is measured are release builds: call [`build`] first. The
//! program `peer` holds the servers themselves; `answers` and `burn` are what all of them share, so
//! that they differ in nothing but how they schedule work.

pub mod answers;
mod burn;
mod contestant;
mod cores;
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
pub use error::StartError;
pub use programs::{BuildError, build, root};
pub use server::Server;
pub use setup::{GENERATOR_CORE, SERVER_CORE, SetupError, pin_generator, stop_on_signal};
