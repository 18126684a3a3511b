//! One connection: what is being sent over it and what has come of the answer.

use super::attempt::{Attempt, Failure, Order};
use crate::h1::{Answer, AnswerReader, Progress};
use crate::load::workload::Target;
use mio::net::TcpStream;
use seda_core::Time;
use std::io::{self, ErrorKind, Read, Write};

/// So many full buffers are read at a time before the others get their turn.
const READS_PER_TURN: usize = 16;

/// A connection, from the attempt to make it to its end.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    state: State,
    reader: AnswerReader,
    /// Whom it belongs to, in a closed loop.
    pub(super) client: Option<u32>,
    /// Answers it has carried.
    answers: u64,
    /// The attempt was sent anew once already.
    resent: bool,
}

#[derive(Debug)]
enum State {
    /// Being made, for this.
    Connecting(Order),
    /// Open, with nothing to do.
    Idle,
    /// The request goes out; so many of its bytes have.
    Sending { order: Order, written: usize, sent: Time },
    /// The answer is waited for.
    Waiting { order: Order, sent: Time },
}

/// What a turn with a connection came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing yet.
    Wait,
    /// There is more to read, and others want their turn.
    Again,
    /// An answer; the connection can carry another request if it says so.
    Answered { attempt: Attempt, answer: Answer, sent: Time },
    /// No answer will come.
    Failed(Failure),
    /// A kept connection was closed before it carried anything of this attempt: to be sent anew.
    Stale,
    /// It ended while nothing was to be done.
    Gone,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, order: Order, resent: bool) -> Self {
        Self {
            stream,
            state: State::Connecting(order),
            reader: AnswerReader::default(),
            client: order.client,
            answers: 0,
            resent,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// What it is busy with.
    pub(super) fn order(&self) -> Option<Order> {
        match &self.state {
            State::Connecting(order)
            | State::Sending { order, .. }
            | State::Waiting { order, .. } => Some(*order),
            State::Idle => None,
        }
    }

    /// Begins another request on a free connection.
    pub(super) fn begin(&mut self, order: Order, target: &Target, now: Time) -> Step {
        self.state = State::Sending { order, written: 0, sent: now };
        self.write(target)
    }

    /// Something has happened: goes on with what can go on.
    pub(super) fn turn(
        &mut self,
        target: Option<&Target>,
        buffer: &mut [u8],
        now: Time,
        closed: bool,
    ) -> (Step, usize) {
        if let (State::Connecting(order), Some(target)) = (&self.state, target) {
            match connected(&self.stream) {
                Ok(false) => return (Step::Wait, 0),
                Ok(true) => {
                    let step = self.begin(*order, target, now);
                    return (step, 0);
                }
                Err(failure) => return (Step::Failed(failure), 0),
            }
        }
        if let (State::Sending { .. }, Some(target)) = (&self.state, target) {
            let step = self.write(target);
            if step != Step::Wait {
                return (step, 0);
            }
        }
        self.read(target.is_some_and(|target| target.is_head), buffer, closed)
    }

    fn write(&mut self, target: &Target) -> Step {
        let State::Sending { order, written, sent } = &mut self.state else {
            return Step::Wait;
        };
        loop {
            let rest = target.bytes.get(*written..).unwrap_or_default();
            if rest.is_empty() {
                self.state = State::Waiting { order: *order, sent: *sent };
                return Step::Wait;
            }
            match self.stream.write(rest) {
                Ok(0) => return self.lost(Failure::ClosedBeforeAnswer),
                Ok(length) => *written += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Step::Wait,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The answer may have come before the whole request was sent: reading tells.
                Err(_) if self.reader.has_begun() => return Step::Wait,
                Err(_) => return self.lost(Failure::Reset),
            }
        }
    }

    /// The step, and how many bytes came.
    fn read(&mut self, to_head: bool, buffer: &mut [u8], closed: bool) -> (Step, usize) {
        let mut received = 0;
        for _ in 0..READS_PER_TURN {
            let length = match self.stream.read(buffer) {
                Ok(0) => return (self.closed(), received),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return (Step::Wait, received);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return (self.lost(Failure::Reset), received),
            };
            received += length;
            let come = buffer.get(..length).unwrap_or_default();
            if let Some(step) = self.take(come, to_head) {
                return (step, received);
            }
            // Less than asked for: nothing is left, and the next byte makes another event
            // (epoll(7)). A close that was seen already would not.
            if length < buffer.len() && !closed {
                return (Step::Wait, received);
            }
        }
        (Step::Again, received)
    }

    fn take(&mut self, bytes: &[u8], to_head: bool) -> Option<Step> {
        let (order, sent) = match &self.state {
            // Nobody asked: whatever follows cannot be told from an answer.
            State::Idle | State::Connecting(_) => return Some(Step::Gone),
            State::Sending { order, sent, .. } | State::Waiting { order, sent } => (*order, *sent),
        };
        match self.reader.read(bytes, to_head) {
            Err(_) => Some(Step::Failed(Failure::NotHttp)),
            Ok(Progress::More) => None,
            Ok(Progress::Whole(mut answer, used)) => {
                let is_clean = used == bytes.len() && matches!(self.state, State::Waiting { .. });
                answer.keep_alive &= is_clean;
                self.state = State::Idle;
                self.answers += 1;
                self.resent = false;
                Some(Step::Answered { attempt: order.attempt, answer, sent })
            }
        }
    }

    /// The server has closed its side.
    fn closed(&mut self) -> Step {
        match (&self.state, self.reader.close()) {
            (State::Waiting { order, sent }, Some(answer)) => {
                Step::Answered { attempt: order.attempt, answer, sent: *sent }
            }
            _ => self.lost(Failure::ClosedBeforeAnswer),
        }
    }

    fn lost(&mut self, failure: Failure) -> Step {
        if self.is_idle() {
            return Step::Gone;
        }
        // A server may close a kept connection at any time, and a client then sends its request
        // anew (RFC 9112, 9.3.1): once, or a server that always closes would be asked for ever.
        if self.answers > 0 && !self.reader.has_begun() && !self.resent {
            return Step::Stale;
        }
        Step::Failed(match failure {
            Failure::ClosedBeforeAnswer if self.reader.has_begun() => Failure::ClosedInAnswer,
            other => other,
        })
    }
}

/// Whether the connection is made by now.
fn connected(stream: &TcpStream) -> Result<bool, Failure> {
    if let Ok(Some(error)) | Err(error) = stream.take_error() {
        return Err(connect_failure(&error));
    }
    match stream.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(connect_failure(&error)),
    }
}

/// What an error on the way to a connection means.
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
