//! Claims of threads that serve sockets to the cores that they share with workers.

use crate::platform::sync::{Arc, AtomicUsize, Condvar, Mutex, Ordering};
use std::time::Duration;

/// The longest rest of a worker between two batches. Batches of a millisecond then leave workers at
/// least a sixth of a claimed core.
const REST_MOST: Duration = Duration::from_millis(5);

/// The claims of a graph and the workers that rest because of them.
///
/// An operating system shares a core equally among threads. A reactor that refuses most of what
/// arrives needs more than its share beside busy workers. Without it the requests wait in their
/// sockets, where the gate cannot refuse them. For each claim one worker rests.
#[derive(Debug, Default)]
pub(crate) struct CoreClaims {
    raised: AtomicUsize,
    resting: Mutex<usize>,
    lowered: Condvar,
}

impl CoreClaims {
    /// Rests while there are more claims than resting workers, for 5 ms at most. A worker calls it
    /// between two batches.
    pub(crate) fn rest(&self) {
        // One read in the common case.
        if self.raised.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut resting = self.resting.lock();
        if *resting >= self.raised.load(Ordering::Relaxed) {
            return;
        }
        *resting += 1;
        // A claim is lowered under the lock, so its notification comes after the wait has begun.
        self.lowered.wait_for(&mut resting, REST_MOST);
        *resting -= 1;
    }

    fn raise(&self) {
        self.raised.fetch_add(1, Ordering::Relaxed);
    }

    fn lower(&self) {
        let resting = self.resting.lock();
        self.raised.fetch_sub(1, Ordering::Relaxed);
        if *resting > 0 {
            self.lowered.notify_all();
        }
    }
}

/// A thread's claim to a core that it shares with workers of a graph.
///
/// A thread that takes requests in raises its claim if it had to wait for a core, and lowers it
/// before it sleeps. While the claim is raised one worker rests between its batches, each time for
/// 5 ms at most. [`Running::core_claim`](crate::Running::core_claim) returns one; dropping it
/// lowers it.
#[derive(Debug)]
pub struct CoreClaim {
    claims: Arc<CoreClaims>,
    is_raised: bool,
}

impl CoreClaim {
    pub(crate) fn new(claims: Arc<CoreClaims>) -> Self {
        Self { claims, is_raised: false }
    }

    /// Raises the claim, or lowers it. No effect if it is so already.
    pub fn set(&mut self, raised: bool) {
        if raised == self.is_raised {
            return;
        }
        self.is_raised = raised;
        if raised { self.claims.raise() } else { self.claims.lower() }
    }
}

impl Drop for CoreClaim {
    fn drop(&mut self) {
        self.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resting(claims: &CoreClaims) -> usize {
        *claims.resting.lock()
    }

    #[test]
    fn one_worker_rests_for_each_claim_until_the_claim_is_lowered() {
        let claims = Arc::<CoreClaims>::default();
        claims.rest();
        assert_eq!(resting(&claims), 0);
        let mut claim = CoreClaim::new(Arc::clone(&claims));
        claim.set(true);
        claim.set(true);
        assert_eq!(claims.raised.load(Ordering::Relaxed), 1);
        // A second worker goes on while the first one rests: the call returns at once.
        *claims.resting.lock() = 1;
        claims.rest();
        assert_eq!(resting(&claims), 1);
        *claims.resting.lock() = 0;
        drop(claim);
        assert_eq!(claims.raised.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_rest_ends_although_its_claim_stays() {
        let claims = Arc::<CoreClaims>::default();
        let mut claim = CoreClaim::new(Arc::clone(&claims));
        claim.set(true);
        claims.rest();
        assert_eq!(resting(&claims), 0);
    }

    #[test]
    fn a_lowered_claim_wakes_the_worker_that_rests() {
        let claims = Arc::<CoreClaims>::default();
        let mut claim = CoreClaim::new(Arc::clone(&claims));
        claim.set(true);
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| claims.rest());
            claim.set(false);
            assert!(worker.join().is_ok());
        });
        assert_eq!(resting(&claims), 0);
    }
}
