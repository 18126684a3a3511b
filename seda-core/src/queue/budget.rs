//! How many events the whole graph may hold: queued, in hand, pending and reserved.
//!
//! Charged at the entry and at fan-out, credited at the end. An event that a handler sends on
//! takes over the credit of the event in hand, so a move from stage to stage touches nothing
//! here. Zero in use means that nothing is left in the graph, cycles or not: a drain waits for it.

use crate::sync::{AtomicUsize, CachePadded, Condvar, Flaw, Mutex, Ordering, is_seeded};
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Budget {
    limit: AtomicUsize,
    used: CachePadded<AtomicUsize>,
    /// Of those in use, the ones that handlers keep: they move only when they are told to finish.
    held: AtomicUsize,
    watched: AtomicUsize,
    lock: Mutex<()>,
    quiet: Condvar,
}

impl Budget {
    pub(crate) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::SeqCst)
    }

    /// Takes `n` places, all or none.
    pub(crate) fn charge(&self, n: usize) -> bool {
        let limit = self.limit();
        self.used
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |used| {
                used.checked_add(n).filter(|sum| *sum <= limit)
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
        self.announce_if_quiet(before - n);
    }

    /// One of those in use is kept by a handler.
    pub(crate) fn hold(&self) {
        self.held.fetch_add(1, Ordering::SeqCst);
        self.announce_if_quiet(self.used());
    }

    /// A handler lets one go, which is then credited like any other.
    pub(crate) fn let_go(&self) {
        self.held.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether nothing is in use but what handlers keep.
    pub(crate) fn is_quiet(&self) -> bool {
        self.used() <= self.held.load(Ordering::SeqCst)
    }

    fn announce_if_quiet(&self, used: usize) {
        if used <= self.held.load(Ordering::SeqCst) && self.watched.load(Ordering::SeqCst) > 0 {
            let _guard = (!is_seeded(Flaw::ToldWithoutLock)).then(|| self.lock.lock());
            self.quiet.notify_all();
        }
    }

    /// Waits until nothing is in use but what handlers keep, for `limit` at most; returns whether
    /// that is so.
    pub(crate) fn wait_quiet(&self, limit: Duration) -> bool {
        self.watched.fetch_add(1, Ordering::SeqCst);
        let mut guard = self.lock.lock();
        if !self.is_quiet() {
            self.quiet.wait_for(&mut guard, limit);
        }
        drop(guard);
        self.watched.fetch_sub(1, Ordering::SeqCst);
        self.is_quiet()
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
        assert!(budget.wait_quiet(Duration::ZERO));
        assert_eq!((budget.charge_up_to(2), budget.charge_up_to(2), budget.used()), (2, 1, 3));
    }
}
