//! The primitives of the machine: what every build but a model's is made of.

pub(crate) use parking_lot::{Condvar, Mutex};
pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence,
};
pub(crate) use std::thread::yield_now;
pub(crate) use std::thread_local as per_thread;

use std::time::Duration;

/// Lets time pass, where what is waited for is announced by nobody.
pub(crate) fn pause(limit: Duration) {
    std::thread::park_timeout(limit);
}
