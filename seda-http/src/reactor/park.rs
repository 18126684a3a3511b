//! A reactor as the place where its worker parks.

use super::{Codec, Reactor, Service};
use seda_core::{Park, Unpark};
use std::sync::Arc;
use std::time::Duration;

/// While the worker has stages to run, the sockets are looked at this often: a poll that finds
/// nothing (0.5 µs) then costs a hundredth.
const POLL_EVERY: Duration = Duration::from_micros(50);

/// A reactor as the place where its worker parks.
pub(crate) struct ReactorPark<'a, P: Codec, S>(pub(crate) &'a mut Reactor<P, S>);

impl<P: Codec, S: Service<P>> Park for ReactorPark<'_, P, S> {
    fn glance(&mut self) {
        let ReactorPark(reactor) = self;
        reactor.mailbox.unparker().set_awake();
        if reactor.clock.now().since(reactor.now) >= POLL_EVERY {
            reactor.poll(Some(Duration::ZERO));
        }
        reactor.serve();
    }

    fn park(&mut self, limit: Option<Duration>) {
        let ReactorPark(reactor) = self;
        let may_sleep = reactor.mailbox.unparker().prepare_sleep()
            && reactor.messages.is_empty()
            && reactor.ready.is_empty();
        let timeout = match (limit, reactor.timeout()) {
            _ if !may_sleep => Some(Duration::ZERO),
            (Some(limit), Some(timeout)) => Some(limit.min(timeout)),
            (limit, timeout) => limit.or(timeout),
        };
        reactor.coalesce(timeout);
        reactor.poll(timeout);
        reactor.mailbox.unparker().set_awake();
        reactor.serve();
    }

    fn unparker(&self) -> Arc<dyn Unpark> {
        Arc::clone(self.0.mailbox.unparker()) as Arc<dyn Unpark>
    }
}
