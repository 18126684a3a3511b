//! The one door to locks and atomics.
//!
//! Everything concurrent in this crate takes its primitives from here, so that a model checker
//! can be put behind the same names. Rules that keep the locks harmless:
//!
//! - User code never runs under one of them.
//! - Order: workers' books, then stages' lanes, both in order of their making. Only a scrape
//!   holds more than one of a kind, for a consistent cut.

pub(crate) use parking_lot::{Condvar, Mutex};
pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
pub(crate) use std::sync::{Arc, OnceLock, Weak};

/// Keeps a hot atomic alone on its cache line (two lines: the prefetcher fetches pairs).
#[repr(align(128))]
#[derive(Debug, Default)]
pub(crate) struct CachePadded<T>(pub(crate) T);

impl<T> std::ops::Deref for CachePadded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
