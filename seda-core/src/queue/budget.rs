//! How many events the whole graph may hold: queued, in hand, pending and reserved.
//!
//! Charged at the entry and at fan-out, credited at the end. An event that a handler sends on
//! takes over the credit of the event in hand, so a move from stage to stage touches nothing
//! here. Zero in use means that nothing is left in the graph, cycles or not: a drain waits for it.

use crate::sync::{AtomicBool, AtomicUsize, CachePadded, Condvar, Mutex, Ordering};
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Budget {
    limit: AtomicUsize,
    /// Whether the limit was set below what may have been in use.
    lowered: AtomicBool,
    used: CachePadded<AtomicUsize>,
    watched: AtomicUsize,
    lock: Mutex<()>,
    empty: Condvar,
}

impl Budget {
    /// Sets the limit, live. Below what is in use nothing is taken, and what is there stays.
    pub(crate) fn set_limit(&self, limit: usize) {
        if self.limit.swap(limit, Ordering::Relaxed) > limit {
            self.lowered.store(true, Ordering::Relaxed);
        }
    }

    /// What bounds the budget while `used` of it are in use: the limit, or, until a limit that
    /// was set lower is reached for the first time, what is in use.
    pub(crate) fn bound(&self, used: usize) -> usize {
        let limit = self.limit();
        if used <= limit {
            self.lowered.store(false, Ordering::Relaxed);
        }
        if self.lowered.load(Ordering::Relaxed) { used } else { limit }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::SeqCst)
    }

    /// Takes `n` places, all or none.
    pub(crate) fn charge(&self, n: usize) -> bool {
        self.used
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |used| {
                used.checked_add(n).filter(|sum| *sum <= self.limit())
            })
            .is_ok()
    }

    /// Takes as many of `n` places as there are; returns how many.
    pub(crate) fn charge_up_to(&self, n: usize) -> usize {
        let limit = self.limit();
        let free = |used: usize| limit.saturating_sub(used).min(n);
        let charge = |used| Some(used + free(used));
        self.used.fetch_update(Ordering::AcqRel, Ordering::Relaxed, charge).map_or(0, free)
    }

    /// Gives `n` places back.
    pub(crate) fn credit(&self, n: usize) {
        if n == 0 {
            return;
        }
        let before = self.used.fetch_sub(n, Ordering::SeqCst);
        if before == n && self.watched.load(Ordering::SeqCst) > 0 {
            let _guard = self.lock.lock();
            self.empty.notify_all();
        }
    }

    /// Waits until nothing is in use, for `limit` at most; returns whether nothing is.
    pub(crate) fn wait_empty(&self, limit: Duration) -> bool {
        self.watched.fetch_add(1, Ordering::SeqCst);
        let mut guard = self.lock.lock();
        if self.used() > 0 {
            self.empty.wait_for(&mut guard, limit);
        }
        drop(guard);
        self.watched.fetch_sub(1, Ordering::SeqCst);
        self.used() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_is_all_or_none_and_never_exceeds_the_limit() {
        let budget = Budget::default();
        budget.set_limit(3);
        assert!(budget.charge(2));
        assert!(!budget.charge(2));
        assert_eq!(budget.used(), 2);
        assert!(budget.charge(1));
        assert!(!budget.charge(usize::MAX));
        budget.credit(3);
        assert!(budget.wait_empty(Duration::ZERO));
        assert_eq!((budget.charge_up_to(2), budget.charge_up_to(2), budget.used()), (2, 1, 3));
    }

    #[test]
    fn a_limit_set_below_what_is_in_use_admits_nothing_and_bounds_what_is_there() {
        let budget = Budget::default();
        budget.set_limit(8);
        assert!(budget.charge(6));
        budget.set_limit(4);
        assert!(!budget.charge(1));
        assert_eq!((budget.charge_up_to(1), budget.bound(budget.used())), (0, 6));
        budget.credit(1);
        assert_eq!((budget.charge(1), budget.bound(budget.used())), (false, 5));
        budget.credit(2);
        assert_eq!(
            (budget.bound(budget.used()), budget.charge(1), budget.charge(1)),
            (4, true, false)
        );
        // From here on the limit is the bound again, and an excess would show.
        assert_eq!(budget.bound(5), 4);
    }
}
