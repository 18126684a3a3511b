//! What a worker does when it has nothing to do.
//!
//! There is one worker loop ([`crate::worker::Worker::run`]) and it ends each round in a [`Park`]. A
//! plain worker sleeps on a condition variable; a reactor polls its sockets, which makes it a
//! worker whose idle action is to poll.

use crate::platform::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// The idle action of one worker; it stays on the worker's thread.
pub trait Park {
    /// Called after each turn in which the worker ran something: a look around that must not
    /// block. A reactor serves its sockets here.
    fn poll(&mut self) {}

    /// Blocks until [`Unpark::unpark`] was called (also if that was before), until there is
    /// something to do on this side, or until `limit` has passed. May return early.
    fn park(&mut self, limit: Option<Duration>);

    /// The handle that ends [`Park::park`] from any thread.
    fn unparker(&self) -> Arc<dyn Unpark>;
}

/// Ends a [`Park::park`], now or the next one.
pub trait Unpark: Send + Sync {
    /// Wakes the worker; must not block.
    fn unpark(&self);
}

/// Parks on a condition variable.
#[derive(Debug, Default)]
pub struct CondvarPark {
    shared: Arc<Notified>,
}

#[derive(Debug, Default)]
struct Notified {
    flag: Mutex<bool>,
    condvar: Condvar,
}

impl CondvarPark {
    /// A place to park.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Park for CondvarPark {
    fn park(&mut self, limit: Option<Duration>) {
        let mut notified = self.shared.flag.lock();
        if !*notified {
            match limit {
                Some(limit) => drop(self.shared.condvar.wait_for(&mut notified, limit)),
                None => self.shared.condvar.wait(&mut notified),
            }
        }
        *notified = false;
    }

    fn unparker(&self) -> Arc<dyn Unpark> {
        Arc::clone(&self.shared) as Arc<dyn Unpark>
    }
}

impl Unpark for Notified {
    fn unpark(&self) {
        let mut notified = self.flag.lock();
        *notified = true;
        // Notified after the flag is free again, so that the woken thread does not run into it.
        drop(notified);
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
