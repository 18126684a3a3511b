//! The bytes that wait to be written to one connection.

use super::body::pipe::ReactorWaker;
use super::body::stream::{PieceFraming, StreamCursor};
use super::body::{Body, CHUNK, PATTERN};
use bytes::{Buf, Bytes, BytesMut};
use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::time::Duration;

/// Bodies up to this size are copied behind their head, so that pipelined responses go out in one
/// piece. Copying 4 KiB costs less than a separate slice.
const COPIED_BYTES: usize = 4 * 1024;

/// Slices of one write: the buffer and 256 KiB of pattern.
const SLICES: usize = 5;

/// Encoded bytes, and the unfinished body behind them. A response is added only after the body of
/// the one before has been written.
#[derive(Debug, Default)]
pub(crate) struct Output {
    buffer: BytesMut,
    body: BodyCursor,
}

/// The unwritten rest of a body.
#[derive(Debug, Default)]
enum BodyCursor {
    #[default]
    Empty,
    Bytes(Bytes),
    Pattern {
        /// Position of the next byte.
        position: u64,
        left: u64,
    },
    File {
        file: File,
        left: u64,
    },
    Stream(StreamCursor),
}

/// The result of one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// Bytes that the socket took.
    pub(super) bytes: usize,
    /// The socket took less than it was offered. An event follows when it takes more.
    pub(super) is_full: bool,
}

impl Output {
    /// Returns the buffer to which heads and interim responses are appended.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Adds a body behind the buffered bytes. `framing` is that of a stream.
    pub(crate) fn put_body(&mut self, body: Body, framing: PieceFraming) {
        debug_assert!(self.body.is_empty(), "the body of the response before is written");
        match body {
            Body::Empty => {}
            Body::Bytes(bytes) if bytes.len() <= COPIED_BYTES => {
                self.buffer.extend_from_slice(&bytes);
            }
            Body::Bytes(bytes) => self.body = BodyCursor::Bytes(bytes),
            Body::Pattern(left) => self.body = BodyCursor::Pattern { position: 0, left },
            Body::File(file, left) => self.body = BodyCursor::File { file, left },
            Body::Stored(stored) => {
                let left = stored.length();
                debug_assert!(false, "a stored file is opened before its head is encoded");
                if let Some(file) = stored.into_file() {
                    self.body = BodyCursor::File { file, left };
                }
            }
            Body::Stream(stream) => {
                self.body = BodyCursor::Stream(StreamCursor::new(stream, framing));
            }
        }
    }

    /// Takes the next pieces of a stream; see [`StreamCursor::pull`].
    pub(super) fn pull(
        &mut self,
        is_draining: bool,
        waker: impl FnOnce() -> ReactorWaker,
    ) -> io::Result<()> {
        let BodyCursor::Stream(stream) = &mut self.body else { return Ok(()) };
        stream.pull(&mut self.buffer, is_draining, waker)?;
        if stream.is_over() {
            self.body = BodyCursor::Empty;
        }
        Ok(())
    }

    /// Returns true if the body is a stream that has not ended.
    pub(super) fn is_streaming(&self) -> bool {
        matches!(self.body, BodyCursor::Stream(_))
    }

    /// Returns true if the end of the connection would be that of an unfinished body: a stream
    /// without framing and without a declared length.
    pub(super) fn ends_with_connection(&self) -> bool {
        matches!(&self.body, BodyCursor::Stream(stream) if stream.ends_with_connection())
    }

    /// Returns the time after which the stream needs a filler, if the program sends none.
    pub(super) fn filler_after(&self) -> Option<Duration> {
        match &self.body {
            BodyCursor::Stream(stream) => stream.filler_after(),
            _ => None,
        }
    }

    pub(super) fn put_filler(&mut self) {
        if let BodyCursor::Stream(stream) = &mut self.body {
            stream.put_filler(&mut self.buffer);
        }
    }

