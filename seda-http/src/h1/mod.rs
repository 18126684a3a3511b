//! HTTP/1.1 without I/O: bytes to requests, responses to bytes. No socket, no clock, no thread.
//!
//! The room imports no other room. The reactor owns a connection's socket and buffers; this room
//! only sees bytes. So every decision about the end of a request is in one place, is tested with
//! byte strings alone, and does not depend on how the network splits the bytes.
//!
//! The codec is strict wherever leniency lets two parties disagree about the end of a request
//! (request smuggling, RFC 9112 §11.2): it rejects unclear framing with a 4xx or 5xx response and
//! closes the connection. A request is returned whole, with a body of at most
//! [`Limits::body_bytes`], or its body is [streamed](Decoder::stream). A request with a body that
//! is still to come is announced by its head, so that it can be refused before its body is read.
//! Field values share the memory of the bytes that were read.
//!
//! ```
//! use seda_http::BytesMut;
//! use seda_http::h1::{Decoded, Decoder, Limits};
//!
//! let mut decoder = Decoder::new(Limits::default());
//! let mut input = BytesMut::from("GET /page HTTP/1.1\r\nHost: a\r\n\r\nGET /next HT");
//! let Decoded::Request(head, _, exchange) = decoder.decode(&mut input) else { unreachable!() };
//! assert_eq!(head.uri().path(), "/page");
//! assert!(exchange.keep_alive);
//! // The next request is not complete yet.
//! assert!(matches!(decoder.decode(&mut input), Decoded::Incomplete));
//! assert!(decoder.mid_request(&input));
//! ```
//!
//! | file | holds |
//! | --- | --- |
//! | `decoder` | [`Decoder`]: the state machine of one connection |
//! | `limits` | [`Limits`]: the bounds of a request |
//! | `lines` | finds each line end once, and rejects bare LF |
//! | `request_line` | the version and `HEAD`, from the first line alone |
//! | `head` | [`RequestHead`]: a whole head, and the [`http::Request`] made of it |
//! | `target`, `host` | the forms of a request target, and its host |
//! | `framing` | the end of the body: Content-Length and Transfer-Encoding |
//! | `body_state`, `chunked` | a body that is being read; the chunked transfer coding |
//! | `persistence` | whether the connection outlives the exchange |
//! | `rejection` | [`Rejection`]: the codec's own responses |
//! | `exchange` | [`Exchange`]: the properties of a request that its response depends on |
//! | `encode` | [`encode_head`]: the head of a response |
//! | `chunk_writer` | the chunks of a response of unknown length |
//!
//! ```text
//! input ─▶ lines ─▶ request_line ─▶ head ─┬─▶ target, host
//!                                         ├─▶ persistence
//!                                         └─▶ framing ─▶ (length | chunked) ─▶ RequestHead, body
//! ```
//!
//! Not in this room, on purpose: timeouts (the reactor has them, with [`Decoder::mid_request`]),
//! routing with its responses 404 and 405 (`http`), upgrades, `CONNECT`.

mod body_state;
mod chunk_writer;
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

pub(crate) use body_state::BodyNeed;
pub(crate) use chunk_writer::{CHUNK_END, LAST_CHUNK, last_chunk, put_chunk_size};
pub use decoder::{Decoded, Decoder};
pub use encode::{CONTINUE, carries_body, encode_head};
pub(crate) use encode::{encode_unavailable, is_chunked, unsendable};
pub use exchange::Exchange;
pub use head::RequestHead;
pub use limits::{Limits, LimitsError};
pub use rejection::Rejection;
