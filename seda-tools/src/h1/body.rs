//! The end of an answer's body (RFC 9112, section 6.3).

use super::error::AnswerFault;

/// The longest line of a chunked body in bytes. A size has at most 16 digits; extensions and
/// trailers are ignored.
const MAX_LINE: usize = 4_096;

/// The part of a body that is still to come.
#[derive(Debug)]
pub(super) enum Body {
    /// This number of bytes.
    Sized(u64),
    /// Chunks.
    Chunked(Chunks),
    /// Bytes until the server closes.
    UntilClose,
}

/// The position of the next byte in a chunked body (RFC 9112, section 7.1).
#[derive(Debug)]
pub(super) enum Chunks {
    /// In the size line of a chunk, of which these bytes have arrived.
    Size(Vec<u8>),
    /// In the data of a chunk, this number of bytes before the line break that ends it.
    Data(u64),
    /// In the line break after the data of a chunk; this number of its bytes is still to come.
    Break(u8),
    /// After the last chunk, this number of bytes into the line of a trailer.
    Trailer(usize),
}

impl Body {
    /// Reads more bytes; returns how many belong to the body, and true if the body ends there.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(usize, bool), AnswerFault> {
        match self {
            Body::Sized(left) => {
                let taken = take(left, bytes.len());
                Ok((taken, *left == 0))
            }
            Body::UntilClose => Ok((bytes.len(), false)),
            Body::Chunked(chunks) => chunks.read(bytes),
        }
    }
}

impl Chunks {
    pub(super) fn new() -> Self {
        Chunks::Size(Vec::new())
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(usize, bool), AnswerFault> {
        let mut rest = bytes;
        while let Some((&byte, behind)) = rest.split_first() {
            match self {
                Chunks::Data(left) => {
                    let taken = take(left, rest.len());
                    rest = rest.get(taken..).unwrap_or_default();
                    if *left == 0 {
                        *self = Chunks::Break(2);
                    }
                    continue;
                }
                Chunks::Size(line) => {
                    line.push(byte);
                    if byte == b'\n' {
                        *self = match size(line)? {
                            0 => Chunks::Trailer(0),
                            size => Chunks::Data(size),
                        };
                    } else if line.len() > MAX_LINE {
                        return Err(AnswerFault::Chunk);
                    }
                }
                Chunks::Break(left) => {
                    let expected = if *left == 2 { b'\r' } else { b'\n' };
                    if byte != expected {
                        return Err(AnswerFault::Chunk);
                    }
                    *left -= 1;
                    if *left == 0 {
                        *self = Chunks::new();
                    }
                }
                Chunks::Trailer(length) => match byte {
                    b'\n' if *length == 0 => return Ok((bytes.len() - behind.len(), true)),
                    b'\n' => *length = 0,
                    b'\r' => {}
                    _ if *length > MAX_LINE => return Err(AnswerFault::Chunk),
                    _ => *length += 1,
                },
            }
            rest = behind;
        }
        Ok((bytes.len(), false))
    }
}

/// Takes up to `available` bytes off `left`; returns their number.
fn take(left: &mut u64, available: usize) -> usize {
    let taken = usize::try_from(*left).map_or(available, |left| left.min(available));
    *left -= taken as u64;
    taken
}

/// Parses the size line of a chunk.
fn size(line: &[u8]) -> Result<u64, AnswerFault> {
    match httparse::parse_chunk_size(line) {
        Ok(httparse::Status::Complete((_, size))) => Ok(size),
        _ => Err(AnswerFault::Chunk),
    }
}
