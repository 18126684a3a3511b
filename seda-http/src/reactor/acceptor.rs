//! The listener: accepts connections and distributes them over the reactors.

use super::clients::client::Network;
use super::clients::connection_count::{ConnectionCount, CountGuard};
use super::clients::eviction::RoomRequest;
use super::counters::Counters;
use super::mailbox::{Accepted, Mailbox, ReactorMessage};
use super::socket::{Listener, Socket};
use mio::{Registry, Token};
use seda_core::Time;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Connections accepted in one round, before open connections have their turn.
const ACCEPTED_PER_ROUND: usize = 64;

/// Delay before accepting again when the process has no free descriptor or the connection limit
/// is reached, and no connection can be closed. No event announces the end of either condition.
const RETRY: Duration = Duration::from_millis(50);

/// The most connections beyond the limit that wait for room. The acceptor knows their clients, so
/// that a client with many connections is not in the way of one with few.
const WAITING_MOST: usize = 64;

/// A client with more than this fraction of all connections is not waited for: if as many newcomers
/// wait as may, its newcomers are closed, so that those behind them in the backlog have a turn.
const GREEDY_FRACTION: usize = 8;

/// Delay before accepting again after another reactor was told to close a connection.
const RETRY_AFTER_REQUEST: Duration = Duration::from_millis(1);

/// Accepts connections and gives them to the reactors in turn.
///
/// At the connection limit it accepts a few more, which wait, and asks for room ([`RoomRequest`]).
/// Further ones wait in the kernel's backlog, where they use no descriptor. (A 503 would need the
/// very place that is missing, or be lost to a reset.) The same holds while the process has no free
/// descriptor.
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
    /// The connections beyond the limit that wait for room, the oldest first.
    waiting: VecDeque<(Socket, SocketAddr)>,
    /// Index of the reactor that was asked for room last.
    asked: usize,
    /// The most connections at once.
    limit: usize,
    connection_count: Arc<ConnectionCount>,
    counters: Arc<Counters>,
    /// Counts the listener as a connection, so that a drain waits for its end.
    _guard: CountGuard,
}

impl<R> Acceptor<R> {
    /// `reactors` begins with the reactor that will own this acceptor.
    pub(crate) fn new(
        listener: Listener,
        reactors: Vec<Arc<Mailbox<R>>>,
        limit: usize,
        connection_count: Arc<ConnectionCount>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            listener,
            reactors,
            turn: 0,
            ready: true,
            retry_at: Time::ZERO,
            error_logged: false,
            waiting: VecDeque::new(),
            asked: 0,
            limit,
            _guard: connection_count.add_listener(),
            connection_count,
            counters,
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
        if self.ready || !self.waiting.is_empty() { self.retry_at } else { Time::NEVER }
    }

    /// Accepts from the backlog. `keep` takes this reactor's share; the others' goes to their
    /// mailboxes. While the server drains, the whole backlog is accepted at once.
    ///
    /// Returns the room that it needs to go on; `None` if it needs none.
    pub(super) fn accept(
        &mut self,
        now: Time,
        draining: bool,
        mut keep: impl FnMut(Accepted),
    ) -> Option<RoomRequest> {
        let most = if draining { usize::MAX } else { ACCEPTED_PER_ROUND };
        for _ in 0..most {
            if self.retry_at > now {
                return None;
            }
            // The count includes the listener.
            if self.connection_count.get() > self.limit {
                return self.wait_for_room(now);
            }
            let Some((socket, peer)) = self.next_connection(now) else {
                // Without a descriptor the end of a connection makes room, too.
                let needs_room = self.retry_at > now;
                return needs_room.then(RoomRequest::for_a_descriptor);
            };
            let guard = self.connection_count.add(peer);
            let accepted = Accepted { socket, peer, guard };
            match self.next_reactor() {
                Some(mailbox) => mailbox.send(ReactorMessage::Accepted(accepted)),
                None => keep(accepted),
            }
        }
        None
    }

    /// Returns the newcomer whose client has the fewest connections, or the next connection of the
    /// backlog if none waits.
    fn next_connection(&mut self, now: Time) -> Option<(Socket, SocketAddr)> {
        let connections = self.connections_of_waiting();
        let fewest = (0..).zip(connections).min_by_key(|(_, connections)| *connections);
        match fewest {
            Some((index, _)) => self.waiting.remove(index),
            None => self.accept_one(now),
        }
    }

    /// Takes in newcomers from the backlog, and returns the room that they need.
    fn wait_for_room(&mut self, now: Time) -> Option<RoomRequest> {
        if self.waiting.len() >= WAITING_MOST {
            self.close_greedy();
        }
        while self.waiting.len() < WAITING_MOST
            && let Some(accepted) = self.accept_one(now)
        {
            self.waiting.push_back(accepted);
        }
        if self.waiting.is_empty() {
            return None;
        }
        self.retry_at = now.after(RETRY);
        let networks = self.waiting.iter().map(|(_, peer)| Network::from(*peer));
        let waiting = networks.zip(self.connections_of_waiting()).collect();
        Some(RoomRequest::for_accepted(waiting, self.connection_count.most()))
    }

    /// Closes the newcomers of clients that have a large part of all connections already.
    fn close_greedy(&mut self) {
        let mut connections = self.connections_of_waiting().into_iter();
        let most = self.limit / GREEDY_FRACTION;
        self.waiting.retain(|_| {
            let keeps = connections.next().is_none_or(|connections| connections <= most);
            if !keeps {
                self.counters.evicted_connections.count();
            }
            keeps
        });
    }

    fn connections_of_waiting(&self) -> Vec<usize> {
        self.connection_count.connections_of(self.waiting.iter().map(|(_, peer)| *peer))
    }

    /// Accepts one connection; `None` if there is none, or no descriptor for it.
    fn accept_one(&mut self, now: Time) -> Option<(Socket, SocketAddr)> {
        while self.ready && self.retry_at <= now {
            match self.listener.accept() {
                Ok(connection) => {
                    self.error_logged = false;
                    return Some(connection);
                }
                Err(error) => self.handle_error(&error, now),
            }
        }
        None
    }

    /// Takes in that connections were closed.
    pub(super) fn note_room(&mut self) {
        self.retry_at = Time::ZERO;
    }

    /// Passes a request for room to the next reactor. Returns false if that is the owner of this
    /// acceptor, which then has to make room itself.
    pub(super) fn ask_for_room(&mut self, request: &RoomRequest, now: Time) -> bool {
        self.asked = (self.asked + 1) % self.reactors.len().max(1);
        let Some(mailbox) = self.reactors.get(self.asked).filter(|_| self.asked > 0) else {
            return false;
        };
        mailbox.send(ReactorMessage::MakeRoom(request.clone()));
        self.retry_at = now.after(RETRY_AFTER_REQUEST);
        true
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
                    tracing::warn!(
                        %error,
                        "cannot accept connections; idle ones are closed, others wait in the backlog"
                    );
                }
                self.retry_at = now.after(RETRY);
            }
        }
    }
}
