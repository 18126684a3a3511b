//! The reactor: sockets, buffers and clocks of many connections on one thread. It knows bytes and
//! the order of answers; it knows no HTTP.
//!
//! A reactor is a worker whose idle action is to poll ([`seda_core::Park`]): the same thread turns
//! the non-blocking stages of its pool and looks at its sockets in between, so a request that
//! needs no other thread costs no switch, no wake-up and two system calls: one read, one write.
//!
//! ```text
//! Acceptor ─▶ Mailbox ─▶ Connections ─▶ Connection: read ─▶ Codec ─▶ Service ─▶ (the graph)
//!                ▲                         │  ▲                                        │
//!                │                         ▼  │ in order                               │
//!                │                  socket ◀─ Output ◀─ Pipeline ◀─────────────────────┤
//!                └──────────────────── an answer, from any thread ◀────────────────────┘
//! ```
//!
//! | file | holds |
//! | --- | --- |
//! | `protocol` | [`Codec`]: bytes to requests, answers to bytes |
//! | `service` | [`Service`]: what to do with a request |
//! | `settings` | [`Settings`]: every bound and time limit of a connection |
//! | `body` | [`Body`]: what follows an answer's head, made while it is written |
//! | `output` | [`Output`]: what waits to be written |
//! | `pipeline` | requests in flight on one connection, answered in order |
//! | `stream` | a client's socket, and what is known of it |
//! | `connection` | one client: buffers, requests in flight, phase |
//! | `timeout` | what a connection waits for, and how long |
//! | `connections` | the table of connections and their generations |
//! | `unparker` | the sleep of a reactor, and how it is ended |
//! | `coalescer` | how a reactor under a flood saves wake-ups |
//! | `mailbox` | what other threads tell a reactor |
//! | `connection_count` | how many connections there are, and who waits for none to be left |
//! | `acceptor` | the listener |

mod acceptor;
mod body;
mod coalescing;
mod codec;
mod connection;
mod connection_count;
mod connections;
mod deadline;
mod mailbox;
mod output;
mod park;
mod parts;
mod pipeline;
mod ready_queue;
mod service;
mod settings;
mod socket;
mod stream;
mod sweep_timer;
#[cfg(test)]
mod tests;
mod timeouts;
mod unparker;

pub(crate) use acceptor::Acceptor;
pub use body::Body;
pub(crate) use codec::{Codec, DecodeOutcome, Expecting};
pub(crate) use connection_count::ConnectionCount;
pub(crate) use deadline::Deadline;
pub(crate) use mailbox::{Mailbox, ReactorMessage};
pub(crate) use output::Output;
pub(crate) use park::ReactorPark;
pub(crate) use parts::ReactorParts;
pub(crate) use service::{Admission, Service};
pub(crate) use settings::Settings;

use self::body::CHUNK;
use self::coalescing::WakeupCoalescer;
use self::connection::{Connection, TurnContext, TurnOutcome};
use self::connections::Connections;
use self::mailbox::Accepted;
use self::parts::WAKER;
use self::ready_queue::ReadyQueue;
use self::sweep_timer::SweepTimer;
use crossbeam_channel::Receiver;
use mio::{Events, Interest, Poll, Token};
use seda_core::{Address, Clock, Outcome, Time};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

/// Events per poll; what does not fit comes with the next one.
const EVENTS: usize = 1024;

/// How long a reactor that ends waits for outcomes that are on their way: they come at once,
/// unless a handler does not return.
const OUTCOME_GRACE: Duration = Duration::from_millis(100);

const LISTENER: Token = Token(usize::MAX - 1);

/// Many connections on one thread.
pub(crate) struct Reactor<P: Codec, S> {
    poll: Poll,
    events: Events,
    mailbox: Arc<Mailbox<P::Response>>,
    messages: Receiver<ReactorMessage<P::Response>>,
    acceptor: Option<Acceptor<P::Response>>,
    connections: Connections<P>,
    ready: ReadyQueue,
    protocol: P,
    service: S,
    settings: Settings,
    scratch: Box<[u8]>,
    clock: Arc<dyn Clock>,
    now: Time,
    sweep_timer: SweepTimer,
    draining: bool,
    coalescer: WakeupCoalescer,
}

