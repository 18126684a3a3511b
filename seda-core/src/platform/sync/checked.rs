//! A model checker's primitives under the machine's names: loom or shuttle, by cfg.
//!
//! Both follow std's interface; this is parking_lot's. Time does not pass in a model: a wait with
//! a limit waits until it is told, so a wake-up that is lost is a deadlock, which the checker
//! reports, and not a delay, which nobody would see.

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

/// loom's has no initializer that is constant.
macro_rules! per_thread {
    ($visible:vis static $name:ident: $of:ty = const { $value:expr };) => {
        $crate::platform::sync::checker::thread_local! { $visible static $name: $of = $value; }
    };
}
pub(crate) use per_thread;

/// Nothing: a hint promises nothing, and a checker would keep the promise that others run first.
pub(crate) fn yield_now() {}

/// Lets others run.
pub(crate) fn pause(_limit: Duration) {
    checker::thread::yield_now();
}

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

/// Empty only while a [`Condvar`] has it.
pub(crate) struct MutexGuard<'a, T>(Option<checker::sync::MutexGuard<'a, T>>);

const HELD: &str = "a guard is empty only inside of a wait";

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

/// How a wait with a limit ended.
pub(crate) struct Told;

pub(crate) struct Condvar(checker::sync::Condvar);

impl Condvar {
    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        if let Some(held) = guard.0.take() {
            guard.0 = Some(self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Without its limit: see above.
    pub(crate) fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, _limit: Duration) -> Told {
        self.wait(guard);
        Told
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
