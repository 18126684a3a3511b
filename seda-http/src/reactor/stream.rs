//! A client's socket, with what is known of it: the poll reports changes only.

use super::socket;
use bytes::BytesMut;
use mio::event::Event;
use mio::net::TcpStream;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::net::Shutdown;

/// The least memory that is asked for when a read does not fit: most heads are smaller.
const INPUT_BYTES: usize = 1024;

/// The connection is of no use any more: the client hung up, or the socket failed.
#[derive(Debug)]
pub(super) struct Disconnected;

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) socket: TcpStream,
    /// There may be bytes to read.
    pub(super) readable: bool,
    /// There may be room for bytes.
    pub(super) writable: bool,
    /// The client has shut its sending side; there may be bytes before the end.
    pub(super) read_closed: bool,
    /// Everything it sent is read.
    pub(super) at_eof: bool,
    /// Both sides are shut, or the socket has failed.
    pub(super) dead: bool,
}

impl Stream {
    /// A connected socket that was not looked at yet.
    pub(super) fn new(socket: TcpStream) -> Self {
        let (readable, writable) = (true, true);
        Self { socket, readable, writable, read_closed: false, at_eof: false, dead: false }
    }

    /// Takes in what the poll says.
    pub(super) fn note(&mut self, event: &Event) {
        self.readable |= event.is_readable() || event.is_read_closed();
        self.writable |= event.is_writable();
        self.read_closed |= event.is_read_closed();
        self.dead |= event.is_error() || event.is_write_closed();
    }

    /// One read, appended to `input`; returns how many bytes came. They pass through `scratch`:
    /// an idle connection then needs no buffer, and no memory is cleared to be read into.
    pub(super) fn read(
        &mut self,
        input: &mut BytesMut,
        scratch: &mut [u8],
    ) -> Result<usize, Disconnected> {
        match socket::receive(&self.socket, scratch) {
            Ok(0) => {
                self.at_eof = true;
                self.readable = false;
                Ok(0)
            }
            Ok(read) => {
                // A short read has reached_zero the socket, and what comes later is announced anew
                // (epoll(7), "edge-triggered"): no second read only to be told so. But an end
                // that was announced already is not announced again.
                self.readable = self.read_closed || read == scratch.len() || !cfg!(unix);
                if input.capacity() - input.len() < read {
                    input.reserve(read.max(INPUT_BYTES));
                }
                input.extend_from_slice(scratch.get(..read).unwrap_or_default());
                Ok(read)
            }
            Err(error) => self.read_failed(&error),
        }
    }

    fn read_failed(&mut self, error: &io::Error) -> Result<usize, Disconnected> {
        match error.kind() {
            ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(0)
            }
            ErrorKind::Interrupted => Ok(0),
            _ => Err(Disconnected),
        }
    }

    /// Tells the client that nothing more comes.
    pub(super) fn send_fin(&mut self) -> Result<(), Disconnected> {
        self.socket.shutdown(Shutdown::Write).map_err(|_| Disconnected)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        socket::send(&self.socket, bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
