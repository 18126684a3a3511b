//! The way of requests into the graph: admission, refusal and loss.

use super::codec::{PROTOCOL, ProtocolCodec, Reply, refuse};
use super::protocol::{Protocol, Unserved};
use crate::reactor::{Admission, Mailbox, Origin, Service};
use crate::server::catch_panic;
use seda_core::{LossReason, ReplyAddress, ReplySink, Responder, SendOptions, Source, Time};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

/// Makes the event that enters the graph.
pub(super) type MakeEvent<P, E> = dyn Fn(<P as Protocol>::Request, SocketAddr, Responder<<P as Protocol>::Answer>) -> E
    + Send
    + Sync;

/// The service of one reactor.
pub(super) struct TcpService<P: Protocol, E: Send + 'static> {
    pub(super) protocol: P,
    pub(super) source: Source<E>,
    pub(super) reply_sink: Arc<Mailbox<Reply<P::Answer>>>,
    pub(super) make: Arc<MakeEvent<P, E>>,
    pub(super) options: SendOptions,
}

impl<P: Protocol, E: Send + 'static> Service<ProtocolCodec<P>> for TcpService<P, E> {
    /// A request of this protocol is decoded whole.
    fn check(&mut self, head: &Infallible, _now: Time) -> Result<Infallible, Reply<P::Answer>> {
        match *head {}
    }

    fn admit(
        &mut self,
        request: P::Request,
        _decision: Option<Infallible>,
        origin: &Origin,
        address: ReplyAddress,
    ) -> Admission<Reply<P::Answer>> {
        let reply_sink = Arc::clone(&self.reply_sink) as Arc<dyn ReplySink<P::Answer>>;
        let admitted = catch_panic(PROTOCOL, || {
            self.source.request_to(reply_sink, address, self.options, |reply| {
                (self.make)(request, origin.peer(), reply)
            })
        });
        match admitted {
            Some(Ok(request)) => Admission::Admitted(request),
            Some(Err(refusal)) => {
                let why = Unserved::Refused(refusal.reason());
                Admission::Answered(refuse(&self.protocol, why))
            }
            // `make` panicked and dropped the responder: the loss is in the mailbox already.
            None => Admission::External,
        }
    }

    /// The bytes of requests are bounded by `request_bytes` alone.
    fn no_memory(&mut self) -> Reply<P::Answer> {
        refuse(&self.protocol, Unserved::TooLong)
    }

    fn lost(&mut self, reason: LossReason) -> Reply<P::Answer> {
        refuse(&self.protocol, Unserved::Lost(reason))
    }
}
