//! What a reactor must be told to speak a protocol.

use super::Output;
use bytes::BytesMut;
use seda_core::Time;

/// A protocol of requests and answers, in which answers go out in the order of their requests.
/// It sees bytes, never sockets. One instance serves all connections of a reactor; what belongs
/// to one connection is in its [`Codec::Decoder`].
pub(crate) trait Codec: Send + 'static {
    /// What the service is asked.
    type Request;
    /// What it answers.
    type Response: Send + 'static;
    /// What an answer must know of its request.
    type Exchange: Copy + Send;
    /// The state of one connection's input.
    type Decoder: Send;

    /// The state of a new connection.
    fn decoder(&self) -> Self::Decoder;

    /// Consumes from `input` what belongs to the next request. Called again after every outcome
    /// but [`DecodeOutcome::Incomplete`].
    fn decode(&self, decoder: &mut Self::Decoder, input: &mut BytesMut) -> DecodeOutcome<Self>;

    /// What the client owes, after `decode` gave [`DecodeOutcome::Incomplete`].
    fn expecting(&self, decoder: &Self::Decoder, input: &BytesMut) -> Expecting;

    /// The last answer to a client that did not send in time what it owes; the connection ends
    /// after it.
    fn timeout_response(&self, expecting: Expecting) -> (Self::Response, Self::Exchange);

    /// Whether the connection ends after this exchange.
    fn is_last(exchange: Self::Exchange) -> bool;

    /// The same exchange as the last one of its connection.
    fn make_last(exchange: Self::Exchange) -> Self::Exchange;

    /// Appends an answer to what waits to be written.
    fn encode(
        &mut self,
        response: Self::Response,
        exchange: Self::Exchange,
        now: Time,
        output: &mut Output,
    );
}

/// What a decoder found.
pub(crate) enum DecodeOutcome<P: Codec + ?Sized> {
    /// More bytes are needed.
    Incomplete,
    /// Bytes to be written in their turn, before the answer to the request that is being read.
    Interim(&'static [u8]),
    /// A whole request.
    Request(P::Request, P::Exchange),
    /// The protocol's own answer to what was not a request.
    Answer(P::Response, P::Exchange),
}

/// What a client has begun to send and not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expecting {
    /// Nothing: it is between two requests.
    Nothing,
    /// The rest of a request's head.
    Head,
    /// The rest of its body.
    Body,
}
