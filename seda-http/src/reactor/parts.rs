//! What must exist before a reactor: its poll and its mailbox.

use super::mailbox::{Letter, Mailbox};
use crossbeam_channel::Receiver;
use mio::{Poll, Token};
use std::io;
use std::sync::Arc;

pub(super) const WAKER: Token = Token(usize::MAX);

/// A poll with its mailbox: what must exist before a reactor's parts can know each other.
pub(crate) struct Berth<R> {
    pub(super) poll: Poll,
    pub(super) mailbox: Arc<Mailbox<R>>,
    pub(super) letters: Receiver<Letter<R>>,
}

impl<R> Berth<R> {
    pub(crate) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let (mailbox, letters) = Mailbox::new(mio::Waker::new(poll.registry(), WAKER)?);
        Ok(Self { poll, mailbox: Arc::new(mailbox), letters })
    }

    pub(crate) fn mailbox(&self) -> &Arc<Mailbox<R>> {
        &self.mailbox
    }
}
