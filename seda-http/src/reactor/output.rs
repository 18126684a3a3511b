//! What waits to be written to one connection.

use super::body::{Body, CHUNK, PATTERN};
use bytes::{Buf, Bytes, BytesMut};
use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Read, Write};

/// Bodies up to this size are copied behind their head, so that answers to pipelined requests go
/// out in one piece: copying 4 KiB costs less than keeping track of a piece of its own.
const COPIED_BYTES: usize = 4 * 1024;

/// How many slices one write takes: what is buffered and 256 KiB of pattern.
const SLICES: usize = 5;

/// Encoded bytes, and the unfinished body behind them. Answers are added one at a time: none
/// before the body of the last one has been written.
#[derive(Debug, Default)]
pub(crate) struct Output {
    buffer: BytesMut,
    body: BodyCursor,
}

/// What is left of a body.
#[derive(Debug, Default)]
enum BodyCursor {
    #[default]
    Empty,
    Bytes(Bytes),
    Pattern {
        /// Of the next byte.
        position: u64,
        left: u64,
    },
    File {
        file: File,
        left: u64,
    },
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// Bytes that the socket took.
    pub(super) bytes: usize,
    /// The socket took less than it was given: it will say when it takes more.
    pub(super) full: bool,
}

impl Output {
    /// Where heads and interim answers are appended.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Puts a body behind what is buffered.
    pub(crate) fn put_body(&mut self, body: Body) {
        match body {
            Body::Empty => {}
            Body::Bytes(bytes) if bytes.len() <= COPIED_BYTES => {
                self.buffer.extend_from_slice(&bytes);
            }
            Body::Bytes(bytes) => self.body = BodyCursor::Bytes(bytes),
            Body::Pattern(left) => self.body = BodyCursor::Pattern { position: 0, left },
            Body::File(file, left) => self.body = BodyCursor::File { file, left },
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.body.is_empty()
    }

    /// Encoded bytes that wait.
    pub(super) fn buffered(&self) -> usize {
        self.buffer.len()
    }

    pub(super) fn has_memory(&self) -> bool {
        self.buffer.capacity() > 0
    }

    /// Whether another answer may be encoded.
    pub(super) fn has_room(&self, limit: usize) -> bool {
        self.body.is_empty() && self.buffer.len() < limit
    }

    /// Gives back the memory of an empty buffer.
    pub(super) fn shrink(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }

    /// One write. `scratch` is where a file's bytes pass through.
    pub(super) fn write_to(
        &mut self,
        socket: &mut impl Write,
        scratch: &mut [u8],
    ) -> io::Result<Written> {
        self.read_file(scratch)?;
        let mut slices = [IoSlice::new(&[]); SLICES];
        let (count, offered) = self.slices(&mut slices);
        let slices = slices.get(..count).unwrap_or_default();
        let written = match slices {
            [single] => socket.write(single),
            several => socket.write_vectored(several),
        };
        match written {
            Ok(0) if offered > 0 => Err(ErrorKind::WriteZero.into()),
            Ok(bytes) => {
                self.consume(bytes);
                Ok(Written { bytes, full: bytes < offered })
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Ok(Written { bytes: 0, full: true })
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                Ok(Written { bytes: 0, full: false })
            }
            Err(error) => Err(error),
        }
    }

    /// What can be written at once: how many slices, how many bytes.
    fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; SLICES]) -> (usize, usize) {
        let (mut count, mut offered) = (0, 0);
        let mut offer = |bytes: &'a [u8]| {
            if let Some(slice) = slices.get_mut(count).filter(|_| !bytes.is_empty()) {
                *slice = IoSlice::new(bytes);
                count += 1;
                offered += bytes.len();
            }
        };
        offer(&self.buffer);
        match &self.body {
            BodyCursor::Empty | BodyCursor::File { .. } => {}
            BodyCursor::Bytes(bytes) => offer(bytes.get(..SLICES * CHUNK).unwrap_or(bytes)),
            BodyCursor::Pattern { position, left } => {
                let (mut start, mut left) = (within_chunk(*position), *left);
                for _ in 1..SLICES {
                    let part = PATTERN.get(start..).unwrap_or_default();
                    let part =
                        part.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(part);
                    offer(part);
                    left -= part.len() as u64;
                    start = 0;
                }
            }
        }
        (count, offered)
    }

    fn consume(&mut self, written: usize) {
        let buffered = written.min(self.buffer.len());
        if buffered == self.buffer.len() {
            // Unlike `advance`, this keeps the memory in front.
            self.buffer.clear();
        } else {
            self.buffer.advance(buffered);
        }
        let rest = written - buffered;
        match &mut self.body {
            BodyCursor::Bytes(bytes) => bytes.advance(rest.min(bytes.len())),
            BodyCursor::Pattern { position, left } => {
                *position += rest as u64;
                *left = left.saturating_sub(rest as u64);
            }
            BodyCursor::Empty | BodyCursor::File { .. } => {}
        }
        if self.body.is_empty() {
            self.body = BodyCursor::Empty;
        }
    }

    /// Fills the buffer up from the file, if that is what the body comes from.
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
        }
    }
}

fn within_chunk(position: u64) -> usize {
    usize::try_from(position % CHUNK as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Seek;

    /// Takes `most` bytes per write, every other write none.
    struct Narrow {
        most: usize,
        taken: Vec<u8>,
        blocked: bool,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.blocked = !self.blocked;
            if self.blocked {
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
        let mut socket = Narrow { most, taken: Vec::new(), blocked: false };
        let mut scratch = vec![0; CHUNK];
        while !output.is_empty() {
            output.write_to(&mut socket, &mut scratch).unwrap();
            assert!(output.buffer.len() <= 2 * CHUNK);
        }
        socket.taken
    }

    #[test]
    fn every_kind_of_body_comes_out_whole_however_little_the_socket_takes() {
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
            output.put_body(body);
            let expected = [b"head ".as_slice(), &expected].concat();
            assert!(write_all(&mut output, 40_961) == expected);
        }
    }

    #[test]
    fn a_file_that_ends_too_early_is_an_error() {
        let mut output = Output::default();
        output.put_body(Body::File(tempfile(), 10));
        let written = output.write_to(&mut Vec::new(), &mut [0; 64]);
        assert_eq!(written.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    fn pattern_of(length: usize) -> Vec<u8> {
        PATTERN[..64].iter().copied().cycle().take(length).collect()
    }

    /// A file without a name.
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
