//! One client: its socket, its buffers, and what phase it is in.

mod overdue;

use super::connection_count::ConnectionGuard;
use super::output::Output;
use super::pipeline::{Next, Pipeline};
use super::stream::{Disconnected, Stream};
use super::timeouts::{Timeout, Waiting};
use super::{Admission, Codec, DecodeOutcome, Expecting, Service, Settings};
use bytes::BytesMut;
use mio::event::Event;
use mio::net::TcpStream;
use seda_core::{Address, Time};
use std::net::SocketAddr;

/// How many bytes one connection reads and writes before the others have their turn: 0.1 ms of
/// copying, and enough that a long body is not cut into small writes.
const QUANTUM: usize = 256 * 1024;

/// How many requests one connection brings in before the others have their turn. Refusals and
/// answers given at once leave the pipeline at once, so that its bound alone would let a client
/// that sends thousands in one piece be refused, or served, before anybody else is looked at.
const REQUESTS: usize = 16;

/// How many bytes are discarded after our FIN, so that the client reads its answer before it
/// hears of a reset (RFC 9112 §9.6). A client that sends more than this ignores its answer.
const LINGER_BYTES: usize = 8 * 1024 * 1024;

/// What a connection's turn may use, and what it must know.
pub(super) struct TurnContext<'a, P, S> {
    pub(super) protocol: &'a mut P,
    pub(super) service: &'a mut S,
    pub(super) settings: &'a Settings,
    /// Where reads land first: idle connections need no buffer, and no memory is cleared twice.
    pub(super) scratch: &'a mut [u8],
    pub(super) now: Time,
    pub(super) draining: bool,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TurnOutcome {
    /// There is nothing to do until something happens.
    Idle,
    /// The quantum is used up; there is more to do.
    More,
    /// The connection has ended.
    Ended,
}

pub(super) struct Connection<P: Codec> {
    stream: Stream,
    peer: SocketAddr,
    address: Address,
    decoder: P::Decoder,
    input: BytesMut,
    /// The input is known to hold no whole request.
    needs_input: bool,
    pipeline: Pipeline<P>,
    output: Output,
    phase: Phase,
    timeout: Timeout,
    /// Requests that it requests_this_turn in during this turn.
    requests_this_turn: usize,
    /// No request has come yet.
    is_new: bool,
    /// It is in the reactor's list of those with something to do.
    pub(super) queued: bool,
    _guard: ConnectionGuard,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Takes requests.
    Open,
    /// Takes none; ends after the last answer.
    Ending,
    /// Has sent FIN and waits for the client's; may discard so many bytes until then.
    Lingering(usize),
}

impl<P: Codec> Connection<P> {
    pub(super) fn new(
        socket: TcpStream,
        peer: SocketAddr,
        guard: ConnectionGuard,
        address: Address,
        decoder: P::Decoder,
        now: Time,
    ) -> Self {
        Self {
            stream: Stream::new(socket),
            peer,
            address,
            decoder,
            input: BytesMut::new(),
            needs_input: true,
            pipeline: Pipeline::new(),
            output: Output::default(),
            phase: Phase::Open,
            timeout: Timeout::new(now),
            requests_this_turn: 0,
            is_new: true,
            queued: false,
            _guard: guard,
        }
    }

    pub(super) fn address(&self) -> Address {
        self.address
    }

    /// Whether somebody works on an answer for it.
    pub(super) fn awaits(&self) -> bool {
        self.pipeline.awaits()
    }

    /// Takes in what the poll says.
    pub(super) fn note(&mut self, event: &Event) {
        self.stream.note(event);
    }

    /// Puts an answer in its place; false if nobody waits for it.
    pub(super) fn answer(&mut self, sequence: u64, response: P::Response) -> bool {
        self.pipeline.answer(sequence, response)
    }

    /// Does what there is to do, within the quantum.
    pub(super) fn turn<S: Service<P>>(&mut self, cx: &mut TurnContext<'_, P, S>) -> TurnOutcome {
        if self.stream.dead {
            return TurnOutcome::Ended;
        }
        // A connection that may end now is looked at once more, whatever the poll says: every
        // request that came before our FIN is to be answered.
        self.stream.readable |= cx.draining && !self.stream.at_eof;
        self.try_turn(cx).unwrap_or(TurnOutcome::Ended)
    }

