//! One connection, with the request that it sends and the answer that it receives.

use super::attempt::{Attempt, Dispatch, Failure};
use super::socket::Socket;
use crate::h1::{Answer, AnswerReader, Parsed};
use crate::load::workload::PreparedTarget;
use seda_core::Time;
use std::io::{self, ErrorKind, Read, Write};

/// Full buffers that one connection reads before the others have their turn.
const READS_PER_TURN: usize = 16;

/// A connection, from connecting to closing.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: Socket,
    state: State,
    reader: AnswerReader,
    /// The client that owns the connection, in a closed loop.
    pub(super) client: Option<u32>,
    /// Number of answers received.
    answers: u64,
    /// True if the current attempt was sent again after a stale connection.
    resent: bool,
    /// The bytes of the current request, if each request has its own.
    filled: Option<Vec<u8>>,
}

#[derive(Debug)]
enum State {
    /// The connection is being made for an attempt.
    Connecting(Dispatch),
    /// The connection is open and free.
    Idle,
    /// `written` bytes of the request are sent.
    Sending { dispatch: Dispatch, written: usize, sent: Time },
    /// The request is sent; the answer is incomplete.
    Waiting { dispatch: Dispatch, sent: Time },
}

/// The result of a turn of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TurnResult {
    /// Nothing happened that concerns the attempt.
    Wait,
    /// There is more to read, after a turn of the other connections.
    Again,
    /// The answer is complete. It tells whether the connection can carry another request.
    Answered { attempt: Attempt, answer: Answer, sent: Time },
    /// The attempt failed.
    Failed(Failure),
    /// A kept connection was closed before any byte of this answer: the attempt is sent again.
    Stale,
    /// The connection ended without an attempt.
    Gone,
}

