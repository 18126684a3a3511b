//! Ctrl-C.

use crate::generator::Stop;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::thread;

/// The first signal asks the run to end soon, the second at once.
pub(super) fn stop_on_signal() -> io::Result<Stop> {
    let stop = Stop::default();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let asked = stop.clone();
    // It waits for signals as long as the process lives: nobody joins it.
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for _ in signals.forever() {
            asked.ask();
        }
    })?;
    Ok(stop)
}