    /// Returns true if all responses are written.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.body.is_empty()
    }

    /// Returns true if there are bytes to write. A stream has none while its program sends none.
    pub(super) fn has_bytes(&self) -> bool {
        let has_body = match &self.body {
            BodyCursor::Stream(stream) => stream.has_bytes(),
            body => !body.is_empty(),
        };
        has_body || !self.buffer.is_empty()
    }

    /// Returns the number of encoded bytes that wait.
    pub(super) fn buffered(&self) -> usize {
        self.buffer.len()
    }

    pub(super) fn has_memory(&self) -> bool {
        self.buffer.capacity() > 0
    }

    /// Returns true if another response may be encoded.
    pub(super) fn has_room(&self, limit: usize) -> bool {
        self.body.is_empty() && self.buffer.len() < limit
    }

    /// Releases the memory of an empty buffer.
    pub(super) fn shrink(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }

    /// Writes once. The bytes of a file pass through `scratch`.
    pub(super) fn write_to(
        &mut self,
        socket: &mut impl Write,
        scratch: &mut [u8],
    ) -> io::Result<Written> {
        self.read_file(scratch)?;
        let slices = self.slices();
        let offered = slices.bytes;
        let written = match slices.as_slice() {
            [single] => socket.write(single),
            several => socket.write_vectored(several),
        };
        match written {
            Ok(0) if offered > 0 => Err(ErrorKind::WriteZero.into()),
            Ok(bytes) => {
                self.consume(bytes);
                Ok(Written { bytes, is_full: bytes < offered })
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Ok(Written { bytes: 0, is_full: true })
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                Ok(Written { bytes: 0, is_full: false })
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the bytes that the next write offers to the socket.
    fn slices(&self) -> Slices<'_> {
        let mut slices = Slices::default();
        slices.push(&self.buffer);
        match &self.body {
            BodyCursor::Empty | BodyCursor::File { .. } => {}
            BodyCursor::Bytes(bytes) => slices.push(bytes.get(..SLICES * CHUNK).unwrap_or(bytes)),
            BodyCursor::Stream(stream) => {
                stream.pieces().take(SLICES - 1).for_each(|piece| slices.push(piece));
            }
            BodyCursor::Pattern { position, left } => {
                let mut start = within_chunk(*position);
                let mut left = *left;
                for _ in 1..SLICES {
                    let part = PATTERN.get(start..).unwrap_or_default();
                    let most = usize::try_from(left).unwrap_or(usize::MAX);
                    let part = part.get(..most).unwrap_or(part);
                    slices.push(part);
                    left -= part.len() as u64;
                    start = 0;
                }
            }
        }
        slices
    }

    /// Removes `written` bytes from the front.
    fn consume(&mut self, written: usize) {
        let buffered = written.min(self.buffer.len());
        if buffered == self.buffer.len() {
            // `clear` keeps the memory in front, which `advance` gives up.
            self.buffer.clear();
        } else {
            self.buffer.advance(buffered);
        }
        let of_body = written - buffered;
        match &mut self.body {
            BodyCursor::Bytes(bytes) => bytes.advance(of_body.min(bytes.len())),
            BodyCursor::Pattern { position, left } => {
                *position += of_body as u64;
                *left = left.saturating_sub(of_body as u64);
            }
            BodyCursor::Stream(stream) => stream.consume(of_body),
            BodyCursor::Empty | BodyCursor::File { .. } => {}
        }
        if self.body.is_empty() {
            self.body = BodyCursor::Empty;
        }
    }

    /// Refills the buffer if the body is a file.
    fn read_file(&mut self, scratch: &mut [u8]) -> io::Result<()> {
        let BodyCursor::File { file, left } = &mut self.body else { return Ok(()) };
        if self.buffer.len() >= CHUNK {
            return Ok(());
        }
        let most = usize::try_from(*left).unwrap_or(usize::MAX).min(scratch.len());
        let chunk = scratch.get_mut(..most).unwrap_or_default();
        let read = file.read(chunk)?;
        if read == 0 && most > 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
        *left -= read as u64;
        if *left == 0 {
            self.body = BodyCursor::Empty;
        }
        Ok(())
    }
}

impl BodyCursor {
    fn is_empty(&self) -> bool {
        match self {
            BodyCursor::Empty => true,
            BodyCursor::Bytes(bytes) => bytes.is_empty(),
            BodyCursor::Pattern { left, .. } | BodyCursor::File { left, .. } => *left == 0,
            BodyCursor::Stream(stream) => stream.is_over(),
        }
    }
}

/// The non-empty slices of one write.
struct Slices<'a> {
    slices: [IoSlice<'a>; SLICES],
    count: usize,
    /// The sum of their lengths.
    bytes: usize,
}

impl Default for Slices<'_> {
    fn default() -> Self {
        Self { slices: [IoSlice::new(&[]); SLICES], count: 0, bytes: 0 }
    }
}

