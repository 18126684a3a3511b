//! Tools for tests of handlers and graphs, without threads and sleeps, on a manual clock.
//!
//! Queues, workers, ledgers and controllers are those of production, stepped by
//! [`Manual`](crate::runtime::Manual). A test sees one of the possible orders of a graph on
//! threads.
//!
//! | item | purpose |
//! | --- | --- |
//! | [`probe`] | a stage that keeps its events, in place of the stages behind a handler |
//! | [`Stepped`] | a started graph with its clock: step it, advance time, check outcomes |
//! | [`Timeline`] | the clock and an agenda of outside actions at given moments |
//! | [`imbalances`], [`assert_balanced`] | the check that a report's ledgers balance |
//!
//! A handler is testable if a function attaches it to stages that the caller passes in:
//!
//! ```
//! use seda_core::testing::{Stepped, probe};
//! use seda_core::{Graph, GraphError, LossReason, RefusalReason, Refused, Responder, Stage};
//!
//! struct Ask {
//!     number: u32,
//!     reply: Responder<u32>,
//! }
//!
//! /// Answers small numbers and sends large ones to the next stage.
//! fn attach_triage(
//!     graph: &mut Graph,
//!     triage: Stage<Ask>,
//!     large: Stage<Ask>,
//! ) -> Result<(), GraphError> {
//!     graph.attach_each(triage, |wire| {
//!         let large = wire.sink(large);
//!         move |ask: Ask, cx| match ask.number {
//!             0..10 => ask.reply.respond(ask.number * 2),
//!             _ => cx.send(&large, ask).unwrap_or_else(Refused::give_up),
//!         }
//!     })
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut graph = Graph::new("triage alone");
//! let triage = graph.stage::<Ask>("triage", 8);
//! let (large, passed_on) = probe::<Ask>(&mut graph, "large", 8)?;
//! attach_triage(&mut graph, triage, large)?;
//! let asks = graph.source(triage)?;
//! let mut test = Stepped::start(graph)?;
//!
//! let small = asks.request(|reply| Ask { number: 4, reply })?;
//! assert_eq!(test.answer(&small), 8);
//!
//! let large = asks.request(|reply| Ask { number: 40, reply })?;
//! test.run_until_idle();
//! for ask in passed_on.take() {
//!     ask.reply.respond(0); // The test answers in place of the next stage.
//! }
//! assert_eq!(test.answer(&large), 0);
//!
//! passed_on.refuse();
//! let refused = asks.request(|reply| Ask { number: 40, reply })?;
//! assert_eq!(test.loss(&refused), LossReason::Refused);
//! assert_eq!(test.refused("large", RefusalReason::Full), 1);
//! test.assert_finished();
//! # Ok(())
//! # }
//! ```
//!
//! A failed assertion of this module panics with the figures that it found. This room may import
//! all others; none of them imports it.

mod balance;
#[cfg(seda_model)]
pub mod modelled;
mod probe;
mod stepped;
mod timeline;

pub use balance::{Imbalance, assert_balanced, imbalances};
pub use probe::{Probe, probe};
pub use stepped::Stepped;
pub use timeline::Timeline;
