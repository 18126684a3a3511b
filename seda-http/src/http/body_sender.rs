//! The program's side of a streamed response body.

use crate::h1;
use crate::reactor::{Body, BodyStream, Filler, Pipe, PipeEnd, PushError};
use bytes::Bytes;
use http::HeaderMap;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Sends the body of a response in pieces, from any thread and any stage, after the response was
/// given to its responder or before.
///
/// At most 64 KiB wait for the client; a longer piece is taken if none waits. So a client that
/// reads slowly slows its program down, and costs no memory.
///
/// Over HTTP/1.1 the body is chunked, over HTTP/1.0 the end of the connection ends it. A sender
/// that is dropped before [`finish`](Self::finish) cuts the response short: the connection is
/// closed without the last chunk, so that the client does not take the part for the whole.
///
/// A client that takes no byte for [`HttpConfig::write_timeout`](crate::HttpConfig) is
/// disconnected. While the program sends nothing, no time limit runs. A client that has left is
/// noticed at the next piece. In a drain of the server a stream has until the end of the drain.
///
/// ```
/// use seda_http::{Body, BodySender, HttpRequest, Response};
/// use std::time::Duration;
///
/// fn count(call: HttpRequest) {
///     let (mut sender, body) = BodySender::chunked();
///     call.respond(Response::new(body));
///     // Here, or in a later stage to which the sender is sent:
///     for n in 0..1_000_000 {
///         if sender.send(format!("{n}\n"), Duration::from_secs(60)).is_err() {
///             return; // the client has left, or does not read
///         }
///     }
///     let _ = sender.finish();
/// }
/// # let _ = count;
/// ```
#[must_use = "a sender that is dropped cuts the response short"]
#[derive(Debug)]
pub struct BodySender {
    pipe: Arc<Pipe>,
    /// The bytes of the declared length that are not sent; `None` without one.
    left: Option<u64>,
}

/// The reason why a piece of a body was not accepted, or its end.
///
/// ```
/// use seda_http::{BodySendError, BodySender};
///
/// let (mut sender, body) = BodySender::chunked();
/// drop(body);
/// assert_eq!(sender.try_send("late"), Err(BodySendError::Gone));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BodySendError {
    /// The client does not read as fast as the program sends. It has the piece; send it again
    /// later, or give the client up.
    #[error("64 KiB wait for the client; send the piece later, or give the client up")]
    Full(Bytes),
    /// The client has left, or was disconnected; or the response has no body, as the one to HEAD.
    #[error("the client has gone; stop sending")]
    Gone,
    /// The piece is longer than the rest of the declared length. The connection is closed.
    #[error("the piece exceeds the declared length by {excess} bytes; declare the right length")]
    TooLong {
        /// Bytes beyond the declared length.
        excess: u64,
    },
    /// The body ended before its declared length. The connection is closed.
    #[error("{missing} bytes of the declared length are missing; send them before the end")]
    TooShort {
        /// Bytes that are missing.
        missing: u64,
    },
}

impl From<PushError> for BodySendError {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Full(piece) => Self::Full(piece),
            PushError::Gone => Self::Gone,
        }
    }
}

impl BodySender {
    /// Returns a sender and the body of its bytes. Their number is not known.
    pub fn chunked() -> (Self, Body) {
        Self::new(None, None)
    }

    /// Returns a sender and the body of its bytes. Their number becomes Content-Length.
    pub fn with_length(bytes: u64) -> (Self, Body) {
        Self::new(Some(bytes), None)
    }

    /// Returns a sender and a body with a filler for silent times.
    pub(super) fn with_filler(filler: Filler) -> (Self, Body) {
        Self::new(None, Some(filler))
    }

    fn new(length: Option<u64>, filler: Option<Filler>) -> (Self, Body) {
        let pipe = Arc::new(Pipe::default());
        let stream = BodyStream::new(Arc::clone(&pipe), length, filler);
        (Self { pipe, left: length }, Body::Stream(stream))
    }

    /// Sends a piece if there is room for it now.
    ///
    /// # Errors
    /// [`BodySendError::Full`] with the piece, [`BodySendError::Gone`], or
    /// [`BodySendError::TooLong`].
    pub fn try_send(&mut self, piece: impl Into<Bytes>) -> Result<(), BodySendError> {
        let piece = piece.into();
        let left = self.left_after(&piece)?;
        self.pipe.push(piece)?;
        self.left = left;
        Ok(())
    }

    /// Sends a piece. Blocks until there is room, for at most `limit`.
    ///
    /// It is for stages with workers of their own. On the thread of a reactor
    /// ([`Http::pool`](crate::Http::pool)) it would wait for itself: use
    /// [`try_send`](Self::try_send) there.
    ///
    /// # Errors
    /// As of [`try_send`](Self::try_send); [`BodySendError::Full`] after the limit.
    pub fn send(&mut self, piece: impl Into<Bytes>, limit: Duration) -> Result<(), BodySendError> {
        let piece = piece.into();
        let left = self.left_after(&piece)?;
        self.pipe.push_within(piece, limit)?;
        self.left = left;
        Ok(())
    }

    /// Returns true if the client is known to have left.
    pub fn is_gone(&self) -> bool {
        self.pipe.is_gone()
    }

    /// Ends the body.
    ///
    /// # Errors
    /// [`BodySendError::TooShort`] if bytes of the declared length are missing,
    /// [`BodySendError::Gone`].
    pub fn finish(self) -> Result<(), BodySendError> {
        self.end(Bytes::from_static(h1::LAST_CHUNK))
    }

    /// Ends the body with trailer fields, such as a checksum of it (RFC 9110 §6.5).
    ///
    /// They are sent if the body is chunked, and dropped otherwise. A client may ignore them.
    /// Fields that must precede a body, such as Content-Type or Set-Cookie, are left out (§6.5.1).
    ///
    /// ```
    /// use seda_http::{BodySender, HeaderMap, HeaderValue};
    ///
    /// let (mut sender, body) = BodySender::chunked();
    /// sender.try_send("hello")?;
    /// let mut trailers = HeaderMap::new();
    /// trailers.insert("x-checksum", HeaderValue::from_static("5d41"));
    /// sender.finish_with(&trailers)?;
    /// # drop(body);
    /// # Ok::<(), seda_http::BodySendError>(())
    /// ```
    ///
    /// # Errors
    /// As of [`finish`](Self::finish).
    pub fn finish_with(self, trailers: &HeaderMap) -> Result<(), BodySendError> {
        self.end(h1::last_chunk(trailers))
    }

    /// Returns the bytes that are left after this piece.
    fn left_after(&self, piece: &Bytes) -> Result<Option<u64>, BodySendError> {
        let Some(left) = self.left else { return Ok(None) };
        let bytes = piece.len() as u64;
        if bytes > left {
            self.pipe.end(PipeEnd::Cut);
            return Err(BodySendError::TooLong { excess: bytes - left });
        }
        Ok(Some(left - bytes))
    }

    fn end(self, last: Bytes) -> Result<(), BodySendError> {
        match self.left {
            Some(missing @ 1..) => return Err(BodySendError::TooShort { missing }),
            _ if self.is_gone() => return Err(BodySendError::Gone),
            _ => self.pipe.end(PipeEnd::Finished(last)),
        }
        Ok(())
    }
}

impl Drop for BodySender {
    /// Cuts the body short if it has not ended.
    fn drop(&mut self) {
        self.pipe.end(PipeEnd::Cut);
    }
}
