//! The body of a request that is being read.

use bytes::{Buf, Bytes, BytesMut};

use super::{chunked::Chunked, exchange::Exchange, limits::Limits, rejection::Rejection};

/// The longest body of a refused request that is read and dropped, in bytes of data: one read of
/// the socket, which costs less than the client's next connection.
const DROPPED_BYTES: usize = 64 * 1024;

/// An incomplete body.
#[derive(Debug)]
pub(super) enum BodyState {
    /// The number of bytes that are missing; of a body that is read whole, all of them.
    Length(usize),
    Chunked(Chunked),
}

/// An incomplete body that is returned piece by piece.
#[derive(Debug)]
pub(super) struct StreamedBody {
    pub(super) body: BodyState,
    /// The most bytes of a chunked body.
    pub(super) most: usize,
    pub(super) exchange: Exchange,
}

/// The memory that an unfinished body needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyNeed {
    /// Its declared length, all of it in the input.
    Length(usize),
    /// The memory of its chunks so far, beside the input.
    Pieces(usize),
}

impl BodyState {
    /// Returns the state that drops the body; `None` if the body is too long for that.
    pub(super) fn dropped(self) -> Option<Self> {
        match self {
            Self::Length(length) => (length <= DROPPED_BYTES).then_some(self),
            Self::Chunked(_) => Some(Self::Chunked(Chunked::dropped())),
        }
    }

    /// Returns the memory that the body needs to be read whole; `None` if it is longer than `limit`
    /// and is rejected.
    pub(super) fn need(&self, limit: usize) -> Option<BodyNeed> {
        match self {
            Self::Length(length) => (*length <= limit).then_some(BodyNeed::Length(*length)),
            Self::Chunked(chunked) => Some(BodyNeed::Pieces(chunked.held())),
        }
    }

    /// Removes the next bytes of the body from `input`, and returns them with whether they are the
    /// last.
    pub(super) fn next_piece(
        &mut self,
        input: &mut BytesMut,
        most: usize,
        limits: &Limits,
    ) -> Result<(Bytes, bool), Rejection> {
        match self {
            Self::Length(left) => {
                let piece = input.split_to(input.len().min(*left)).freeze();
                *left -= piece.len();
                Ok((piece, *left == 0))
            }
            Self::Chunked(chunked) => {
                let rest = chunked.decode(input, &Limits { body_bytes: most, ..*limits })?;
                let is_last = rest.is_some();
                Ok((rest.unwrap_or_else(|| chunked.take()), is_last))
            }
        }
    }

    /// Removes the next bytes of the body from `input`. Returns true once the body has ended.
    pub(super) fn drop_from(
        &mut self,
        input: &mut BytesMut,
        limits: &Limits,
    ) -> Result<bool, Rejection> {
        match self {
            Self::Length(left) => {
                let dropped = input.len().min(*left);
                input.advance(dropped);
                *left -= dropped;
                Ok(*left == 0)
            }
            Self::Chunked(chunked) => {
                let limits = Limits { body_bytes: DROPPED_BYTES, ..*limits };
                Ok(chunked.decode(input, &limits)?.is_some())
            }
        }
    }
}
