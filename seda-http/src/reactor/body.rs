//! The bytes after an answer's head, produced while they are written.

use bytes::Bytes;
use std::fs::File;

/// One line of the pattern that [`Body::Pattern`] repeats: 64 bytes, so that it divides every
/// buffer.
const LINE: &[u8; 64] = b"seda: staged, event-driven, well-conditioned under any load. ..\n";

/// How much of the pattern one write can take from static memory: what one look at a file takes,
/// too, and enough that the system call is not what costs.
pub(super) const CHUNK: usize = 64 * 1024;

/// The pattern, written out once in static memory, so that a generated body is never copied.
pub(super) static PATTERN: [u8; CHUNK] = pattern();

const fn pattern() -> [u8; CHUNK] {
    let mut pattern = [0; CHUNK];
    let mut at = 0;
    while at < CHUNK {
        #[expect(clippy::indexing_slicing, reason = "evaluated when this crate is compiled")]
        {
            pattern[at] = LINE[at % LINE.len()];
        }
        at += 1;
    }
    pattern
}

/// An answer's body. Its length is known before its first byte is written; a connection never
/// holds more of it than its write buffer.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Body {
    /// No bytes.
    #[default]
    Empty,
    /// Bytes in memory; shared, not copied, where they are many.
    Bytes(Bytes),
    /// So many bytes of a repeated text, generated while they are written and never held: the
    /// byte at position `n` is that of a 64-byte line at `n % 64`. For benchmarks and replayed
    /// traces.
    Pattern(u64),
    /// So many bytes of a file, from its present position on. It is read on the reactor, 64 KiB
    /// at a time, so it should be a local file; a file that ends before its length closes the
    /// connection, which tells the client that the answer is cut short.
    File(File, u64),
}

impl Body {
    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        match self {
            Body::Empty => 0,
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Pattern(length) | Body::File(_, length) => *length,
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<()> for Body {
    fn from((): ()) -> Self {
        Body::Empty
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Body::Bytes(bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Body::Bytes(bytes.into())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Body::Bytes(text.into())
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Body::Bytes(Bytes::from_static(text.as_bytes()))
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Body::Bytes(Bytes::from_static(bytes))
    }
}