impl<P: Codec, S: Service<P>> Reactor<P, S> {
    /// A reactor; the one with the acceptor owns the listener.
    pub(crate) fn new(
        parts: ReactorParts<P::Response>,
        mut acceptor: Option<Acceptor<P::Response>>,
        protocol: P,
        service: S,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let ReactorParts { poll, mailbox, messages } = parts;
        if let Some(acceptor) = &mut acceptor {
            acceptor.register(poll.registry(), LISTENER)?;
        }
        let now = clock.now();
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS),
            mailbox,
            messages,
            acceptor,
            connections: Connections::new(),
            ready: ReadyQueue::default(),
            protocol,
            service,
            settings,
            scratch: vec![0; CHUNK].into_boxed_slice(),
            clock,
            now,
            sweep_timer: SweepTimer::new(now),
            draining: false,
            coalescer: WakeupCoalescer::default(),
        })
    }

    /// Ends all connections; those who still wait for an answer are told.
    pub(crate) fn shutdown(mut self) {
        self.draining = true;
        // What the graph gave up when it ended is on its way, with the reason.
        let deadline = Deadline::after(Arc::clone(&self.clock), OUTCOME_GRACE);
        while self.connections.iter_mut().any(|connection| connection.awaits()) {
            let Ok(message) = self.messages.recv_timeout(deadline.remaining()) else { break };
            self.handle(message);
        }
        for mut connection in self.connections.drain() {
            let mut cx = TurnContext {
                protocol: &mut self.protocol,
                service: &mut self.service,
                settings: &self.settings,
                scratch: &mut self.scratch,
                now: self.now,
                draining: true,
            };
            let mut after = connection.shutdown(&mut cx);
            while after == TurnOutcome::More {
                after = connection.turn(&mut cx);
            }
        }
    }

    /// Sleeps until something happens, `timeout` at most, and takes note of it.
    fn poll(&mut self, timeout: Option<Duration>) {
        if let Err(error) = self.poll.poll(&mut self.events, timeout)
            && error.kind() != ErrorKind::Interrupted
        {
            tracing::error!(%error, "a reactor cannot poll");
        }
        self.now = self.clock.now();
        for event in &self.events {
            match event.token() {
                WAKER => {}
                LISTENER => {
                    if let Some(acceptor) = &mut self.acceptor {
                        acceptor.set_ready();
                    }
                }
                Token(slot) => {
                    let slot = u32::try_from(slot).unwrap_or(u32::MAX);
                    if let Some(connection) = self.connections.get(slot) {
                        connection.note(event);
                        self.ready.push(connection);
                    }
                }
            }
        }
        self.events.clear();
    }

    /// Everything but the poll.
    fn serve(&mut self) {
        self.receive_messages();
        self.accept();
        self.sweep();
        self.turn_ready();
        self.coalescer.note(self.service.refused_total(), self.now, self.clock.now());
    }

    /// Under a flood, sleeps for a moment although there may be something to do, if it may sleep
    /// for longer than that.
    #[expect(clippy::disallowed_methods, reason = "nothing is to end this sleep")]
    fn coalesce(&mut self, timeout: Option<Duration>) {
        if !self.coalescer.is_flooded() || self.draining {
            return;
        }
        let pause = coalescing::pause(self.service.slo());
        if timeout.is_none_or(|timeout| timeout > pause) {
            std::thread::sleep(pause);
            self.coalescer.note_pause_end(self.clock.now());
        }
    }

    fn receive_messages(&mut self) {
        // Those that come meanwhile are read in the next cx, so that nobody starves.
        for _ in 0..self.messages.len() {
            let Ok(message) = self.messages.try_recv() else { return };
            self.handle(message);
        }
    }

    fn handle(&mut self, message: ReactorMessage<P::Response>) {
        match message {
            ReactorMessage::Outcome(address, outcome) => self.take_outcome(address, outcome),
            ReactorMessage::Accepted(accepted) => self.open(accepted),
            ReactorMessage::Drain => self.begin_drain(),
        }
    }

    /// Puts an answer into its place. The client may have gone, and the slot be another's.
    fn take_outcome(&mut self, address: Address, outcome: Outcome<P::Response>) {
        let Some(connection) = self.connections.at(address) else { return };
        let answer = match outcome {
            Outcome::Answered(answer) => answer,
            Outcome::Lost(reason) => self.service.lost(reason),
        };
        if connection.answer(address.sequence, answer) {
            self.ready.push(connection);
        }
    }

    fn accept(&mut self) {
        let Some(mut acceptor) = self.acceptor.take() else { return };
        acceptor.accept(self.now, self.draining, |newcomer| self.open(newcomer));
        if !self.draining {
            self.acceptor = Some(acceptor);
        }
    }

    /// Makes a newcomer one of this reactor's connections.
    fn open(&mut self, Accepted { mut socket, peer, guard }: Accepted) {
        let Some(address) = self.connections.vacant() else { return };
        // Answers are written whole, so there is nothing that Nagle's algorithm could gather.
        let _ = socket.set_nodelay(true);
        let token = Token(address.slot as usize);
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(&mut socket, token, interest) {
            tracing::warn!(%error, %peer, "a connection cannot be watched and is closed");
            return;
        }
        let decoder = self.protocol.decoder();
        let mut connection = Connection::new(socket, peer, guard, address, decoder, self.now);
        // Clients speak first and at once: most requests are there when they are accepted.
        self.ready.push(&mut connection);
        self.connections.insert(connection);
    }

    /// From here on: no newcomers but those in the backlog, and each connection ends as soon as
    /// what was begun on it is finished.
    fn begin_drain(&mut self) {
        self.draining = true;
        if let Some(acceptor) = &mut self.acceptor {
            acceptor.set_ready();
        }
        for connection in self.connections.iter_mut() {
            self.ready.push(connection);
        }
    }

    /// Gives each connection that has something to do one turn.
    fn turn_ready(&mut self) {
        for _ in 0..self.ready.len() {
            let Some(slot) = self.ready.pop() else { return };
            let Some(connection) = self.connections.get(slot) else { continue };
            connection.queued = false;
            let after = connection.turn(&mut TurnContext {
                protocol: &mut self.protocol,
                service: &mut self.service,
                settings: &self.settings,
                scratch: &mut self.scratch,
                now: self.now,
                draining: self.draining,
            });
            if after == TurnOutcome::Ended {
                drop(self.connections.remove(slot));
                continue;
            }
            if after == TurnOutcome::More {
                self.ready.push(connection);
            }
            self.sweep_timer.schedule(connection.due(&self.settings));
        }
    }

    /// Sweeps over all time limits, if it is time.
    fn sweep(&mut self) {
        if !self.sweep_timer.begin_if_due(self.now) {
            return;
        }
        for connection in self.connections.iter_mut() {
            if connection.sweep(&self.protocol, &self.settings, self.now) {
                self.ready.push(connection);
            } else {
                self.sweep_timer.schedule(connection.due(&self.settings));
            }
        }
    }

    /// How long it may sleep for its own sake.
    fn timeout(&self) -> Option<Duration> {
        let accept_at = self.acceptor.as_ref().map_or(Time::NEVER, Acceptor::due);
        let next = self.sweep_timer.next().min(accept_at);
        (next != Time::NEVER).then(|| next.since(self.clock.now()))
    }
}

#[cfg(test)]
impl<P: Codec, S: Service<P>> Reactor<P, S> {
    fn service(&mut self) -> &mut S {
        &mut self.service
    }

    fn awaits_a_head(&mut self) -> bool {
        self.connections.iter_mut().any(|connection| connection.awaits_a_head())
    }
}
