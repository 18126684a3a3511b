//! An HTTP/1.1 server on a seda stage graph: each request is an event of the graph.
//!
//! Sockets belong to reactors. A reactor is a worker of the graph that polls its sockets when it is
//! idle. It parses the head of a request, then asks the graph for admission. An admitted request
//! has a reserved place for its response. A refused one is answered at once with 503 and
//! Retry-After: before its body is read, before `100 Continue`, and before a [`Request`] is made.
//! Every bound has a default with a reason ([`HttpConfig`]), so clients cannot make the server hold
//! more than the operator allows.
//!
//! A request holds no place in the graph while its body arrives, so slow uploads keep no other
//! request out. In return it is asked for again at the end of its body, and is refused then if the
//! graph has filled meanwhile. A refused body of at most 64 KiB is dropped, then answered, and the
//! connection goes on; a longer one ends the connection. `docs/http.md` lists all limits.
//!
//! ```text
//! sockets ─▶ reactor ─▶ h1 ─▶ routes ─▶ stages of the graph ─▶ Responder ─▶ reactor ─▶ sockets
//!                               │    ╲
//!               404, 405, 503 ◀─┘     ▶ seda-admin (from snapshots, outside the graph)
//! ```
//!
//! A [`Body`] is bytes, a file, or the pieces that a [`BodySender`] sends while the client reads.
//! [`EventSender`] sends server-sent events. A request's body is read whole, or streamed to the
//! program ([`Http::stream_bodies`], [`BodyReader`]).
//!
//! A server in one program:
//!
//! ```no_run
//! use seda_core::{Context, Graph};
//! use seda_http::{Body, Http, HttpConfig, HttpRequest, Response};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut graph = Graph::new("hello");
//! let mut http = Http::bind(HttpConfig::default())?;
//! let hello = graph.stage::<HttpRequest>("hello", 1_024);
//! http.entry(&mut graph, hello)?;
//! graph.attach_each(hello, |_wire| |call: HttpRequest, _cx: &mut Context| {
//!     call.respond(Response::new(Body::from("hello\n")));
//! })?;
//! let server = http.serve(graph.start()?)?;
//! println!("http://{}/ and http://{0}/_seda/report?format=text", server.local_addr());
//! # Ok(())
//! # }
//! ```
//!
//! A program with several paths gives the server a table of them, [`Routes`], in place of the one
//! entry: each path with its own stage, typed parameters, class, limits and deadline.
//!
//! # The rooms
//!
//! A file imports its own room and the rooms below it.
//!
//! | room | holds |
//! | --- | --- |
//! | [`tcp`] | servers of other protocols |
//! | `files` | [`Files`]: static files as answers to requests |
//! | `http` | the HTTP/1.1 server: settings, routes, admission, the admin side on a socket |
//! | `server` | the common part of all servers: listener, builder, reactors with their graph |
//! | `reactor` | sockets, buffers and time limits; knows no protocol |
//! | `tls` | encryption without sockets, and its certificates (feature `tls`) |
//! | [`h1`] | HTTP/1.1 without I/O: bytes to requests, responses to bytes |
//!
//! Not in this crate, on purpose: HTTP/2, upgrades (WebSocket), compression on the fly.

#![forbid(unsafe_code)]

#[cfg(unix)]
mod files;
pub mod h1;
mod http;
mod reactor;
mod server;
pub mod tcp;
mod tls;

#[cfg(unix)]
pub use crate::files::{CacheControlRule, Files, FilesConfig, FilesError};
pub use crate::http::{
    AccessLogConfig, AccessLogFormat, AdminConfig, AdminPlace, AdminPlaceError, Answer, BodyConfig,
    BodySendError, BodySender, Closing, Endpoint, ErrorResponse, Event, EventError, EventSender,
    ExtractError, Http, HttpConfig, HttpRequest, RetryAfterRange, Routes, RoutesError, Server,
    SteppedServer, html, json, text,
};
pub use crate::reactor::{Body, BodyReadError, BodyReader, PeerList, PeerListError};
pub use crate::server::{
    BindError, ConfigError, EntryError, Listen, ListenPlace, ListenPlaceError, ListenerConfig,
    ServeError, ServerCounts,
};
pub use crate::tls::HandshakeCounts;
#[cfg(feature = "tls")]
pub use crate::tls::{CertificateFiles, TlsConfig, TlsError};
pub use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
pub use bytes::{Bytes, BytesMut};
pub use seda_admin::{AdminPath, RequestTimes};
