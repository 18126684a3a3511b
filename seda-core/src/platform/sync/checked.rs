//! The primitives of a model checker, loom or shuttle by cfg, under the machine's names.
//!
//! Both checkers follow std's interface; this file adapts it to parking_lot's. No time passes in a
//! model: a wait with a limit lasts until its notification. So a lost wake-up is a deadlock, which
//! the checker reports, instead of a delay, which no test would notice.

#[cfg(seda_model = "loom")]
pub(crate) use loom as checker;
#[cfg(seda_model = "shuttle")]
pub(crate) use shuttle as checker;

pub(crate) use checker::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence,
};
pub(crate) use checker::thread::{JoinHandle, spawn};

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;
use std::time::Duration;

/// `thread_local!` with a constant initializer, which loom's macro does not accept.
macro_rules! per_thread {
    ($(#[$of_static:meta])* $visible:vis static $name:ident: $of:ty = const { $value:expr };) => {
        $crate::platform::sync::checker::thread_local! {
            $(#[$of_static])*
            $visible static $name: $of = $value;
        }
    };
}
pub(crate) use per_thread;

/// Does nothing. The machine's hint has no effect to rely on, but a checker's would force other
/// threads to run first.
pub(crate) fn yield_now() {}

/// Lets other threads of the model run.
pub(crate) fn pause(_limit: Duration) {
    checker::thread::yield_now();
}

/// A checker's mutex without poisoning.
#[derive(Default)]
pub(crate) struct Mutex<T>(checker::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(checker::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mutex")
    }
}

/// A guard. It is empty only while a [`Condvar`] waits with it.
pub(crate) struct MutexGuard<'a, T>(Option<checker::sync::MutexGuard<'a, T>>);

const HELD: &str = "a guard is empty only inside a wait";

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect(HELD)
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect(HELD)
    }
}

/// The result of a wait with a limit; in a model always a notification.
pub(crate) struct Notified;

/// A checker's condition variable with parking_lot's interface.
pub(crate) struct Condvar(checker::sync::Condvar);

impl Condvar {
    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.0.take().expect(HELD);
        guard.0 = Some(self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits without a limit, because no time passes in a model.
    pub(crate) fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, _limit: Duration) -> Notified {
        self.wait(guard);
        Notified
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self(checker::sync::Condvar::new())
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Condvar")
    }
}
