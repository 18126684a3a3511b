//! The protocol by which a source outside the graph waits for space.
//!
//! States of a waiting thread:
//!
//! 1. *counted*: `waiting` includes it, so that every later announcement takes the lock;
//! 2. *attempting*: it has read the generation and tries once more without the lock, because an
//!    attempt may itself announce space;
//! 3. *asleep*: the attempt failed and the generation is unchanged under the lock;
//! 4. *gone*: `waiting` no longer includes it.
//!
//! An announcement between 2 and 3 changes the generation, so the thread does not sleep through an
//! announcement that it missed. Space that is freed without an announcement is found after 20 ms.

use crate::platform::sync::{AtomicUsize, Condvar, Flaw, Mutex, Ordering, is_seeded};
use std::time::Duration;

/// The longest sleep of a waiting sender before it attempts again without an announcement.
const WAIT_SLICE: Duration = Duration::from_millis(20);

/// The waiting place of sources outside the graph. Few threads ever wait, so one serves them all.
#[derive(Debug, Default)]
pub(crate) struct SpaceNotify {
    waiting: AtomicUsize,
    /// The generation: the number of announcements that found a waiting thread.
    lock: Mutex<u64>,
    changed: Condvar,
}

impl SpaceNotify {
    /// Announces that space may have become free. Costs one load while no thread waits.
    pub(super) fn announce(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            *self.lock.lock() += u64::from(!is_seeded(Flaw::NoGeneration));
            self.changed.notify_all();
        }
    }

    /// Attempts once more; if that fails, sleeps until space is announced, for `limit` and for
    /// 20 ms at most. Returns the result of the attempt: callers attempt in a loop.
    pub(crate) fn wait<T, E>(
        &self,
        limit: Duration,
        attempt: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        // Counted: from here on no announcement is skipped.
        self.waiting.fetch_add(1, Ordering::SeqCst);
        // Attempting: without the lock, because the attempt may announce space itself.
        let generation = *self.lock.lock();
        let result = attempt();
        if result.is_err() {
            // Asleep, unless space was announced during the attempt.
            let mut now = self.lock.lock();
            if *now == generation {
                self.changed.wait_for(&mut now, limit.min(WAIT_SLICE));
            }
        }
        // Gone.
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        result
    }
}
