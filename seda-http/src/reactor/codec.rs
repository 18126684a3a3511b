//! The interface through which a reactor speaks a protocol.

use super::body::budget::BodyCharge;
use super::body::reader::BodyReader;
use super::{Origin, Output};
use bytes::{Bytes, BytesMut};
use seda_core::Time;
use std::time::Duration;

/// A protocol of requests and responses, in which responses go out in the order of their requests.
///
/// It sees bytes, never sockets. One instance serves all connections of a reactor; the state of
/// one connection is in its [`Codec::Decoder`].
pub(crate) trait Codec: Send + 'static {
    /// The part of a request before its body.
    type Head;
    /// The value that a request is decoded to.
    type Request;
    /// The value that a response is encoded from.
    type Response: Send + 'static;
    /// The properties of a request that its response depends on.
    type Exchange: Send;
    /// The state of one connection's input.
    type Decoder: Send;
    /// What a service decides about a request from its head.
    type Decision: Send;

    /// Returns the state of a new connection.
    fn decoder(&self, origin: &Origin) -> Self::Decoder;

    /// Consumes the next request from `input`. The reactor calls it again after every outcome
    /// except [`DecodeOutcome::Incomplete`].
    fn decode(&self, decoder: &mut Self::Decoder, input: &mut BytesMut) -> DecodeOutcome<Self>;

    /// Returns the head of the request whose body is incomplete; `None` at any other time.
    fn head(decoder: &Self::Decoder) -> Option<&Self::Head>;

    /// Applies the limits that a decision sets on the body which is read next. Returns the longest
    /// time for the whole body; `None` for that of the settings.
    fn limit_body(_decoder: &mut Self::Decoder, _decision: &Self::Decision) -> Option<Duration> {
        None
    }

    /// Returns the most bytes of a body that a decision streams to the program. `None` for one that
    /// is read whole, before its request is admitted.
    fn streams(_decision: &Self::Decision) -> Option<u64> {
        None
    }

    /// Gives up the request that [`DecodeOutcome::Head`] announced. Returns the exchange of its
    /// response: if it is the last, the response is due now; else the body is dropped as it
    /// arrives, and the response is due after [`DecodeOutcome::Refused`].
    fn refuse(&self, decoder: &mut Self::Decoder, input: &mut BytesMut) -> Self::Exchange;

    /// Returns the request that [`DecodeOutcome::Head`] announced, with the reader of a body of at
    /// most `most` bytes, which arrives in [`DecodeOutcome::Piece`]s. `make` makes the reader; its
    /// argument is the interim response that the client waits for. `None` if no request is
    /// announced.
    fn stream(
        &self,
        _decoder: &mut Self::Decoder,
        _input: &BytesMut,
        _most: u64,
        _make: impl FnOnce(Option<&'static [u8]>) -> BodyReader,
    ) -> Option<(Self::Request, Self::Exchange)> {
        None
    }

    /// Returns the part of a request that the client still has to send. Valid only after `decode`
    /// returned [`DecodeOutcome::Incomplete`].
    fn expecting(&self, decoder: &Self::Decoder, input: &BytesMut) -> Expecting;

    /// Returns the memory that the body being read needs; `None` if no body is read into memory.
    fn body_need(_decoder: &Self::Decoder) -> Option<BodyNeed> {
        None
    }

    /// Returns the head of a whole request; `None` if requests have none.
    fn head_of(_request: &Self::Request) -> Option<&Self::Head> {
        None
    }

    /// Notes in an exchange the decision about its request, which is answered and not admitted.
    fn note_decision(_exchange: &mut Self::Exchange, _decision: Self::Decision) {}

    /// Returns the bytes of the body of a whole request.
    fn body_bytes(_request: &Self::Request) -> usize {
        0
    }

    /// Returns the same request, which holds `charge` until its body is dropped.
    fn hold(request: Self::Request, charge: BodyCharge) -> Self::Request {
        drop(charge);
        request
    }

    /// Returns the last response to a client that did not send `expecting` in time.
    fn timeout_response(&self, expecting: Expecting) -> (Self::Response, Self::Exchange);

    /// Returns the last response to a client that does not encrypt where it should. `None` closes
    /// the connection without one.
    fn foreign_response(&self) -> Option<(Self::Response, Self::Exchange)> {
        None
    }

    /// Returns true if the connection ends after this exchange.
    fn is_last(exchange: &Self::Exchange) -> bool;

    /// Returns the same exchange as the last one of its connection.
    fn make_last(exchange: Self::Exchange) -> Self::Exchange;

    /// Returns true if the client knows the end of this response only by that of the connection.
    fn ends_with_connection(_response: &Self::Response, _exchange: &Self::Exchange) -> bool {
        false
    }

    /// Closes the file of a response that waits behind others. [`Codec::encode`] opens it again.
    fn close_file(_response: &mut Self::Response) {}

    /// Appends a response to a client to `output`.
    fn encode(
        &mut self,
        response: Self::Response,
        exchange: Self::Exchange,
        origin: &Origin,
        now: Time,
        output: &mut Output,
    );
}

/// The memory that an unfinished body needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyNeed {
    /// Its declared length, all of it in the input.
    Length(usize),
    /// The memory of its pieces so far. The length is not known.
    Pieces(usize),
}

impl BodyNeed {
    /// Returns the bytes to charge.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Length(bytes) | Self::Pieces(bytes) => bytes,
        }
    }
}

/// The result of [`Codec::decode`].
pub(crate) enum DecodeOutcome<C: Codec + ?Sized> {
    /// More bytes are needed.
    Incomplete,
    /// The head of a request whose body is incomplete; [`Codec::head`] returns it. The next call of
    /// `decode` reads the body, unless [`Codec::refuse`] is called first.
    Head,
    /// Bytes to write in their turn, before the response to the request that is being read.
    Interim(&'static [u8]),
    /// A whole request.
    Request(C::Request, C::Exchange),
    /// The next bytes of a streamed body, and whether they are the last.
    Piece(Bytes, bool),
    /// The codec's own response to malformed input.
    Response(C::Response, C::Exchange),
    /// The body of a refused request is dropped: its response is due. The exchange is the last one
    /// if the end of the body is unknown.
    Refused(C::Exchange),
}

/// The part of a request that a client has begun to send and not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expecting {
    /// Nothing: the client is between two requests.
    Nothing,
    /// The rest of a head.
    Head,
    /// The rest of a body.
    Body,
    /// The rest of a refused request's body, before its response.
    RefusedBody,
}

impl Expecting {
    /// Returns true if the client has begun a request that is neither whole nor refused.
    pub(crate) fn is_request(self) -> bool {
        matches!(self, Expecting::Head | Expecting::Body)
    }
}
