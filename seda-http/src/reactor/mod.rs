//! Reactors: the sockets, buffers and time limits of many connections on one thread.
//!
//! The room imports `tls` alone, and knows no protocol: bytes become requests
//! through a [`Codec`], and requests enter the graph through a [`Service`]. Listening, starting
//! and draining servers do not belong here (`server`).
//!
//! A reactor is a worker with the poll as its idle action ([`seda_core::Park`]). The same thread
//! runs the non-blocking stages of its pool and serves its sockets in between. So a request that
//! needs no other thread costs two system calls beside the poll, one read and one write. It costs
//! no thread switch and no wake-up.
//!
//! ```text
//! Acceptor ─▶ Mailbox ─▶ Connections ─▶ Connection: read ─▶ Codec ─▶ Service ─▶ (the graph)
//!                ▲                         │  ▲                                     │
//!                │                         ▼  │ in order                            │
//!                │                  socket ◀─ Output ◀─ Pipeline ◀──────────────────┤
//!                └──────────────────── a response, from any thread ◀────────────────┘
//! ```
//!
//! # Wake-up protocol
//!
//! One round is: poll, receive messages, accept, enforce time limits, give each ready connection a
//! turn. Between two rounds the worker runs stages, or sleeps in the poll. Four events end a
//! sleep:
//!
//! - a socket or a listener is ready: an event of the poll,
//! - a message arrives: [`Mailbox::send`] wakes the reactor by the protocol in `unparker`,
//! - a stage of the reactor's pool has work: the pool unparks the worker by the same protocol,
//! - a time limit passes: the timeout of the poll.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod` | [`Reactor`]: the round |
//! | `park`, `unparker` | a reactor as its worker's idle action; its sleep and how it ends |
//! | `parts`, `mailbox` | the poll and mailbox before a reactor; messages from other threads |
//! | `coalescing` | the pause that saves wake-ups under a flood |
//! | `core_wait` | the time without a core, after which workers rest |
//! | `codec`, `service` | [`Codec`] and [`Service`]: the protocol's side and the graph's side |
//! | `acceptor`, `listening` | the listeners, and what holds for the connections of each |
//! | `clients` | what each client holds; the connections and uploads that end for others |
//! | `connections`, `ready_queue` | the table of connections; those that have work to do |
//! | `connection` | one client: buffers, requests in flight, phase |
//! | `pipeline`, `output` | responses in order; bytes to write |
//! | `body` | [`Body`]; bodies that are streamed in either direction; the memory of bodies |
//! | `stream`, `socket` | readiness and encryption; TCP and Unix sockets, the two system calls |
//! | `origin`, `proxy_header` | the peer of a connection, and its client; the PROXY protocol |
//! | `settings`, `timeouts` | bounds; time limits |
//! | `counters` | what the reactors have done beside requests |

mod acceptor;
mod body;
mod clients;
mod coalescing;
mod codec;
mod connection;
mod connections;
mod core_wait;
mod counters;
mod listening;
mod mailbox;
mod origin;
mod output;
mod park;
mod parts;
mod pipeline;
mod proxy_header;
mod ready_queue;
mod service;
mod settings;
mod socket;
mod stream;
#[cfg(test)]
mod tests;
mod timeouts;
mod unparker;

pub(crate) use acceptor::{Acceptor, BACKLOG, LISTENERS_MOST};
pub use body::Body;
pub(crate) use body::budget::{BodyBudget, BodyCharge};
pub(crate) use body::pipe::{Pipe, PipeEnd, PushError};
pub use body::reader::{BodyReadError, BodyReader};
#[cfg(unix)]
pub(crate) use body::stored::{OpenAgain, StoredFile};
pub(crate) use body::stream::{BodyStream, Filler, PieceFraming};
pub(crate) use clients::connection_count::ConnectionCount;
pub use clients::peer_list::{PeerList, PeerListError};
pub(crate) use codec::{BodyNeed, Codec, DecodeOutcome, Expecting};
pub(crate) use counters::Counters;
pub(crate) use listening::{ListenerRules, Listening};
pub(crate) use mailbox::{Mailbox, ReactorMessage};
pub(crate) use origin::Origin;
pub(crate) use output::Output;
pub(crate) use park::ReactorPark;
pub(crate) use parts::ReactorParts;
pub(crate) use service::{Admission, Service};
pub(crate) use settings::Settings;
pub(crate) use socket::Listener;
pub(crate) use timeouts::Deadline;

