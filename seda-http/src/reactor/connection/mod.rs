//! One client: its socket, its buffers, its requests in flight and its phase.
//!
//! # Phases
//!
//! ```text
//! Preface ──▶ Open ──▶ Ending ──▶ Lingering ──▶ closed
//!    │         │         │           │            ▲
//!    └─────────┴─────────┴───────────┴────────────┘  the client has left, or its time is over
//! ```
//!
//! `Preface` reads the PROXY header, at a listener that has one. `Open` takes requests. `Ending`
//! takes none and writes the responses that are due. `Lingering` has sent its FIN and discards
//! input until the client's FIN, so that the last response is not lost to a reset.

mod ending;
mod handshake;
mod input;
mod memory;
mod overdue;
mod phase;
mod preface;
mod upload;

pub(super) use self::ending::Ending;

use self::input::Input;
use super::body::pipe::{ReactorWaker, WakeReactor};
use super::clients::connection_count::ConnectionGuard;
use super::mailbox::Accepted;
use super::output::Output;
use super::pipeline::{Next, Pipeline};
use super::stream::{Disconnected, Stream};
use super::timeouts::{Timeout, Waiting};
use super::{
    Admission, BodyBudget, Codec, Counters, DecodeOutcome, Mailbox, Origin, Service, Settings,
};
use crate::tls::{HandshakeGuard, Handshaker, Session};
use mio::event::Event;
use seda_core::{ReplyAddress, Time};
use std::sync::Arc;

/// Bytes that one connection reads and writes in a turn: 0.1 ms of copying, and enough that a long
/// body is not cut into small writes.
const QUANTUM: usize = 256 * 1024;

/// Requests that one connection decodes in a turn. The bound of the pipeline does not suffice:
/// requests that are refused or answered at once leave it at once, so thousands in one piece would
/// all be decoded before the next connection has its turn.
const REQUESTS: usize = 16;

/// The parts of a reactor that a connection uses in its turn.
pub(super) struct TurnContext<'a, C: Codec, S> {
    pub(super) codec: &'a mut C,
    pub(super) service: &'a mut S,
    pub(super) settings: &'a Settings,
    pub(super) counters: &'a Counters,
    pub(super) bodies: &'a Arc<BodyBudget>,
    pub(super) mailbox: &'a Arc<Mailbox<C::Response>>,
    /// `None` if no connection is encrypted.
    pub(super) handshaker: Option<&'a Handshaker>,
    /// The buffer of every read, shared by all connections.
    pub(super) scratch: &'a mut [u8],
    pub(super) now: Time,
    pub(super) ending: Ending,
    pub(super) budget: TurnBudget,
}

/// The bytes and requests that are left for one turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct TurnBudget {
    bytes: usize,
    requests: usize,
}

impl Default for TurnBudget {
    fn default() -> Self {
        Self { bytes: QUANTUM, requests: REQUESTS }
    }
}

impl TurnBudget {
    fn spend(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// The result of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TurnOutcome {
    /// The connection has nothing to do until an event, a message or a time limit.
    Idle,
    /// The budget of the turn is used up, and the connection has more to do.
    More,
    /// The connection has ended.
    Ended,
}

pub(super) struct Connection<C: Codec> {
    stream: Stream,
    origin: Origin,
    address: ReplyAddress,
    input: Input<C>,
    pipeline: Pipeline<C>,
    output: Output,
    /// The response to a refused request, until its body is dropped.
    refusal: Option<Box<(C::Response, C::Exchange)>>,
    phase: Phase,
    timeout: Timeout,
    /// No request has arrived yet.
    is_new: bool,
    /// The connection is in the reactor's [`ReadyQueue`](super::ready_queue::ReadyQueue).
    pub(super) is_queued: bool,
    guard: ConnectionGuard,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Reads the PROXY header, and takes no requests before.
    Preface,
    /// Takes requests.
    Open,
    /// Takes none, and ends after the last response.
    Ending,
    /// Has sent FIN, waits for the client's, and discards up to this number of bytes until then.
    Lingering(usize),
}

impl<C: Codec> Connection<C> {
    pub(super) fn new(
        Accepted { socket, origin, rules, guard }: Accepted,
        session: Option<(Box<Session>, HandshakeGuard)>,
        address: ReplyAddress,
        decoder: C::Decoder,
        now: Time,
    ) -> Self {
        let has_preface = rules.proxy_protocol.is_some();
        Self {
            stream: Stream::new(socket, session),
            origin,
            address,
            input: Input::new(decoder, now),
            pipeline: Pipeline::new(),
            output: Output::default(),
            refusal: None,
            phase: if has_preface { Phase::Preface } else { Phase::Open },
            timeout: Timeout::new(now),
            is_new: true,
            is_queued: false,
            guard,
        }
    }

