//! The number of requests inside the graph, for services that lengthen with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the requests inside the graph: queued ones and those in service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inside(Arc<AtomicU64>);

/// A request that counts as inside until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted(Inside);

impl Inside {
    /// Counts one request more.
    pub(crate) fn enter(&self) -> Counted {
        self.0.fetch_add(1, Ordering::Relaxed);
        Counted(self.clone())
    }

    /// Returns the number of requests inside.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_counts_until_it_is_dropped() {
        let inside = Inside::default();
        let (first, second) = (inside.enter(), inside.enter());
        assert_eq!(inside.count(), 2);
        drop(first);
        assert_eq!(inside.count(), 1);
        drop(second);
        assert_eq!(inside.count(), 0);
    }
}