use self::body::CHUNK;
use self::clients::eviction::RoomRequest;
use self::clients::uploads::MemoryRequest;
use self::coalescing::WakeupCoalescer;
use self::connection::{Connection, Ending, TurnBudget, TurnContext, TurnOutcome};
use self::connections::Connections;
use self::mailbox::Accepted;
use self::parts::WAKER;
use self::ready_queue::ReadyQueue;
use self::settings::Bounds;
use self::timeouts::SweepTimer;
use self::unparker::Unparker;
use crate::tls::{HandshakeFailure, HandshakeGuard};
use crossbeam_channel::Receiver;
use mio::{Events, Poll, Token};
use seda_core::{Clock, Outcome, ReplyAddress, Time};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

/// Events per poll. Further ones come with the next poll.
const EVENTS: usize = 1024;

/// Time that a reactor waits at its end for outcomes on their way. They come at once, unless a
/// handler does not return.
const OUTCOME_GRACE: Duration = Duration::from_millis(100);

/// The connections of one thread.
pub(crate) struct Reactor<C: Codec, S> {
    poll: Poll,
    events: Events,
    mailbox: Arc<Mailbox<C::Response>>,
    messages: Receiver<ReactorMessage<C::Response>>,
    /// Only the first reactor of a server has one, until it drains.
    acceptor: Option<Acceptor<C::Response>>,
    connections: Connections<C>,
    ready: ReadyQueue,
    codec: C,
    service: S,
    bounds: Bounds,
    /// The buffer of every read.
    scratch: Box<[u8]>,
    clock: Arc<dyn Clock>,
    /// The time of the last poll.
    now: Time,
    sweep_timer: SweepTimer,
    ending: Ending,
    coalescer: WakeupCoalescer,
}

