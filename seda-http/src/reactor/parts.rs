//! The parts of a reactor that exist before it: its poll and its mailbox.

use super::body::budget::BodyBudget;
use super::mailbox::{Mailbox, ReactorMessage};
use crate::tls::Handshaker;
use crossbeam_channel::Receiver;
use mio::{Poll, Token};
use std::io;
use std::sync::Arc;

/// The token of the event that ends a sleep.
pub(super) const WAKER: Token = Token(usize::MAX);

/// A poll with its mailbox. All mailboxes of a server exist before its first reactor, because the
/// acceptor sends to each of them.
pub(crate) struct ReactorParts<R> {
    pub(super) poll: Poll,
    pub(super) mailbox: Arc<Mailbox<R>>,
    pub(super) messages: Receiver<ReactorMessage<R>>,
    pub(super) bodies: Arc<BodyBudget>,
    /// `None` if no connection is encrypted.
    pub(super) handshaker: Option<Handshaker>,
}

impl<R> ReactorParts<R> {
    /// `body_bytes` are the most bytes that the bodies of the reactor's requests may have.
    pub(crate) fn new(body_bytes: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let (mailbox, messages) = Mailbox::new(mio::Waker::new(poll.registry(), WAKER)?);
        let bodies = Arc::new(BodyBudget::new(body_bytes));
        Ok(Self { poll, mailbox: Arc::new(mailbox), messages, bodies, handshaker: None })
    }

    /// Sets the thread that computes the handshakes of encrypted connections.
    pub(crate) fn with_handshaker(self, handshaker: Option<Handshaker>) -> Self {
        Self { handshaker, ..self }
    }

    pub(crate) fn bodies(&self) -> &Arc<BodyBudget> {
        &self.bodies
    }

    pub(crate) fn mailbox(&self) -> &Arc<Mailbox<R>> {
        &self.mailbox
    }
}
