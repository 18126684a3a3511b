//! How many connections there are over all reactors, and who waits for none to be left.

use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Counts [`ConnectionGuard`]s: one for each connection, wherever it is, and one for the listener while
/// it is open.
#[derive(Debug, Default)]
pub(crate) struct ConnectionCount {
    present: AtomicUsize,
    lock: Mutex<()>,
    reached_zero: Condvar,
}

impl ConnectionCount {
    /// One more.
    pub(crate) fn add(self: &Arc<Self>) -> ConnectionGuard {
        self.present.fetch_add(1, Ordering::SeqCst);
        ConnectionGuard(Arc::clone(self))
    }

    pub(super) fn get(&self) -> usize {
        self.present.load(Ordering::SeqCst)
    }

    /// Waits until nobody is present, for `limit` at most; false if somebody still is.
    pub(crate) fn wait_until_zero(&self, limit: Duration) -> bool {
        let mut guard = self.lock.lock();
        self.reached_zero.wait_while_for(&mut guard, |()| self.get() > 0, limit);
        self.get() == 0
    }
}

/// Counts as long as it lives.
#[derive(Debug)]
pub(crate) struct ConnectionGuard(Arc<ConnectionCount>);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        if self.0.present.fetch_sub(1, Ordering::SeqCst) == 1 {
            // Under the lock, so that it cannot fall between a waiter's look and its wait.
            drop(self.0.lock.lock());
            self.0.reached_zero.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_nobody_is_told_when_the_last_one_leaves() {
        let connection_count = Arc::new(ConnectionCount::default());
        let (first, second) = (connection_count.add(), connection_count.add());
        drop(first);
        assert!(!connection_count.wait_until_zero(Duration::ZERO));
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(connection_count.wait_until_zero(Duration::from_secs(60))));
            drop(second);
        });
    }
}
