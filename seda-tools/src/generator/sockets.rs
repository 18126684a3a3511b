//! Carries attempts over a bounded number of reused connections.

use super::alarm::Alarm;
use super::attempt::{Attempt, Dispatch, End, Ended, Transport};
use super::connection::{Connection, TurnResult, connect_failure};
use super::growth::Growth;
use super::socket::Socket;
use crate::load::address::ServerAddress;
use crate::load::workload::PreparedTarget;
use mio::{Events, Interest, Poll, Token};
use seda_core::{Clock, Time};
use slab::Slab;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Events read from the kernel at once.
const EVENTS: usize = 1_024;
/// Bytes read at once: most answers fit, and a large one needs few reads.
const BUFFER: usize = 64 * 1_024;
const ALARM: Token = Token(usize::MAX);

/// The sockets of one generator thread.
#[derive(Debug)]
pub(super) struct Sockets {
    poll: Poll,
    events: Events,
    alarm: Alarm,
    clock: Arc<dyn Clock>,
    address: ServerAddress,
    targets: Arc<[PreparedTarget]>,
    limit: usize,
    connections: Slab<Connection>,
    growth: Growth,
    /// Free connections, the last used on top, so that few stay in use. Some may be closed or busy.
    idle: Vec<usize>,
    /// The connection of each client, in a closed loop.
    own: Vec<Option<usize>>,
    /// The position of the attempt at each place.
    carriers: Vec<Option<(Attempt, Carrier)>>,
    /// Attempts that wait for a connection, oldest first. Some may be abandoned.
    backlog: VecDeque<Dispatch>,
    /// Attempts that have ended since the last `take_ended`.
    ended: Vec<Ended>,
    /// Connections with more to read, interrupted for the turn of the others.
    unread: Vec<usize>,
    buffer: Box<[u8]>,
    counts: SocketCounts,
}

/// The position of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    Connection(usize),
    /// The attempt waits for a connection.
    Backlog,
}

/// Counts of the sockets of one thread.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SocketCounts {
    pub(super) opened: u64,
    /// The maximum of open connections.
    pub(super) max: u64,
    pub(super) waited: u64,
    pub(super) resent: u64,
    pub(super) bytes_received: u64,
}

