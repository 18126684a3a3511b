//! The process of any server, watched from outside through `/proc`.
//!
//! The load generator measures the answers of a server; only the server's machine knows what limits
//! them. A [`Watcher`] follows one process and its descendants (a master and its workers) and reads
//! the counts of the kernel: time on a core, time on the run queue, context switches, memory, and
//! connections that a full listen queue rejected. Two samples make a [`ServerReport`]. Watching
//! needs Linux and the same machine. It costs the server nothing, and the reader about 50 µs for
//! each thread of the server.
//!
//! This room imports no other room. Judging a server by its load belongs in `report`.

mod cgroup;
mod children;
mod cpus;
mod ledger;
mod listen;
mod machine;
mod process;
mod procfs;
mod report;
mod sample;
mod task;
#[cfg(test)]
mod tests;
mod threads;
mod watcher;

pub use report::{MemoryReport, Peaks, ServerReport};
pub use sample::Sample;
pub use threads::{BusyThread, PinnedThreads, ThreadsReport};
pub use watcher::{WatchError, Watcher};
