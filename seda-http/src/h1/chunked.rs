//! The chunked transfer coding (RFC 9112 §7.1): chunks to a body.

use bytes::{Buf, Bytes, BytesMut};

use super::{
    head,
    limits::{HEADERS_MOST, Limits},
    lines::Lines,
    rejection::Rejection,
};

/// The most bytes by which chunk extensions may exceed the data before them (RFC 9112 §7.1.1 asks
/// for a limit on the total, which follows from that of the body). Extensions are ignored, and few
/// clients send any. Signed uploads add about 90 bytes to each chunk of 8 KiB or more.
const EXTENSION_BYTES: usize = 16 * 1024;

/// Bytes of one piece of an unfinished body: at least as much as one read of the socket, and little
/// beside the body. One growing buffer would take twice the body's bytes while it is copied.
const PIECE_BYTES: usize = 64 * 1024;

/// The most hexadecimal digits of a chunk size: 64 bits.
const SIZE_DIGITS: u8 = 16;

/// A chunked body that is being read. Framing bytes are consumed on arrival, so each is read once.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    step: Step,
    /// The full pieces of the data so far; empty if it is dropped.
    pieces: Vec<BytesMut>,
    /// The last piece.
    body: BytesMut,
    /// The number of bytes of data so far.
    received: usize,
    /// True if the data is dropped.
    drops: bool,
    /// Bytes of extensions beyond the data that came after them.
    extension_bytes: usize,
    trailers: Lines,
    trailer_fields: usize,
}

/// The role of the next byte.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A digit of a chunk's size, or the byte that ends the size.
    Size { size: usize, digits: u8 },
    /// White space before an extension.
    Gap { size: usize },
    /// Inside an extension.
    Extension { size: usize },
    /// The LF after a chunk's size.
    SizeFeed { size: usize },
    /// A chunk's data.
    Data { left: usize },
    /// The CR after a chunk's data.
    DataReturn,
    /// The LF after a chunk's data.
    DataFeed,
    /// The trailer section, which stays in the input until it is whole.
    Trailers,
}

impl Step {
    const NEXT_CHUNK: Self = Self::Size { size: 0, digits: 0 };
}

impl Default for Step {
    fn default() -> Self {
        Self::NEXT_CHUNK
    }
}

impl Chunked {
    /// Returns a chunked body that is read to its end and not kept.
    pub(super) fn dropped() -> Self {
        Self { drops: true, ..Self::default() }
    }

    /// Consumes the bytes of the body from `input`, and no byte after it. Returns the body, without
    /// the data that was taken; `None` if more bytes are needed.
    pub(super) fn decode(
        &mut self,
        input: &mut BytesMut,
        limits: &Limits,
    ) -> Result<Option<Bytes>, Rejection> {
        loop {
            self.step = match self.step {
                Step::Trailers => return self.trailers(input, limits),
                _ if input.is_empty() => return Ok(None),
                Step::Data { left } => self.data(input, left),
                step => self.framing(step, input.get_u8(), limits)?,
            };
        }
    }

    /// Returns the memory of the data so far, in bytes.
    pub(super) fn held(&self) -> usize {
        self.pieces.len() * PIECE_BYTES + self.body.capacity()
    }

    /// Returns the data since the last call, in one piece.
    pub(super) fn take(&mut self) -> Bytes {
        let last = std::mem::take(&mut self.body);
        let pieces = std::mem::take(&mut self.pieces);
        if pieces.is_empty() {
            return last.freeze();
        }
        let mut body = Vec::with_capacity(pieces.len() * PIECE_BYTES + last.len());
        for piece in pieces {
            body.extend_from_slice(&piece);
        }
        body.extend_from_slice(&last);
        body.into()
    }

    fn data(&mut self, input: &mut BytesMut, left: usize) -> Step {
        let piece = input.get(..left).unwrap_or(input);
        let taken = piece.len();
        if !self.drops {
            keep(&mut self.pieces, &mut self.body, piece);
        }
        self.received += taken;
        self.extension_bytes = self.extension_bytes.saturating_sub(taken);
        input.advance(taken);
        if taken == left { Step::DataReturn } else { Step::Data { left: left - taken } }
    }

