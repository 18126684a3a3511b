//! What other threads tell a reactor: answers, new connections, that it shall drain.

use super::connection_count::Presence;
use super::unparker::Doze;
use crossbeam_channel::{Receiver, Sender, unbounded};
use mio::net::TcpStream;
use seda_core::{Address, Home, Outcome, Unpark};
use std::net::SocketAddr;
use std::sync::Arc;

/// A message to a reactor.
pub(crate) enum Letter<R> {
    /// How a request ended.
    Outcome(Address, Outcome<R>),
    /// A connection that the acceptor gives to this reactor.
    Newcomer(TcpStream, SocketAddr, Presence),
    /// Take no more connections, finish what was begun, end the rest.
    Drain,
}

/// A reactor's address for other threads.
///
/// The channel has no bound of its own and needs none: an outcome has the place that was reserved
/// when its request was admitted (connections × pipeline), a newcomer counts as a connection.
pub(crate) struct Mailbox<R> {
    letters: Sender<Letter<R>>,
    doze: Arc<Doze>,
}

impl<R> Mailbox<R> {
    /// The mailbox, and its end for the reactor that sleeps on `waker`.
    pub(super) fn new(waker: mio::Waker) -> (Self, Receiver<Letter<R>>) {
        let (letters, receiver) = unbounded();
        (Self { letters, doze: Arc::new(Doze::new(waker)) }, receiver)
    }

    /// Leaves a letter, and wakes the reactor if it sleeps. A letter to a reactor that has ended
    /// is dropped.
    pub(crate) fn post(&self, letter: Letter<R>) {
        if self.letters.send(letter).is_ok() {
            self.doze.rouse();
        }
    }

    pub(super) fn doze(&self) -> &Doze {
        &self.doze
    }

    pub(super) fn unparker(&self) -> Arc<dyn Unpark> {
        Arc::clone(&self.doze) as Arc<dyn Unpark>
    }
}

impl<R: Send> Home<R> for Mailbox<R> {
    fn deliver(&self, address: Address, outcome: Outcome<R>) {
        self.post(Letter::Outcome(address, outcome));
    }
}
