//! A bounded queue of bytes between the program and a reactor.
//!
//! # Protocol
//!
//! The program pushes and the reactor takes. Neither polls: the reactor leaves its
//! [`ReactorWaker`] when it finds the pipe empty, and the next push takes it and wakes the reactor
//! once. A thread of the program that waits for room waits on the condition variable.
//!
//! Bytes hold their place from the push until the socket has them ([`Pipe::release`]), so the bound
//! covers what the reactor has taken and not written.

use bytes::{Bytes, BytesMut};
use parking_lot::{Condvar, Mutex};
use seda_core::ReplyAddress;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Bytes that a pipe holds: one write of the socket. A longer piece is accepted by an empty pipe.
pub(crate) const PIPE_BYTES: usize = 64 * 1024;

/// Pieces up to this size are copied into one, because each piece of its own costs memory for its
/// bounds.
pub(crate) const COPIED_BYTES: usize = 4 * 1024;

/// Wakes reactors.
pub(crate) trait WakeReactor: Send + Sync {
    /// Gives the connection at `address` a turn.
    fn wake(&self, address: ReplyAddress);
}

/// Wakes a reactor for one connection.
pub(crate) struct ReactorWaker {
    pub(crate) reactor: Arc<dyn WakeReactor>,
    pub(crate) address: ReplyAddress,
}

impl ReactorWaker {
    pub(crate) fn wake(&self) {
        self.reactor.wake(self.address);
    }
}

impl fmt::Debug for ReactorWaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReactorWaker").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The end of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PipeEnd {
    /// All bytes were pushed. These bytes of the protocol follow the last piece.
    Finished(Bytes),
    /// The program gave up before the end.
    Cut,
}

/// The reason why a piece was not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PushError {
    /// There is no room for the piece.
    Full(Bytes),
    /// The reader has gone.
    Gone,
}

/// The result of [`Pipe::take`].
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// The pieces since the last call; empty ones do not occur.
    pub(crate) pieces: VecDeque<Bytes>,
    /// The end behind the pieces; returned once.
    pub(crate) end: Option<PipeEnd>,
}

/// A bounded queue of bytes from the program to a reactor.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    state: Mutex<State>,
    /// Notified when bytes are released, and when the reader goes.
    has_room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    pieces: VecDeque<Bytes>,
    /// The small pieces behind `pieces`.
    tail: BytesMut,
    /// Bytes that were pushed and are not released.
    held: usize,
    end: Option<PipeEnd>,
    is_gone: bool,
    /// Of the reactor that has found the pipe empty.
    waker: Option<ReactorWaker>,
}

impl Pipe {
    /// Adds a piece, if there is room for it or the pipe is empty.
    pub(crate) fn push(&self, piece: Bytes) -> Result<(), PushError> {
        let waker = self.state.lock().push(piece)?;
        wake(waker);
        Ok(())
    }

    /// Adds a piece. Blocks until there is room, for at most `limit`.
    pub(crate) fn push_within(&self, piece: Bytes, limit: Duration) -> Result<(), PushError> {
        let mut state = self.state.lock();
        let length = piece.len();
        self.has_room.wait_while_for(
            &mut state,
            |state| !state.is_gone && state.is_full(length),
            limit,
        );
        let waker = state.push(piece)?;
        drop(state);
        wake(waker);
        Ok(())
    }

    /// Ends the bytes. A second end changes nothing.
    pub(crate) fn end(&self, end: PipeEnd) {
        let waker = {
            let mut state = self.state.lock();
            state.end.get_or_insert(end);
            state.waker.take()
        };
        wake(waker);
    }

    /// Returns true if no more bytes are read.
    pub(crate) fn is_gone(&self) -> bool {
        self.state.lock().is_gone
    }

    /// Takes all pieces. If there is nothing to take, the next push or end wakes the reactor.
    pub(crate) fn take(&self, waker: impl FnOnce() -> ReactorWaker) -> Taken {
        let mut state = self.state.lock();
        state.close_tail();
        let taken = Taken { pieces: std::mem::take(&mut state.pieces), end: state.end.take() };
        if taken.pieces.is_empty() && taken.end.is_none() {
            state.waker = Some(waker());
        }
        taken
    }

    /// Makes room for this number of bytes.
    pub(crate) fn release(&self, bytes: usize) {
        if bytes > 0 {
            let mut state = self.state.lock();
            state.held = state.held.saturating_sub(bytes);
            self.has_room.notify_all();
        }
    }

    /// Drops all bytes and refuses further ones.
    pub(crate) fn close(&self) {
        let dropped = {
            let mut state = self.state.lock();
            let pieces = std::mem::take(&mut state.pieces);
            *state = State { is_gone: true, ..State::default() };
            self.has_room.notify_all();
            pieces
        };
        // The memory is freed without the lock.
        drop(dropped);
    }
}

impl State {
    fn is_full(&self, length: usize) -> bool {
        self.held > 0 && self.held.saturating_add(length) > PIPE_BYTES
    }

