//! A user's protocol as a codec of the reactor.

use super::protocol::{Protocol, Unserved};
use crate::reactor::{Codec, DecodeOutcome, Expecting, Origin, Output};
use crate::server::catch_panic;
use bytes::BytesMut;
use seda_core::Time;
use std::convert::Infallible;

/// The name of user code in the log of a caught panic.
pub(super) const PROTOCOL: &str = "a protocol";

/// An answer; `None` if the user code that makes it panicked. Then nothing is written.
pub(super) type Reply<A> = Option<A>;

/// Decodes and encodes with a [`Protocol`], and catches its panics.
pub(super) struct ProtocolCodec<P> {
    pub(super) protocol: P,
    /// The most bytes of one request.
    pub(super) request_bytes: usize,
}

/// True for the last exchange of a connection.
type IsLast = bool;

impl<P: Protocol> Codec for ProtocolCodec<P> {
    type Head = Infallible;
    type Request = P::Request;
    type Response = Reply<P::Answer>;
    type Exchange = IsLast;
    type Decoder = ();
    type Decision = Infallible;

    fn decoder(&self, _origin: &Origin) {}

    fn decode(&self, (): &mut (), input: &mut BytesMut) -> DecodeOutcome<Self> {
        match catch_panic(PROTOCOL, || self.protocol.decode(input)) {
            Some(Ok(Some(request))) => DecodeOutcome::Request(request, false),
            Some(Ok(None)) if input.len() > self.request_bytes => {
                DecodeOutcome::Response(refuse(&self.protocol, Unserved::TooLong), true)
            }
            Some(Ok(None)) => DecodeOutcome::Incomplete,
            Some(Err(last)) => DecodeOutcome::Response(Some(last), true),
            None => DecodeOutcome::Response(None, true),
        }
    }

    fn head((): &()) -> Option<&Infallible> {
        None
    }

    fn refuse(&self, (): &mut (), _input: &mut BytesMut) -> IsLast {
        true
    }

    fn expecting(&self, (): &(), input: &BytesMut) -> Expecting {
        if input.is_empty() { Expecting::Nothing } else { Expecting::Head }
    }

    fn timeout_response(&self, _expecting: Expecting) -> (Self::Response, IsLast) {
        (refuse(&self.protocol, Unserved::Overdue), true)
    }

    fn is_last(is_last: &IsLast) -> bool {
        *is_last
    }

    fn make_last(_is_last: IsLast) -> IsLast {
        true
    }

    fn encode(
        &mut self,
        reply: Reply<P::Answer>,
        _: IsLast,
        _origin: &Origin,
        _now: Time,
        output: &mut Output,
    ) {
        if let Some(answer) = reply {
            // Bytes appended before a panic are sent: the client sees a short answer.
            catch_panic(PROTOCOL, || self.protocol.encode(answer, output.buffer()));
        }
    }
}

/// Returns the protocol's answer to a request that gets none from the graph.
pub(super) fn refuse<P: Protocol>(protocol: &P, why: Unserved) -> Reply<P::Answer> {
    catch_panic(PROTOCOL, || protocol.refuse(why))
}
