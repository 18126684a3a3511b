//! What the tests share: small graphs, gates that hold handlers up, and both ledgers' equations.
#![allow(dead_code, unreachable_pub, missing_docs)]

use parking_lot::{Condvar, Mutex};
#[allow(unused_imports, reason = "each test uses some of this")]
pub use seda_core::testing::assert_balanced;
use seda_core::testing::imbalances;
use seda_core::{Class, Report, SendOptions, StageConfig, WorkerRange};
use std::sync::{Arc, Once};
use std::time::Duration;

/// Long enough for any machine, so that a test that hangs fails.
pub const LONG: Duration = Duration::from_secs(60);

/// Both ledgers' equations; the first that does not hold is the error.
pub fn check_ledgers(report: &Report) -> Result<(), String> {
    imbalances(report).first().map_or(Ok(()), |fault| Err(fault.to_string()))
}

/// Holds handlers up until it is opened, and says how many wait at it.
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

    /// Waits until `n` handlers have come to the gate.
    pub fn wait_for(&self, n: usize) {
        let (state, changed) = &*self.0;
        let mut state = state.lock();
        while state.1 < n {
            assert!(!changed.wait_for(&mut state, LONG).timed_out(), "nobody came to the gate");
        }
    }
}

/// Looks again and again until `ready` says yes.
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

/// What handlers of these tests panic with: kept off the tests' output by [`quiet_panics`].
pub const ON_PURPOSE: &str = "on purpose";

/// Keeps panics that belong to a test out of its output; all others are still told.
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

/// Settings of a stage with `n` workers.
pub fn workers(n: usize) -> StageConfig {
    StageConfig { workers: Some(WorkerRange::exactly(n)), ..StageConfig::default() }
}

/// SendOptions of a class without a deadline.
pub fn class(index: u8) -> SendOptions {
    SendOptions { class: Class::new(index), ..SendOptions::default() }
}
