//! Where events wait: bounded lanes, one per class, and the graph's budget.
//!
//! - [`Lanes`]: a stage's queue as a plain data structure, without locks or threads; the lock
//!   around it lives in the stage, and one critical section moves a whole batch.
//!   `entrance` has whom it lets in, `taking` what a worker takes of it, `eviction` what the valve does.
//! - `Ledger`: the stage's counts, kept inside the same critical sections, so that they are
//!   exact in every cut.
//! - [`Budget`]: how many events the whole graph may hold.
//!
//! A lane is a `VecDeque` under the stage's one lock. `cargo bench -p benches --bench queue` shows
//! it ahead of channels wherever batches meet several threads, and behind crossbeam's where a
//! single pair on two cores passes single events, which workers do not do under load
//! (docs/performance.md). And only a structure under a lock can evict from its middle, weigh
//! classes, and count everything in the same cut.

mod aqm;
mod budget;
mod byte_budget;
mod codel;
#[cfg(test)]
mod codel_tests;
mod dequeue;
mod entry_limits;
mod evict;
mod labels;
mod lane;
mod lanes;
mod ledger;
mod occupancy;
mod shards;
mod token_bucket;
#[cfg(test)]
mod token_bucket_tests;

pub(crate) use aqm::AqmState;
pub(crate) use budget::Budget;
pub(crate) use byte_budget::ByteBudget;
pub(crate) use evict::{Evict, Shed, VictimFilter};
pub(crate) use lanes::Lanes;
pub(crate) use ledger::{ClassLedger, Outcome};
pub(crate) use shards::Shards;
