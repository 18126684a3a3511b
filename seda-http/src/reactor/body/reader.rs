//! A request body on its way from the reactor, which reads the socket, to the program.
//!
//! # Protocol
//!
//! The reactor pushes pieces while there is room, and stops to read the socket when there is none.
//! It then sets `is_awaited`, and the read that makes room wakes it. The first read wakes it, too,
//! because a client may wait for `100 Continue`. So does the drop of the reader, after which
//! nothing is read.

use super::budget::BodyCharge;
use super::pipe::{COPIED_BYTES, PIPE_BYTES, ReactorWaker};
use bytes::{Bytes, BytesMut};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Reads the body of a request while it arrives, from any thread and any stage.
///
/// At most 64 KiB wait for the program. Beyond them the server stops reading, so a client sends as
/// fast as the program reads, and an upload of any length takes that much memory. The time limits
/// of a body run while the client is the slow one, and not while the program is.
///
/// A client that sent `Expect: 100-continue` is told to go on at the first read. A response that
/// is sent before the end of the body closes the connection after it, as an early refusal does.
///
/// ```
/// use seda_http::{Body, BodyReadError, HttpRequest, Response};
/// use std::fs::File;
/// use std::io::Write;
/// use std::time::Duration;
///
/// /// Runs in a stage with workers of its own, because it blocks.
/// fn save(call: HttpRequest, file: &mut File) -> std::io::Result<()> {
///     let HttpRequest { stream: Some(mut body), reply, .. } = call else { return Ok(()) };
///     loop {
///         match body.read(Duration::from_secs(60)) {
///             Ok(Some(piece)) => file.write_all(&piece)?,
///             Ok(None) => break,
///             // The client has left, or was too slow and has its answer.
///             Err(_) => return Ok(()),
///         }
///     }
///     reply.respond(Response::new(Body::from("saved\n")));
///     Ok(())
/// }
/// # let _ = save;
/// ```
#[derive(Debug)]
pub struct BodyReader {
    intake: Arc<Intake>,
}

/// The reason why a read returned no bytes.
///
/// ```
/// let error = seda_http::BodyReadError::Incomplete;
/// assert_eq!(error.to_string(), "the rest of the body does not come; the request has ended");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BodyReadError {
    /// No byte came within the limit of the read. Read again.
    #[error("no byte of the body came within the time given; read again")]
    NotYet,
    /// The rest of the body does not come: the client has left, or the server has answered it with
    /// 400, 408, 413 or 503, or ends.
    #[error("the rest of the body does not come; the request has ended")]
    Incomplete,
}

impl BodyReader {
    /// Returns a reader of a body that has arrived whole.
    pub(crate) fn whole(body: Bytes) -> Self {
        let mut state = State { is_wanted: true, end: Some(End::Complete), ..State::default() };
        state.push(body);
        Self { intake: Arc::new(Intake { state: Mutex::new(state), ..Intake::default() }) }
    }

    /// Returns the next bytes, or `None` after the last. Blocks until there are some, for at most
    /// `limit`; [`Duration::ZERO`] does not block.
    ///
    /// # Errors
    /// [`BodyReadError::NotYet`] after the limit, [`BodyReadError::Incomplete`].
    pub fn read(&mut self, limit: Duration) -> Result<Option<Bytes>, BodyReadError> {
        self.intake.read(limit)
    }
}

impl Drop for BodyReader {
    fn drop(&mut self) {
        self.intake.give_up();
    }
}

/// The reactor's side of a [`BodyReader`]. Dropped before the end of the body, it cuts it short.
#[derive(Debug)]
pub(crate) struct BodyFeed {
    intake: Arc<Intake>,
    /// The interim response that the client waits for before it sends.
    pub(crate) interim: Option<&'static [u8]>,
}

impl BodyFeed {
    /// Returns both sides of a body. `waker` wakes the reactor for its connection, and `charge` is
    /// the memory of the pieces that wait.
    pub(crate) fn new(
        waker: ReactorWaker,
        charge: Option<BodyCharge>,
        interim: Option<&'static [u8]>,
    ) -> (Self, BodyReader) {
        let state = Mutex::new(State { charge, ..State::default() });
        let intake = Arc::new(Intake { state, has_news: Condvar::new(), waker: Some(waker) });
        (Self { intake: Arc::clone(&intake), interim }, BodyReader { intake })
    }