impl<'a> Slices<'a> {
    /// Adds a slice unless it is empty. There is room for [`SLICES`].
    fn push(&mut self, bytes: &'a [u8]) {
        if bytes.is_empty() {
            return;
        }
        debug_assert!(self.count < SLICES, "the buffer and the body have at most {SLICES} slices");
        if let Some(slice) = self.slices.get_mut(self.count) {
            *slice = IoSlice::new(bytes);
            self.count += 1;
            self.bytes += bytes.len();
        }
    }

    fn as_slice(&self) -> &[IoSlice<'a>] {
        self.slices.get(..self.count).unwrap_or_default()
    }
}

/// Returns the position within the repeated chunk.
fn within_chunk(position: u64) -> usize {
    (position % CHUNK as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Seek;

    /// Takes at most `most` bytes per write, and none at every other write.
    struct Narrow {
        most: usize,
        taken: Vec<u8>,
        is_blocked: bool,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.is_blocked = !self.is_blocked;
            if self.is_blocked {
                return Err(ErrorKind::WouldBlock.into());
            }
            let most = bytes.len().min(self.most);
            self.taken.extend_from_slice(&bytes[..most]);
            Ok(most)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn write_all(output: &mut Output, most: usize) -> Vec<u8> {
        let mut socket = Narrow { most, taken: Vec::new(), is_blocked: false };
        let mut scratch = vec![0; CHUNK];
        while !output.is_empty() {
            output.write_to(&mut socket, &mut scratch).unwrap();
            assert!(output.buffer.len() <= 2 * CHUNK);
        }
        socket.taken
    }

    #[test]
    fn every_kind_of_body_is_written_whole_in_small_writes() {
        let long = Bytes::from(vec![b'x'; 3 * CHUNK + 5]);
        let pattern: Vec<u8> = pattern_of(2 * CHUNK + 77);
        let mut file = tempfile();
        file.write_all(&long).unwrap();
        file.rewind().unwrap();
        for (body, expected) in [
            (Body::Empty, Vec::new()),
            (Body::from("short"), b"short".to_vec()),
            (Body::Bytes(long.clone()), long.to_vec()),
            (Body::Pattern(pattern.len() as u64), pattern),
            (Body::File(file, long.len() as u64), long.to_vec()),
        ] {
            let mut output = Output::default();
            output.buffer().extend_from_slice(b"head ");
            output.put_body(body, PieceFraming::Plain);
            let expected = [b"head ".as_slice(), &expected].concat();
            assert!(write_all(&mut output, 40_961) == expected);
        }
    }

    #[test]
    fn a_file_shorter_than_its_length_is_an_error() {
        let mut output = Output::default();
        output.put_body(Body::File(tempfile(), 10), PieceFraming::Plain);
        let written = output.write_to(&mut Vec::new(), &mut [0; 64]);
        assert_eq!(written.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    fn pattern_of(length: usize) -> Vec<u8> {
        PATTERN[..64].iter().copied().cycle().take(length).collect()
    }

    /// Returns an unnamed file.
    fn tempfile() -> File {
        let path = std::env::temp_dir().join(format!(
            "seda-http-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        let options = File::options().read(true).write(true).create(true).truncate(true).to_owned();
        let file = options.open(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        file
    }
}