    fn framing(&mut self, step: Step, byte: u8, limits: &Limits) -> Result<Step, Rejection> {
        match (step, byte) {
            (Step::Size { size, digits: 1.. }, b'\r') => Ok(Step::SizeFeed { size }),
            (Step::Size { size, digits: 1.. }, b';') => self.extension(size),
            (Step::Size { size, digits: 1.. }, b' ' | b'\t') => self.gap(size),
            (Step::Size { size, digits }, _) => digit(size, digits, byte),
            (Step::Gap { size }, b' ' | b'\t') => self.gap(size),
            (Step::Gap { size }, b';') => self.extension(size),
            (Step::Extension { size }, b'\r') => Ok(Step::SizeFeed { size }),
            (Step::Extension { size }, b'\t' | b' '..=b'~' | 0x80..) => self.extension(size),
            (Step::SizeFeed { size }, b'\n') => self.chunk(size, limits),
            (Step::DataReturn, b'\r') => Ok(Step::DataFeed),
            (Step::DataFeed, b'\n') => Ok(Step::NEXT_CHUNK),
            (Step::DataReturn | Step::DataFeed, _) => {
                Err(Rejection::BadRequest("a chunk is not followed by CRLF"))
            }
            _ => Err(Rejection::BadRequest("the line of a chunk size is malformed")),
        }
    }

    /// Returns the step after the line of a chunk's size: its data, or the trailers if it is 0.
    fn chunk(&self, size: usize, limits: &Limits) -> Result<Step, Rejection> {
        let limit = limits.body_bytes;
        match size {
            0 => Ok(Step::Trailers),
            _ if size > limit.saturating_sub(self.received) => {
                Err(Rejection::BodyTooLarge { limit })
            }
            _ => Ok(Step::Data { left: size }),
        }
    }

    fn extension(&mut self, size: usize) -> Result<Step, Rejection> {
        self.count_extension_byte()?;
        Ok(Step::Extension { size })
    }

    fn gap(&mut self, size: usize) -> Result<Step, Rejection> {
        self.count_extension_byte()?;
        Ok(Step::Gap { size })
    }

    fn count_extension_byte(&mut self) -> Result<(), Rejection> {
        self.extension_bytes += 1;
        if self.extension_bytes > EXTENSION_BYTES {
            return Err(Rejection::BadRequest("the chunk extensions are too long"));
        }
        Ok(())
    }

    /// Checks the trailer fields and drops them, as RFC 9112 §7.1.2 allows: merged into the head,
    /// they could change the meaning of the request.
    fn trailers(
        &mut self,
        input: &mut BytesMut,
        limits: &Limits,
    ) -> Result<Option<Bytes>, Rejection> {
        let too_large = Rejection::HeadTooLarge { limit: limits.head_bytes };
        let limit = limits.headers.min(HEADERS_MOST);
        loop {
            let line = self.trailers.next(input, limits.head_bytes);
            let Some(line) = line.map_err(|error| error.rejection(too_large))? else {
                return Ok(None);
            };
            if line.is_empty() {
                check_fields(&input.split_to(line.end + 2), limit)?;
                return Ok(Some(self.take()));
            }
            self.trailer_fields += 1;
            if self.trailer_fields > limit {
                return Err(Rejection::TooManyFields { limit });
            }
        }
    }
}

/// Appends data to the last piece, and begins another when it is full.
fn keep(pieces: &mut Vec<BytesMut>, last: &mut BytesMut, mut data: &[u8]) {
    loop {
        let room = PIECE_BYTES.saturating_sub(last.len());
        let (taken, rest) = data.split_at_checked(room).unwrap_or((data, &[]));
        last.extend_from_slice(taken);
        if rest.is_empty() {
            return;
        }
        pieces.push(std::mem::replace(last, BytesMut::with_capacity(PIECE_BYTES)));
        data = rest;
    }
}

/// Adds one digit to a chunk's size.
fn digit(size: usize, digits: u8, byte: u8) -> Result<Step, Rejection> {
    let digit = char::from(byte)
        .to_digit(16)
        .ok_or(Rejection::BadRequest("a chunk size is not a hexadecimal number"))?;
    match size.checked_mul(16) {
        Some(size) if digits < SIZE_DIGITS => {
            Ok(Step::Size { size: size | digit as usize, digits: digits + 1 })
        }
        _ => Err(Rejection::BadRequest("a chunk size is too large")),
    }
}

fn check_fields(section: &[u8], limit: usize) -> Result<(), Rejection> {
    if *section == *b"\r\n" {
        return Ok(());
    }
    let mut table = [httparse::EMPTY_HEADER; HEADERS_MOST];
    httparse::parse_headers(section, &mut table)
        .map(|_| ())
        .map_err(|error| head::syntax(error, limit))
}