    /// Returns the bytes that there is room for. If there is none, the reactor is woken when there
    /// is.
    pub(crate) fn room(&self) -> usize {
        let mut state = self.intake.state.lock();
        let room = match state.is_given_up || self.interim.is_some() {
            true => 0,
            false => PIPE_BYTES.saturating_sub(state.held),
        };
        state.is_awaited = room == 0;
        room
    }

    /// Returns the bytes that are charged for the pieces.
    pub(crate) fn charged(&self) -> usize {
        self.intake.state.lock().charge.as_ref().map_or(0, BodyCharge::bytes)
    }

    /// Returns true if the program has asked for the body.
    pub(crate) fn is_wanted(&self) -> bool {
        self.intake.state.lock().is_wanted
    }

    pub(crate) fn push(&self, piece: Bytes) {
        self.intake.state.lock().push(piece);
        self.intake.has_news.notify_one();
    }

    /// Ends the body after its last byte.
    pub(crate) fn finish(self) {
        self.intake.end(End::Complete);
    }
}

impl Drop for BodyFeed {
    fn drop(&mut self) {
        self.intake.end(End::Cut);
    }
}

#[derive(Debug, Default)]
struct Intake {
    state: Mutex<State>,
    /// Notified at each piece and at the end.
    has_news: Condvar,
    /// `None` for a body that arrived whole.
    waker: Option<ReactorWaker>,
}

#[derive(Debug, Default)]
struct State {
    pieces: VecDeque<Bytes>,
    /// The small pieces behind `pieces`.
    tail: BytesMut,
    /// Bytes of both.
    held: usize,
    end: Option<End>,
    /// The program has read, or tried to.
    is_wanted: bool,
    /// The program has dropped its reader.
    is_given_up: bool,
    /// The reactor waits for room.
    is_awaited: bool,
    /// The memory of the pieces, until the body is cut short or the program drops its reader.
    charge: Option<BodyCharge>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Complete,
    Cut,
}

impl Intake {
    fn read(&self, limit: Duration) -> Result<Option<Bytes>, BodyReadError> {
        let mut state = self.state.lock();
        if !std::mem::replace(&mut state.is_wanted, true) {
            self.wake(&mut state);
        }
        self.has_news.wait_while_for(&mut state, |it| it.held == 0 && it.end.is_none(), limit);
        let piece = state.pop();
        if piece.is_some() && state.is_awaited {
            self.wake(&mut state);
        }
        match (piece, state.end) {
            // A body that is cut short is of no use, so its pieces are dropped.
            (_, Some(End::Cut)) => Err(BodyReadError::Incomplete),
            (Some(piece), _) => Ok(Some(piece)),
            (None, Some(End::Complete)) => Ok(None),
            (None, None) => Err(BodyReadError::NotYet),
        }
    }

    /// Takes in the end, unless there is one. The memory of a body that is cut short is free then.
    fn end(&self, end: End) {
        let mut state = self.state.lock();
        if *state.end.get_or_insert(end) == End::Cut {
            state.clear();
        }
        drop(state);
        self.has_news.notify_all();
    }

    fn give_up(&self) {
        let mut state = self.state.lock();
        let was_whole = state.end.is_some();
        state.is_given_up = true;
        state.clear();
        if !was_whole {
            self.wake(&mut state);
        }
    }

    /// Wakes the reactor. Its mailbox takes the message under the lock of this body, and takes no
    /// lock of a body itself.
    fn wake(&self, state: &mut State) {
        state.is_awaited = false;
        if let Some(waker) = &self.waker {
            waker.wake();
        }
    }
}

impl State {
    fn push(&mut self, piece: Bytes) {
        if self.is_given_up || piece.is_empty() {
            return;
        }
        self.held += piece.len();
        if piece.len() <= COPIED_BYTES {
            self.tail.extend_from_slice(&piece);
        } else {
            self.close_tail();
            self.pieces.push_back(piece);
        }
    }

    /// Drops the pieces, and gives their memory back.
    fn clear(&mut self) {
        self.pieces = VecDeque::new();
        self.tail = BytesMut::new();
        self.held = 0;
        self.charge = None;
    }

    fn pop(&mut self) -> Option<Bytes> {
        if self.pieces.is_empty() {
            self.close_tail();
        }
        let piece = self.pieces.pop_front()?;
        self.held -= piece.len();
        Some(piece)
    }

    /// Makes a piece of the small ones.
    fn close_tail(&mut self) {
        if !self.tail.is_empty() {
            self.pieces.push_back(std::mem::take(&mut self.tail).freeze());
        }
    }
}
