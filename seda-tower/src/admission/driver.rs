//! Turns of the one worker that lets requests in, on the threads that bring and end them.
//!
//! The worker of the admission stage only hands places to waiting futures: a microsecond of work. A
//! thread of its own would be woken for every request. So its turns run on the thread that sends
//! the event or frees the place, as the protocol of an idle worker ([`Worker::rest`]) calls for
//! them:
//!
//! 1. A thread that is called counts its call, then tries to take the worker.
//! 2. If another thread has the worker, that thread sees the count when it has put the worker back,
//!    and takes it once more. So no call is lost, and no thread waits for another.
//! 3. The thread gives turns until the worker rests or has retired.

use parking_lot::Mutex;
use seda_core::{Turn, Unpark, Worker};
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Arc, Weak};

/// The worker of the admission stage, and the calls for its turns.
pub(super) struct Driver {
    me: Weak<Driver>,
    calls: AtomicUsize,
    /// `None` before the start and after the worker has retired.
    worker: Mutex<Option<Worker>>,
}

impl Driver {
    /// Returns the driver of `worker`, which rests from here on.
    pub(super) fn start(worker: Option<Worker>) -> Arc<Self> {
        let driver = Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            calls: AtomicUsize::new(0),
            worker: Mutex::new(worker),
        });
        driver.unpark();
        driver
    }

    /// Gives turns until the worker rests or has retired.
    fn give_turns(&self, place: &mut Option<Worker>) {
        while let Some(worker) = place {
            match worker.turn() {
                Turn::Ran(_) => {}
                Turn::Idle(_) => {
                    let Some(me) = self.me.upgrade() else { return };
                    if worker.rest(me) {
                        return;
                    }
                }
                Turn::Retired => *place = None,
            }
        }
    }
}

impl Unpark for Driver {
    fn unpark(&self) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        // Either the try below finds the worker, or the thread that has it sees the call.
        fence(Ordering::SeqCst);
        loop {
            let Some(mut worker) = self.worker.try_lock() else { return };
            let seen = self.calls.load(Ordering::SeqCst);
            self.give_turns(&mut worker);
            drop(worker);
            fence(Ordering::SeqCst);
            if self.calls.load(Ordering::SeqCst) == seen {
                return;
            }
        }
    }
}
