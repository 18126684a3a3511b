//! The call of a drain to all workers: finish your handlers.
//!
//! The drain starts a new call, wakes all workers, and waits until each has followed it. A worker
//! follows when its queues are empty: it finishes its handlers and adds their number. Events that
//! a handler sent on from `finish` are handled like any others, possibly by a new handler. So the
//! drain calls again until a call finds no handler to finish.

use crate::platform::sync::{AtomicUsize, Ordering};

/// The number of the latest call, and the handlers finished since.
#[derive(Debug, Default)]
pub(crate) struct FinishBarrier {
    call: AtomicUsize,
    finished: AtomicUsize,
}

impl FinishBarrier {
    /// Returns the number of the latest call; 0 before the first.
    pub(crate) fn call(&self) -> usize {
        self.call.load(Ordering::Acquire)
    }

    /// Starts a new call and returns its number.
    pub(crate) fn call_again(&self) -> usize {
        // A swap and not a store: a worker that follows this call sees the sends before it.
        self.finished.swap(0, Ordering::SeqCst);
        self.call.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Adds the number of handlers that a worker has finished.
    pub(crate) fn answer(&self, handlers: usize) {
        self.finished.fetch_add(handlers, Ordering::SeqCst);
    }

    /// Returns the number of handlers finished since the latest call.
    pub(crate) fn finished(&self) -> usize {
        self.finished.load(Ordering::SeqCst)
    }
}
