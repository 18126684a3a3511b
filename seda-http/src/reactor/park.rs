//! A reactor as the place where its worker parks.

use super::{Protocol, Reactor, Service};
use seda_core::{Park, Unpark};
use std::sync::Arc;
use std::time::Duration;

/// While the worker has stages to run, the sockets are looked at this often: a poll that finds
/// nothing (0.5 µs) then costs a hundredth.
const POLL_EVERY: Duration = Duration::from_micros(50);

/// A reactor as the place where its worker parks.
pub(crate) struct Seat<'a, P: Protocol, S>(pub(crate) &'a mut Reactor<P, S>);

impl<P: Protocol, S: Service<P>> Park for Seat<'_, P, S> {
    fn glance(&mut self) {
        let Seat(reactor) = self;
        reactor.mailbox.doze().end();
        if reactor.clock.now().since(reactor.now) >= POLL_EVERY {
            reactor.poll(Some(Duration::ZERO));
        }
        reactor.serve();
    }

    fn park(&mut self, limit: Option<Duration>) {
        let Seat(reactor) = self;
        let may_sleep = reactor.mailbox.doze().begin()
            && reactor.letters.is_empty()
            && reactor.ready.is_empty();
        let timeout = match (limit, reactor.patience()) {
            _ if !may_sleep => Some(Duration::ZERO),
            (Some(limit), Some(patience)) => Some(limit.min(patience)),
            (limit, patience) => limit.or(patience),
        };
        reactor.let_gather(timeout);
        reactor.poll(timeout);
        reactor.mailbox.doze().end();
        reactor.serve();
    }

    fn unparker(&self) -> Arc<dyn Unpark> {
        self.0.mailbox.unparker()
    }
}
