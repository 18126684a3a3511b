//! A server's process seen from outside, through `/proc`: any server, not only seda's.
//!
//! The load generator sees what a server answers; why it answers no more, only the server's machine
//! knows. A [`Watcher`] follows one process and its descendants (a master and its workers) and
//! reads what the kernel counted for them: time on a core, time spent waiting for one, switches,
//! memory, and connections that found the listen queue full. Two readings make a [`ServerReport`],
//! and a [`verdict()`] says in words what held the server back. It needs Linux, and the same machine;
//! it costs the server nothing, and the reader about 50 µs for each of the server's threads.

mod cpus;
mod children;
mod ledger;
mod listen;
mod process;
mod procfs;
mod report;
mod sample;
mod task;
#[cfg(test)]
mod tests;
mod watcher;

pub use report::{Peaks, ServerReport};
pub use sample::Sample;
pub use watcher::{WatchError, Watcher};