    pub(super) fn address(&self) -> ReplyAddress {
        self.address
    }

    /// Returns true if a request of this connection waits for its response.
    pub(super) fn has_pending(&self) -> bool {
        self.pipeline.has_pending()
    }

    /// Takes in an event of the poll.
    pub(super) fn note(&mut self, event: &Event) {
        self.stream.note(event);
    }

    /// Puts a response into its slot. Returns false if the slot waits for none. Only the response
    /// that is written next holds a file open.
    pub(super) fn answer(&mut self, sequence: u64, mut response: C::Response) -> bool {
        if !(self.output.is_empty() && self.pipeline.is_first(sequence)) {
            C::close_file(&mut response);
        }
        self.pipeline.answer(sequence, response)
    }

    /// Reads, admits, encodes and writes within the budget of a turn.
    pub(super) fn turn<S: Service<C>>(&mut self, cx: &mut TurnContext<'_, C, S>) -> TurnOutcome {
        if self.stream.is_dead {
            return TurnOutcome::Ended;
        }
        cx.budget = TurnBudget::default();
        // Under a drain the socket is read once more without an event, because every request that
        // arrives before the server's FIN must be answered.
        self.stream.is_readable |= cx.ending.is_drain() && !self.stream.is_at_eof;
        self.try_turn(cx).unwrap_or(TurnOutcome::Ended)
    }

    fn try_turn<S: Service<C>>(
        &mut self,
        cx: &mut TurnContext<'_, C, S>,
    ) -> Result<TurnOutcome, Disconnected> {
        if self.phase == Phase::Preface && !self.read_preface(cx)?
            || self.stream.is_handshaking() && !self.handshake(cx)?
        {
            self.timeout.set_waiting(self.waiting(cx), cx.now);
            return Ok(TurnOutcome::Idle);
        }
        self.charge_again(cx);
        self.go_ahead();
        // Read and write in turn: written responses make room for more requests.
        loop {
            self.receive(cx)?;
            if !self.send(cx)? || cx.budget.bytes == 0 {
                break;
            }
        }
        // Move to the next phase if this one is over.
        if self.advance_phase(cx)? {
            self.send(cx)?;
            self.advance_phase(cx)?;
        }
        self.discard(cx)?;
        // Restart the time limit if the connection now waits for something else.
        self.timeout.set_waiting(self.waiting(cx), cx.now);
        // Say whether the budget stopped the turn before the socket did.
        let reads = self.wants_bytes(cx.settings) || matches!(self.phase, Phase::Lingering(_));
        let decodes = !self.input.needs_more && self.has_room(cx.settings);
        let writes = self.stream.is_writable && self.output.has_bytes();
        let has_more = self.stream.is_readable && reads || decodes || writes;
        Ok(if has_more { TurnOutcome::More } else { TurnOutcome::Idle })
    }

    /// Reads and decodes until the socket is empty, the pipeline is full or the budget is used up.
    fn receive<S: Service<C>>(
        &mut self,
        cx: &mut TurnContext<'_, C, S>,
    ) -> Result<(), Disconnected> {
        loop {
            self.take_requests(cx);
            if !self.stream.is_readable || !self.wants_bytes(cx.settings) || cx.budget.bytes == 0 {
                return Ok(());
            }
            let most = self.input.room();
            let read = self.stream.read(&mut self.input.bytes, cx.scratch, most)?;
            cx.budget.spend(read.plain.max(read.wire));
            if read.plain > 0 {
                self.input.needs_more = false;
                self.input.last_read = cx.now;
                self.timeout.note_progress(Waiting::Body, read.plain, cx.now);
            }
        }
    }

    /// Returns true if another request, or another piece of a streamed body, may be taken.
    fn has_room(&self, settings: &Settings) -> bool {
        if let Some(feed) = &self.input.feed {
            return feed.room() > 0;
        }
        self.phase == Phase::Open
            && self.input.wants_memory.is_none()
            && self.pipeline.len() < settings.pipeline
            && self.output.buffered() < settings.write_buffer
            // A stream may last for hours. Requests behind it stay in the socket meanwhile.
            && !self.output.is_streaming()
    }

