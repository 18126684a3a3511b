//! One side of an encrypted connection.

use bytes::{Buf, BytesMut};
use rustls::Connection;
use std::fmt;
use std::io::{self, BufRead, ErrorKind, IoSlice, Read, Write};

/// Bytes of one read from a socket: a record of the longest kind, and half of the next.
const READ_BYTES: usize = 32 * 1024;

/// Bytes of the header of a record (RFC 8446 §5.1): its type, its version, its length.
const HEADER_BYTES: usize = 5;

/// The type of a record that begins a handshake.
const HANDSHAKE: u8 = 22;

/// The longest payload of a record, with the additions of its cipher (RFC 5246 §6.2.3).
const PAYLOAD_MOST: usize = 16 * 1024 + 2048;

/// One side of an encrypted connection, without its socket.
///
/// Its memory is bounded: it holds at most one read of ciphertext beyond an unfinished record, the
/// plaintext of the last records, and 64 KiB of records that the socket has not taken.
///
/// During the handshake its owner calls [`Session::receive`] until [`Session::has_record`], then
/// [`Session::proceed`], which is costly, and [`Session::push`]. After it [`Session::read`],
/// [`Session::write`] and [`Session::push`] carry the plaintext. [`Session::close`] is the orderly
/// end.
pub(crate) struct Session {
    connection: Connection,
    /// Ciphertext that has arrived and is not decrypted.
    arrived: BytesMut,
    /// A record was processed.
    has_begun: bool,
    is_closed: bool,
    end: Option<End>,
}

/// The end of what the other side sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The other side has said so: the bytes are whole (RFC 8446 §6.1).
    Closed,
    /// The socket has ended without it: bytes may be missing.
    Truncated,
}

/// The result of one read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// Bytes of plaintext.
    pub(crate) plain: usize,
    /// Bytes that the socket gave.
    pub(crate) wire: usize,
    /// The socket has no more bytes for now. A read that took none from it does not know.
    pub(crate) is_drained: bool,
}

/// The result of a push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pushed {
    /// Bytes that the socket took.
    pub(crate) bytes: usize,
    /// The socket takes no more for now.
    pub(crate) is_full: bool,
}

impl Session {
    /// Returns the session of a new connection, on the side of a server or of a client.
    pub(crate) fn new(connection: impl Into<Connection>) -> Self {
        Self {
            connection: connection.into(),
            arrived: BytesMut::new(),
            has_begun: false,
            is_closed: false,
            end: None,
        }
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Returns true if the other side has sent at least one byte.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun || !self.arrived.is_empty()
    }

    /// Returns the end of what the other side sends; `None` before it.
    pub(crate) fn end(&self) -> Option<End> {
        self.end
    }

    /// Returns true if the first byte of the other side begins no handshake.
    pub(crate) fn is_foreign(&self) -> bool {
        !self.has_begun && self.arrived.first().is_some_and(|first| *first != HANDSHAKE)
    }

    /// Reads once from the socket and decrypts nothing.
    pub(crate) fn receive(
        &mut self,
        socket: &mut impl Read,
        scratch: &mut [u8],
    ) -> io::Result<Received> {
        let received = self.read_once(socket, scratch)?;
        let bytes = scratch.get(..received.wire).unwrap_or_default();
        self.arrived.extend_from_slice(bytes);
        Ok(received)
    }

    /// Returns true if a whole record has arrived, so that [`Session::proceed`] has work.
    pub(crate) fn has_record(&self) -> bool {
        record_bytes(&self.arrived).is_some()
    }

    /// Processes the records that have arrived, up to the end of the handshake. It takes up to
    /// 0.2 ms for a signature and a key exchange.
    pub(crate) fn proceed(&mut self) -> io::Result<()> {
        while self.is_handshaking()
            && let Some(length) = record_bytes(&self.arrived)
        {
            self.has_begun = true;
            let record = self.arrived.split_to(length);
            let mut rest = &record[..];
            while !rest.is_empty() && self.connection.read_tls(&mut rest)? > 0 {
                let state = self.connection.process_new_packets().map_err(failed)?;
                self.note_end(state.peer_has_closed());
            }
        }
        if self.arrived.is_empty() {
            self.arrived = BytesMut::new();
        }
        Ok(())
    }

