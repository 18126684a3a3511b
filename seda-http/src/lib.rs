//! An HTTP/1.1 server whose request path is a seda stage graph.
//!
//! Sockets belong to reactors, and a reactor is a worker of the graph whose idle action is to
//! poll. It reads and parses, then asks the graph for admission: a request that is admitted has a
//! reserved way home for its answer, one that is not is answered 503 with a Retry-After, at once
//! and before any work was done for it. Every bound has a default with a reason ([`HttpConfig`]),
//! so no client and no number of clients can make the server hold more than was decided.
//!
//! ```text
//! sockets ─▶ reactor ─▶ h1 ─▶ entrance ─▶ stages of the graph ─▶ Responder ─▶ reactor ─▶ sockets
//!                               │    ╲
//!                         503 ◀─┘     ▶ admin (from snapshots, outside the graph)
//! ```
//!
//! # The rooms
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`h1`] | HTTP/1.1 without I/O: bytes to requests, answers to bytes |
//! | `reactor` | sockets, buffers, time limits: knows no HTTP |
//! | `http1` | the codec as a protocol of the reactor; `date` is its clock |
//! | `entrance` | admission, refusal, loss: the reactor's side of the graph |
//! | `request` | [`HttpRequest`]: the event that enters the graph |
//! | `advice`, `answers` | what a client is told that gets no answer from the graph |
//! | `admin` | `/_seda/`: report, graph, liveness, readiness |
//! | `config`, `error` | [`HttpConfig`], and what can be wrong, in words |
//! | `binding`, `server` | [`Http`] before, [`Server`] while it serves |
//! | `fleet` | reactors and their graph, started and drained together |
//! | [`tcp`] | servers of other protocols on the same reactor |
//!
//! Not here, on purpose: TLS, HTTP/2, upgrades, routing (it is a stage), streamed request bodies.

#![forbid(unsafe_code)]

pub mod h1;
mod http;
mod reactor;
mod server;
pub mod tcp;

pub use crate::http::{Http, HttpConfig, HttpRequest, RetryAfterRange, Server};
pub use crate::reactor::Body;
pub use crate::server::{BindError, ConfigError, EntryError, ServeError};
pub use ::http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
pub use bytes::{Bytes, BytesMut};
