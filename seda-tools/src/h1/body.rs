//! Where an answer's body ends (RFC 9112, section 6.3).

use super::error::NotHttp;

/// The longest line of a chunked body that is put up with: a size has at most 16 digits, the rest
/// are extensions and trailers that nobody needs.
const MAX_LINE: usize = 4_096;

/// How far a body has been read.
#[derive(Debug)]
pub(super) enum Body {
    /// So many bytes are to come.
    Sized(u64),
    /// In chunks.
    Chunked(Chunks),
    /// Until the server closes.
    UntilClose,
}

/// Where in a chunked body the next byte is (RFC 9112, section 7.1).
#[derive(Debug)]
pub(super) enum Chunks {
    /// In the line with a chunk's size; what of it has come.
    Size(Vec<u8>),
    /// In a chunk's data, so many bytes before the line break that ends it.
    Data(u64),
    /// In the line break behind a chunk's data; so many bytes of it are to come.
    Break(u8),
    /// Behind the last chunk, so many bytes into a trailer's line.
    Trailer(usize),
}

impl Body {
    /// Reads on; returns how many bytes belong to the body, and whether it ends there.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(usize, bool), NotHttp> {
        match self {
            Body::Sized(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= taken as u64;
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

    fn read(&mut self, bytes: &[u8]) -> Result<(usize, bool), NotHttp> {
        let mut rest = bytes;
        while let Some((&byte, behind)) = rest.split_first() {
            match self {
                Chunks::Data(left) => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    *left -= taken as u64;
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
                        return Err(NotHttp);
                    }
                }
                Chunks::Break(left) => {
                    let expected = if *left == 2 { b'\r' } else { b'\n' };
                    if byte != expected {
                        return Err(NotHttp);
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
                    _ if *length > MAX_LINE => return Err(NotHttp),
                    _ => *length += 1,
                },
            }
            rest = behind;
        }
        Ok((bytes.len(), false))
    }
}

fn size(line: &[u8]) -> Result<u64, NotHttp> {
    match httparse::parse_chunk_size(line) {
        Ok(httparse::Status::Complete((_, size))) => Ok(size),
        _ => Err(NotHttp),
    }
}
