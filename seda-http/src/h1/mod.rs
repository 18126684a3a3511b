//! HTTP/1.1 as bytes in, requests out; answers in, bytes out. No socket, no clock, no thread.
//!
//! The reactor owns a connection's socket and buffers; this room only looks at the bytes. So all
//! that decides where one request ends and the next begins is in one place, can be tested with
//! byte strings alone, and behaves the same however the network splits them.
//!
//! It is strict where leniency lets two parties disagree about that end (request smuggling,
//! RFC 9112 §11.2): what is not clearly framed is refused with a 4xx or 5xx answer and the
//! connection is closed. A request is handed over whole, its body within
//! [`Limits::body_bytes`]; its field values share the memory that was read into.
//!
//! | file | holds |
//! | --- | --- |
//! | `decoder` | [`Decoder`]: the state machine of one connection |
//! | `limits` | [`Limits`]: what a client may make the server keep |
//! | `lines` | finds line ends once each, and refuses bare LF |
//! | `request_line` | what the first line alone decides: version, `HEAD` |
//! | `head` | a whole head to an [`http::Request`] |
//! | `target`, `host` | the forms of a request target, the host it names |
//! | `framing` | where the body ends: Content-Length and Transfer-Encoding |
//! | `chunked` | the chunked transfer coding |
//! | `persistence` | whether the connection outlives the exchange |
//! | `rejection` | [`Rejection`]: what the codec answers by itself |
//! | `exchange` | [`Exchange`]: what an answer must know of its request |
//! | `encode` | [`encode_head`]: the head of an answer |
//!
//! ```text
//! input ─▶ lines ─▶ request_line ─▶ head ─┬─▶ target, host
//!                                         ├─▶ persistence
//!                                         └─▶ framing ─▶ (length | chunked) ─▶ Request
//! ```
//!
//! Not here, on purpose: timeouts (the reactor's, with [`Decoder::mid_request`]), routing and the
//! answers 404 and 405 (the server's), upgrades, `CONNECT`, streamed bodies.

mod chunked;
mod decoder;
mod encode;
mod exchange;
mod framing;
mod head;
mod host;
mod limits;
mod lines;
mod persistence;
mod rejection;
mod request_line;
mod target;
#[cfg(test)]
mod tests;

pub use decoder::{Decoded, Decoder};
pub use encode::{CONTINUE, carries_body, encode_head};
pub use exchange::Exchange;
pub use limits::{Limits, LimitsError};
pub use rejection::Rejection;
