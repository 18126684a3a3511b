//! The request for a tick before its time.

use crate::platform::sync::{AtomicBool, OnceLock, Ordering};
use std::fmt;

/// A worker's request for a tick before its time, when the first services of a stage have ended.
///
/// Until a tick has seen a service, the gate of the stage admits a fixed first burst. After a start
/// under overload that burst would grow until the next regular tick.
#[derive(Default)]
pub(crate) struct EarlyTick {
    is_due: AtomicBool,
    wake: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl EarlyTick {
    /// Sets what wakes the thread of the ticks. Without it, the driver of the ticks asks with
    /// [`EarlyTick::take`].
    pub(crate) fn set_wake(&self, wake: impl Fn() + Send + Sync + 'static) {
        let is_first = self.wake.set(Box::new(wake)).is_ok();
        debug_assert!(is_first, "one thread ticks a graph");
    }

    pub(crate) fn request(&self) {
        self.is_due.store(true, Ordering::Release);
        if let Some(wake) = self.wake.get() {
            wake();
        }
    }

    /// Returns whether a tick was requested since the last call.
    #[cfg(feature = "simulation")]
    pub(crate) fn take(&self) -> bool {
        self.is_due.swap(false, Ordering::Acquire)
    }
}

impl fmt::Debug for EarlyTick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EarlyTick").field("is_due", &self.is_due).finish_non_exhaustive()
    }
}
