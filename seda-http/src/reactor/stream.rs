//! A client's socket with its readiness and its encryption. The poll reports only changes of
//! readiness.

use super::socket::Socket;
use crate::tls::{HandshakeFailure, HandshakeGuard, Session, Wanted};
use bytes::BytesMut;
use mio::event::Event;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;

/// The least memory to allocate when a read does not fit. Most heads are smaller.
const INPUT_BYTES: usize = 1024;

/// The connection is unusable: the client has left, or the socket has failed.
#[derive(Debug)]
pub(super) struct Disconnected;

/// A connected socket, and the last known state of its two directions.
#[derive(Debug)]
pub(super) struct Stream {
    /// Until the end of the handshake. It is dropped before the socket, so a client that sees its
    /// connection end is counted.
    handshake: Option<HandshakeGuard>,
    pub(super) socket: Socket,
    encryption: Encryption,
    /// There may be bytes to read, of the socket or already decrypted.
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

/// The way from the bytes of a socket to those of the protocol.
#[derive(Debug)]
enum Encryption {
    /// They are the same.
    Plain,
    /// TLS.
    Session(Box<Session>),
    /// TLS; a step of its handshake is computed on another thread.
    Away { _wanted: Wanted },
}

/// The result of one read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BytesRead {
    /// Bytes for the protocol.
    pub(super) plain: usize,
    /// Bytes that the socket gave: what the read has cost.
    pub(super) wire: usize,
}

/// The result of a part of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handshake {
    /// It goes on with an event, or when its step comes back.
    Unfinished,
    /// The client speaks another protocol. The stream is plain now.
    Foreign,
}

