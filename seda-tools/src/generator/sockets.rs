//! Attempts over sockets: connections opened as they are needed, used again, and bounded.

use super::alarm::Alarm;
use super::attempt::{Attempt, End, Order, Transport};
use super::connection::{Connection, Step, connect_failure};
use super::growth::Growth;
use crate::load::workload::Target;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use seda_core::{Clock, Time};
use slab::Slab;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Events taken from the kernel at a time.
const EVENTS: usize = 1_024;
/// Bytes read at a time: most answers in one go, and few reads for a large one.
const BUFFER: usize = 64 * 1_024;
const ALARM: Token = Token(usize::MAX);

/// The sockets of one generator thread.
#[derive(Debug)]
pub(super) struct Sockets {
    poll: Poll,
    events: Events,
    alarm: Alarm,
    clock: Arc<dyn Clock>,
    address: SocketAddr,
    targets: Arc<[Target]>,
    limit: usize,
    connections: Slab<Connection>,
    growth: Growth,
    /// Free ones, the last used on top, so that few are kept busy. Some may be gone or busy by now.
    idle: Vec<usize>,
    /// Each client's own connection, in a closed loop.
    own: Vec<Option<usize>>,
    /// What carries the attempt at each place.
    carriers: Vec<Option<(Attempt, Carrier)>>,
    /// What waits for a connection, oldest first. Some may be abandoned by now.
    backlog: VecDeque<Order>,
    /// Attempts that have ended since they were last taken.
    ended: Vec<(Attempt, End, Time)>,
    /// Connections with more to read that were interrupted so that others had their turn.
    unread: Vec<usize>,
    buffer: Box<[u8]>,
    figures: SocketFigures,
}

/// Where an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    Connection(usize),
    /// It waits for a connection.
    Backlog,
}

/// What a thread's sockets did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SocketFigures {
    pub(super) opened: u64,
    /// The most open at once.
    pub(super) max: u64,
    pub(super) waited: u64,
    pub(super) resent: u64,
    pub(super) bytes_received: u64,
}