impl Connection {
    pub(super) fn new(stream: Socket, dispatch: Dispatch, resent: bool) -> Self {
        Self {
            stream,
            state: State::Connecting(dispatch),
            reader: AnswerReader::default(),
            client: dispatch.client,
            answers: 0,
            resent,
            filled: None,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Returns the attempt that occupies the connection; `None` if it is free.
    pub(super) fn dispatch(&self) -> Option<Dispatch> {
        match &self.state {
            State::Connecting(dispatch)
            | State::Sending { dispatch, .. }
            | State::Waiting { dispatch, .. } => Some(*dispatch),
            State::Idle => None,
        }
    }

    /// Sends a request on a free connection.
    pub(super) fn begin(
        &mut self,
        dispatch: Dispatch,
        target: &PreparedTarget,
        now: Time,
    ) -> TurnResult {
        self.state = State::Sending { dispatch, written: 0, sent: now };
        self.filled = target.filled();
        self.write(target)
    }

    /// Handles an event of the socket. `target` is that of the current attempt; `closed` is true if
    /// the event tells of a close or an error. Returns the result and the number of bytes received.
    pub(super) fn turn(
        &mut self,
        target: Option<&PreparedTarget>,
        buffer: &mut [u8],
        now: Time,
        closed: bool,
    ) -> (TurnResult, usize) {
        if let (State::Connecting(dispatch), Some(target)) = (&self.state, target) {
            match self.stream.is_connected() {
                Ok(false) => return (TurnResult::Wait, 0),
                Ok(true) => {
                    let result = self.begin(*dispatch, target, now);
                    return (result, 0);
                }
                Err(error) => return (TurnResult::Failed(connect_failure(&error)), 0),
            }
        }
        if let (State::Sending { .. }, Some(target)) = (&self.state, target) {
            let result = self.write(target);
            if result != TurnResult::Wait {
                return (result, 0);
            }
        }
        self.read(target.is_some_and(|target| target.is_head), buffer, closed)
    }

    fn write(&mut self, target: &PreparedTarget) -> TurnResult {
        let State::Sending { dispatch, written, sent } = &mut self.state else {
            return TurnResult::Wait;
        };
        loop {
            let bytes = self.filled.as_ref().unwrap_or(&target.bytes);
            let rest = bytes.get(*written..).unwrap_or_default();
            if rest.is_empty() {
                self.state = State::Waiting { dispatch: *dispatch, sent: *sent };
                return TurnResult::Wait;
            }
            match self.stream.write(rest) {
                Ok(0) => return self.lost(Failure::ClosedBeforeAnswer),
                Ok(length) => *written += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return TurnResult::Wait,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A server may answer before the whole request is sent: the answer will be read.
                Err(_) if self.reader.has_begun() => return TurnResult::Wait,
                Err(error) => return self.lost(failure(&error)),
            }
        }
    }

    /// Reads the received bytes; returns the result and their number.
    fn read(&mut self, to_head: bool, buffer: &mut [u8], closed: bool) -> (TurnResult, usize) {
        let mut received = 0;
        for _ in 0..READS_PER_TURN {
            let length = match self.stream.read(buffer) {
                Ok(0) => return (self.closed(), received),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return (TurnResult::Wait, received);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return (self.lost(failure(&error)), received),
            };
            received += length;
            let received_bytes = buffer.get(..length).unwrap_or_default();
            if let Some(result) = self.take(received_bytes, to_head) {
                return (result, received);
            }
            // A short read leaves nothing, and the next byte causes another event (epoll(7)). A
            // close that has been reported causes none, so the read goes on until it finds the end.
            let is_short = length < buffer.len() && self.stream.is_empty_after_short_read();
            if is_short && !closed {
                return (TurnResult::Wait, received);
            }
        }
        (TurnResult::Again, received)
    }

    fn take(&mut self, bytes: &[u8], to_head: bool) -> Option<TurnResult> {
        let (dispatch, sent) = match &self.state {
            // Without a request, later bytes could not be told from an answer.
            State::Idle | State::Connecting(_) => return Some(TurnResult::Gone),
            State::Sending { dispatch, sent, .. } | State::Waiting { dispatch, sent } => {
                (*dispatch, *sent)
            }
        };
        match self.reader.read(bytes, to_head) {
            Err(fault) => Some(TurnResult::Failed(Failure::Malformed(fault))),
            Ok(Parsed::Partial) => None,
            Ok(Parsed::Complete { mut answer, used }) => {
                let is_clean = used == bytes.len() && matches!(self.state, State::Waiting { .. });
                answer.keep_alive &= is_clean;
                self.state = State::Idle;
                self.answers += 1;
                self.resent = false;
                Some(TurnResult::Answered { attempt: dispatch.attempt, answer, sent })
            }
        }
    }

    /// Handles the close of the server's side.
    fn closed(&mut self) -> TurnResult {
        match (&self.state, self.reader.close()) {
            (State::Waiting { dispatch, sent }, Some(answer)) => {
                TurnResult::Answered { attempt: dispatch.attempt, answer, sent: *sent }
            }
            _ => self.lost(Failure::ClosedBeforeAnswer),
        }
    }

    fn lost(&mut self, failure: Failure) -> TurnResult {
        if self.is_idle() {
            return TurnResult::Gone;
        }
        // A server may close a kept connection at any time; the client then sends its request again
        // (RFC 9112, 9.3.1). It does so once, because a server might close every time.
        if self.answers > 0 && !self.reader.has_begun() && !self.resent {
            return TurnResult::Stale;
        }
        TurnResult::Failed(match failure {
            Failure::ClosedBeforeAnswer if self.reader.has_begun() => Failure::ClosedInAnswer,
            other => other,
        })
    }
}

/// Classifies an error of reading and writing.
fn failure(error: &io::Error) -> Failure {
    // The data of a session are invalid if its certificate or its records are.
    if error.kind() == ErrorKind::InvalidData { Failure::Tls } else { Failure::Reset }
}

/// Classifies an error of connecting.
pub(super) fn connect_failure(error: &io::Error) -> Failure {
    use rustix::io::Errno;
    match error.kind() {
        ErrorKind::ConnectionRefused => Failure::ConnectRefused,
        ErrorKind::AddrNotAvailable => Failure::NoLocalPort,
        _ => match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::MFILE | Errno::NFILE) => Failure::NoDescriptor,
            _ => Failure::ConnectFailed,
        },
    }
}
