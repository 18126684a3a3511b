//! What other threads tell a reactor: answers, new connections, that it shall drain.

use super::connection_count::ConnectionGuard;
use super::unparker::Unparker;
use crossbeam_channel::{Receiver, Sender, unbounded};
use mio::net::TcpStream;
use seda_core::{Address, Home, Outcome};
use std::net::SocketAddr;
use std::sync::Arc;

/// A message to a reactor.
pub(crate) enum ReactorMessage<R> {
    /// How a request ended.
    Outcome(Address, Outcome<R>),
    /// A connection that the acceptor gives to this reactor.
    Accepted(Accepted),
    /// Take no more connections, finish what was begun, end the rest.
    Drain,
}

/// A connection that was accepted and is not yet a reactor's.
pub(crate) struct Accepted {
    pub(super) socket: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) guard: ConnectionGuard,
}

/// A reactor's address for other threads.
///
/// The channel has no bound of its own and needs none: an outcome has the place that was reserved
/// when its request was admitted (connections × pipeline), a newcomer counts as a connection.
pub(crate) struct Mailbox<R> {
    messages: Sender<ReactorMessage<R>>,
    unparker: Arc<Unparker>,
}

impl<R> Mailbox<R> {
    /// The mailbox, and its end for the reactor that sleeps on `waker`.
    pub(super) fn new(waker: mio::Waker) -> (Self, Receiver<ReactorMessage<R>>) {
        let (messages, receiver) = unbounded();
        (Self { messages, unparker: Arc::new(Unparker::new(waker)) }, receiver)
    }

    /// Leaves a message, and wakes the reactor if it sleeps. A message to a reactor that has ended
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

impl<R: Send> Home<R> for Mailbox<R> {
    fn deliver(&self, address: Address, outcome: Outcome<R>) {
        self.send(ReactorMessage::Outcome(address, outcome));
    }
}