    /// Adds a piece. Returns the waker of the reactor that waits for it.
    fn push(&mut self, piece: Bytes) -> Result<Option<ReactorWaker>, PushError> {
        if self.is_gone {
            return Err(PushError::Gone);
        }
        if self.is_full(piece.len()) {
            return Err(PushError::Full(piece));
        }
        if piece.is_empty() {
            return Ok(None);
        }
        self.held += piece.len();
        if piece.len() <= COPIED_BYTES {
            self.tail.extend_from_slice(&piece);
        } else {
            self.close_tail();
            self.pieces.push_back(piece);
        }
        Ok(self.waker.take())
    }

    /// Makes a piece of the small ones.
    fn close_tail(&mut self) {
        if !self.tail.is_empty() {
            self.pieces.push_back(std::mem::take(&mut self.tail).freeze());
        }
    }
}

/// Wakes the reactor without the lock of the pipe.
fn wake(waker: Option<ReactorWaker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl WakeReactor for Wakes {
        fn wake(&self, _address: ReplyAddress) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn waker(wakes: &Arc<Wakes>) -> ReactorWaker {
        let reactor = Arc::clone(wakes) as Arc<dyn WakeReactor>;
        ReactorWaker { reactor, address: ReplyAddress::default() }
    }

    fn piece(length: usize) -> Bytes {
        Bytes::from(vec![b'x'; length])
    }

    #[test]
    fn bytes_hold_their_place_until_they_are_released() {
        let (pipe, wakes) = (Pipe::default(), Arc::default());
        pipe.push(piece(PIPE_BYTES - 1)).unwrap();
        pipe.push(piece(1)).unwrap();
        assert_eq!(pipe.push(piece(1)), Err(PushError::Full(piece(1))));
        let taken = pipe.take(|| waker(&wakes));
        assert_eq!(taken.pieces.iter().map(Bytes::len).sum::<usize>(), PIPE_BYTES);
        assert_eq!(pipe.push(piece(1)), Err(PushError::Full(piece(1))));
        pipe.release(1);
        pipe.push(piece(1)).unwrap();
        // A longer piece than the bound fits an empty pipe alone.
        assert!(pipe.push(piece(PIPE_BYTES + 1)).is_err());
        pipe.release(PIPE_BYTES);
        pipe.push(piece(PIPE_BYTES + 1)).unwrap();
    }

    #[test]
    fn small_pieces_are_one_and_keep_their_order() {
        let (pipe, wakes) = (Pipe::default(), Arc::default());
        let long = piece(COPIED_BYTES + 1);
        for piece in [&b"a"[..], b"", b"b", &long, b"c"] {
            pipe.push(Bytes::copy_from_slice(piece)).unwrap();
        }
        let taken = pipe.take(|| waker(&wakes));
        assert_eq!(taken.pieces, [Bytes::from("ab"), long, Bytes::from("c")]);
    }

    #[test]
    fn a_reactor_that_found_the_pipe_empty_is_woken_once() {
        let (pipe, wakes) = (Pipe::default(), Arc::default());
        pipe.push(piece(1)).unwrap();
        assert_eq!(pipe.take(|| waker(&wakes)).pieces.len(), 1);
        pipe.push(piece(1)).unwrap();
        assert_eq!(wakes.0.load(Ordering::SeqCst), 0);
        pipe.take(|| waker(&wakes));
        assert!(pipe.take(|| waker(&wakes)).pieces.is_empty());
        pipe.push(piece(1)).unwrap();
        pipe.push(piece(1)).unwrap();
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
        pipe.take(|| waker(&wakes));
        pipe.take(|| waker(&wakes));
        pipe.end(PipeEnd::Cut);
        pipe.end(PipeEnd::Finished(Bytes::new()));
        assert_eq!(wakes.0.load(Ordering::SeqCst), 2);
        assert_eq!(pipe.take(|| waker(&wakes)).end, Some(PipeEnd::Cut));
    }

    #[test]
    fn a_closed_pipe_refuses_and_ends_the_wait_for_room() {
        let pipe = Pipe::default();
        pipe.push(piece(PIPE_BYTES)).unwrap();
        assert_eq!(pipe.push_within(piece(1), Duration::ZERO), Err(PushError::Full(piece(1))));
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| pipe.push_within(piece(1), Duration::from_secs(60)));
            pipe.close();
            assert_eq!(waits.join().unwrap(), Err(PushError::Gone));
        });
        assert!(pipe.is_gone());
        assert_eq!(pipe.push(piece(1)), Err(PushError::Gone));
    }

    #[test]
    fn released_bytes_end_the_wait_for_room() {
        let pipe = Pipe::default();
        pipe.push(piece(PIPE_BYTES)).unwrap();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| pipe.push_within(piece(1), Duration::from_secs(60)));
            pipe.release(1);
            assert_eq!(waits.join().unwrap(), Ok(()));
        });
    }
}
