//! The number of events that the whole graph may hold: queued, in hand, pending and reserved.
//!
//! A place is charged at the entry and at fan-out and credited at the end. An event that a handler
//! sends on takes over the place of the event in hand, so a move from stage to stage touches
//! nothing here. No place in use means an empty graph, cyclic or not: a drain waits for that.
//!
//! # Changing the limit
//!
//! The word `used` holds the places in use below a count of changes of the limit.
//!
//! - `set_limit`: store the new limit, then increment the count of changes.
//! - `charge`: read the word, read the limit, add to the word if it is still the same.
//!
//! So no charge succeeds under a limit that has been replaced. After the change, the places in use
//! are within the new limit, or only fall.
//!
//! # Waiting for quiescence
//!
//! The graph is *quiescent* while handlers hold all places in use.
//!
//! - `wait_quiescent`: increment `watched`, lock, check, wait on the condition variable.
//! - `credit`, `hold`: change the count; if the graph is now quiescent and watched, lock and
//!   notify.
//!
//! The waiter checks under the lock, after it has incremented `watched`. So it sees a change before
//! the check, and the notification of a later change waits for the lock until the waiter waits.

use crate::platform::sync::{
    AtomicBool, AtomicU64, AtomicUsize, CachePadded, Condvar, Flaw, Mutex, Ordering, is_seeded,
};
use std::time::Duration;

/// The unit of the count of changes of the limit, above the places in use; the count wraps.
const CHANGE: u64 = 1 << 48;
/// More than any machine holds, in events and in bytes.
const MAX_USED: u64 = CHANGE - 1;

/// Places for events, charged and credited without a lock.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    limit: AtomicUsize,
    /// Whether the limit may have been set below the places in use.
    lowered: AtomicBool,
    /// The places in use, below the count of changes of the limit.
    used: CachePadded<AtomicU64>,
    /// The places in use by events that handlers hold until they finish.
    held: AtomicUsize,
    /// The number of threads in `wait_quiescent`.
    watched: AtomicUsize,
    lock: Mutex<()>,
    quiescent: Condvar,
}

impl Budget {
    /// Sets the limit, live. While the places in use exceed it, no charge succeeds, and events
    /// stay.
    pub(crate) fn set_limit(&self, limit: usize) {
        let limit = limit.min(usize::try_from(MAX_USED).unwrap_or(usize::MAX));
        if self.limit.swap(limit, Ordering::SeqCst) > limit {
            self.lowered.store(true, Ordering::Relaxed);
        }
        self.used.fetch_add(CHANGE, Ordering::SeqCst);
    }

    /// Returns the bound on the places in use, given their number `used`: the limit; after it was
    /// lowered, `used` until that first reaches the limit.
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

    /// Takes `n` places, all or none; returns whether it did.
    pub(crate) fn charge(&self, n: usize) -> bool {
        let charge = |word| {
            let free = self.limit().saturating_sub(in_use(word));
            (n <= free).then(|| word + n as u64)
        };
        self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, charge).is_ok()
    }

    /// Takes up to `n` places; returns the number.
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
        debug_assert!(n <= in_use(before), "the budget credits more places than were charged");
        self.announce_if_quiescent(in_use(before).saturating_sub(n));
    }

    /// Marks one place in use as held by a handler.
    pub(crate) fn hold(&self) {
        self.held.fetch_add(1, Ordering::SeqCst);
        self.announce_if_quiescent(self.used());
    }

    /// Ends a hold. The place stays in use and is credited like any other.
    pub(crate) fn release(&self) {
        let before = self.held.fetch_sub(1, Ordering::SeqCst);
        debug_assert!(before > 0, "more events released than held");
    }

    /// Returns whether all places in use are held by handlers.
    pub(crate) fn is_quiescent(&self) -> bool {
        self.used() <= self.held.load(Ordering::SeqCst)
    }

    fn announce_if_quiescent(&self, used: usize) {
        if used <= self.held.load(Ordering::SeqCst) && self.watched.load(Ordering::SeqCst) > 0 {
            let _guard = (!is_seeded(Flaw::ToldWithoutLock)).then(|| self.lock.lock());
            self.quiescent.notify_all();
        }
    }

    /// Waits until all places in use are held by handlers, for `limit` at most; returns whether
    /// they are.
    pub(crate) fn wait_quiescent(&self, limit: Duration) -> bool {
        self.watched.fetch_add(1, Ordering::SeqCst);
        let mut guard = self.lock.lock();
        if !self.is_quiescent() {
            self.quiescent.wait_for(&mut guard, limit);
        }
        drop(guard);
        self.watched.fetch_sub(1, Ordering::SeqCst);
        self.is_quiescent()
    }
}

fn in_use(word: u64) -> usize {
    (word & MAX_USED) as usize
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
        assert!(budget.wait_quiescent(Duration::ZERO));
        assert_eq!((budget.charge_up_to(2), budget.charge_up_to(2), budget.used()), (2, 1, 3));
    }

    #[test]
    fn a_limit_set_below_the_places_in_use_admits_nothing_and_bounds_them() {
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
        // From here on the limit is the bound again.
        assert_eq!(budget.bound(5), 4);
    }

    #[test]
    fn no_charge_succeeds_by_a_limit_that_was_replaced() {
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
                    // The bound only sinks, and the places in use stay below it.
                    assert!(used <= bound && used <= budget.bound(used), "{used} of {limit}");
                    bound = budget.bound(used);
                }
            }
        });
        assert_eq!(budget.used(), 0);
    }
}
