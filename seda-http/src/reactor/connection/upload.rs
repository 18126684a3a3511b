//! The request body that a connection streams to the program.

use super::{Connection, Phase, TurnContext, waker};
use crate::reactor::body::reader::BodyFeed;
use crate::reactor::{Admission, Codec, Service};
use bytes::Bytes;
use seda_core::ReplyAddress;

impl<C: Codec> Connection<C> {
    /// Admits the request with a body to stream, once there is memory for it.
    pub(super) fn begin_stream<S: Service<C>>(&mut self, cx: &mut TurnContext<'_, C, S>) {
        if self.input.wants_memory.is_some() {
            return;
        }
        let Some(most) = self.input.streams.take() else { return };
        // Both sides of the body.
        let (waker, charge) = (waker(cx, self.address), self.input.charge.take());
        let mut feed = None;
        let streamed = self.input.stream(cx.codec, most, |interim| {
            let (reactor_side, reader) = BodyFeed::new(waker, charge, interim);
            feed = Some(reactor_side);
            reader
        });
        let Some((request, mut exchange)) = streamed else {
            debug_assert!(false, "the decoder has the request that it announced");
            return;
        };
        // The request, with a place for the interim response in front of its own.
        self.note_request(&exchange, cx);
        if feed.as_ref().is_some_and(|feed| feed.interim.is_some()) {
            self.pipeline.push_withheld();
        }
        let decision = self.input.decision.take();
        let sequence = self.pipeline.next_sequence();
        let address = ReplyAddress { sequence, ..self.address };
        let admission = cx.service.admit(request, decision, &self.origin, address);
        cx.service.label(&mut exchange, cx.now);
        match admission {
            // The response comes before the body, so it is the last.
            Admission::Answered(response) => {
                self.pipeline.push_answered(response, C::make_last(exchange));
                self.phase = Phase::Ending;
                return;
            }
            Admission::Admitted(request) => self.pipeline.push_pending(exchange, Some(request)),
            Admission::External => self.pipeline.push_pending(exchange, None),
        }
        self.input.feed = feed;
    }

    /// Sends the interim response that the client waits for, once the program wants the body.
    pub(super) fn go_ahead(&mut self) {
        if let Some(feed) = &mut self.input.feed
            && feed.interim.is_some()
            && feed.is_wanted()
            && let Some(interim) = feed.interim.take()
        {
            self.pipeline.release_withheld(interim);
        }
    }

    /// Gives the program the next piece of the body.
    pub(super) fn feed(&mut self, piece: Bytes, is_last: bool) {
        let Some(feed) = &self.input.feed else { return };
        feed.push(piece);
        if is_last && let Some(feed) = self.input.feed.take() {
            feed.finish();
        }
    }

    /// Ends a streamed body that is malformed, too slow or without memory, and the connection after
    /// its response.
    pub(super) fn fail_stream(&mut self, response: C::Response) {
        self.input.feed = None;
        self.pipeline.end_with(response);
        self.phase = Phase::Ending;
    }
}
