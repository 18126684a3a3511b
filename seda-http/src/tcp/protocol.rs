//! The user's definition of a protocol.

use bytes::BytesMut;
use seda_core::{LossReason, RefusalReason};

/// A protocol of requests and answers over a stream of bytes.
///
/// Answers go out in the order of their requests, regardless of the order in which they are ready.
/// Each reactor has a clone of the protocol.
///
/// All methods run on the reactor, on the thread that owns the sockets, so they must not block:
/// slow work belongs in a stage. A panic costs its answer, and in [`Protocol::decode`] the
/// connection.
///
/// The [module](super) has a whole server. A decoder for requests of one line:
///
/// ```
/// use seda_http::BytesMut;
/// use seda_http::tcp::{Protocol, Unserved};
///
/// #[derive(Clone)]
/// struct Lines;
///
/// impl Protocol for Lines {
///     type Request = BytesMut;
///     type Answer = String;
///
///     fn decode(&self, input: &mut BytesMut) -> Result<Option<BytesMut>, String> {
///         let end = input.iter().position(|byte| *byte == b'\n');
///         Ok(end.map(|end| input.split_to(end + 1)))
///     }
///
///     fn encode(&mut self, answer: String, output: &mut BytesMut) {
///         output.extend_from_slice(answer.as_bytes());
///     }
///
///     fn refuse(&self, why: Unserved) -> String {
///         format!("error: {why:?}\n")
///     }
/// }
///
/// let mut input = BytesMut::from("one\ntw");
/// assert_eq!(Lines.decode(&mut input).unwrap().unwrap(), "one\n");
/// assert_eq!(Lines.decode(&mut input), Ok(None));
/// assert_eq!(input, "tw");
/// ```
pub trait Protocol: Clone + Send + 'static {
    /// The value that a request is decoded to.
    type Request;
    /// The value that an answer is encoded from.
    type Answer: Send + 'static;

    /// Removes the next request from the front of `input` and returns it.
    ///
    /// Returns `None` if the request is incomplete. It must then leave `input` unchanged, and is
    /// called again with more bytes. A request that is still incomplete beyond
    /// [`TcpConfig::request_bytes`](super::TcpConfig::request_bytes) is [`Unserved::TooLong`].
    ///
    /// # Errors
    /// The last answer to a client with malformed input. The connection ends after it.
    fn decode(&self, input: &mut BytesMut) -> Result<Option<Self::Request>, Self::Answer>;

    /// Appends the bytes of an answer to `output`.
    fn encode(&mut self, answer: Self::Answer, output: &mut BytesMut);

    /// Returns the answer to a request that gets none from the graph, for example "busy".
    fn refuse(&self, why: Unserved) -> Self::Answer;
}

/// The reason why a request gets no answer from the graph.
///
/// ```
/// use seda_http::tcp::Unserved;
///
/// fn text(why: Unserved) -> String {
///     match why {
///         Unserved::Refused(reason) => format!("busy: {reason}"),
///         Unserved::Lost(reason) => format!("lost: {reason}"),
///         _ => "goodbye".to_owned(),
///     }
/// }
/// assert_eq!(text(Unserved::TooLong), "goodbye");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unserved {
    /// The request was not admitted. The connection goes on.
    Refused(RefusalReason),
    /// The request was admitted and then lost. The connection goes on.
    Lost(LossReason),
    /// The request is longer than allowed. The connection ends.
    TooLong,
    /// The rest of the request did not arrive in time. The connection ends.
    Overdue,
}
