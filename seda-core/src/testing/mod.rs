//! Tests of handlers and graphs: no threads, no sleeping, a clock that only moves when it is told.
//!
//! The queues, workers, ledgers and controllers are the real ones ([`crate::runtime::Manual`] steps them):
//! what a test sees here is what a graph on threads does, in one of its possible orders.
//!
//! | what | for |
//! | --- | --- |
//! | [`probe`] | a stage that keeps what reaches it, in the place of any stage behind a handler |
//! | [`Stepped`] | a started graph with its clock: step it, move time, ask what became of things |
//! | [`Timeline`] | the clock and an agenda: what the outside world does, and when |
//! | [`imbalances`], [`assert_balanced`] | whether a report's ledgers balance, and what does not |
//!
//! To be testable a handler needs a function that attaches it to stages it is told:
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
//! /// Answers what is small itself and passes on what is large.
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
//!     ask.reply.respond(0); // The test answers in the next stage's place.
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
//! The helpers that assert panic when what they assert does not hold, and say what they found
//! instead: they are for tests.

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
