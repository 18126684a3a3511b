//! Ctrl-C.

use crate::generator::Stop;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::thread;

/// Returns a stop that SIGINT and SIGTERM ask: the first signal ends the run soon, the second at
/// once.
pub(super) fn stop_on_signal() -> io::Result<Stop> {
    let stop = Stop::default();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let asked = stop.clone();
    // The thread waits for signals until the process ends; it is never joined.
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for _ in signals.forever() {
            asked.ask();
        }
    })?;
    Ok(stop)
}
