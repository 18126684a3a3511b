//! What every comparison begins with: a core for each side, and a way to end it.

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

/// Why a comparison cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// There is one core only, or this process may not have the other.
    #[error("core {GENERATOR_CORE} cannot be had ({0}): two are needed")]
    Core(#[source] io::Error),
    /// No thread can wait for signals.
    #[error("signals cannot be waited for ({0}); the machine may be short of threads")]
    Signals(#[from] io::Error),
}

/// Keeps this thread, and those it starts from now on, to the generator's core.
///
/// # Errors
/// There is no such core.
pub fn pin_generator() -> Result<(), SetupError> {
    let mut core = CpuSet::new();
    core.set(GENERATOR_CORE);
    sched_setaffinity(None, &core).map_err(|error| SetupError::Core(error.into()))
}

/// Ctrl-C, or SIGTERM, ends the load that runs; servers end with the program.
///
/// # Errors
/// There is no thread to wait for signals.
pub fn stop_on_signal() -> Result<Stop, SetupError> {
    let stop = Stop::default();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let asked = stop.clone();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for _ in signals.forever() {
            asked.ask();
        }
    })?;
    Ok(stop)
}