    /// Appends at most `most` bytes of plaintext to `input`. It reads once from the socket, unless
    /// it has plaintext already. `scratch` is the buffer of that read.
    ///
    /// # Errors
    /// The error of the socket, or [`ErrorKind::InvalidData`] if the other side breaks the
    /// protocol. [`Session::push`] then sends the alert.
    pub(crate) fn read(
        &mut self,
        socket: &mut impl Read,
        scratch: &mut [u8],
        input: &mut BytesMut,
        most: usize,
    ) -> io::Result<Received> {
        let mut room = most;
        // What is here already.
        self.take_plaintext(input, &mut room);
        if room > 0 && !self.arrived.is_empty() {
            let arrived = std::mem::take(&mut self.arrived);
            self.decrypt(&arrived, input, &mut room)?;
        }
        if room < most || self.end.is_some() {
            return Ok(Received { plain: most - room, ..Received::default() });
        }
        // The next bytes of the socket.
        let received = self.read_once(socket, scratch)?;
        self.decrypt(scratch.get(..received.wire).unwrap_or_default(), input, &mut room)?;
        Ok(Received { plain: most - room, ..received })
    }

    /// Returns true if [`Session::read`] has plaintext or ciphertext without the socket.
    pub(crate) fn has_input(&mut self) -> bool {
        !self.arrived.is_empty()
            || self.connection.reader().fill_buf().is_ok_and(|it| !it.is_empty())
    }

    /// Encrypts bytes while there is room for their records. Returns the number of bytes taken.
    pub(crate) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.connection.writer().write_vectored(slices)
    }

    /// Returns true if records wait for the socket.
    pub(crate) fn has_records(&self) -> bool {
        self.connection.wants_write()
    }

    /// Sends records until none waits or the socket is full.
    pub(crate) fn push(&mut self, socket: &mut impl Write) -> io::Result<Pushed> {
        let mut pushed = Pushed::default();
        while self.has_records() {
            match self.connection.write_tls(socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(bytes) => pushed.bytes += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Ok(Pushed { is_full: true, ..pushed });
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(pushed)
    }

    /// Says to the other side that no more bytes follow those written so far.
    pub(crate) fn close(&mut self) {
        if !std::mem::replace(&mut self.is_closed, true) {
            self.connection.send_close_notify();
        }
    }

    /// Reads once from the socket into `scratch`, and takes in its end.
    fn read_once(&mut self, socket: &mut impl Read, scratch: &mut [u8]) -> io::Result<Received> {
        let most = scratch.len().min(READ_BYTES);
        match socket.read(scratch.get_mut(..most).unwrap_or_default()) {
            Ok(0) => {
                self.end.get_or_insert(End::Truncated);
                Ok(Received { is_drained: true, ..Received::default() })
            }
            Ok(wire) => Ok(Received { plain: 0, wire, is_drained: wire < most }),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Ok(Received { is_drained: true, ..Received::default() })
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Received::default()),
            Err(error) => Err(error),
        }
    }

    /// Decrypts until `room` bytes of plaintext are in `input`; keeps the rest.
    fn decrypt(
        &mut self,
        mut bytes: &[u8],
        input: &mut BytesMut,
        room: &mut usize,
    ) -> io::Result<()> {
        // The plaintext is taken after each bite, so the buffer of the library is never full.
        while !bytes.is_empty() && *room > 0 {
            if self.connection.read_tls(&mut bytes)? == 0 {
                // Nothing counts behind the end (RFC 8446 §6.1).
                return Ok(());
            }
            let state = self.connection.process_new_packets().map_err(failed)?;
            self.take_plaintext(input, room);
            self.note_end(state.peer_has_closed());
        }
        self.arrived.extend_from_slice(bytes);
        Ok(())
    }

    /// Moves plaintext to `input`, at most `room` bytes.
    fn take_plaintext(&mut self, input: &mut BytesMut, room: &mut usize) {
        let mut reader = self.connection.reader();
        while *room > 0
            && let Ok(chunk) = reader.fill_buf()
            && !chunk.is_empty()
        {
            let taken = chunk.len().min(*room);
            input.extend_from_slice(chunk.get(..taken).unwrap_or_default());
            reader.consume(taken);
            *room -= taken;
        }
    }

    fn note_end(&mut self, is_closed: bool) {
        if is_closed {
            self.end = Some(End::Closed);
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("end", &self.end).finish_non_exhaustive()
    }
}

/// Returns the length of the record at the front, with its header; `None` if it is not whole. A
/// length beyond the longest counts as whole, and is an error of the record.
fn record_bytes(arrived: &[u8]) -> Option<usize> {
    let (header, payload) = arrived.split_at_checked(HEADER_BYTES)?;
    let mut length = header.get(3..)?;
    let declared = usize::from(length.get_u16()).min(PAYLOAD_MOST);
    (payload.len() >= declared).then_some(HEADER_BYTES + declared)
}

fn failed(error: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}
