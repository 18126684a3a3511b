//! The queue of a stage and the budget of the graph, as plain data.
//!
//! The room holds data structures without locks or threads, stepped by an explicit `now`. It may
//! import `event`, `gate`, `config`, `stats` and `platform`. The lock around a queue, wake-ups and
//! user code belong to `stage`; decisions per tick belong to `control`.
//!
//! - `Lanes`: a stage's queue with its ledger. One critical section moves a whole batch.
//!   - `ClassLanes`: one lane per class, in weighted round robin; `Shards` order a keyed stage.
//!   - `Places`: queued, reserved and free places, within the capacity.
//!   - `RateLimit`: the declared limit on the rate.
//!   - `Aqm`: queue management at dequeue.
//!   - `Ledger`, `Occupancy`, `ByteCount`: counts that are exact in every cut.
//! - `VictimFilter`, `Evict`: which queued events are shed to make room.
//! - `Budget`, `ByteBudget`: bounds on the events, and on their bytes, of the whole graph.
//!
//! A lane is a `VecDeque` under the stage's lock. In `cargo bench -p benches --bench queue` it is
//! faster than channels wherever batches meet several threads. Crossbeam's channel is faster only
//! where a single pair of threads passes single events, which workers under load do not do
//! (docs/performance.md). Besides, only a structure under a lock can evict from its middle, weigh
//! classes, and count everything in one cut.
//!
//! # Decisions per event
//!
//! A policy of `control` runs once per tick and changes settings. Two mechanisms of a queue decide
//! about each event: plain `&mut self` with the time as an argument, no lock, no allocation, no
//! failure. The same questions get the same answers from a worker and from a simulator.
//!
//! | mechanism | decides | returns | bounds |
//! | --- | --- | --- | --- |
//! | `TokenBucket` | at the entry | whether the events may enter | the rate and the burst |
//! | `Codel` | at dequeue | whether the event is shed | the time in a standing queue |
//!
//! Neither finds the right level by itself. A rate is declared. CoDel backs up a limit at the entry
//! and does not replace it, because a shed event has already cost its way to the queue.
//!
//! Both have bounds of their own, so that neither can shut off a stage for good: a rate is never
//! zero, and CoDel may shed only a capped share of each interval.

mod aqm;
mod budget;
mod byte_budget;
mod byte_count;
mod class_lanes;
mod codel;
#[cfg(test)]
mod codel_tests;
mod emptiness;
mod expiry;
mod lane;
mod lanes;
mod ledger;
mod occupancy;
mod places;
mod rate_limit;
mod shards;
mod victim;

pub(crate) use aqm::AqmState;
pub(crate) use budget::Budget;
pub(crate) use byte_budget::ByteBudget;
pub(crate) use lanes::Lanes;
pub(crate) use ledger::{ClassLedger, Outcome};
pub(crate) use shards::Shards;
pub(crate) use victim::{Evict, Shed, VictimFilter};
