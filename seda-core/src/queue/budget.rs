//! How many events the whole graph may hold: queued, in hand, pending and reserved.
//!
//! Charged at the entry and at fan-out, credited at the end. An event that a handler sends on
//! takes over the credit of the event in hand, so a move from stage to stage touches nothing
//! here. Zero in use means that nothing is left in the graph, cycles or not: a drain waits for it.
//!
//! The limit can change at any time. Protocol: the new one is stored, then the number of changes
//! goes up, in the word that counts what is in use. A charge reads that word, then the limit, and
//! succeeds only if the word is still the same. So no charge goes by a limit that has been
//! replaced, and what is in use is bounded by the new one from the change on, or else sinks to it.

use crate::platform::sync::{
    AtomicBool, AtomicU64, AtomicUsize, CachePadded, Condvar, Flaw, Mutex, Ordering, is_seeded,
};
use std::time::Duration;

/// Above what is in use, the number of changes of the limit; it wraps.
const CHANGE: u64 = 1 << 48;
/// More than any machine holds, in events and in bytes.
const MOST: u64 = CHANGE - 1;

#[derive(Debug, Default)]
pub(crate) struct Budget {
    limit: AtomicUsize,
    /// Whether the limit was set below what may have been in use.
    lowered: AtomicBool,
    /// What is in use, below the number of changes.
    used: CachePadded<AtomicU64>,
    /// Of those in use, the ones that handlers keep: they move only when they are told to finish.
    held: AtomicUsize,
    watched: AtomicUsize,
    lock: Mutex<()>,
    quiet: Condvar,
}

impl Budget {
    /// Sets the limit, live. Below what is in use nothing is taken, and what is there stays.
    pub(crate) fn set_limit(&self, limit: usize) {
        let limit = limit.min(usize::try_from(MOST).unwrap_or(usize::MAX));
        if self.limit.swap(limit, Ordering::SeqCst) > limit {
            self.lowered.store(true, Ordering::Relaxed);
        }
        self.used.fetch_add(CHANGE, Ordering::SeqCst);
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
        in_use(self.used.load(Ordering::SeqCst))
    }

    /// Takes `n` places, all or none.
    pub(crate) fn charge(&self, n: usize) -> bool {
        let charge = |word| {
            let free = self.limit().saturating_sub(in_use(word));
            (n <= free).then(|| word + n as u64)
        };
        self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, charge).is_ok()
    }

    /// Takes as many of `n` places as there are; returns how many.
    pub(crate) fn charge_up_to(&self, n: usize) -> usize {
        let mut taken = 0;
        let charge = |word| {
            taken = self.limit().saturating_sub(in_use(word)).min(n);
            Some(word + taken as u64)
        };
        let _ = self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, charge);
        taken
    }

    /// Gives `n` places back.
    pub(crate) fn credit(&self, n: usize) {
        if n == 0 {
            return;
        }
        let before = self.used.fetch_sub(n as u64, Ordering::SeqCst);
        self.announce_if_quiet(in_use(before).saturating_sub(n));
    }

    /// One of those in use is kept by a handler.
    pub(crate) fn hold(&self) {
        self.held.fetch_add(1, Ordering::SeqCst);
        self.announce_if_quiet(self.used());
    }

    /// A handler lets one go, which is then credited like any other.
    pub(crate) fn release(&self) {
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

fn in_use(word: u64) -> usize {
    (word & MOST) as usize
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

    #[test]
    fn no_charge_goes_by_a_limit_that_was_replaced() {
        let budget = Budget::default();
        budget.set_limit(8);
        std::thread::scope(|scope| {
            let charge = || {
                for _ in 0..50_000 {
                    if budget.charge(1) {
                        budget.credit(1);
                    }
                }
            };
            (0..3).for_each(|_| drop(scope.spawn(charge)));
            for limit in (1..4).cycle().take(30_000) {
                budget.set_limit(limit);
                let mut bound = usize::MAX;
                for _ in 0..3 {
                    let used = budget.used();
                    // The bound only sinks, and what is in use stays below.
                    assert!(used <= bound && used <= budget.bound(used), "{used} of {limit}");
                    bound = budget.bound(used);
                }
            }
        });
        assert_eq!(budget.used(), 0);
    }
}