    fn try_turn<S: Service<P>>(
        &mut self,
        cx: &mut TurnContext<'_, P, S>,
    ) -> Result<TurnOutcome, Disconnected> {
        let mut quantum = QUANTUM;
        self.requests_this_turn = 0;
        loop {
            self.receive(cx, &mut quantum)?;
            // What went out may have made room for more requests.
            if !self.send(cx, &mut quantum)? || quantum == 0 {
                break;
            }
        }
        self.close_if_done(cx, &mut quantum)?;
        self.timeout.set_waiting(self.waiting(cx), cx.now);
        let reads = self.wants_bytes(cx.settings) || matches!(self.phase, Phase::Lingering(_));
        let requests = !self.needs_input && self.has_room(cx.settings);
        let writes = self.stream.writable && !self.output.is_empty();
        let more = self.stream.readable && reads || requests || writes;
        Ok(if more { TurnOutcome::More } else { TurnOutcome::Idle })
    }

    /// Reads and takes requests until there are no more bytes, or as many as may be in flight.
    fn receive<S: Service<P>>(
        &mut self,
        cx: &mut TurnContext<'_, P, S>,
        quantum: &mut usize,
    ) -> Result<(), Disconnected> {
        loop {
            self.take_requests(cx);
            if !self.stream.readable || !self.wants_bytes(cx.settings) || *quantum == 0 {
                return Ok(());
            }
            let read = self.stream.read(&mut self.input, cx.scratch)?;
            *quantum = quantum.saturating_sub(read);
            if read > 0 {
                self.needs_input = false;
                self.timeout.renew_if(Waiting::Body, cx.now);
            }
        }
    }

    /// Whether another request may be taken.
    fn has_room(&self, settings: &Settings) -> bool {
        self.phase == Phase::Open
            && self.pipeline.len() < settings.pipeline
            && self.output.buffered() < settings.write_buffer
    }

    fn wants_bytes(&self, settings: &Settings) -> bool {
        self.needs_input && !self.stream.at_eof && self.has_room(settings)
    }

    fn take_requests<S: Service<P>>(&mut self, cx: &mut TurnContext<'_, P, S>) {
        while !self.needs_input && self.has_room(cx.settings) && self.requests_this_turn < REQUESTS
        {
            match cx.protocol.decode(&mut self.decoder, &mut self.input) {
                DecodeOutcome::Incomplete => self.needs_input = true,
                DecodeOutcome::Interim(bytes) => self.pipeline.push_interim(bytes),
                DecodeOutcome::Request(request, exchange) => {
                    self.note_request(exchange, cx.now);
                    let sequence = self.pipeline.next_sequence();
                    let address = Address { sequence, ..self.address };
                    match cx.service.admit(request, self.peer, address) {
                        Admission::Answered(answer) => {
                            self.pipeline.push_answered(answer, exchange)
                        }
                        Admission::Admitted(request) => {
                            self.pipeline.push_awaited(exchange, Some(request));
                        }
                        Admission::Awaited => self.pipeline.push_awaited(exchange, None),
                    }
                }
                DecodeOutcome::Answer(answer, exchange) => {
                    self.note_request(exchange, cx.now);
                    self.pipeline.push_answered(answer, exchange);
                }
            }
        }
    }

    /// A request is there: the clock for the next one has not begun.
    fn note_request(&mut self, exchange: P::Exchange, now: Time) {
        self.is_new = false;
        self.requests_this_turn += 1;
        self.timeout.set_waiting(Waiting::Nothing, now);
        if P::is_last(exchange) {
            self.phase = Phase::Ending;
        }
    }

    /// Encodes answers whose turn it is and writes them; returns whether any bytes went out.
    fn send<S: Service<P>>(
        &mut self,
        cx: &mut TurnContext<'_, P, S>,
        quantum: &mut usize,
    ) -> Result<bool, Disconnected> {
        let mut sent = false;
        loop {
            self.encode(cx);
            if self.output.is_empty() || !self.stream.writable || *quantum == 0 {
                return Ok(sent);
            }
            let written =
                self.output.write_to(&mut self.stream, cx.scratch).map_err(|_| Disconnected)?;
            self.stream.writable = !written.full;
            if written.bytes > 0 {
                sent = true;
                *quantum = quantum.saturating_sub(written.bytes);
                self.timeout.renew_if(Waiting::Reading, cx.now);
            }
        }
    }

