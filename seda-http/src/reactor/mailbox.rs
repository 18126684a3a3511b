//! Messages from other threads to a reactor: outcomes, accepted connections, the order to end.

use super::body::pipe::WakeReactor;
use super::clients::connection_count::ConnectionGuard;
use super::clients::eviction::RoomRequest;
use super::listening::ListenerRules;
use super::origin::Origin;
use super::socket::Socket;
use super::unparker::Unparker;
use crate::tls::Session;
use crossbeam_channel::{Receiver, Sender, unbounded};
use seda_core::{Outcome, ReplyAddress, ReplySink};
use std::io;
use std::sync::Arc;

/// A message to a reactor.
pub(crate) enum ReactorMessage<R> {
    /// The outcome of a request.
    Outcome(ReplyAddress, Outcome<R>),
    /// The stream of a connection has bytes, or room.
    Wake(ReplyAddress),
    /// A session after a step of its handshake.
    Handshaken(ReplyAddress, Box<Session>, io::Result<()>),
    /// A connection that the acceptor gives to this reactor.
    Accepted(Accepted),
    /// The order to close connections for newcomers, if this reactor has any to close.
    MakeRoom(RoomRequest),
    /// The order to close each connection after its next answer.
    CloseAfterAnswers,
    /// The reactor drops it, and so shows that it runs.
    Beat(Arc<()>),
    /// The order to accept no more connections, to finish all begun requests and to close the
    /// other connections.
    Drain,
}

/// A connection that was accepted and has no reactor yet.
pub(crate) struct Accepted {
    pub(super) socket: Socket,
    pub(super) origin: Origin,
    /// The rules of its listener.
    pub(super) rules: Arc<ListenerRules>,
    pub(super) guard: ConnectionGuard,
}

/// The way from other threads to a reactor.
///
/// The channel has no bound of its own and needs none. An outcome has the place that was reserved
/// when its request was admitted (connections × pipeline); an accepted connection is counted, and
/// has one step of its handshake on its way at a time; a stream wakes its reactor once for each
/// time that the reactor has found it empty or full.
pub(crate) struct Mailbox<R> {
    messages: Sender<ReactorMessage<R>>,
    unparker: Arc<Unparker>,
}

impl<R> Mailbox<R> {
    /// Returns the mailbox, and the receiver for the reactor that polls with `waker`.
    pub(super) fn new(waker: mio::Waker) -> (Self, Receiver<ReactorMessage<R>>) {
        let (messages, receiver) = unbounded();
        (Self { messages, unparker: Arc::new(Unparker::new(waker)) }, receiver)
    }

    /// Sends a message, and wakes the reactor if it sleeps. A message to a reactor that has ended
    /// is dropped.
    pub(crate) fn send(&self, message: ReactorMessage<R>) {
        if self.messages.send(message).is_ok() {
            self.unparker.wake_if_asleep();
        }
    }

    pub(super) fn unparker(&self) -> &Arc<Unparker> {
        &self.unparker
    }
}

impl<R: Send> WakeReactor for Mailbox<R> {
    fn wake(&self, address: ReplyAddress) {
        self.send(ReactorMessage::Wake(address));
    }
}

/// `A` is the answer of the graph, `R` the response of the protocol that is made of it.
impl<A, R: From<A> + Send> ReplySink<A> for Mailbox<R> {
    fn deliver(&self, address: ReplyAddress, outcome: Outcome<A>) {
        let outcome = match outcome {
            Outcome::Answered(answer) => Outcome::Answered(R::from(answer)),
            Outcome::Lost(reason) => Outcome::Lost(reason),
        };
        self.send(ReactorMessage::Outcome(address, outcome));
    }
}