impl<C: Codec, S: Service<C>> Reactor<C, S> {
    pub(crate) fn new(
        parts: ReactorParts<C::Response>,
        mut acceptor: Option<Acceptor<C::Response>>,
        codec: C,
        service: S,
        settings: Settings,
        counters: Arc<Counters>,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let ReactorParts { poll, mailbox, messages, bodies, handshaker } = parts;
        if let Some(acceptor) = &mut acceptor {
            acceptor.register(poll.registry())?;
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
            codec,
            service,
            bounds: Bounds { settings, counters, bodies, handshaker },
            scratch: vec![0; CHUNK].into_boxed_slice(),
            clock,
            now,
            sweep_timer: SweepTimer::new(now),
            ending: Ending::None,
            coalescer: WakeupCoalescer::default(),
        })
    }

    /// Waits briefly for open outcomes, writes as much as the sockets take, and closes all
    /// connections.
    pub(crate) fn shutdown(mut self) {
        self.ending = Ending::Drain;
        // The graph has ended, so outcomes with their reasons are on their way. Wait for them.
        let deadline = Deadline::after(Arc::clone(&self.clock), OUTCOME_GRACE);
        while self.connections.iter_mut().any(|connection| connection.has_pending()) {
            let Ok(message) = self.messages.recv_timeout(deadline.remaining()) else { break };
            self.handle(message);
        }
        // Write as much as the sockets take.
        for mut connection in self.connections.drain() {
            let mut cx = TurnContext {
                codec: &mut self.codec,
                service: &mut self.service,
                settings: &self.bounds.settings,
                counters: &self.bounds.counters,
                bodies: &self.bounds.bodies,
                mailbox: &self.mailbox,
                handshaker: self.bounds.handshaker.as_ref(),
                scratch: &mut self.scratch,
                now: self.now,
                ending: Ending::Drain,
                budget: TurnBudget::default(),
            };
            let mut outcome = connection.shutdown(&mut cx);
            while outcome == TurnOutcome::More {
                outcome = connection.turn(&mut cx);
            }
        }
    }

    fn unparker(&self) -> &Arc<Unparker> {
        self.mailbox.unparker()
    }

    /// Returns true if the reactor must not sleep.
    fn has_work(&self) -> bool {
        !self.messages.is_empty() || !self.ready.is_empty()
    }

    fn since_poll(&self) -> Duration {
        self.clock.now().since(self.now)
    }

    /// Returns the time until the next time limit; `None` if there is none.
    fn next_timeout(&self) -> Option<Duration> {
        let accept_at = self.acceptor.as_ref().map_or(Time::NEVER, Acceptor::due);
        let next = self.sweep_timer.next_sweep().min(accept_at);
        (next != Time::NEVER).then(|| next.since(self.clock.now()))
    }

    /// Polls for at most `timeout`, and marks connections with an event as ready.
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
                token if acceptor::is_of_listener(token) => {
                    if let Some(acceptor) = &mut self.acceptor {
                        acceptor.set_ready(token);
                    }
                }
                Token(slot) => {
                    // An event may follow the end of its connection.
                    if let Some(connection) = self.connections.get(slot) {
                        connection.note(event);
                        self.ready.push(connection);
                    }
                }
            }
        }
        self.events.clear();
    }

    /// Does everything of a round except the poll.
    fn run_round(&mut self) {
        self.receive_messages();
        self.accept();
        self.sweep();
        self.turn_ready();
        let (service, end) = (&self.service, self.clock.now());
        let pause = || coalescing::pause(service.slo());
        self.coalescer.note_round(service.refused_total(), self.now, end, pause);
    }

    /// Under a flood, sleeps for the pause if the reactor may sleep at least that long. Events that
    /// arrive meanwhile do not end the pause: that is its purpose.
    #[expect(clippy::disallowed_methods, reason = "no event is to end this sleep")]
    fn pause_under_flood(&mut self, timeout: Option<Duration>) {
        if !self.coalescer.is_flooded() || self.ending.is_drain() {
            return;
        }
        let pause = coalescing::pause(self.service.slo());
        if timeout.is_none_or(|timeout| timeout > pause) {
            std::thread::sleep(pause);
            self.coalescer.note_pause_end(self.clock.now());
        }
    }

    fn receive_messages(&mut self) {
        // Messages that arrive meanwhile wait for the next round, so that no connection starves.
        for _ in 0..self.messages.len() {
            let Ok(message) = self.messages.try_recv() else { return };
            self.handle(message);
        }
    }

    fn handle(&mut self, message: ReactorMessage<C::Response>) {
        match message {
            ReactorMessage::Outcome(address, outcome) => self.take_outcome(address, outcome),
            ReactorMessage::Wake(address) => {
                if let Some(connection) = self.connections.at(address) {
                    self.ready.push(connection);
                }
            }
            ReactorMessage::Handshaken(address, session, done) => {
                if let Some(connection) = self.connections.at(address) {
                    connection.take_back(session, &done);
                    self.ready.push(connection);
                }
            }
            ReactorMessage::Accepted(accepted) => self.open(accepted),
            ReactorMessage::MakeRoom(request) => {
                self.make_room(&request);
            }
            // A drain that has begun goes on.
            ReactorMessage::CloseAfterAnswers if self.ending.is_drain() => {}
            ReactorMessage::CloseAfterAnswers => self.ending = Ending::AfterAnswers,
            ReactorMessage::Drain => self.begin_drain(),
            ReactorMessage::Beat(beat) => drop(beat),
        }
    }

    /// Puts a response into its slot, unless the client has left meanwhile.
    fn take_outcome(&mut self, address: ReplyAddress, outcome: Outcome<C::Response>) {
        let Some(connection) = self.connections.at(address) else { return };
        let response = match outcome {
            Outcome::Answered(response) => response,
            Outcome::Lost(reason) => self.service.lost(reason),
        };
        if connection.answer(address.sequence, response) {
            self.ready.push(connection);
        }
    }

    /// Accepts connections. Under a drain a listener is closed once its backlog is accepted.
    fn accept(&mut self) {
        let Some(mut acceptor) = self.acceptor.take() else { return };
        let is_drain = self.ending.is_drain();
        let request = acceptor.accept(self.now, is_drain, |accepted| self.open(accepted));
        if let Some(request) = request
            && !acceptor.ask_for_room(&request, self.now)
            && self.make_room(&request)
        {
            acceptor.note_room();
            let _ = acceptor.accept(self.now, is_drain, |accepted| self.open(accepted));
        }
        if is_drain {
            acceptor.close_accepted(self.poll.registry());
        }
        if !(is_drain && acceptor.is_done()) {
            self.acceptor = Some(acceptor);
        }
    }

    /// Closes connections for newcomers. Returns true if at least one could be closed.
    fn make_room(&mut self, request: &RoomRequest) -> bool {
        let candidates = self.connections.iter_mut().filter_map(|it| it.candidate());
        let slots = clients::eviction::choose(candidates, request);
        for slot in &slots {
            self.bounds.counters.evicted_connections.count();
            if let Some(connection) = self.connections.remove(*slot) {
                connection.evict();
            }
        }
        !slots.is_empty()
    }

    /// Adds an accepted connection to this reactor.
    fn open(&mut self, mut accepted: Accepted) {
        let Some(address) = self.connections.vacant() else {
            debug_assert!(false, "the connection limit is below the number of slots");
            return;
        };
        accepted.socket.set_nodelay();
        let token = Token(address.slot as usize);
        if let Err(error) = accepted.socket.register(self.poll.registry(), token) {
            let peer = accepted.origin.peer();
            tracing::warn!(%error, %peer, "cannot watch a connection; it is closed");
            return;
        }
        let session = match &accepted.rules.tls {
            Some(tls) => {
                let handshakes = Arc::clone(&self.bounds.counters.handshakes);
                let handshake = HandshakeGuard::new(handshakes);
                match tls.session() {
                    Some(session) => Some((session, handshake)),
                    // It has said why there is none.
                    None => return handshake.fail(HandshakeFailure::Server),
                }
            }
            None => None,
        };
        let decoder = self.codec.decoder(&accepted.origin);
        let mut connection = Connection::new(accepted, session, address, decoder, self.now);
        // Clients speak first, so the first request is usually here already.
        self.ready.push(&mut connection);
        self.connections.insert(connection);
    }

    /// Closes the listeners after their backlogs are accepted, and each connection once its begun
    /// requests are finished.
    fn begin_drain(&mut self) {
        self.ending = Ending::Drain;
        if let Some(acceptor) = &mut self.acceptor {
            acceptor.begin_drain(self.poll.registry());
        }
        for connection in self.connections.iter_mut() {
            self.ready.push(connection);
        }
    }

    /// Gives each ready connection one turn.
    fn turn_ready(&mut self) {
        for _ in 0..self.ready.len() {
            let Some(slot) = self.ready.pop() else { return };
            let Some(connection) = self.connections.get(slot) else {
                debug_assert!(false, "slot {slot} is queued without a connection");
                continue;
            };
            connection.is_queued = false;
            let outcome = connection.turn(&mut TurnContext {
                codec: &mut self.codec,
                service: &mut self.service,
                settings: &self.bounds.settings,
                counters: &self.bounds.counters,
                bodies: &self.bounds.bodies,
                mailbox: &self.mailbox,
                handshaker: self.bounds.handshaker.as_ref(),
                scratch: &mut self.scratch,
                now: self.now,
                ending: self.ending,
                budget: TurnBudget::default(),
            });
            if outcome == TurnOutcome::Ended {
                drop(self.connections.remove(slot));
                continue;
            }
            self.sweep_timer.schedule(connection.due(&self.bounds.settings));
            if let Some(request) = connection.memory_request(self.bounds.bodies.free()) {
                // The next turn charges again, before other connections can.
                self.ready.push_front(connection);
                self.end_uploads(slot, request);
            } else if outcome == TurnOutcome::More {
                self.ready.push(connection);
            }
        }
    }

    /// Ends uploads for a request that needs their memory.
    fn end_uploads(&mut self, requester: usize, request: MemoryRequest) {
        let now = self.now;
        let uploads = self.connections.iter_mut().filter_map(|it| it.upload(now));
        let uploads = uploads.filter(|upload| upload.slot != requester).collect();
        for slot in clients::uploads::choose(uploads, request) {
            let Some(connection) = self.connections.get(slot) else { continue };
            connection.end_upload(&self.codec, self.service.no_memory());
            self.bounds.counters.ended_uploads.count();
            self.ready.push(connection);
        }
    }

    /// Enforces all time limits, if a sweep is due.
    fn sweep(&mut self) {
        if !self.sweep_timer.begin_if_due(self.now) {
            return;
        }
        for connection in self.connections.iter_mut() {
            if connection.sweep(&self.codec, &self.bounds.settings, self.now) {
                // Its turn schedules it anew.
                self.ready.push(connection);
            } else {
                self.sweep_timer.schedule(connection.due(&self.bounds.settings));
            }
        }
    }
}

