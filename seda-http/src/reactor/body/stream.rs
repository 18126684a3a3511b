//! A body that the program sends in pieces, and the part of it that is being written.

use super::pipe::{Pipe, PipeEnd, ReactorWaker, Taken};
use bytes::{Buf, Bytes, BytesMut};
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

/// The bytes of a response that the program sends in pieces. Its sender is a
/// [`BodySender`](crate::BodySender), which learns when this value is dropped.
#[derive(Debug)]
pub struct BodyStream {
    pipe: Arc<Pipe>,
    length: Option<u64>,
    filler: Option<Filler>,
}

/// The piece that is written while the program sends none, so that both sides and the proxies
/// between them see a living connection. A stream with a filler has no natural end: a drain ends it
/// between two pieces.
#[derive(Clone, Debug)]
pub(crate) struct Filler {
    pub(crate) piece: Bytes,
    /// The time after the last piece.
    pub(crate) after: Duration,
}

impl BodyStream {
    /// Returns the stream of the bytes in `pipe`; `length` is their declared number.
    pub(crate) fn new(pipe: Arc<Pipe>, length: Option<u64>, filler: Option<Filler>) -> Self {
        Self { pipe, length, filler }
    }

    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }
}

impl Drop for BodyStream {
    fn drop(&mut self) {
        self.pipe.close();
    }
}

/// The bytes that a protocol puts around the pieces of a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PieceFraming {
    /// None: the pieces alone are the body.
    Plain,
    Framed {
        /// Appends the bytes before a piece of this length.
        before: fn(usize, &mut BytesMut),
        /// The bytes after each piece.
        after: &'static [u8],
        /// The end of a stream that the program has not ended.
        last: &'static [u8],
    },
}

/// The unwritten rest of a stream.
#[derive(Debug)]
pub(crate) struct StreamCursor {
    stream: BodyStream,
    framing: PieceFraming,
    /// Bytes to write, with their framing.
    pieces: VecDeque<Bytes>,
    /// Bytes of the program at the front of `pieces`. Framing follows them.
    data: usize,
    state: CursorState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CursorState {
    Open,
    /// All bytes are in `pieces`.
    Finished,
    /// The program gave up: the connection ends after `pieces`.
    Cut,
}

impl StreamCursor {
    pub(crate) fn new(stream: BodyStream, framing: PieceFraming) -> Self {
        Self { stream, framing, pieces: VecDeque::new(), data: 0, state: CursorState::Open }
    }

    /// Returns true if nothing more will be written.
    pub(crate) fn is_over(&self) -> bool {
        self.state == CursorState::Finished && self.pieces.is_empty()
    }

    /// Returns true if the client knows the end of this stream by that of the connection alone.
    pub(crate) fn ends_with_connection(&self) -> bool {
        matches!(self.framing, PieceFraming::Plain) && self.stream.length.is_none()
    }

    pub(crate) fn has_bytes(&self) -> bool {
        !self.pieces.is_empty()
    }

    pub(crate) fn pieces(&self) -> impl Iterator<Item = &Bytes> {
        self.pieces.iter()
    }

    /// Takes the program's next pieces once the last ones are written. `buffer` has the bytes that
    /// go out before them. Without a piece the program wakes the reactor by `waker`.
    ///
    /// # Errors
    /// `UnexpectedEof` once all bytes of a stream are written that the program has cut short.
    pub(crate) fn pull(
        &mut self,
        buffer: &mut BytesMut,
        is_draining: bool,
        waker: impl FnOnce() -> ReactorWaker,
    ) -> io::Result<()> {
        if self.state == CursorState::Open && self.pieces.is_empty() {
            let taken = self.stream.pipe.take(waker);
            self.put(taken, buffer);
            if is_draining && self.state == CursorState::Open && self.stream.filler.is_some() {
                self.finish(None);
            }
        }
        if self.state == CursorState::Cut && self.pieces.is_empty() && buffer.is_empty() {
            tracing::warn!("the program cut an answer short; its connection is closed");
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    /// Returns the time after which a filler is due; `None` if the program's bytes are due, or the
    /// stream has no filler.
    pub(crate) fn filler_after(&self) -> Option<Duration> {
        let filler = self.stream.filler.as_ref()?;
        (self.state == CursorState::Open && self.pieces.is_empty()).then_some(filler.after)
    }

    /// Adds the filler.
    pub(crate) fn put_filler(&mut self, buffer: &mut BytesMut) {
        if let Some(filler) = &self.stream.filler {
            let pieces = VecDeque::from([filler.piece.clone()]);
            self.put(Taken { pieces, end: None }, buffer);
            // It holds no place in the pipe.
            self.data = 0;
        }
    }

    /// Removes `written` bytes from the front, and makes room for as many of the program's.
    pub(crate) fn consume(&mut self, written: usize) {
        let data = written.min(self.data);
        self.data -= data;
        self.stream.pipe.release(data);
        let mut left = written;
        while let Some(piece) = self.pieces.front_mut() {
            if left < piece.len() {
                return piece.advance(left);
            }
            left -= piece.len();
            self.pieces.pop_front();
        }
    }

    /// Frames pieces. Several are framed as one.
    fn put(&mut self, taken: Taken, buffer: &mut BytesMut) {
        debug_assert!(self.pieces.is_empty(), "the pieces before are written");
        self.data = taken.pieces.iter().map(Bytes::len).sum();
        self.pieces = taken.pieces;
        if let PieceFraming::Framed { before, after, .. } = self.framing
            && self.data > 0
        {
            before(self.data, buffer);
            self.pieces.push_back(Bytes::from_static(after));
        }
        match taken.end {
            None => {}
            Some(PipeEnd::Finished(last)) => self.finish(Some(last)),
            Some(PipeEnd::Cut) => self.state = CursorState::Cut,
        }
    }

    /// Adds the end; `None` is the framing's own.
    fn finish(&mut self, last: Option<Bytes>) {
        self.state = CursorState::Finished;
        if let PieceFraming::Framed { last: own, .. } = self.framing {
            self.pieces.push_back(last.unwrap_or(Bytes::from_static(own)));
        }
    }
}