impl Stream {
    /// Returns the stream of a new connection, ready in both directions until proved otherwise.
    pub(super) fn new(socket: Socket, session: Option<(Box<Session>, HandshakeGuard)>) -> Self {
        let (session, handshake) = session.unzip();
        Self {
            handshake,
            socket,
            encryption: session.map_or(Encryption::Plain, Encryption::Session),
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

    /// Reads once and appends at most `most` bytes to `input`.
    ///
    /// The bytes pass through `scratch`: an idle connection then needs no buffer, and no memory is
    /// cleared only to be read into.
    pub(super) fn read(
        &mut self,
        input: &mut BytesMut,
        scratch: &mut [u8],
        most: usize,
    ) -> Result<BytesRead, Disconnected> {
        if !matches!(self.encryption, Encryption::Plain) {
            return self.read_encrypted(input, scratch, most);
        }
        let most = scratch.len().min(most);
        let read = self.discard(scratch.get_mut(..most).unwrap_or_default())?;
        if read > 0 {
            if input.capacity() - input.len() < read {
                input.reserve(read.max(INPUT_BYTES));
            }
            input.extend_from_slice(scratch.get(..read).unwrap_or_default());
        }
        Ok(BytesRead { plain: read, wire: read })
    }

    fn read_encrypted(
        &mut self,
        input: &mut BytesMut,
        scratch: &mut [u8],
        most: usize,
    ) -> Result<BytesRead, Disconnected> {
        let Encryption::Session(session) = &mut self.encryption else {
            return Ok(BytesRead::default());
        };
        let Ok(received) = session.read(&mut Wire(&mut self.socket), scratch, input, most) else {
            // The alert, if the client is at fault.
            let _ = session.push(&mut Wire(&mut self.socket));
            return Err(Disconnected);
        };
        let has_input = session.has_input();
        if session.end().is_some() {
            self.is_at_eof = !has_input;
            self.is_readable = has_input;
        } else if received.wire > 0 || received.is_drained {
            let is_drained = received.is_drained && !self.is_read_closed && cfg!(unix);
            self.is_readable = has_input || !is_drained;
        }
        Ok(BytesRead { plain: received.plain, wire: received.wire })
    }

    /// Reads once into `scratch` and keeps nothing. Returns the number of bytes, encrypted or not.
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

    /// Takes in the result of a write. An encrypted stream knows it already.
    pub(super) fn note_written(&mut self, is_full: bool) {
        if matches!(self.encryption, Encryption::Plain) {
            self.is_writable = !is_full;
        }
    }

    /// Returns true if encrypted bytes wait for the socket.
    pub(super) fn has_records(&self) -> bool {
        match &self.encryption {
            Encryption::Session(session) => session.has_records(),
            Encryption::Plain | Encryption::Away { .. } => false,
        }
    }

    /// Sends encrypted bytes that wait. Returns the number that the socket took.
    pub(super) fn push(&mut self) -> Result<usize, Disconnected> {
        let Encryption::Session(session) = &mut self.encryption else { return Ok(0) };
        if !self.is_writable || !session.has_records() {
            return Ok(0);
        }
        let pushed = session.push(&mut Wire(&mut self.socket)).map_err(|_| Disconnected)?;
        self.is_writable = !pushed.is_full;
        Ok(pushed.bytes)
    }

    /// Says that no more bytes follow (`close_notify`), if the stream is encrypted. Returns true
    /// once the socket has taken all bytes.
    pub(super) fn close(&mut self) -> Result<bool, Disconnected> {
        if let Encryption::Session(session) = &mut self.encryption {
            session.close();
            self.push()?;
        }
        Ok(!self.has_records())
    }

    /// Shuts the sending side. What the client still sends is not decrypted.
    pub(super) fn send_fin(&mut self) -> Result<(), Disconnected> {
        self.encryption = Encryption::Plain;
        self.socket.shutdown(Shutdown::Write).map_err(|_| Disconnected)
    }
}

/// The handshake.
impl Stream {
    pub(super) fn is_handshaking(&self) -> bool {
        match &self.encryption {
            Encryption::Plain => false,
            Encryption::Session(session) => session.is_handshaking(),
            Encryption::Away { .. } => true,
        }
    }

    /// Returns true if the client has sent a part of its handshake.
    pub(super) fn has_begun_handshake(&self) -> bool {
        match &self.encryption {
            Encryption::Plain => false,
            Encryption::Session(session) => session.has_begun(),
            Encryption::Away { .. } => true,
        }
    }

    /// Sends and reads what the sockets take and have. Once a whole record is here, its step is
    /// submitted to another thread.
    pub(super) fn handshake(
        &mut self,
        scratch: &mut [u8],
        submit: impl FnOnce(Box<Session>) -> Option<Wanted>,
    ) -> Result<Handshake, Disconnected> {
        self.push()?;
        let Encryption::Session(session) = &mut self.encryption else {
            return Ok(Handshake::Unfinished);
        };
        while self.is_readable && !session.has_record() && !session.is_foreign() {
            let received = session.receive(&mut Wire(&mut self.socket), scratch);
            let received = received.map_err(|_| Disconnected)?;
            if let Some(handshake) = self.handshake.as_mut().filter(|_| received.wire > 0) {
                handshake.begin();
            }
            self.is_readable = !received.is_drained || self.is_read_closed || !cfg!(unix);
            if session.end().is_some() {
                return Err(Disconnected);
            }
            if received.is_drained && received.wire == 0 {
                break;
            }
        }
        if session.is_foreign() {
            self.fail_handshake(HandshakeFailure::NotTls);
            self.encryption = Encryption::Plain;
            return Ok(Handshake::Foreign);
        }
        if session.has_record()
            && let Encryption::Session(session) =
                std::mem::replace(&mut self.encryption, Encryption::Plain)
        {
            let Some(_wanted) = submit(session) else {
                self.fail_handshake(HandshakeFailure::Server);
                return Err(Disconnected);
            };
            self.encryption = Encryption::Away { _wanted };
        }
        Ok(Handshake::Unfinished)
    }

    /// Takes a session back after a step of its handshake. A step that failed ends the connection
    /// after its alert.
    pub(super) fn take_back(&mut self, session: Box<Session>, done: &io::Result<()>) {
        match done {
            Err(error) => self.fail_handshake(HandshakeFailure::of(error)),
            Ok(()) if session.is_handshaking() => {}
            Ok(()) => {
                if let Some(handshake) = self.handshake.take() {
                    handshake.complete();
                }
            }
        }
        self.encryption = Encryption::Session(session);
        // Later bytes may have arrived with the step's.
        self.is_readable = true;
        if done.is_err() {
            let _ = self.push();
            self.is_dead = true;
        }
    }
}

/// The count of the handshake.
impl Stream {
    /// Counts the handshake as failed, unless it has ended.
    pub(super) fn fail_handshake(&mut self, failure: HandshakeFailure) {
        if let Some(handshake) = self.handshake.take() {
            handshake.fail(failure);
        }
    }

    /// Counts the handshake as out of time, unless it has ended.
    pub(super) fn time_handshake_out(&mut self) {
        if let Some(handshake) = self.handshake.take() {
            handshake.time_out();
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.encryption {
            Encryption::Plain => self.socket.send(bytes),
            _ => self.write_encrypted(&[IoSlice::new(bytes)]),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &self.encryption {
            Encryption::Plain => self.socket.send_vectored(slices),
            _ => self.write_encrypted(slices),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream {
    /// Encrypts what has room, and sends it as far as the socket takes it.
    fn write_encrypted(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let Encryption::Session(session) = &mut self.encryption else {
            return Err(ErrorKind::WouldBlock.into());
        };
        let taken = session.write(slices)?;
        self.push().map_err(|_| ErrorKind::BrokenPipe)?;
        // Without room the records of before still wait.
        if taken == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }
}

/// A socket as a session reads and writes it.
struct Wire<'a>(&'a mut Socket);

impl Read for Wire<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.receive(bytes)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
