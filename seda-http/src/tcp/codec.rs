//! A user's protocol as the reactor wants it.

use super::protocol::{Protocol, Unserved};
use crate::reactor::{self, DecodeOutcome, Expecting, Output};
use crate::server::catch_panic;
use bytes::BytesMut;
use seda_core::Time;

/// What panicked, in the log.
pub(super) const PROTOCOL: &str = "a protocol";

/// What the reactor writes: an answer, or nothing where the code that was to make it panicked.
pub(super) type Reply<A> = Option<A>;

pub(super) struct ProtocolCodec<P> {
    pub(super) protocol: P,
    /// The most bytes of one request.
    pub(super) request_bytes: usize,
}

/// Whether it is the last exchange of its connection.
type IsLast = bool;

impl<P: Protocol> reactor::Codec for ProtocolCodec<P> {
    type Request = P::Request;
    type Response = Reply<P::Answer>;
    type Exchange = IsLast;
    type Decoder = ();

    fn decoder(&self) {}

    fn decode(&self, (): &mut (), input: &mut BytesMut) -> DecodeOutcome<Self> {
        match catch_panic(PROTOCOL, || self.protocol.decode(input)) {
            Some(Ok(Some(request))) => DecodeOutcome::Request(request, false),
            Some(Ok(None)) if input.len() > self.request_bytes => {
                DecodeOutcome::Answer(refusal(&self.protocol, Unserved::TooLong), true)
            }
            Some(Ok(None)) => DecodeOutcome::Incomplete,
            Some(Err(last)) => DecodeOutcome::Answer(Some(last), true),
            None => DecodeOutcome::Answer(None, true),
        }
    }

    fn expecting(&self, (): &(), input: &BytesMut) -> Expecting {
        if input.is_empty() { Expecting::Nothing } else { Expecting::Head }
    }

    fn timeout_response(&self, _owed: Expecting) -> (Self::Response, IsLast) {
        (refusal(&self.protocol, Unserved::Overdue), true)
    }

    fn is_last(is_last: IsLast) -> bool {
        is_last
    }

    fn make_last(_is_last: IsLast) -> IsLast {
        true
    }

    fn encode(&mut self, reply: Reply<P::Answer>, _: IsLast, _now: Time, output: &mut Output) {
        if let Some(answer) = reply {
            // What it has written before it panics is written: the client sees a short answer.
            catch_panic(PROTOCOL, || self.protocol.encode(answer, output.buffer()));
        }
    }
}

/// The answer to a request that gets none from the graph.
pub(super) fn refusal<P: Protocol>(protocol: &P, why: Unserved) -> Reply<P::Answer> {
    catch_panic(PROTOCOL, || protocol.refuse(why))
}