impl Sockets {
    /// At most `limit` connections to `address`.
    pub(super) fn new(
        address: SocketAddr,
        targets: Arc<[Target]>,
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
            figures: SocketFigures::default(),
        })
    }

    /// Waits for something to happen, at most for `wait`, and goes on with what has.
    pub(super) fn turn(&mut self, wait: Duration) -> io::Result<()> {
        let busy = !self.unread.is_empty() || !self.ended.is_empty();
        let timeout = self.alarm.set(if busy { Duration::ZERO } else { wait })?;
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        let unread = std::mem::take(&mut self.unread);
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in events.iter().filter(|event| event.token() != ALARM) {
            let closed = event.is_read_closed() || event.is_error();
            self.connection_turn(event.token().0, closed);
            self.serve_backlog();
        }
        self.events = events;
        for place in unread {
            self.connection_turn(place, true);
            self.serve_backlog();
        }
        self.serve_backlog();
        Ok(())
    }

    /// When there is something to do without anything happening on a socket.
    pub(super) fn next_at(&self) -> Option<Time> {
        let may_grow = !self.backlog.is_empty() && self.connections.len() < self.limit;
        may_grow.then(|| self.growth.next_at())
    }

    /// Attempts that have ended, with the moment of each.
    pub(super) fn take_ended(&mut self, into: &mut Vec<(Attempt, End, Time)>) {
        std::mem::swap(&mut self.ended, into);
        self.ended.clear();
    }

    pub(super) fn figures(&self) -> SocketFigures {
        self.figures
    }

    fn connection_turn(&mut self, place: usize, closed: bool) {
        // An event may be of a connection that is gone, or whose place has another: reading then
        // finds nothing.
        let Some(connection) = self.connections.get_mut(place) else {
            return;
        };
        let target = connection.order().and_then(|order| self.targets.get(order.target as usize));
        let now = self.clock.now();
        let (step, received) = connection.turn(target, &mut self.buffer, now, closed);
        self.figures.bytes_received += received as u64;
        self.settle(place, step);
    }

    /// Draws the consequences of a step. What waits for a connection is served by the caller:
    /// from here it could go round in circles.
    fn settle(&mut self, place: usize, step: Step) {
        let order = self.connections.get(place).and_then(Connection::order);
        match step {
            Step::Wait => {}
            Step::Again => self.unread.push(place),
            Step::Gone => self.close(place),
            Step::Failed(failure) => {
                self.close(place);
                if let Some(order) = order {
                    self.end(order.attempt, End::Failed(failure));
                }
            }
            Step::Stale => {
                self.close(place);
                if let Some(order) = order {
                    self.figures.resent += 1;
                    self.open(order, true);
                }
            }
            Step::Answered { attempt, answer, sent } => {
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
        while let Some(order) = self.backlog.front().copied() {
            let is_waiting = self.carrier(order.attempt) == Some(Carrier::Backlog);
            let place = if is_waiting { self.idle_place(&order) } else { None };
            match place {
                Some(place) => self.begin(place, order),
                None if !is_waiting => {}
                None if self.may_open(&order) => self.open(order, false),
                None => return,
            }
            self.backlog.pop_front();
        }
    }

    /// A free connection for this order.
    fn idle_place(&mut self, order: &Order) -> Option<usize> {
        if let Some(client) = order.client {
            let place = self.own.get(client as usize).copied().flatten()?;
            let owned = self.connections.get(place)?;
            return (owned.is_idle() && owned.client == order.client).then_some(place);
        }
        while let Some(place) = self.idle.pop() {
            if self.connections.get(place).is_some_and(Connection::is_idle) {
                return Some(place);
            }
        }
        None
    }

    fn begin(&mut self, place: usize, order: Order) {
        self.carry(order.attempt, Carrier::Connection(place));
        let now = self.clock.now();
        if let (Some(connection), Some(target)) =
            (self.connections.get_mut(place), self.targets.get(order.target as usize))
        {
            let step = connection.begin(order, target, now);
            self.settle(place, step);
        }
    }

    fn may_open(&mut self, order: &Order) -> bool {
        let count = self.connections.len();
        // A closed loop's clients are few enough, and each has to have its own.
        let is_growth = order.client.is_none() && count >= self.most();
        count < self.limit && (!is_growth || self.growth.allow(self.clock.now()))
    }

    /// The most connections there have been at once.
    fn most(&self) -> usize {
        usize::try_from(self.figures.max).unwrap_or(usize::MAX)
    }

    /// Opens a connection for this order.
    fn open(&mut self, order: Order, resent: bool) {
        let place = match self.connect(order, resent) {
            Ok(place) => place,
            Err(error) => return self.end(order.attempt, End::Failed(connect_failure(&error))),
        };
        self.carry(order.attempt, Carrier::Connection(place));
        if let Some(client) = order.client {
            let client = client as usize;
            if self.own.len() <= client {
                self.own.resize(client + 1, None);
            }
            if let Some(own) = self.own.get_mut(client) {
                *own = Some(place);
            }
        }
    }

    fn connect(&mut self, order: Order, resent: bool) -> io::Result<usize> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        let entry = self.connections.vacant_entry();
        let place = entry.key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(place), interest)?;
        entry.insert(Connection::new(stream, order, resent));
        self.figures.opened += 1;
        self.figures.max = self.figures.max.max(self.connections.len() as u64);
        Ok(place)
    }

    fn close(&mut self, place: usize) {
        if let Some(mut connection) = self.connections.try_remove(place) {
            // Dropping it closes it, which deregisters it as well; a failure changes nothing.
            let _ = self.poll.registry().deregister(&mut connection.stream);
        }
    }

    fn end(&mut self, attempt: Attempt, end: End) {
        if let Some(carrier) = self.carriers.get_mut(attempt.place as usize) {
            *carrier = None;
        }
        let now = self.clock.now();
        self.ended.push((attempt, end, now));
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
    fn send(&mut self, order: Order) {
        // What waits already goes first.
        if self.backlog.is_empty() || order.client.is_some() {
            if let Some(place) = self.idle_place(&order) {
                return self.begin(place, order);
            }
            if self.may_open(&order) {
                return self.open(order, false);
            }
        }
        self.figures.waited += 1;
        self.carry(order.attempt, Carrier::Backlog);
        self.backlog.push_back(order);
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
