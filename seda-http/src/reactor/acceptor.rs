//! The listener: accepts connections and distributes them over the reactors.

use super::connection_count::{ConnectionCount, ConnectionGuard};
use super::mailbox::{Accepted, Mailbox, ReactorMessage};
use super::socket::Listener;
use mio::{Registry, Token};
use seda_core::Time;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

/// Connections accepted in one round, before open connections have their turn.
const ACCEPTED_PER_ROUND: usize = 64;

/// Delay before accepting again when the process has no free descriptor or the connection limit
/// is reached. No event announces the end of either condition.
const RETRY: Duration = Duration::from_millis(50);

/// Accepts connections and gives them to the reactors in turn.
///
/// At the connection limit it accepts none: connections wait in the kernel's backlog, where they
/// use no descriptor. (A 503 would need the very place that is missing, or be lost to a reset.)
/// The same holds while the process has no free descriptor.
pub(crate) struct Acceptor<R> {
    listener: Listener,
    /// The mailboxes of all reactors; the first one owns this acceptor.
    reactors: Vec<Arc<Mailbox<R>>>,
    /// Index of the reactor that got the last connection.
    turn: usize,
    /// The backlog may hold connections.
    ready: bool,
    retry_at: Time,
    /// The last error was logged. Retries do not log it again.
    error_logged: bool,
    /// The most connections at once.
    limit: usize,
    connection_count: Arc<ConnectionCount>,
    /// Counts the listener as a connection, so that a drain waits for its end.
    _guard: ConnectionGuard,
}

impl<R> Acceptor<R> {
    /// `reactors` begins with the reactor that will own this acceptor.
    pub(crate) fn new(
        listener: Listener,
        reactors: Vec<Arc<Mailbox<R>>>,
        limit: usize,
        connection_count: Arc<ConnectionCount>,
    ) -> Self {
        Self {
            listener,
            reactors,
            turn: 0,
            ready: true,
            retry_at: Time::ZERO,
            error_logged: false,
            limit,
            _guard: connection_count.add(),
            connection_count,
        }
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.listener.register(registry, token)
    }

    /// Notes that the backlog has connections.
    pub(super) fn set_ready(&mut self) {
        self.ready = true;
        self.retry_at = Time::ZERO;
    }

    /// Returns when to accept again although no event arrives; [`Time::NEVER`] if only an event
    /// can bring a connection.
    pub(super) fn due(&self) -> Time {
        if self.ready { self.retry_at } else { Time::NEVER }
    }

    /// Accepts from the backlog. `keep` takes this reactor's share; the others' goes to their
    /// mailboxes. While the server drains, the whole backlog is accepted at once.
    pub(super) fn accept(&mut self, now: Time, draining: bool, mut keep: impl FnMut(Accepted)) {
        let most = if draining { usize::MAX } else { ACCEPTED_PER_ROUND };
        for _ in 0..most {
            if !self.ready || self.retry_at > now {
                return;
            }
            // The count includes the listener.
            if self.connection_count.get() > self.limit {
                self.retry_at = now.after(RETRY);
                return;
            }
            match self.listener.accept() {
                Ok((socket, peer)) => {
                    self.error_logged = false;
                    let guard = self.connection_count.add();
                    let accepted = Accepted { socket, peer, guard };
                    match self.next_reactor() {
                        Some(mailbox) => mailbox.send(ReactorMessage::Accepted(accepted)),
                        None => keep(accepted),
                    }
                }
                Err(error) => self.handle_error(&error, now),
            }
        }
    }

    /// Returns the mailbox of the next reactor; `None` if the owner of this acceptor is next.
    fn next_reactor(&mut self) -> Option<&Mailbox<R>> {
        self.turn = (self.turn + 1) % self.reactors.len().max(1);
        if self.turn == 0 {
            return None;
        }
        self.reactors.get(self.turn).map(Arc::as_ref)
    }

    fn handle_error(&mut self, error: &io::Error, now: Time) {
        match error.kind() {
            ErrorKind::WouldBlock => self.ready = false,
            // The client left while it was in the backlog.
            ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
            _ => {
                if !std::mem::replace(&mut self.error_logged, true) {
                    tracing::warn!(%error, "cannot accept connections; they wait in the backlog");
                }
                self.retry_at = now.after(RETRY);
            }
        }
    }
}
