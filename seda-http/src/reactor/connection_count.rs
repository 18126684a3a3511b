//! How many connections there are over all reactors, and who waits for none to be left.

use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Counts [`Presence`]s: one for each connection, wherever it is, and one for the listener while
/// it is open.
#[derive(Debug, Default)]
pub(crate) struct Occupancy {
    present: AtomicUsize,
    lock: Mutex<()>,
    emptied: Condvar,
}

impl Occupancy {
    /// One more.
    pub(crate) fn enter(self: &Arc<Self>) -> Presence {
        self.present.fetch_add(1, Ordering::SeqCst);
        Presence(Arc::clone(self))
    }

    pub(super) fn present(&self) -> usize {
        self.present.load(Ordering::SeqCst)
    }

    /// Waits until nobody is present, for `limit` at most; false if somebody still is.
    pub(crate) fn wait_until_empty(&self, limit: Duration) -> bool {
        let mut guard = self.lock.lock();
        self.emptied.wait_while_for(&mut guard, |()| self.present() > 0, limit);
        self.present() == 0
    }
}

/// Counts as long as it lives.
#[derive(Debug)]
pub(crate) struct Presence(Arc<Occupancy>);

impl Drop for Presence {
    fn drop(&mut self) {
        if self.0.present.fetch_sub(1, Ordering::SeqCst) == 1 {
            // Under the lock, so that it cannot fall between a waiter's look and its wait.
            drop(self.0.lock.lock());
            self.0.emptied.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_nobody_is_told_when_the_last_one_leaves() {
        let occupancy = Arc::new(Occupancy::default());
        let (first, second) = (occupancy.enter(), occupancy.enter());
        drop(first);
        assert!(!occupancy.wait_until_empty(Duration::ZERO));
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(occupancy.wait_until_empty(Duration::from_secs(60))));
            drop(second);
        });
    }
}
