//! Benchmarks how a server behaves under load, and beyond what it can take: any HTTP/1.1 server.
//! The program `seda` is a thin layer of flags over this library.
//!
//! A closed-loop tool sends the next request when it has the last answer. So it slows down with
//! the server, and an overload never shows. Here requests start on a schedule, whatever became of
//! those before, and a response time counts from the moment its request was *meant* to start.
//! Every request ends in exactly one of seven ways ([`outcome::Outcome`]), and the seven add up to
//! what was scheduled.
//!
//! # The rooms
//!
//! | room | what it is for |
//! | --- | --- |
//! | [`arrivals`], [`trace`], [`mix`], [`workload`] | when requests start, and what they ask for |
//! | [`plan`] | a run of load, said completely |
//! | `h1` | HTTP/1.1 as a client speaks it, without I/O |
//! | [`generator`] | an engine that knows no sockets, sockets that know no schedule, threads that drive one against the other |
//! | [`outcome`], [`report`] | what became of the requests: plain data, serde and `Display` |
//! | [`watch`] | the server's process from outside: CPU, threads, memory, listen queue |
//! | [`sweep`], [`step`], [`compare`] | many loads, a profile over time, several sweeps beside each other |
//! | [`page`] | reports as self-contained pages and pictures |
//! | [`cli`], [`figures`] | flags, progress, exit codes; figures as people read them |
//!
//! Data flows one way: plan → generator → report → sweep, step → page.
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
//!     address: url.resolve()?[0],
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
pub mod watch;

pub use experiment::{compare, sim, step, sweep};
pub use h1::{RequestError, RequestShape, Url, UrlError};
pub use load::{arrivals, mix, plan, trace, workload};
pub use report::outcome;
pub use report::units as figures;