    fn wants_bytes(&self, settings: &Settings) -> bool {
        self.input.needs_more && !self.stream.is_at_eof && self.has_room(settings)
    }

    /// Decodes requests from the input and gives them to the service.
    fn take_requests<S: Service<C>>(&mut self, cx: &mut TurnContext<'_, C, S>) {
        while !self.input.needs_more && self.has_room(cx.settings) && cx.budget.requests > 0 {
            match self.input.decode(cx.codec) {
                DecodeOutcome::Incomplete => {
                    self.input.needs_more = true;
                    self.charge(cx);
                }
                DecodeOutcome::Head => self.check(cx),
                DecodeOutcome::Interim(bytes) => self.pipeline.push_interim(bytes),
                DecodeOutcome::Request(request, exchange) => {
                    self.note_request(&exchange, cx);
                    self.admit(request, exchange, cx);
                }
                DecodeOutcome::Piece(piece, is_last) => self.feed(piece, is_last),
                DecodeOutcome::Response(response, _) if self.input.feed.is_some() => {
                    self.fail_stream(response);
                }
                DecodeOutcome::Response(response, mut exchange) => {
                    self.input.charge = None;
                    self.input.note_decision(&mut exchange);
                    self.note_request(&exchange, cx);
                    self.pipeline.push_answered(response, exchange);
                }
                DecodeOutcome::Refused(exchange) => {
                    self.answer_refusal(C::is_last(&exchange));
                }
            }
        }
    }

    /// Asks the service whether to read the body of a request; if not, responds to it now.
    fn check<S: Service<C>>(&mut self, cx: &mut TurnContext<'_, C, S>) {
        let Some(head) = self.input.head() else {
            debug_assert!(false, "the decoder has the head that it announced");
            return;
        };
        match cx.service.check(head, cx.now) {
            Ok(decision) => {
                let total = self.input.accept(decision);
                self.timeout.set_body_total(total);
                self.charge(cx);
                self.begin_stream(cx);
            }
            Err(response) => {
                let mut exchange = self.input.refuse(cx.codec);
                cx.service.label(&mut exchange, cx.now);
                self.refuse(response, exchange, cx);
            }
        }
    }

    /// Responds to a refused request: at once if the connection ends, else after its body.
    fn refuse<S: Service<C>>(
        &mut self,
        response: C::Response,
        exchange: C::Exchange,
        cx: &mut TurnContext<'_, C, S>,
    ) {
        self.note_request(&exchange, cx);
        if C::is_last(&exchange) {
            self.pipeline.push_answered(response, exchange);
        } else {
            self.refusal = Some(Box::new((response, exchange)));
        }
    }

    /// Responds to the refused request whose body was dropped. `is_last` is true if the end of its
    /// body is unknown, and the connection ends. Returns false if there is no refused request.
    fn answer_refusal(&mut self, is_last: bool) -> bool {
        let Some(refusal) = self.refusal.take() else { return false };
        let (response, exchange) = *refusal;
        let exchange = if is_last { C::make_last(exchange) } else { exchange };
        if C::is_last(&exchange) {
            self.phase = Phase::Ending;
        }
        self.pipeline.push_answered(response, exchange);
        true
    }

    fn admit<S: Service<C>>(
        &mut self,
        request: C::Request,
        mut exchange: C::Exchange,
        cx: &mut TurnContext<'_, C, S>,
    ) {
        if !self.charge_whole(&request, cx) {
            return self.refuse_whole(&request, exchange, cx);
        }
        let request = self.hold(request);
        let decision = self.input.decision.take();
        let sequence = self.pipeline.next_sequence();
        let address = ReplyAddress { sequence, ..self.address };
        let admission = cx.service.admit(request, decision, &self.origin, address);
        cx.service.label(&mut exchange, cx.now);
        match admission {
            Admission::Answered(response) => self.pipeline.push_answered(response, exchange),
            Admission::Admitted(request) => self.pipeline.push_pending(exchange, Some(request)),
            Admission::External => self.pipeline.push_pending(exchange, None),
        }
    }

