//! A discrete-event simulator of seda graphs: seeded, and the same to the bit in every run.
//!
//! What decides the behaviour under load is not modelled anew. The simulator builds an ordinary
//! [`seda_core::Graph`] from a [`Spec`] and steps its real queues, gates, valve, workers and
//! policies on a manual clock. Simulated is only what a test machine cannot give: when requests
//! arrive, how long a handler takes, and how many cores there are. So a day of traffic is over in
//! seconds, a machine may have 64 cores, and a fault happens at the same nanosecond each time.
//!
//! A worker's turn is split for that: [`Worker::begin`](seda_core::Worker::begin) takes a batch,
//! the simulator moves the clock by the service it has drawn, and
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
//! - A batch asks for the sum of its events' demands, drawn when it is begun. The stage's
//!   `cpu_share` of it is work for a core, the rest is blocked time behind it.
//! - The cores are shared by processor sharing: k runnable bursts on c cores each go on at the
//!   rate min(1, c/k). What a burst takes longer than its work is its time on the run queue.
//! - A batch's events end together, at its end. (On a real machine the first is answered before
//!   the last.) With `batch = 1`, or demands of a millisecond and more, there is no difference.
//! - A context switch, a wake-up and the framework itself cost nothing; a refusal costs what the
//!   spec says.
//!
//! # The rooms
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`spec`] | what is to be simulated, as a TOML file holds it, checked |
//! | `dice` | random numbers: a stream of its own for each use |
//! | `arrivals` | when requests come |
//! | `cores` | processor sharing under virtual time |
//! | `build`, `job` | the graph of the spec; what its handlers do |
//! | `machine` | workers and cores: who runs, who waits, who is idle |
//! | `clients` | attempts, retries, deadlines: what becomes of each request |
//! | `fairness` | what each client of a closed loop got |
//! | `run` | the loop: next event, move the clock, act |
//! | [`report`], `tally` | what came of it |
//! | `capacity` | visits, demands, and the load at which something is full |

#![forbid(unsafe_code)]

mod base;
mod model;
pub mod report;
mod run;
pub mod spec;

pub use report::SimReport;
pub use report::fairness::Fairness;
pub use run::{SimError, run, watch};
pub use spec::capacity::Capacity;
pub use spec::{Spec, SpecError};
