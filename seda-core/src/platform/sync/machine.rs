//! The primitives of every build but a model's: parking_lot and std.

pub(crate) use parking_lot::{Condvar, Mutex};
pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence,
};
pub(crate) use std::thread::yield_now;
pub(crate) use std::thread_local as per_thread;

use std::time::Duration;

/// Sleeps for `limit` at most, in loops that poll a condition.
pub(crate) fn pause(limit: Duration) {
    std::thread::park_timeout(limit);
}
