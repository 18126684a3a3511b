//! What a user says of a protocol.

use bytes::BytesMut;
use seda_core::{LossReason, RefusalReason};

/// A protocol of requests and answers over a stream of bytes. Answers go out in the order of their
/// requests, whenever they are ready.
///
/// Its functions run on the reactor, on the thread that owns the sockets, so they must not block:
/// what is slow belongs into a stage. A panic costs the answer it was for, and in `decode` its
/// connection. Each reactor has a clone.
pub trait Protocol: Clone + Send + 'static {
    /// What a client asks.
    type Request;
    /// What it is answered.
    type Answer: Send + 'static;

    /// Takes the next request from the beginning of `input`, and its bytes with it. `None` if it
    /// is not all there yet: then nothing is to be taken, and it is called again with more. What
    /// is longer than [`TcpConfig::request_bytes`](super::TcpConfig::request_bytes) by then is
    /// [`Unserved::TooLong`].
    ///
    /// # Errors
    /// What is no request ends the connection: this is the last word to the client.
    fn decode(&self, input: &mut BytesMut) -> Result<Option<Self::Request>, Self::Answer>;

    /// Appends an answer to what is written to the client.
    fn encode(&mut self, answer: Self::Answer, output: &mut BytesMut);

    /// The answer to a request that gets none from the graph: for instance "busy".
    fn refuse(&self, why: Unserved) -> Self::Answer;
}

/// Why a request gets no answer from the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unserved {
    /// It was not admitted; the connection goes on.
    Refused(RefusalReason),
    /// It was admitted and given up; the connection goes on.
    Lost(LossReason),
    /// It is longer than allowed; the connection ends.
    TooLong,
    /// The rest of it did not come in time; the connection ends.
    Overdue,
}
