//! The types of a build without the feature `tls`. They have no values.
#![expect(clippy::boxed_local, reason = "the signatures are those of the real types")]

use bytes::BytesMut;
use std::io::{self, IoSlice, Read, Write};

/// The encryption of a listener.
#[derive(Clone, Debug)]
pub(crate) enum TlsServer {}

/// One side of an encrypted connection.
#[derive(Debug)]
pub(crate) enum Session {}

/// The thread of handshakes.
#[derive(Clone, Debug)]
pub(crate) enum Handshaker {}

/// The mark of a connection that waits for its handshake.
#[derive(Debug)]
pub(crate) enum Wanted {}

/// The end of what the other side sends.
pub(crate) enum End {}

/// The result of one read.
pub(crate) struct Received {
    pub(crate) plain: usize,
    pub(crate) wire: usize,
    pub(crate) is_drained: bool,
}

/// The result of a push.
pub(crate) struct Pushed {
    pub(crate) bytes: usize,
    pub(crate) is_full: bool,
}

impl TlsServer {
    pub(crate) fn session(&self) -> Option<Box<Session>> {
        match *self {}
    }
}

impl Handshaker {
    pub(crate) fn start(_name: String) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn submit(
        &self,
        _session: Box<Session>,
        _give_back: impl FnOnce(Box<Session>, io::Result<()>) + Send + 'static,
    ) -> Wanted {
        match *self {}
    }
}

impl Session {
    pub(crate) fn is_handshaking(&self) -> bool {
        match *self {}
    }

    pub(crate) fn has_begun(&self) -> bool {
        match *self {}
    }

    pub(crate) fn end(&self) -> Option<End> {
        match *self {}
    }

    pub(crate) fn is_foreign(&self) -> bool {
        match *self {}
    }

    pub(crate) fn receive(
        &mut self,
        _socket: &mut impl Read,
        _scratch: &mut [u8],
    ) -> io::Result<Received> {
        match *self {}
    }

    pub(crate) fn has_record(&self) -> bool {
        match *self {}
    }

    pub(crate) fn read(
        &mut self,
        _socket: &mut impl Read,
        _scratch: &mut [u8],
        _input: &mut BytesMut,
        _most: usize,
    ) -> io::Result<Received> {
        match *self {}
    }

    pub(crate) fn has_input(&mut self) -> bool {
        match *self {}
    }

    pub(crate) fn write(&mut self, _slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match *self {}
    }

    pub(crate) fn has_records(&self) -> bool {
        match *self {}
    }

    pub(crate) fn push(&mut self, _socket: &mut impl Write) -> io::Result<Pushed> {
        match *self {}
    }

    pub(crate) fn close(&mut self) {
        match *self {}
    }
}
