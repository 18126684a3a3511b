//! The listeners: their connections are accepted and distributed over the reactors.

use super::clients::client::Network;
use super::clients::connection_count::{ConnectionCount, CountGuard};
use super::clients::eviction::RoomRequest;
use super::counters::Counters;
use super::listening::{ListenerRules, Listening};
use super::mailbox::{Accepted, Mailbox, ReactorMessage};
use super::origin::Origin;
use super::socket::Socket;
use mio::{Registry, Token};
use seda_core::Time;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
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

/// Connections that the kernel keeps until they are accepted: 50 ms of a flood of 20,000
/// connections a second. Kernels lower it to their own bound.
pub(crate) const BACKLOG: u16 = 1024;

/// The most listeners of a server. A name resolves to fewer addresses.
pub(crate) const LISTENERS_MOST: usize = 64;

/// The token of the first listener's events; those of the others are below it, far above those of
/// connections.
const LAST_LISTENER: usize = usize::MAX - 1;

/// Returns true if the token is one of listeners.
pub(super) fn is_of_listener(token: Token) -> bool {
    (LAST_LISTENER - LISTENERS_MOST + 1..=LAST_LISTENER).contains(&token.0)
}

/// Delay before accepting again after another reactor was told to close a connection.
const RETRY_AFTER_REQUEST: Duration = Duration::from_millis(1);

/// Accepts the connections of all listeners and gives them to the reactors in turn.
///
/// At the connection limit it accepts a few more, which wait, and asks for room ([`RoomRequest`]).
/// Further ones wait in the kernel's backlog, where they use no descriptor. (A 503 would need the
/// very place that is missing, or be lost to a reset.) The same holds while the process has no free
/// descriptor.
pub(crate) struct Acceptor<R> {
    /// The open listeners. Each has a token of its own.
    listeners: Vec<OpenListener>,
    /// Index of the listener that was accepted from last.
    accepted_from: usize,
    /// The mailboxes of all reactors; the first one owns this acceptor.
    reactors: Vec<Arc<Mailbox<R>>>,
    /// Index of the reactor that got the last connection.
    turn: usize,
    retry_at: Time,
    /// The last error was logged. Retries do not log it again.
    error_logged: bool,
    /// The connections beyond the limit that wait for room, the oldest first.
    waiting: VecDeque<Uncounted>,
    /// Index of the reactor that was asked for room last.
    asked: usize,
    /// The most connections at once.
    limit: usize,
    connection_count: Arc<ConnectionCount>,
    counters: Arc<Counters>,
    /// Counts the listeners as a connection, so that a drain waits for their end.
    _guard: CountGuard,
}

struct OpenListener {
    listening: Listening,
    token: Token,
    /// The backlog may hold connections.
    ready: bool,
    /// The number of connections that are still accepted.
    left: u64,
}

impl OpenListener {
    fn new(listening: Listening, token: Token) -> Self {
        Self { listening, token, ready: true, left: u64::MAX }
    }

    /// Accepts as many connections from now on as the backlog may hold: Linux keeps one more than
    /// it is told. Those that arrive later cannot make the drain endless.
    fn begin_drain(&mut self) {
        self.ready = true;
        self.left = u64::from(BACKLOG) + 1;
    }

    /// Takes in that a connection was accepted.
    fn note_accepted(&mut self) {
        self.left = self.left.saturating_sub(1);
        self.ready = self.left > 0;
    }
}

/// A connection that was accepted and not counted yet.
struct Uncounted {
    socket: Socket,
    origin: Origin,
    rules: Arc<ListenerRules>,
    network: Network,
}

