//! The barrier at which a drain waits for all workers to finish their handlers.

use crate::platform::sync::{AtomicUsize, Ordering};

/// A drain's request to all workers: finish the handlers and send the events that they hold.
///
/// Each request is an *epoch*. The drain advances the epoch, each worker finishes its handlers once
/// its queues are empty, and records the epoch in its
/// [`WorkerStats`](crate::pool::WorkerStats). An epoch in which no handler was finished, with
/// nothing left in the budget, ends the drain.
#[derive(Debug, Default)]
pub(crate) struct FinishBarrier {
    epoch: AtomicUsize,
    /// Handlers finished in the present epoch.
    finished: AtomicUsize,
}

impl FinishBarrier {
    /// Returns the present epoch; 0 before the first request.
    pub(crate) fn epoch(&self) -> usize {
        self.epoch.load(Ordering::Acquire)
    }

    /// Begins the next epoch and returns it.
    pub(crate) fn advance(&self) -> usize {
        // A read-modify-write: a worker that sees the new epoch sees all events sent before it.
        self.finished.swap(0, Ordering::SeqCst);
        self.epoch.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Adds the handlers that one worker has finished.
    pub(crate) fn add_finished(&self, handlers: usize) {
        self.finished.fetch_add(handlers, Ordering::SeqCst);
    }

    /// Returns the number of handlers that were finished in the present epoch.
    pub(crate) fn finished(&self) -> usize {
        self.finished.load(Ordering::SeqCst)
    }
}
