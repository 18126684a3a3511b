//! A discrete-event simulator of seda graphs. The same spec and seed give the same report, to the
//! bit.
//!
//! Queues, gates, valve, workers and controllers are the real ones: the simulator builds an
//! ordinary [`seda_core::Graph`] from a [`Spec`] and steps it on a manual clock. Only arrivals,
//! service times and cores are simulated. So a day of traffic takes seconds, a machine may have 64
//! cores, and a fault happens at the same nanosecond in each run.
//!
//! A worker's turn is split: [`Worker::begin`](seda_core::Worker::begin) takes a batch, the
//! simulator moves the clock by the service time, and
//! [`Worker::complete`](seda_core::Worker::complete) runs the handler, which sends the event on or
//! answers it.
//!
//! ```
//! use seda_sim::Spec;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let spec: Spec = r#"
//!     window = "10s"
//!     arrivals = { rate = 70.0 }
//!     [[stage]]
//!     name = "serve"
//!     capacity = 1000
//!     workers = 1
//!     demand = { kind = "exponential", mean = "10ms" }
//! "#.parse()?;
//! let report = seda_sim::run(&spec, spec.seed)?;
//! assert_eq!(report.ends.scheduled, report.ends.good);
//! # Ok(())
//! # }
//! ```
//!
//! # The model
//!
//! - The demand of a batch is the sum of its events' demands, drawn when the batch begins. The
//!   stage's `cpu_share` of it is work for a core; behind the work, the worker is blocked for the
//!   rest.
//! - Cores are shared by processor sharing: each of k runnable bursts on c cores progresses at the
//!   rate min(1, c/k). The time of a burst beyond its work is time on the run queue.
//! - The events of a batch end together, at its end. On a real machine the first is answered before
//!   the last. With `batch = 1`, or with demands of a millisecond and more, there is no difference.
//! - Context switches, wake-ups and the framework itself cost nothing. A refusal costs the
//!   `refusal_cpu` of the spec.
//!
//! # The rooms
//!
//! A file imports its own room and rooms below it:
//!
//! ```text
//! study    many runs: recovery after a trigger, the truth about bottlenecks
//! run      the loop: next event, move the clock, act
//! model    arrivals, clients, the graph and its handlers, workers and cores
//! report   counts of the ends of requests, and the report
//! spec     the input as a TOML file has it, checked; capacity by the operational laws
//! base     random numbers, time
//! ```

#![forbid(unsafe_code)]

mod base;
mod model;
pub mod report;
mod run;
pub mod spec;
pub mod study;

pub use model::error::SimError;
pub use report::SimReport;
pub use report::fairness::Fairness;
pub use report::tenants::{AboveLevel, BelowLevel, TenantFairness};
pub use run::{run, watch};
pub use spec::capacity::Capacity;
pub use spec::{Spec, SpecError};
