//! The one door to locks and atomics.
//!
//! Everything concurrent in this crate takes its primitives from here, so that a model checker
//! can be put behind the same names (`models/`, a package of its own, does). Rules that keep the
//! locks harmless:
//!
//! - User code never runs under one of them.
//! - Order: workers' books, then stages' lanes, both in order of their making. Only a scrape
//!   holds more than one of a kind, for a consistent cut.

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
// Counting references and setting a thing once are no protocols of ours: never modelled.
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
