//! Where requests enter the graph, or are turned away.

use super::codec::{Codec, PROTOCOL, Word, refusal};
use super::protocol::{Protocol, Unserved};
use crate::reactor::{Admission, Mailbox, Service};
use crate::server::catch_panic;
use seda_core::{Address, Home, LossReason, Outcome, Responder, Source, Terms};
use std::net::SocketAddr;
use std::sync::Arc;

/// Makes the event that enters the graph.
pub(super) type Make<P, E> = dyn Fn(<P as Protocol>::Request, SocketAddr, Responder<<P as Protocol>::Answer>) -> E
    + Send
    + Sync;

/// One reactor's way into the graph.
pub(super) struct Entrance<P: Protocol, E: Send + 'static> {
    pub(super) protocol: P,
    pub(super) source: Source<E>,
    pub(super) home: Arc<Returns<P::Answer>>,
    pub(super) make: Arc<Make<P, E>>,
    pub(super) terms: Terms,
}

/// The mailbox, for answers as the graph gives them.
pub(super) struct Returns<A>(pub(super) Arc<Mailbox<Word<A>>>);

impl<A: Send> Home<A> for Returns<A> {
    fn deliver(&self, address: Address, outcome: Outcome<A>) {
        let outcome = match outcome {
            Outcome::Answered(answer) => Outcome::Answered(Some(answer)),
            Outcome::Lost(reason) => Outcome::Lost(reason),
        };
        self.0.deliver(address, outcome);
    }
}

impl<P: Protocol, E: Send + 'static> Service<Codec<P>> for Entrance<P, E> {
    fn admit(
        &mut self,
        request: P::Request,
        peer: SocketAddr,
        address: Address,
    ) -> Admission<Word<P::Answer>> {
        let home = Arc::clone(&self.home) as Arc<dyn Home<P::Answer>>;
        let make = |reply| (self.make)(request, peer, reply);
        match catch_panic(PROTOCOL, || self.source.request_to(home, address, self.terms, make)) {
            Some(Ok(request)) => Admission::Admitted(request),
            Some(Err(refusal)) => Admission::Answered(self::refusal(
                &self.protocol,
                Unserved::Refused(refusal.reason()),
            )),
            // The event was not made, but its responder was: the loss is in the mailbox.
            None => Admission::Awaited,
        }
    }

    fn lost(&mut self, reason: LossReason) -> Word<P::Answer> {
        refusal(&self.protocol, Unserved::Lost(reason))
    }
}
