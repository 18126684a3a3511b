//! The idle action of a worker: the sleep itself. The module `pool` has the protocol around it,
//! `worker` the loop that parks.
//!
//! There is one worker loop, [`Worker::run`](crate::worker::Worker::run); an idle round of it ends
//! in a [`Park`]. A plain worker sleeps on a condition variable. A reactor polls its sockets,
//! so it is a worker too.

use crate::platform::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// The idle action of one worker. It stays on the worker's thread.
///
/// An implementation for a reactor polls its sockets in both methods:
///
/// ```
/// use seda_core::{Park, Unpark};
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// struct Waker(std::thread::Thread);
///
/// impl Unpark for Waker {
///     fn unpark(&self) {
///         self.0.unpark();
///     }
/// }
///
/// struct ThreadPark(Arc<Waker>);
///
/// impl Park for ThreadPark {
///     fn park(&mut self, limit: Option<Duration>) {
///         match limit {
///             Some(limit) => std::thread::park_timeout(limit),
///             None => std::thread::park(),
///         }
///     }
///
///     fn unparker(&self) -> Arc<dyn Unpark> {
///         self.0.clone()
///     }
/// }
///
/// let mut park = ThreadPark(Arc::new(Waker(std::thread::current())));
/// park.unparker().unpark();
/// park.park(None); // Returns at once: the wake-up came first.
/// ```
pub trait Park {
    /// Looks for outside work without blocking. The worker calls it after each turn that ran
    /// something; a reactor serves its sockets here.
    fn poll(&mut self) {}

    /// Blocks until [`Unpark::unpark`] is called, outside work arrives, or `limit` has passed.
    /// An unpark that came earlier counts, and an early return is allowed. `None`: no limit.
    fn park(&mut self, limit: Option<Duration>);

    /// Returns the handle that ends [`Park::park`] from any thread.
    fn unparker(&self) -> Arc<dyn Unpark>;
}

/// The handle that ends a [`Park::park`]: the present one, or the next.
pub trait Unpark: Send + Sync {
    /// Wakes the worker. Must not block.
    fn unpark(&self);
}

/// A [`Park`] on a condition variable: the idle action of workers with threads of their own.
#[derive(Debug, Default)]
pub struct CondvarPark {
    notification: Arc<Notification>,
}

/// An unpark that has not been consumed by a park.
#[derive(Debug, Default)]
struct Notification {
    pending: Mutex<bool>,
    condvar: Condvar,
}

impl CondvarPark {
    /// Returns a park without a pending wake-up.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Park for CondvarPark {
    fn park(&mut self, limit: Option<Duration>) {
        let mut pending = self.notification.pending.lock();
        if !*pending {
            match limit {
                Some(limit) => drop(self.notification.condvar.wait_for(&mut pending, limit)),
                None => self.notification.condvar.wait(&mut pending),
            }
        }
        *pending = false;
    }

    fn unparker(&self) -> Arc<dyn Unpark> {
        Arc::clone(&self.notification) as Arc<dyn Unpark>
    }
}

impl Unpark for Notification {
    fn unpark(&self) {
        let mut pending = self.pending.lock();
        *pending = true;
        // The lock is free before the notification, so the woken thread does not block on it.
        drop(pending);
        self.condvar.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unpark_before_the_park_is_not_lost() {
        let mut park = CondvarPark::new();
        park.unparker().unpark();
        park.park(None);
        park.park(Some(Duration::ZERO));
    }
}
