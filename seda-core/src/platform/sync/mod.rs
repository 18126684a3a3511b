//! The locks and atomics of this crate.
//!
//! All concurrent code takes its primitives from here, so a model checker can stand behind the same
//! names: the package in `models/` does that. Two rules hold for every lock:
//!
//! - User code never runs under a lock.
//! - Locks are taken in one order: workers' windows, then stages' lanes, each in order of creation.
//!   Only a scrape holds more than one of a kind, for a consistent cut.

#[cfg(seda_model)]
mod checked;
mod flaw;
#[cfg(not(seda_model))]
mod machine;

#[cfg(seda_model)]
pub(crate) use checked::*;
#[cfg(not(seda_model))]
pub(crate) use flaw::{Flaw, is_seeded};
#[cfg(seda_model)]
pub use flaw::{Flaw, is_seeded, seed};
#[cfg(not(seda_model))]
pub(crate) use machine::*;

pub(crate) use std::sync::atomic::Ordering;
// Reference counts and one-time cells are std's protocols, so they are never modelled.
pub(crate) use std::sync::{Arc, OnceLock, Weak};

/// Keeps a hot atomic alone on its cache line. 128 bytes, because prefetchers fetch pairs of lines.
#[repr(align(128))]
#[derive(Debug, Default)]
pub(crate) struct CachePadded<T>(pub(crate) T);

impl<T> std::ops::Deref for CachePadded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
