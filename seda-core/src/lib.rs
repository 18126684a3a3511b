//! The core of seda: servers as graphs of typed stages that stay well-conditioned under load.
//!
//! A program is a graph. Its nodes are [stages](Stage): a bounded queue and a [`Handler`]. Events
//! of any type travel over declared, counted edges ([`Sink`]). Workers of [pools](Pool) run the
//! stages in batches. Nothing inside ever waits for room: a send is taken or comes back
//! ([`Refused`]), and an accepted event is handled, failed, or given up with a reason, always
//! counted. That makes overload an ordinary state: memory is bounded, delays are bounded, and a
//! [`Report`] says where the time goes.
//!
//! The idea is SEDA (Welsh, Culler, Brewer, SOSP 2001), with what was learned since: a stage is a
//! module boundary and a pool a concurrency boundary, refusal belongs at the entry, and time in
//! the queue is the better signal than its length.
//!
//! ```text
//!          refused                 shed
//!             ^                      ^
//!   Source ---+--> [ lanes | budget ]+--> worker: Handler --- Sink ---> next stage
//!                                               \--- Responder ---> Home (answer)
//! ```
//!
//! # The rooms
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`clock`] | time, injected |
//! | [`event`] | class, deadline, birth: what travels with a value |
//! | [`request`] | an answer that is owed, and its reserved way home |
//! | `queue` | lanes, ledger, budget: plain data structures |
//! | `stage` | a queue under its lock, and everything that happens to it |
//! | [`source`], [`sink`], [`permits`] | the ways into a stage |
//! | [`handler`], [`context`], [`pending`] | user code and what it can do |
//! | [`slo`], [`admission`] | what was promised; routes and gates: who may enter |
//! | `boundary` | what keeps a panic from going further |
//! | `runner`, `stage_share`, [`worker`], `idle`, [`park`] | one stage on one worker; the loop; sleeping and waking |
//! | [`replicas`] | n copies of a stage, and the choice among them |
//! | [`pool`] | how many workers, and for which stages |
//! | [`graph`] | declaring, wiring, checking |
//! | `engine`, `monitor`, [`control`] | the control plane: collect, decide, set |
//! | `sight`, `estimate` | a stage over the last tick; what the ticks have told of it |
//! | `sizing`, `outstanding`, `batching` | from what was seen to pools, places outside and batches |
//! | `limits`, `limiter`, `gate_limits`, `promises` | from what was seen to limits of gates; promises that cannot be kept |
//! | [`gate`] | a verdict per event: token bucket, CoDel |
//! | `hotspots`, `standing` | the watch for hot pools; what was done about queues that stood |
//! | [`written`] | how settings are written in files |
//! | `reconfigure` | new settings for a graph that runs |
//! | [`report`], `export` | what it all looked like |
//! | [`running`] | a graph on threads, or stepped by hand; draining it |
//! | [`testing`] | probes, a timeline, assertions: tests of handlers and graphs |
//! | [`error`], [`refusal`], [`loss`] | what can go wrong, in words |

#![forbid(unsafe_code)]

pub mod admission;
mod batching;
mod boundary;
pub mod clock;
pub mod context;
pub mod control;
mod disposal;
mod engine;
pub mod error;
mod estimate;
pub mod event;
mod export;
pub mod gate;
mod gate_limits;
pub mod graph;
pub mod handler;
mod headcount;
pub mod held;
mod hotspots;
mod idle;
mod label;
mod limiter;
mod limits;
pub mod loss;
#[cfg(doctest)]
mod misuse;
mod monitor;
mod outstanding;
pub mod park;
pub mod pending;
pub mod permits;
pub mod pool;
mod promises;
mod queue;
mod reconfigure;
pub mod refusal;
pub mod replicas;
pub mod report;
pub mod request;
mod runner;
pub mod running;
mod sight;
pub mod sink;
mod sizing;
pub mod slo;
pub mod source;
pub mod stage;
mod stage_share;
mod standing;
pub mod stats;
mod sync;
mod tally;
pub mod testing;
pub mod worker;
pub mod written;

// The tests' own checks speak of the crate by its name.
#[cfg(test)]
extern crate self as seda_core;
#[cfg(test)]
mod finishing_tests;
#[cfg(test)]
mod lost_event_tests;

pub use admission::{Route, StageId};
pub use clock::{Clock, ManualClock, MonotonicClock, Time};
pub use context::Context;
pub use control::{ControlConfig, Controller, Decision, Mode, OverloadPolicy};
pub use error::{GraphError, GraphWarning};
pub use event::{Class, EventMeta};
pub use graph::{Change, Graph, GraphConfig, PoolConfig, Wire};
pub use handler::{Batch, Each, FactoryError, Handler, each};
pub use held::Held;
pub use label::SHARDS;
pub use loss::LossReason;
pub use park::{CondvarPark, Park, Unpark};
pub use pending::{DeferError, Pending};
pub use permits::Permits;
pub use pool::{Pool, WorkerRange};
pub use refusal::{Refusal, RefusalReason, Refused};
pub use replicas::{Balance, Chooser, Replicas};
pub use report::Report;
pub use request::{Address, Home, Lost, Outcome, Request, Responder, Ticket};
pub use running::{Drained, Manual, Running, Snapshots};
pub use sink::{Sink, WaitingSink};
pub use slo::{ClassSlo, SloConfig};
pub use source::{Source, Terms};
pub use stage::{Stage, StageConfig};
pub use worker::{Begun, Turn, Worker};