    /// Takes in that a request is complete. The time limit of the next one has not begun.
    fn note_request<S>(&mut self, exchange: &C::Exchange, cx: &mut TurnContext<'_, C, S>) {
        self.is_new = false;
        cx.budget.requests -= 1;
        self.timeout.set_waiting(Waiting::Nothing, cx.now);
        if C::is_last(exchange) {
            self.phase = Phase::Ending;
        }
    }

    /// Encodes and writes the responses that are due. Returns true if any bytes went out.
    fn send<S: Service<C>>(
        &mut self,
        cx: &mut TurnContext<'_, C, S>,
    ) -> Result<bool, Disconnected> {
        // Records of earlier writes go first.
        let pushed = self.stream.push()?;
        self.note_sent(pushed, cx);
        let mut has_sent = pushed > 0;
        loop {
            self.encode(cx);
            let streamed = self.output.is_streaming();
            self.pull(cx)?;
            if streamed && !self.output.is_streaming() && !self.output.has_bytes() {
                // The stream has ended without further bytes: the next response follows.
                continue;
            }
            if !self.output.has_bytes() || !self.stream.is_writable || cx.budget.bytes == 0 {
                return Ok(has_sent);
            }
            let written =
                self.output.write_to(&mut self.stream, cx.scratch).map_err(|_| Disconnected)?;
            self.stream.note_written(written.is_full);
            has_sent |= written.bytes > 0;
            self.note_sent(written.bytes, cx);
        }
    }

    /// Takes in that the socket, or the records before it, took bytes.
    fn note_sent<S>(&mut self, bytes: usize, cx: &mut TurnContext<'_, C, S>) {
        if bytes > 0 {
            cx.budget.spend(bytes);
            self.timeout.note_progress(Waiting::Reading, bytes, cx.now);
            self.timeout.note_progress(Waiting::Piece, bytes, cx.now);
        }
    }

    /// Takes the next pieces of a streamed response. A stream that is cut short ends the
    /// connection.
    fn pull<S: Service<C>>(&mut self, cx: &TurnContext<'_, C, S>) -> Result<(), Disconnected> {
        let address = self.address;
        self.output.pull(cx.ending.is_drain(), || waker(cx, address)).map_err(|_| Disconnected)
    }

    /// Encodes responses, in order, while the output has room.
    fn encode<S: Service<C>>(&mut self, cx: &mut TurnContext<'_, C, S>) {
        while self.output.has_room(cx.settings.write_buffer) {
            self.pipeline.skip_withheld();
            let is_last = self.pipeline.len() == 1 && self.is_last_response(cx);
            match self.pipeline.take_next() {
                None => return,
                Some(Next::Interim(bytes)) => self.output.buffer().extend_from_slice(bytes),
                Some(Next::Response(response, exchange)) => {
                    let is_last = is_last || C::ends_with_connection(&response, &exchange);
                    let exchange = if is_last { C::make_last(exchange) } else { exchange };
                    let is_last = C::is_last(&exchange);
                    if is_last && self.phase == Phase::Open {
                        self.phase = Phase::Ending;
                    }
                    cx.codec.encode(response, exchange, &self.origin, cx.now, &mut self.output);
                    if is_last {
                        // Nothing follows the last response, such as one whose end is the
                        // connection's.
                        self.pipeline.abandon();
                        return;
                    }
                }
            }
        }
    }

    /// Returns true if the response to the only request in flight ends the connection: it takes no
    /// further request, the request's own body has not ended, or the server is on its way to its
    /// end and the client has sent nothing more.
    fn is_last_response<S: Service<C>>(&self, cx: &TurnContext<'_, C, S>) -> bool {
        self.phase == Phase::Ending
            || self.input.feed.is_some()
            || cx.ending != Ending::None
                && self.input.needs_more
                && !self.stream.is_readable
                && self.refusal.is_none()
                && !self.input.expecting(cx.codec).is_request()
    }
}

/// Returns the waker of the reactor for the connection at `address`.
fn waker<C: Codec, S>(cx: &TurnContext<'_, C, S>, address: ReplyAddress) -> ReactorWaker {
    let reactor = Arc::clone(cx.mailbox) as Arc<dyn WakeReactor>;
    ReactorWaker { reactor, address }
}

impl<C: Codec> Drop for Connection<C> {
    fn drop(&mut self) {
        if self.output.ends_with_connection() {
            // The client takes a FIN for the end of the body.
            self.stream.socket.reset_at_close();
        }
        self.pipeline.abandon();
    }
}