impl Sockets {
    /// Makes sockets with at most `limit` connections to `address`.
    pub(super) fn new(
        address: ServerAddress,
        targets: Arc<[PreparedTarget]>,
        limit: usize,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let alarm = Alarm::new(poll.registry(), ALARM)?;
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS),
            alarm,
            clock,
            address,
            targets,
            limit: limit.max(1),
            connections: Slab::new(),
            growth: Growth::default(),
            idle: Vec::new(),
            own: Vec::new(),
            carriers: Vec::new(),
            backlog: VecDeque::new(),
            ended: Vec::new(),
            unread: Vec::new(),
            buffer: vec![0; BUFFER].into_boxed_slice(),
            counts: SocketCounts::default(),
        })
    }

    /// Waits at most `wait` for events, and handles them.
    pub(super) fn turn(&mut self, wait: Duration) -> io::Result<()> {
        let busy = !self.unread.is_empty() || !self.ended.is_empty();
        let timeout = self.alarm.set(if busy { Duration::ZERO } else { wait })?;
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        // Connections that are interrupted from here on belong to the next turn.
        let unread = std::mem::take(&mut self.unread);
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in events.iter().filter(|event| event.token() != ALARM) {
            let closed = event.is_read_closed() || event.is_error();
            self.connection_turn(event.token().0, closed);
            self.serve_backlog();
        }
        self.events = events;
        // Data that is left to read causes no event.
        for place in unread {
            self.connection_turn(place, true);
            self.serve_backlog();
        }
        self.serve_backlog();
        Ok(())
    }

    /// Returns when a connection may be opened for the backlog; `None` if that needs an event.
    pub(super) fn next_at(&self) -> Option<Time> {
        let may_grow = !self.backlog.is_empty() && self.connections.len() < self.limit;
        may_grow.then(|| self.growth.next_at())
    }

    /// Moves the attempts that have ended into `into`, which must be empty.
    pub(super) fn take_ended(&mut self, into: &mut Vec<Ended>) {
        std::mem::swap(&mut self.ended, into);
        self.ended.clear();
    }

    pub(super) fn counts(&self) -> SocketCounts {
        self.counts
    }

    fn connection_turn(&mut self, place: usize, closed: bool) {
        // The connection of an event may be closed, and its place may have another one, which then
        // finds nothing to read.
        let Some(connection) = self.connections.get_mut(place) else {
            return;
        };
        let target =
            connection.dispatch().and_then(|dispatch| self.targets.get(dispatch.target as usize));
        let now = self.clock.now();
        let (result, received) = connection.turn(target, &mut self.buffer, now, closed);
        self.counts.bytes_received += received as u64;
        self.settle(place, result);
    }

    /// Applies the result of a turn. The caller serves the backlog afterwards, because serving it
    /// here could recurse without end.
    fn settle(&mut self, place: usize, result: TurnResult) {
        let dispatch = self.connections.get(place).and_then(Connection::dispatch);
        match result {
            TurnResult::Wait => {}
            TurnResult::Again => self.unread.push(place),
            TurnResult::Gone => self.close(place),
            TurnResult::Failed(failure) => {
                self.close(place);
                if let Some(dispatch) = dispatch {
                    self.end(dispatch.attempt, End::Failed(failure));
                }
            }
            TurnResult::Stale => {
                self.close(place);
                if let Some(dispatch) = dispatch {
                    self.counts.resent += 1;
                    self.open(dispatch, true);
                }
            }
            TurnResult::Answered { attempt, answer, sent } => {
                if !answer.keep_alive {
                    self.close(place);
                } else if self.connections.get(place).is_some_and(|free| free.client.is_none()) {
                    self.idle.push(place);
                }
                self.end(attempt, End::Answered { answer, sent });
            }
        }
    }

    fn serve_backlog(&mut self) {
        while let Some(dispatch) = self.backlog.front().copied() {
            let is_waiting = self.carrier(dispatch.attempt) == Some(Carrier::Backlog);
            let place = if is_waiting { self.idle_place(&dispatch) } else { None };
            match place {
                Some(place) => self.begin(place, dispatch),
                None if !is_waiting => {}
                None if self.may_open(&dispatch) => self.open(dispatch, false),
                None => return,
            }
            self.backlog.pop_front();
        }
    }

    /// Returns a free connection for an attempt.
    fn idle_place(&mut self, dispatch: &Dispatch) -> Option<usize> {
        if let Some(client) = dispatch.client {
            let place = self.own.get(client as usize).copied().flatten()?;
            let owned = self.connections.get(place)?;
            return (owned.is_idle() && owned.client == dispatch.client).then_some(place);
        }
        while let Some(place) = self.idle.pop() {
            if self.connections.get(place).is_some_and(Connection::is_idle) {
                return Some(place);
            }
        }
        None
    }

    fn begin(&mut self, place: usize, dispatch: Dispatch) {
        self.carry(dispatch.attempt, Carrier::Connection(place));
        let now = self.clock.now();
        if let (Some(connection), Some(target)) =
            (self.connections.get_mut(place), self.targets.get(dispatch.target as usize))
        {
            let result = connection.begin(dispatch, target, now);
            self.settle(place, result);
        }
    }

    fn may_open(&mut self, dispatch: &Dispatch) -> bool {
        let count = self.connections.len();
        // The clients of a closed loop are not limited, because each must have its own connection.
        let is_growth = dispatch.client.is_none() && count as u64 >= self.counts.max;
        count < self.limit && (!is_growth || self.growth.allow(self.clock.now()))
    }

    /// Opens a connection for an attempt.
    fn open(&mut self, dispatch: Dispatch, resent: bool) {
        let place = match self.connect(dispatch, resent) {
            Ok(place) => place,
            Err(error) => return self.end(dispatch.attempt, End::Failed(connect_failure(&error))),
        };
        self.carry(dispatch.attempt, Carrier::Connection(place));
        if let Some(client) = dispatch.client {
            let client = client as usize;
            if self.own.len() <= client {
                self.own.resize(client + 1, None);
            }
            if let Some(own) = self.own.get_mut(client) {
                *own = Some(place);
            }
        }
    }

    fn connect(&mut self, dispatch: Dispatch, resent: bool) -> io::Result<usize> {
        let mut stream = Socket::connect(&self.address)?;
        let entry = self.connections.vacant_entry();
        let place = entry.key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(place), interest)?;
        entry.insert(Connection::new(stream, dispatch, resent));
        self.counts.opened += 1;
        self.counts.max = self.counts.max.max(self.connections.len() as u64);
        Ok(place)
    }

    fn close(&mut self, place: usize) {
        if let Some(mut connection) = self.connections.try_remove(place) {
            // A failure has no effect, because closing the socket deregisters it, too.
            let _ = self.poll.registry().deregister(&mut connection.stream);
        }
    }

    fn end(&mut self, attempt: Attempt, end: End) {
        if let Some(carrier) = self.carriers.get_mut(attempt.place as usize) {
            *carrier = None;
        }
        let at = self.clock.now();
        self.ended.push(Ended { attempt, end, at });
    }

    fn carry(&mut self, attempt: Attempt, by: Carrier) {
        let index = attempt.place as usize;
        if self.carriers.len() <= index {
            self.carriers.resize(index + 1, None);
        }
        if let Some(carrier) = self.carriers.get_mut(index) {
            *carrier = Some((attempt, by));
        }
    }

    fn carrier(&self, attempt: Attempt) -> Option<Carrier> {
        let (carried, by) = (*self.carriers.get(attempt.place as usize)?)?;
        (carried == attempt).then_some(by)
    }
}

impl Transport for Sockets {
    fn send(&mut self, dispatch: Dispatch) {
        // Waiting attempts go first.
        if self.backlog.is_empty() || dispatch.client.is_some() {
            if let Some(place) = self.idle_place(&dispatch) {
                return self.begin(place, dispatch);
            }
            if self.may_open(&dispatch) {
                return self.open(dispatch, false);
            }
        }
        self.counts.waited += 1;
        self.carry(dispatch.attempt, Carrier::Backlog);
        self.backlog.push_back(dispatch);
        self.serve_backlog();
    }

    fn abandon(&mut self, attempt: Attempt) {
        let carrier = self.carrier(attempt);
        if let Some(known) = self.carriers.get_mut(attempt.place as usize) {
            *known = None;
        }
        if let Some(Carrier::Connection(place)) = carrier {
            self.close(place);
            self.serve_backlog();
        }
    }
}
