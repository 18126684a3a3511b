//! A reactor as the idle action of its worker.

use super::core_wait::CoreWait;
use super::{Codec, Reactor, Service};
use seda_core::{CoreClaim, Park, Unpark};
use std::sync::Arc;
use std::time::Duration;

/// Time between two polls while the worker has stages to run. A poll that finds nothing takes
/// 0.5 µs, a hundredth of this.
const POLL_EVERY: Duration = Duration::from_micros(50);

/// Parks a worker in its reactor's poll.
pub(crate) struct ReactorPark<'a, C: Codec, S> {
    reactor: &'a mut Reactor<C, S>,
    /// The claim is raised while the reactor runs after a long wait for a core; `None` if it never
    /// claims one.
    core: Option<(CoreClaim, CoreWait)>,
}

impl<'a, C: Codec, S: Service<C>> ReactorPark<'a, C, S> {
    pub(crate) fn new(reactor: &'a mut Reactor<C, S>, core_claim: Option<CoreClaim>) -> Self {
        let now = reactor.clock.now();
        let core = core_claim.map(|claim| (claim, CoreWait::of_this_thread(now)));
        Self { reactor, core }
    }

    /// Claims a core after a long wait for one, and lowers the claim after a short one.
    fn claim_if_waiting(&mut self) {
        if let Some((claim, wait)) = &mut self.core {
            claim.set(wait.is_long(self.reactor.now));
        }
    }
}

impl<C: Codec, S: Service<C>> Park for ReactorPark<'_, C, S> {
    fn poll(&mut self) {
        let reactor = &mut *self.reactor;
        reactor.unparker().set_awake();
        if reactor.since_poll() >= POLL_EVERY {
            reactor.poll(Some(Duration::ZERO));
        }
        reactor.run_round();
        self.claim_if_waiting();
    }

    fn park(&mut self, limit: Option<Duration>) {
        let reactor = &mut *self.reactor;
        // Step 1 of the sleep protocol (see `unparker`): announce the sleep.
        let is_announced = reactor.unparker().prepare_sleep();
        // Step 2: look at the queues once more.
        let may_block = is_announced && !reactor.has_work();
        let timeout =
            if may_block { shorter(limit, reactor.next_timeout()) } else { Some(Duration::ZERO) };
        if may_block && let Some((claim, _)) = &mut self.core {
            claim.set(false);
        }
        reactor.pause_under_flood(timeout);
        // Step 3: block in the poll.
        reactor.poll(timeout);
        // Step 4: awake again.
        reactor.unparker().set_awake();
        self.claim_if_waiting();
        self.reactor.run_round();
    }

    fn unparker(&self) -> Arc<dyn Unpark> {
        Arc::clone(self.reactor.unparker()) as Arc<dyn Unpark>
    }
}

impl<C: Codec, S: Service<C>> Reactor<C, S> {
    /// Runs the reactor on a thread of its own, without a worker, until it is told to drain. Then
    /// it ends at once, see [`Reactor::shutdown`].
    pub(crate) fn run_alone(mut self) {
        let mut park = ReactorPark::new(&mut self, None);
        while !park.reactor.ending.is_drain() {
            park.park(None);
        }
        self.shutdown();
    }
}

/// Returns the shorter of two limits, where `None` is no limit.
fn shorter(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