#[cfg(test)]
impl<C: Codec, S: Service<C>> Reactor<C, S> {
    fn service(&mut self) -> &mut S {
        &mut self.service
    }

    fn awaits_a_head(&mut self) -> bool {
        self.connections.iter_mut().any(|connection| connection.awaits_a_head())
    }

    fn awaits_a_body(&mut self) -> bool {
        self.connections.iter_mut().any(|connection| connection.awaits_a_body())
    }

    fn input_bytes(&mut self) -> usize {
        self.connections.iter_mut().map(|connection| connection.input_bytes()).sum()
    }

    fn lingered_bytes(&mut self) -> u64 {
        self.connections.iter_mut().map(|connection| connection.lingered_bytes()).sum()
    }

    fn drops_a_body(&mut self) -> bool {
        self.connections.iter_mut().any(|connection| connection.drops_a_body())
    }

    fn has_input(&mut self) -> bool {
        self.connections.iter_mut().any(|connection| connection.has_input())
    }

    fn waits_for_its_program(&mut self) -> bool {
        self.connections.iter_mut().any(|connection| connection.waits_for_its_program())
    }

    fn streams(&mut self) -> bool {
        self.connections.iter_mut().any(|connection| connection.streams())
    }

    fn lingers(&mut self) -> bool {
        self.connections.iter_mut().any(|connection| connection.lingers())
    }
}
