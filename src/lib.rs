//! seda builds servers as graphs of typed stages with bounded queues (SEDA: staged event-driven
//! architecture). Without any setting a server refuses at its entry what it cannot serve; with an
//! SLO it admits only the requests that it can answer in time.
//!
//! ```no_run
//! use seda::http::{Body, Http, HttpConfig, HttpRequest, Response};
//! use seda::{Graph, SloConfig};
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut graph = Graph::new("hello");
//! graph.slo(SloConfig::new(Duration::from_millis(200)));
//! let mut http = Http::bind(HttpConfig::default())?; // 127.0.0.1:8080
//! let hello = graph.stage::<HttpRequest>("hello", 1_024);
//! http.entry(&mut graph, hello)?;
//! graph.attach_each(hello, |_wire| {
//!     |call: HttpRequest, _cx| call.respond(Response::new(Body::from("hello\n")))
//! })?;
//! let server = http.serve(graph.start()?)?;
//! println!("http://{}", server.local_addr());
//! std::io::stdin().read_line(&mut String::new())?;
//! println!("{}", server.drain(Duration::from_secs(5)).report);
//! # Ok(())
//! # }
//! ```
//!
//! The package is `seda-rs`, the library is `seda`.
//!
//! # The parts of a program
//!
//! A program declares stages, attaches a handler to each, and starts the graph:
//!
//! 1. [`Graph::stage`] declares a [`Stage`]: a name, the type of its events, and the capacity of
//!    its queue.
//! 2. [`Graph::attach_each`] gives it a [`Handler`]. Inside, [`Wire::sink`] declares an edge to
//!    another stage, and [`Context::send`] sends over it.
//! 3. [`Graph::source`] is the entry for threads outside the graph; [`http::Http::entry`] is the
//!    entry for requests.
//! 4. [`Graph::start`] checks the graph and starts its workers. [`Running`] reports, changes
//!    settings and drains.
//!
//! | to do this | start here |
//! | --- | --- |
//! | send an event to another stage | [`Context::send`], [`Context::send_all`], [`Sink`] |
//! | send events from outside the graph | [`Source`] |
//! | answer a request | [`Responder`] |
//! | wait for another service without holding a thread | [`Context::defer`] |
//! | collect events for a join or a batch | [`Context::hold`] |
//! | keep events of one key in order | [`Graph::keyed`] |
//! | share workers between stages | [`Graph::attach_each_in`], [`Pool`] |
//! | run copies of a stage | [`Graph::replicated_stage`], [`Replicas`] |
//! | set an SLO, classes and routes | [`SloConfig`], [`Graph::classes`], [`Graph::route`] |
//! | give cheaper answers under load | [`Context::pressure`] |
//! | read settings from a file, and change them live | [`GraphConfig`], [`Running::reconfigure`] |
//! | find the bottleneck | [`Running::report`], [`Report`] |
//! | test handlers without threads | [`testing`] |
//! | give each path its stage, with typed parameters | [`http::Routes`], [`http::Endpoint`] |
//! | serve HTTP/1.1, or another protocol over TCP | [`http`], [`http::tcp`] |
//! | serve the files of a directory | [`http::Files`] |
//! | show the report to operators only | [`http::AdminConfig`], [`admin`] |
//!
//! # What always holds
//!
//! - A send blocks only over a [`WaitingSink`] or in [`Source::send_within`], both with a limit.
//!   The event is taken, or it comes back with the reason
//!   ([`Refused`]).
//! - Every event is counted where it happens, and the counts balance:
//!   accepted = handled + shed + failed + queued + in hand + pending.
//! - An answer is never refused. A request without an answer is lost with a reason
//!   ([`LossReason`]), and its client is told.
//! - A panic costs one event, not a worker.
//! - [`Running::drain`] ends within its limit.
//!
//! # Features
//!
//! - `http` (default): the module [`http`], from the crate `seda-http`.
//! - `admin` (part of `http`): the module [`admin`], from the crate `seda-admin`.
//! - `tls`: TLS on the listeners of the HTTP server, by rustls.
//!
//! Guides, measurements and runnable examples are in the repository: `docs/control.md` explains
//! admission, `docs/overload.md` compares servers under overload.

#![forbid(unsafe_code)]

pub use seda_core::*;

/// The HTTP/1.1 server with a stage graph as its request path (feature `http`, on by default).
#[cfg(feature = "http")]
#[doc(inline)]
pub use seda_http as http;

/// The admin side of a server, without transport: report, graph and probes (feature `admin`, which
/// `http` includes).
#[cfg(feature = "admin")]
#[doc(inline)]
pub use seda_admin as admin;

/// Compiles the programs in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
