//! The TLS handshake of a connection.

use super::{Connection, Phase, TurnContext};
use crate::reactor::stream::{Disconnected, Handshake};
use crate::reactor::{Codec, ReactorMessage, Service};
use crate::tls::{HandshakeFailure, Session};
use std::io;
use std::sync::Arc;

impl<C: Codec> Connection<C> {
    /// Goes on with the handshake. Returns true if the connection goes on without TLS: its client
    /// speaks the protocol itself, and is told so.
    pub(super) fn handshake<S: Service<C>>(
        &mut self,
        cx: &mut TurnContext<'_, C, S>,
    ) -> Result<bool, Disconnected> {
        if self.phase != Phase::Open {
            return Err(Disconnected);
        }
        let (handshaker, mailbox, address) = (cx.handshaker, cx.mailbox, self.address);
        let handshake = self.stream.handshake(cx.scratch, |session| {
            let mailbox = Arc::clone(mailbox);
            let give_back = move |session, done| {
                mailbox.send(ReactorMessage::Handshaken(address, session, done));
            };
            Some(handshaker?.submit(session, give_back))
        });
        match handshake? {
            Handshake::Unfinished => Ok(false),
            Handshake::Foreign => {
                self.end_with(cx.codec.foreign_response().ok_or(Disconnected)?);
                Ok(true)
            }
        }
    }

    /// Takes in that the server closes this connection for another one.
    pub(in crate::reactor) fn evict(mut self) {
        self.stream.fail_handshake(HandshakeFailure::Evicted);
    }

    /// Takes the session back after a step of its handshake.
    pub(in crate::reactor) fn take_back(&mut self, session: Box<Session>, done: &io::Result<()>) {
        if let Err(error) = done {
            tracing::debug!(%error, peer = %self.origin.peer(), "a TLS handshake has failed");
        }
        self.stream.take_back(session, done);
    }
}
