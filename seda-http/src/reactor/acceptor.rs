//! The listener: takes connections and hands them out.

use super::connection_count::{Occupancy, Presence};
use super::mailbox::{Letter, Mailbox};
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use seda_core::Time;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How many connections are accepted before those that are there have their turn.
const ACCEPTED_PER_ROUND: usize = 64;

/// How long it waits after the machine had no descriptor to give, or all places were taken, until
/// it tries again: neither is announced when it ends.
const RETRY: Duration = Duration::from_millis(50);

/// A connection that was accepted.
pub(super) type Newcomer = (TcpStream, SocketAddr, Presence);

/// Accepts connections and gives them to the reactors in turn.
///
/// At the bound of connections it accepts none: they wait in the kernel's backlog, where they
/// cost no descriptor, until a place is free. (An answer 503 would need the place it is refused,
/// or be lost to a reset.) The same holds when the machine has no descriptor left.
pub(crate) struct Acceptor<R> {
    listener: TcpListener,
    reactors: Vec<Arc<Mailbox<R>>>,
    /// Whose turn it is; the first reactor is the one that owns the listener.
    turn: usize,
    /// There may be connections to accept.
    ready: bool,
    retry_at: Time,
    /// The machine's refusal is logged once, not at every retry.
    refused: bool,
    limit: usize,
    occupancy: Arc<Occupancy>,
    _presence: Presence,
}

impl<R> Acceptor<R> {
    /// `reactors` begins with the one that will own it.
    pub(crate) fn new(
        listener: std::net::TcpListener,
        reactors: Vec<Arc<Mailbox<R>>>,
        limit: usize,
        occupancy: Arc<Occupancy>,
    ) -> Self {
        Self {
            listener: TcpListener::from_std(listener),
            reactors,
            turn: 0,
            ready: true,
            retry_at: Time::ZERO,
            refused: false,
            limit,
            _presence: occupancy.enter(),
            occupancy,
        }
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.listener, token, Interest::READABLE)
    }

    /// The poll says that there are connections.
    pub(super) fn note(&mut self) {
        self.ready = true;
        self.retry_at = Time::ZERO;
    }

    /// When to look again though nothing happens.
    pub(super) fn due(&self) -> Time {
        if self.ready { self.retry_at } else { Time::NEVER }
    }

    /// Accepts what is there, `keep`s this reactor's share and posts the others'; when it drains,
    /// the whole backlog at once.
    pub(super) fn accept(&mut self, now: Time, draining: bool, mut keep: impl FnMut(Newcomer)) {
        let most = if draining { usize::MAX } else { ACCEPTED_PER_ROUND };
        for _ in 0..most {
            if !self.ready || self.retry_at > now {
                return;
            }
            // One of those present is the listener.
            if self.occupancy.present() > self.limit {
                self.retry_at = now.after(RETRY);
                return;
            }
            match self.listener.accept() {
                Ok((socket, peer)) => {
                    self.refused = false;
                    let newcomer = (socket, peer, self.occupancy.enter());
                    self.turn = (self.turn + 1) % self.reactors.len().max(1);
                    match self.reactors.get(self.turn).filter(|_| self.turn > 0) {
                        Some(reactor) => {
                            let (socket, peer, presence) = newcomer;
                            reactor.post(Letter::Newcomer(socket, peer, presence));
                        }
                        None => keep(newcomer),
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => self.ready = false,
                    // The client gave up while it waited.
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
                    _ => {
                        if !std::mem::replace(&mut self.refused, true) {
                            tracing::warn!(%error, "connections wait: none can be accepted");
                        }
                        self.retry_at = now.after(RETRY);
                    }
                },
            }
        }
    }
}
