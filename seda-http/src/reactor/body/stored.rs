//! A part of a file that can be opened again.

use std::fmt;
use std::fs::File;

/// The place of a file, with the state that its response has promised.
pub(crate) trait OpenAgain: fmt::Debug + Send {
    /// Returns the open file at the first byte to send. `None` if it is not there, is another one
    /// by now, or cannot be opened.
    fn open(&self) -> Option<File>;
}

/// A part of a file that [`Files`](crate::Files) sends. It is closed while its response waits
/// behind others, so that pipelined requests hold one descriptor of a connection.
#[derive(Debug)]
pub struct StoredFile {
    /// `None` while it is closed.
    file: Option<File>,
    length: u64,
    place: Box<dyn OpenAgain>,
}

impl StoredFile {
    /// Returns the `length` bytes of `file` from its current position on. `place` opens it there.
    #[cfg(unix)]
    pub(crate) fn new(file: File, length: u64, place: Box<dyn OpenAgain>) -> Self {
        Self { file: Some(file), length, place }
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn close(&mut self) {
        self.file = None;
    }

    /// Returns the open file at the first byte to send; see [`OpenAgain::open`].
    pub(crate) fn into_file(self) -> Option<File> {
        self.file.or_else(|| self.place.open())
    }
}
