//! Benchmarks any HTTP/1.1 server under load, and beyond its capacity. The program `seda` is a thin
//! layer of flags over this library.
//!
//! A closed-loop tool sends the next request after the last answer. It slows down with the server,
//! so it never shows an overload. Here requests start on a schedule, independent of earlier
//! answers, and a response time counts from the *intended* start of its request. Every request has
//! exactly one of seven outcomes ([`outcome::Outcome`]), which add up to the scheduled requests.
//!
//! # The rooms
//!
//! Each room imports only rooms below it.
//!
//! ```text
//! cli         flags, progress, exit codes
//! top         a server's graph in the terminal: source, model, view, screen
//! page        reports as self-contained pages and drawings
//! experiment  sweep, step, compare, sim, plan, lab: several runs against one server
//! generator   an engine without sockets, sockets without a schedule, threads that connect them
//! load        the plan of a run: arrivals, trace, mix, workload, retries
//! report      outcomes and figures of a run as plain data, and their units
//! watch       the server's process from outside: CPU, threads, memory, listen queue
//! h1          HTTP/1.1 for a client, without I/O
//! ```
//!
//! Data flows one way: [`plan`] → [`generator`] → [`report`] → [`sweep`], [`step`] → [`page`].
//!
//! ```no_run
//! use seda_tools::arrivals::{Process, Profile};
//! use seda_tools::generator::{self, Retry, Stop};
//! use seda_tools::plan::{LoadPlan, Pace};
//! use seda_tools::workload::Workload;
//! use seda_tools::{RequestShape, Url};
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let url: Url = "http://127.0.0.1:8080/work?micros=1000".parse()?;
//! let shape = RequestShape::new(url.authority());
//! let plan = LoadPlan {
//!     workload: Workload::single(&shape, "GET", url.target())?,
//!     pace: Pace::Open {
//!         process: Process::Poisson,
//!         profile: Profile::constant(900.0, Duration::from_secs(10))?,
//!     },
//!     warm_up: Duration::from_secs(1),
//!     cool_down: Duration::ZERO,
//!     slos: vec![Duration::from_millis(200)],
//!     deadline: Duration::from_secs(1),
//!     retry: Retry::NONE,
//!     expected: Vec::new(),
//!     connections: 10_000,
//!     threads: 1,
//!     seed: 1,
//!     bin: None,
//!     address: url.resolve()?[0].into(),
//!     url,
//! };
//! let report = generator::run(&plan, &Stop::default(), &mut ())?.report;
//! assert_eq!(report.outcomes.ended(), report.outcomes.scheduled);
//! println!("{report}");
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod cli;
mod experiment;
pub mod generator;
mod h1;
mod load;
pub mod page;
pub mod report;
#[cfg(feature = "top")]
mod top;
pub mod watch;

pub use experiment::{compare, condition, lab, plan as what_if, sim, step, sweep};
pub use h1::{RequestError, RequestShape, Url, UrlError};
pub use load::address::ServerAddress;
#[cfg(feature = "tls")]
pub use load::tls::{TlsClient, TlsClientError};
pub use load::{arrivals, mix, plan, trace, workload};
#[doc(inline)]
pub use report::{outcome, units};
