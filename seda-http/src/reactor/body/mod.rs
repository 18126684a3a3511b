//! The bytes after a response's head, produced while they are written; and the bodies of requests.
//!
//! | file | holds |
//! | --- | --- |
//! | `mod` | [`Body`]: the body of a response |
//! | `pipe`, `stream` | bytes from the program to a reactor; a response that is streamed |
//! | `reader` | a request body that is streamed to the program |
//! | `stored` | a file that is opened again at its turn |
//! | `budget` | the memory of request bodies |

pub(crate) mod budget;
pub(crate) mod pipe;
pub(crate) mod reader;
pub(crate) mod stored;
pub(crate) mod stream;

use self::stored::StoredFile;
use self::stream::BodyStream;
use bytes::Bytes;
use std::fs::File;

/// One line of the text that [`Body::Pattern`] repeats. Its 64 bytes divide every buffer.
const LINE: &[u8; 64] = b"seda: staged, event-driven, well-conditioned under any load. ..\n";

/// The most bytes that one slice of a write, or one read of a file, holds: large enough that the
/// system call does not dominate.
pub(crate) const CHUNK: usize = 64 * 1024;

/// The repeated text in static memory, so that a generated body is never copied.
pub(crate) static PATTERN: [u8; CHUNK] = pattern();

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

/// The body of a response.
///
/// A connection never holds more of it than its write buffer, or of a stream 64 KiB.
///
/// ```
/// use seda_http::{Body, Response};
///
/// let page = Response::new(Body::from("hello\n"));
/// assert_eq!(page.body().len(), Some(6));
/// assert!(Body::default().is_empty());
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Body {
    /// No bytes.
    #[default]
    Empty,
    /// Bytes in memory. Up to 4 KiB are copied behind the head; more are shared.
    Bytes(Bytes),
    /// The given number of bytes of a repeated text, generated while they are written. The byte at
    /// position `n` equals byte `n % 64` of a fixed line. For benchmarks and replayed traces.
    Pattern(u64),
    /// The given number of bytes of a file, from its current position on.
    ///
    /// The reactor reads it, 64 KiB at a time, so it should be a local file. A file that ends
    /// early closes the connection, which tells the client that the response is cut short. While
    /// its response waits behind others it stays open.
    File(File, u64),
    /// A part of a file of [`Files`](crate::Files). It is closed while its response waits behind
    /// others.
    Stored(StoredFile),
    /// The bytes that a [`BodySender`](crate::BodySender) sends.
    Stream(BodyStream),
}

impl Body {
    /// Returns the length in bytes; `None` for a stream without a declared length.
    pub fn len(&self) -> Option<u64> {
        match self {
            Body::Empty => Some(0),
            Body::Bytes(bytes) => Some(bytes.len() as u64),
            Body::Pattern(length) | Body::File(_, length) => Some(*length),
            Body::Stored(file) => Some(file.length()),
            Body::Stream(stream) => stream.length(),
        }
    }

    /// Returns true if the body is known to have no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
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
