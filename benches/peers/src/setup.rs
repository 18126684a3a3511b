//! The setup of every comparison: a core for each side, and its end by a signal.

use rustix::thread::{CpuSet, sched_setaffinity};
use seda_tools::generator::Stop;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::thread;

/// The core that contestants run on.
pub const SERVER_CORE: usize = 0;
/// The core that the generator runs on.
pub const GENERATOR_CORE: usize = 1;

/// A comparison that cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// There is only one core, or this process may not use the other.
    #[error("core {GENERATOR_CORE} is not available: {0}; two cores are needed")]
    Core(#[source] io::Error),
    /// The thread that waits for signals could not be started.
    #[error("no thread to wait for signals: {0}; the machine may be short of threads")]
    Signals(#[from] io::Error),
}

/// Pins this thread, and those it starts from now on, to the generator's core.
///
/// # Errors
/// If this process may not use that core.
pub fn pin_generator() -> Result<(), SetupError> {
    let mut core = CpuSet::new();
    core.set(GENERATOR_CORE);
    sched_setaffinity(None, &core).map_err(|error| SetupError::Core(error.into()))
}

/// Returns a [`Stop`] that Ctrl-C and SIGTERM trigger: the running load ends, and the servers end
/// with the program.
///
/// # Errors
/// If no thread can be started to wait for signals.
pub fn stop_on_signal() -> Result<Stop, SetupError> {
    let stop = Stop::default();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let triggered = stop.clone();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for _ in signals.forever() {
            triggered.ask();
        }
    })?;
    Ok(stop)
}
