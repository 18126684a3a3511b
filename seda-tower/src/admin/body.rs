//! The body of an admin answer.

use crate::admin::records::Records;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The body of an admin answer: in one piece, or the events of the live page without an end.
#[derive(Debug)]
pub struct AdminResponseBody {
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// `None` once it was taken, and for an answer to HEAD.
    Whole(Option<Bytes>),
    Events(Records),
}

impl AdminResponseBody {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { content: Content::Whole(Some(bytes).filter(|bytes| !bytes.is_empty())) }
    }

    pub(super) fn events(records: Records) -> Self {
        Self { content: Content::Events(records) }
    }
}

impl Body for AdminResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut self.content {
            Content::Whole(bytes) => Poll::Ready(bytes.take()),
            Content::Events(records) => records.poll(cx),
        };
        next.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, Content::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64)
            }
            Content::Events(_) => SizeHint::default(),
        }
    }
}
