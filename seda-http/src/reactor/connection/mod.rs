//! One client: its socket, its buffers, and what phase it is in.

mod overdue;

use super::connection_count::Presence;
use super::output::Output;
use super::pipeline::{Next, Pipeline};
use super::stream::{Gone, Stream};
use super::timeouts::{Awaited, Patience};
use super::{Admission, Decoded, Owed, Protocol, Service, Settings};
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
pub(super) struct Round<'a, P, S> {
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
pub(super) enum After {
    /// There is nothing to do until something happens.
    Rest,
    /// The quantum is used up; there is more to do.
    More,
    /// The connection has ended.
    Gone,
}

pub(super) struct Connection<P: Protocol> {
    stream: Stream,
    peer: SocketAddr,
    address: Address,
    decoder: P::Decoder,
    input: BytesMut,
    /// The input is known to hold no whole request.
    starved: bool,
    pipeline: Pipeline<P>,
    output: Output,
    phase: Phase,
    patience: Patience,
    /// Requests that it brought in during this turn.
    brought: usize,
    /// No request has come yet.
    fresh: bool,
    /// It is in the reactor's list of those with something to do.
    pub(super) queued: bool,
    _presence: Presence,
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

impl<P: Protocol> Connection<P> {
    pub(super) fn new(
        socket: TcpStream,
        peer: SocketAddr,
        presence: Presence,
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
            starved: true,
            pipeline: Pipeline::new(),
            output: Output::default(),
            phase: Phase::Open,
            patience: Patience::new(now),
            brought: 0,
            fresh: true,
            queued: false,
            _presence: presence,
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
    pub(super) fn turn<S: Service<P>>(&mut self, round: &mut Round<'_, P, S>) -> After {
        if self.stream.dead {
            return After::Gone;
        }
        // A connection that may end now is looked at once more, whatever the poll says: every
        // request that came before our FIN is to be answered.
        self.stream.readable |= round.draining && !self.stream.at_end;
        self.try_turn(round).unwrap_or(After::Gone)
    }

    fn try_turn<S: Service<P>>(&mut self, round: &mut Round<'_, P, S>) -> Result<After, Gone> {
        let mut quantum = QUANTUM;
        self.brought = 0;
        loop {
            self.receive(round, &mut quantum)?;
            // What went out may have made room for more requests.
            if !self.send(round, &mut quantum)? || quantum == 0 {
                break;
            }
        }
        self.conclude(round, &mut quantum)?;
        self.patience.await_next(self.awaited(round), round.now);
        let reads = self.wants_bytes(round.settings) || matches!(self.phase, Phase::Lingering(_));
        let requests = !self.starved && self.has_room(round.settings);
        let writes = self.stream.writable && !self.output.is_empty();
        let more = self.stream.readable && reads || requests || writes;
        Ok(if more { After::More } else { After::Rest })
    }

    /// Reads and takes requests until there are no more bytes, or as many as may be in flight.
    fn receive<S: Service<P>>(
        &mut self,
        round: &mut Round<'_, P, S>,
        quantum: &mut usize,
    ) -> Result<(), Gone> {
        loop {
            self.take_requests(round);
            if !self.stream.readable || !self.wants_bytes(round.settings) || *quantum == 0 {
                return Ok(());
            }
            let read = self.stream.read(&mut self.input, round.scratch)?;
            *quantum = quantum.saturating_sub(read);
            if read > 0 {
                self.starved = false;
                self.patience.renew_if(Awaited::Body, round.now);
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
        self.starved && !self.stream.at_end && self.has_room(settings)
    }

    fn take_requests<S: Service<P>>(&mut self, round: &mut Round<'_, P, S>) {
        while !self.starved && self.has_room(round.settings) && self.brought < REQUESTS {
            match round.protocol.decode(&mut self.decoder, &mut self.input) {
                Decoded::Incomplete => self.starved = true,
                Decoded::Interim(bytes) => self.pipeline.push_interim(bytes),
                Decoded::Request(request, exchange) => {
                    self.begin(exchange, round.now);
                    let sequence = self.pipeline.next_sequence();
                    let address = Address { sequence, ..self.address };
                    match round.service.admit(request, self.peer, address) {
                        Admission::Answered(answer) => {
                            self.pipeline.push_answered(answer, exchange)
                        }
                        Admission::Admitted(request) => {
                            self.pipeline.push_awaited(exchange, Some(request));
                        }
                        Admission::Awaited => self.pipeline.push_awaited(exchange, None),
                    }
                }
                Decoded::Answer(answer, exchange) => {
                    self.begin(exchange, round.now);
                    self.pipeline.push_answered(answer, exchange);
                }
            }
        }
    }

    /// A request is there: the clock for the next one has not begun.
    fn begin(&mut self, exchange: P::Exchange, now: Time) {
        self.fresh = false;
        self.brought += 1;
        self.patience.await_next(Awaited::Nothing, now);
        if P::is_last(exchange) {
            self.phase = Phase::Ending;
        }
    }

    /// Encodes answers whose turn it is and writes them; returns whether any bytes went out.
    fn send<S: Service<P>>(
        &mut self,
        round: &mut Round<'_, P, S>,
        quantum: &mut usize,
    ) -> Result<bool, Gone> {
        let mut sent = false;
        loop {
            self.encode(round);
            if self.output.is_empty() || !self.stream.writable || *quantum == 0 {
                return Ok(sent);
            }
            let written =
                self.output.write_to(&mut self.stream, round.scratch).map_err(|_| Gone)?;
            self.stream.writable = !written.full;
            if written.bytes > 0 {
                sent = true;
                *quantum = quantum.saturating_sub(written.bytes);
                self.patience.renew_if(Awaited::Reading, round.now);
            }
        }
    }

    /// Moves answers, in order, to where they wait to be written, as far as there is room.
    fn encode<S: Service<P>>(&mut self, round: &mut Round<'_, P, S>) {
        while self.output.has_room(round.settings.write_buffer) {
            let is_last = self.pipeline.len() == 1 && self.ends_with_this(round);
            match self.pipeline.take_next() {
                None => return,
                Some(Next::Interim(bytes)) => self.output.buffer().extend_from_slice(bytes),
                Some(Next::Answer(answer, exchange)) => {
                    let exchange = if is_last { P::make_last(exchange) } else { exchange };
                    if P::is_last(exchange) && self.phase == Phase::Open {
                        self.phase = Phase::Ending;
                    }
                    round.protocol.encode(answer, exchange, round.now, &mut self.output);
                }
            }
        }
    }

    /// Whether the answer to the only request in flight is the connection's last: no further one
    /// is taken, or the server drains and the client has sent no more.
    fn ends_with_this<S: Service<P>>(&self, round: &Round<'_, P, S>) -> bool {
        self.phase == Phase::Ending
            || round.draining
                && self.starved
                && !self.stream.readable
                && self.owed(round) == Owed::Nothing
    }

    fn owed<S: Service<P>>(&self, round: &Round<'_, P, S>) -> Owed {
        round.protocol.owed(&self.decoder, &self.input)
    }

    /// Ends what can be ended.
    fn conclude<S: Service<P>>(
        &mut self,
        round: &mut Round<'_, P, S>,
        quantum: &mut usize,
    ) -> Result<(), Gone> {
        if self.stream.hung_up && self.pipeline.awaits() && !round.settings.half_close {
            return Err(Gone);
        }
        let idle = self.pipeline.is_empty() && self.output.is_empty();
        let is_left =
            round.draining && !self.fresh && idle && !self.stream.readable && self.starved;
        if self.phase == Phase::Open
            && (self.stream.at_end && self.starved || is_left && self.owed(round) == Owed::Nothing)
        {
            if self.stream.at_end && self.pipeline.awaits() && !round.settings.half_close {
                return Err(Gone);
            }
            self.phase = Phase::Ending;
        }
        if self.phase == Phase::Ending && idle {
            if self.stream.at_end {
                return Err(Gone);
            }
            self.stream.send_fin()?;
            self.input = BytesMut::new();
            self.phase = Phase::Lingering(LINGER_BYTES);
        }
        self.discard(round.scratch, quantum)
    }

    /// Reads on after our FIN, and forgets what it reads.
    fn discard(&mut self, scratch: &mut [u8], quantum: &mut usize) -> Result<(), Gone> {
        while let Phase::Lingering(left) = self.phase
            && self.stream.readable
            && *quantum > 0
        {
            let read = self.stream.read(&mut self.input, scratch)?;
            self.input.clear();
            if self.stream.at_end || read >= left {
                return Err(Gone);
            }
            self.phase = Phase::Lingering(left - read);
            *quantum = quantum.saturating_sub(read);
        }
        Ok(())
    }

    /// The reactor ends: says so to whoever still waits, as far as the socket takes it.
    pub(super) fn farewell<S: Service<P>>(&mut self, round: &mut Round<'_, P, S>) -> After {
        let service = &mut *round.service;
        self.pipeline.answer_all(|| service.lost(seda_core::LossReason::Drain));
        if self.phase == Phase::Open {
            self.phase = Phase::Ending;
        }
        self.turn(round)
    }
}

impl<P: Protocol> Drop for Connection<P> {
    fn drop(&mut self) {
        self.pipeline.abandon();
    }
}
