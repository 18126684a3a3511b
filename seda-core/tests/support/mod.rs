//! Shared by the tests: gates that block handlers, and the equations of both ledgers.
#![allow(clippy::panic, dead_code, unreachable_pub, missing_docs)]

use parking_lot::{Condvar, Mutex};
#[allow(unused_imports, reason = "each test uses some of this")]
pub use seda_core::testing::assert_balanced;
use seda_core::testing::imbalances;
use seda_core::{Class, Report, SendOptions, StageConfig, WorkerRange};
use std::sync::{Arc, Once};
use std::time::Duration;

/// Longer than any machine needs, so a test that hangs fails.
pub const LONG: Duration = Duration::from_secs(60);

/// Checks the equations of both ledgers; the first that does not hold is the error.
pub fn check_ledgers(report: &Report) -> Result<(), String> {
    imbalances(report).first().map_or(Ok(()), |fault| Err(fault.to_string()))
}

/// Blocks handlers until it is opened, and counts those that wait.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<(bool, usize)>, Condvar)>);

impl Gate {
    pub fn pass(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock();
        state.1 += 1;
        changed.notify_all();
        while !state.0 {
            changed.wait(&mut state);
        }
    }

    pub fn open(&self) {
        self.0.0.lock().0 = true;
        self.0.1.notify_all();
    }

    /// Waits until `n` handlers have reached the gate.
    pub fn wait_for(&self, n: usize) {
        let (state, changed) = &*self.0;
        let mut state = state.lock();
        while state.1 < n {
            assert!(!changed.wait_for(&mut state, LONG).timed_out(), "no handler came to the gate");
        }
    }
}

/// Polls `ready` until it returns true.
#[track_caller]
pub fn wait_until(what: &str, mut ready: impl FnMut() -> bool) {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    for _ in 0..60_000 {
        if ready() {
            return;
        }
        let _ = receiver.recv_timeout(Duration::from_millis(1));
    }
    drop(sender);
    panic!("never happened: {what}");
}

/// The panic message of handlers in these tests: [`quiet_panics`] keeps it out of the output.
pub const ON_PURPOSE: &str = "on purpose";

/// Keeps intended panics out of the output of a test; all others are printed.
pub fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<&str>() != Some(&ON_PURPOSE) {
                usual(info);
            }
        }));
    });
}

/// Returns the settings of a stage with `n` workers.
pub fn workers(n: usize) -> StageConfig {
    StageConfig { workers: Some(WorkerRange::exactly(n)), ..StageConfig::default() }
}

/// Returns the options of a class without a deadline.
pub fn class(index: u8) -> SendOptions {
    SendOptions { class: Class::new(index), ..SendOptions::default() }
}
