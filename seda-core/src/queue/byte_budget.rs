//! The bound on the bytes of all weighed events of the graph.

use crate::config::DEFAULT_BYTES;
use crate::platform::sync::{AtomicU64, Ordering};

/// Charged when an event enters a stage that weighs its events, credited when it ends there.
#[derive(Debug)]
pub(crate) struct ByteBudget {
    limit: AtomicU64,
    used: AtomicU64,
}

impl Default for ByteBudget {
    fn default() -> Self {
        Self { limit: AtomicU64::new(DEFAULT_BYTES), used: AtomicU64::new(0) }
    }
}

impl ByteBudget {
    /// Sets the limit, live. While the bytes in use exceed it, no charge succeeds.
    pub(crate) fn set_limit(&self, bytes: u64) {
        self.limit.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit.load(Ordering::Relaxed)
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::SeqCst)
    }

    /// Takes `bytes`, all or none; returns whether it did.
    pub(crate) fn charge(&self, bytes: u64) -> bool {
        let limit = self.limit();
        let charge = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= limit);
        self.used.fetch_update(Ordering::AcqRel, Ordering::Relaxed, charge).is_ok()
    }

    /// Gives `bytes` back.
    pub(crate) fn credit(&self, bytes: u64) {
        if bytes > 0 {
            let before = self.used.fetch_sub(bytes, Ordering::SeqCst);
            debug_assert!(bytes <= before, "{bytes} bytes credited where {before} were charged");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_is_all_or_none_and_never_exceeds_the_limit() {
        let budget = ByteBudget::default();
        budget.set_limit(10);
        assert!(budget.charge(6) && !budget.charge(5) && budget.charge(4));
        assert!(!budget.charge(u64::MAX));
        budget.credit(4);
        assert_eq!((budget.used(), budget.charge(5), budget.charge(4)), (6, false, true));
    }
}