impl<R> Acceptor<R> {
    /// `reactors` begins with the reactor that will own this acceptor.
    pub(crate) fn new(
        listeners: Vec<Listening>,
        reactors: Vec<Arc<Mailbox<R>>>,
        limit: usize,
        connection_count: Arc<ConnectionCount>,
        counters: Arc<Counters>,
    ) -> Self {
        let tokens = (0..LISTENERS_MOST).map(|index| Token(LAST_LISTENER - index));
        let opened = listeners.into_iter().zip(tokens);
        let opened = opened.map(|(listening, token)| OpenListener::new(listening, token));
        Self {
            listeners: opened.collect(),
            accepted_from: 0,
            reactors,
            turn: 0,
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

    pub(super) fn register(&mut self, registry: &Registry) -> io::Result<()> {
        let mut listeners = self.listeners.iter_mut();
        listeners.try_for_each(|it| it.listening.socket.register(registry, it.token))
    }

    /// Notes that the backlog of the listener with this token has connections.
    pub(super) fn set_ready(&mut self, token: Token) {
        for listener in self.listeners.iter_mut().filter(|listener| listener.token == token) {
            listener.ready = true;
        }
        self.retry_at = Time::ZERO;
    }

    /// Closes the listeners that are shared, whose other owners accept what is in the backlog. The
    /// backlogs of the others are accepted.
    pub(super) fn begin_drain(&mut self, registry: &Registry) {
        self.close_if(registry, |listener| listener.listening.is_shared);
        self.listeners.iter_mut().for_each(OpenListener::begin_drain);
        self.retry_at = Time::ZERO;
    }

    /// Closes the listeners whose backlogs are accepted.
    pub(super) fn close_accepted(&mut self, registry: &Registry) {
        self.close_if(registry, |listener| !listener.ready);
    }

    /// Returns true if no listener is open and no newcomer waits for room.
    pub(super) fn is_done(&self) -> bool {
        self.listeners.is_empty() && self.waiting.is_empty()
    }

    fn close_if(&mut self, registry: &Registry, is_to_close: impl Fn(&OpenListener) -> bool) {
        for listener in self.listeners.extract_if(.., |listener| is_to_close(listener)) {
            let mut socket = listener.listening.socket;
            if let Err(error) = socket.deregister(registry) {
                tracing::debug!(%error, "a closed listener still wakes its reactor");
            }
        }
    }

    /// Returns when to accept again although no event arrives; [`Time::NEVER`] if only an event
    /// can bring a connection.
    pub(super) fn due(&self) -> Time {
        let has_more = self.listeners.iter().any(|listener| listener.ready);
        if has_more || !self.waiting.is_empty() { self.retry_at } else { Time::NEVER }
    }

    /// Accepts from the backlogs. `keep` takes this reactor's share; the others' goes to their
    /// mailboxes. While the server drains, the whole backlogs are accepted at once.
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
            // The count includes the listeners.
            if self.connection_count.get() > self.limit {
                return self.wait_for_room(now);
            }
            let Some(uncounted) = self.next_connection(now) else {
                // Without a descriptor the end of a connection makes room, too.
                let needs_room = self.retry_at > now;
                return needs_room.then(RoomRequest::for_a_descriptor);
            };
            let Uncounted { socket, origin, rules, network } = uncounted;
            let guard = self.connection_count.add(network);
            let accepted = Accepted { socket, origin, rules, guard };
            match self.next_reactor() {
                Some(mailbox) => mailbox.send(ReactorMessage::Accepted(accepted)),
                None => keep(accepted),
            }
        }
        None
    }

    /// Returns the newcomer whose client has the fewest connections, or the next connection of a
    /// backlog if none waits.
    fn next_connection(&mut self, now: Time) -> Option<Uncounted> {
        let connections = self.connections_of_waiting();
        let fewest = (0..).zip(connections).min_by_key(|(_, connections)| *connections);
        match fewest {
            Some((index, _)) => self.waiting.remove(index),
            None => self.accept_one(now),
        }
    }

    /// Takes in newcomers from the backlogs, and returns the room that they need.
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
        let networks = self.waiting.iter().map(|it| it.network);
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
        self.connection_count.connections_of(self.waiting.iter().map(|it| it.network))
    }

    /// Accepts one connection; `None` if there is none, or no descriptor for it. Closes up to a
    /// round of connections from peers that may not connect; after these it returns `None` too, and
    /// their listener stays ready.
    fn accept_one(&mut self, now: Time) -> Option<Uncounted> {
        for _ in 0..ACCEPTED_PER_ROUND {
            if self.retry_at > now {
                break;
            }
            let listener = self.next_listener()?;
            let rules = Arc::clone(&listener.listening.rules);
            match listener.listening.socket.accept() {
                Ok((socket, peer)) => {
                    listener.note_accepted();
                    self.error_logged = false;
                    let origin = Origin::of_peer(peer).with_tls(rules.tls.is_some());
                    if rules.admits(&origin) {
                        // Behind a proxy only its header tells the client.
                        let client = origin.client().filter(|_| rules.proxy_protocol.is_none());
                        let network = self.connection_count.network(client);
                        return Some(Uncounted { socket, origin, rules, network });
                    }
                    self.note_unlisted(&origin);
                }
                Err(error) => self.handle_error(&error, now),
            }
        }
        None
    }

    /// Counts a connection from a peer that may not connect. The first one is logged.
    fn note_unlisted(&self, origin: &Origin) {
        if self.counters.unlisted_peers.get() == 0 {
            let peer = origin.peer();
            tracing::warn!(%peer, "a peer that `proxy_protocol` does not list is closed");
        }
        self.counters.unlisted_peers.count();
    }

    /// Returns the next listener, in turn, whose backlog may hold connections.
    fn next_listener(&mut self) -> Option<&mut OpenListener> {
        let is_ready = |index: &usize| self.listeners.get(*index).is_some_and(|it| it.ready);
        let after = self.accepted_from + 1;
        let later = (after..self.listeners.len()).find(is_ready);
        self.accepted_from = later.or_else(|| (0..after).find(is_ready))?;
        self.listeners.get_mut(self.accepted_from)
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
            ErrorKind::WouldBlock => {
                if let Some(listener) = self.listeners.get_mut(self.accepted_from) {
                    listener.ready = false;
                }
            }
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