    /// Moves answers, in order, to where they wait to be written, as far as there is room.
    fn encode<S: Service<P>>(&mut self, cx: &mut TurnContext<'_, P, S>) {
        while self.output.has_room(cx.settings.write_buffer) {
            let is_last = self.pipeline.len() == 1 && self.is_last_response(cx);
            match self.pipeline.take_next() {
                None => return,
                Some(Next::Interim(bytes)) => self.output.buffer().extend_from_slice(bytes),
                Some(Next::Answer(answer, exchange)) => {
                    let exchange = if is_last { P::make_last(exchange) } else { exchange };
                    if P::is_last(exchange) && self.phase == Phase::Open {
                        self.phase = Phase::Ending;
                    }
                    cx.protocol.encode(answer, exchange, cx.now, &mut self.output);
                }
            }
        }
    }

    /// Whether the answer to the only request in flight is the connection's last: no further one
    /// is taken, or the server drains and the client has sent no more.
    fn is_last_response<S: Service<P>>(&self, cx: &TurnContext<'_, P, S>) -> bool {
        self.phase == Phase::Ending
            || cx.draining
                && self.needs_input
                && !self.stream.readable
                && self.expecting(cx) == Expecting::Nothing
    }

    fn expecting<S: Service<P>>(&self, cx: &TurnContext<'_, P, S>) -> Expecting {
        cx.protocol.expecting(&self.decoder, &self.input)
    }

    /// Ends what can be ended.
    fn close_if_done<S: Service<P>>(
        &mut self,
        cx: &mut TurnContext<'_, P, S>,
        quantum: &mut usize,
    ) -> Result<(), Disconnected> {
        if self.stream.read_closed && self.pipeline.awaits() && !cx.settings.half_close {
            return Err(Disconnected);
        }
        let idle = self.pipeline.is_empty() && self.output.is_empty();
        let is_left =
            cx.draining && !self.is_new && idle && !self.stream.readable && self.needs_input;
        if self.phase == Phase::Open
            && (self.stream.at_eof && self.needs_input
                || is_left && self.expecting(cx) == Expecting::Nothing)
        {
            if self.stream.at_eof && self.pipeline.awaits() && !cx.settings.half_close {
                return Err(Disconnected);
            }
            self.phase = Phase::Ending;
        }
        if self.phase == Phase::Ending && idle {
            if self.stream.at_eof {
                return Err(Disconnected);
            }
            self.stream.send_fin()?;
            self.input = BytesMut::new();
            self.phase = Phase::Lingering(LINGER_BYTES);
        }
        self.discard(cx.scratch, quantum)
    }

    /// Reads on after our FIN, and forgets what it reads.
    fn discard(&mut self, scratch: &mut [u8], quantum: &mut usize) -> Result<(), Disconnected> {
        while let Phase::Lingering(left) = self.phase
            && self.stream.readable
            && *quantum > 0
        {
            let read = self.stream.read(&mut self.input, scratch)?;
            self.input.clear();
            if self.stream.at_eof || read >= left {
                return Err(Disconnected);
            }
            self.phase = Phase::Lingering(left - read);
            *quantum = quantum.saturating_sub(read);
        }
        Ok(())
    }

    /// The reactor ends: says so to whoever still waits, as far as the socket takes it.
    pub(super) fn shutdown<S: Service<P>>(
        &mut self,
        cx: &mut TurnContext<'_, P, S>,
    ) -> TurnOutcome {
        let service = &mut *cx.service;
        self.pipeline.answer_all(|| service.lost(seda_core::LossReason::Drain));
        if self.phase == Phase::Open {
            self.phase = Phase::Ending;
        }
        self.turn(cx)
    }
}

impl<P: Codec> Drop for Connection<P> {
    fn drop(&mut self) {
        self.pipeline.abandon();
    }
}
