//! The number of connections over all reactors of a server.

use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Counts [`ConnectionGuard`]s: one for each connection, on its way to a reactor or in it, and one
/// for the listener while it is open.
#[derive(Debug, Default)]
pub(crate) struct ConnectionCount {
    count: AtomicUsize,
    lock: Mutex<()>,
    reached_zero: Condvar,
}

impl ConnectionCount {
    /// Counts one connection until the guard is dropped.
    pub(crate) fn add(self: &Arc<Self>) -> ConnectionGuard {
        self.count.fetch_add(1, Ordering::SeqCst);
        ConnectionGuard(Arc::clone(self))
    }

    /// Returns the current number of guards.
    pub(super) fn get(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Waits until the count is zero, for at most `limit`. Returns false at the limit.
    pub(crate) fn wait_until_zero(&self, limit: Duration) -> bool {
        let mut guard = self.lock.lock();
        self.reached_zero.wait_while_for(&mut guard, |()| self.get() > 0, limit);
        self.get() == 0
    }
}

/// Counts as one connection until it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionGuard(Arc<ConnectionCount>);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            // Taking the lock keeps the notification from falling between the waiter's check of
            // the count and its wait.
            drop(self.0.lock.lock());
            self.0.reached_zero.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_thread_is_notified_when_the_last_guard_drops() {
        let count = Arc::new(ConnectionCount::default());
        let first = count.add();
        let second = count.add();
        drop(first);
        assert!(!count.wait_until_zero(Duration::ZERO));
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(count.wait_until_zero(Duration::from_secs(60))));
            drop(second);
        });
    }
}
