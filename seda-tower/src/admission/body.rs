//! The body of an answer: its end is the end of the service.

use crate::admission::permit::{BodyPermit, Permit};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// The body of an answer: that of the service, or none in a refusal.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        // `None` in a refusal.
        #[pin]
        body: Option<B>,
        permit: BodyPermit,
    }
}

impl<B: Body> ResponseBody<B> {
    /// Returns the body of a refusal.
    pub(super) fn empty() -> Self {
        Self { body: None, permit: BodyPermit::new(None) }
    }

    /// Returns the body of the service.
    ///
    /// The service goes on until the body ends, if its length is known. A stream may last for hours
    /// and is not work that waits for its turn: its service ends here, at the head.
    pub(super) fn of(body: B, permit: Option<Permit>) -> Self {
        let is_stream = body.size_hint().exact().is_none();
        let mut permit = BodyPermit::new(permit);
        if is_stream || body.is_end_stream() {
            permit.complete();
        }
        Self { body: Some(body), permit }
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let Some(mut body) = this.body.as_pin_mut() else { return Poll::Ready(None) };
        let frame = ready!(this.permit.time(|| body.as_mut().poll_frame(cx)));
        let goes_on = matches!(frame, Some(Ok(_))) && !body.is_end_stream();
        if !goes_on {
            this.permit.complete();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
