//! A client's socket with its readiness. The poll reports only changes of it.

use super::socket::Socket;
use bytes::BytesMut;
use mio::event::Event;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::net::Shutdown;

/// The least memory to allocate when a read does not fit. Most heads are smaller.
const INPUT_BYTES: usize = 1024;

/// The connection is unusable: the client has left, or the socket has failed.
#[derive(Debug)]
pub(super) struct Disconnected;

/// A connected socket, and the last known state of its two directions.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) socket: Socket,
    /// There may be bytes to read.
    pub(super) is_readable: bool,
    /// There may be room for bytes.
    pub(super) is_writable: bool,
    /// The client has shut its sending side; unread bytes may precede the end.
    pub(super) is_read_closed: bool,
    /// All bytes of the client are read.
    pub(super) is_at_eof: bool,
    /// Both sides are shut, or the socket has failed.
    pub(super) is_dead: bool,
}

impl Stream {
    /// Returns the stream of a new connection, ready in both directions until proved otherwise.
    pub(super) fn new(socket: Socket) -> Self {
        Self {
            socket,
            is_readable: true,
            is_writable: true,
            is_read_closed: false,
            is_at_eof: false,
            is_dead: false,
        }
    }

    /// Takes in an event of the poll.
    pub(super) fn note(&mut self, event: &Event) {
        self.is_readable |= event.is_readable() || event.is_read_closed();
        self.is_writable |= event.is_writable();
        self.is_read_closed |= event.is_read_closed();
        self.is_dead |= event.is_error() || event.is_write_closed();
    }

    /// Reads once and appends to `input`. Returns the number of bytes.
    ///
    /// The bytes pass through `scratch`: an idle connection then needs no buffer, and no memory is
    /// cleared only to be read into.
    pub(super) fn read(
        &mut self,
        input: &mut BytesMut,
        scratch: &mut [u8],
    ) -> Result<usize, Disconnected> {
        let read = self.discard(scratch)?;
        if read > 0 {
            if input.capacity() - input.len() < read {
                input.reserve(read.max(INPUT_BYTES));
            }
            input.extend_from_slice(scratch.get(..read).unwrap_or_default());
        }
        Ok(read)
    }

    /// Reads once into `scratch` and keeps nothing. Returns the number of bytes.
    pub(super) fn discard(&mut self, scratch: &mut [u8]) -> Result<usize, Disconnected> {
        match self.socket.receive(scratch) {
            Ok(0) => {
                self.is_at_eof = true;
                self.is_readable = false;
                Ok(0)
            }
            Ok(read) => {
                // A short read has emptied the socket, and an event announces later bytes
                // (epoll(7), "edge-triggered"), so a second read is not needed. An end that was
                // announced before is not announced again.
                self.is_readable = self.is_read_closed || read == scratch.len() || !cfg!(unix);
                Ok(read)
            }
            Err(error) => self.read_failed(&error),
        }
    }

    /// Reads once into `scratch` and leaves the bytes in the socket. Returns their number; zero
    /// until an event announces more of them.
    pub(super) fn peek(&mut self, scratch: &mut [u8]) -> Result<usize, Disconnected> {
        match self.socket.peek(scratch) {
            Ok(0) => Err(Disconnected),
            Ok(peeked) => Ok(peeked),
            Err(error) => self.read_failed(&error),
        }
    }

    /// Takes in that the bytes in the socket do not suffice: only an event announces more.
    ///
    /// # Errors
    /// The client has shut its sending side, so no more bytes come.
    pub(super) fn wait_for_more(&mut self) -> Result<(), Disconnected> {
        self.is_readable = false;
        if self.is_read_closed { Err(Disconnected) } else { Ok(()) }
    }

    fn read_failed(&mut self, error: &io::Error) -> Result<usize, Disconnected> {
        match error.kind() {
            ErrorKind::WouldBlock => {
                self.is_readable = false;
                Ok(0)
            }
            ErrorKind::Interrupted => Ok(0),
            _ => Err(Disconnected),
        }
    }

    /// Shuts the sending side.
    pub(super) fn send_fin(&mut self) -> Result<(), Disconnected> {
        self.socket.shutdown(Shutdown::Write).map_err(|_| Disconnected)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.send(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.send_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
