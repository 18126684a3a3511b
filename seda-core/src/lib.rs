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
//!                                               \--- Responder ---> ReplySink (answer)
//! ```
//!
#![forbid(unsafe_code)]

#[cfg(doctest)]
mod compile_fail;
mod config;
pub mod control;
mod event;
mod gate;
mod graph;
mod monitor;
mod platform;
mod pool;
mod queue;
mod runtime;
mod stage;
pub mod stats;
pub mod testing;
mod worker;

/// The parts of a [`Report`].
pub mod report {
    pub use crate::monitor::report::{
        Bottleneck, BudgetReport, ClassReport, EdgeReport, EventLedger, GateReport, QueueReport,
        RequestLedger, Resolution, ResponseReport, ServiceReport, StageReport, WorkersReport,
    };
}

// The tests' own checks speak of the crate by its name.
#[cfg(test)]
extern crate self as seda_core;

pub use config::units;
pub use config::{
    Balance, Class, ClassSlo, CodelConfig, CodelLaw, ControlConfig, GraphConfig, GraphError,
    GraphWarning, HotspotConfig, Law, Mode, OverloadPolicy, ParseWordError, PoolConfig, RateConfig,
    ReconfigureError, Replicas, SettingChange, SettingFault, SettingsError, SloConfig, StageConfig,
    UnknownController, WorkerRange, WorkerRangeError,
};
pub use event::request::{
    Lost, Outcome, ReplyAddress, ReplySink, Request, Responder, ResponseReceiver,
};
pub use event::{EventMeta, LossReason, Refusal, RefusalReason, Refused, SHARDS};
pub use gate::{Route, StageId};
pub use graph::{Graph, Wire};
pub use monitor::report::Report;
pub use platform::{Clock, ManualClock, MonotonicClock, Time};
pub use pool::{CondvarPark, Park, Pool, Unpark};
pub use runtime::{Drained, LeftOver, Manual, Running, Snapshots};
pub use stage::ports::{Permits, SendOptions, Sink, Source, WaitingSink};
pub use stage::replicas::Balancer;
pub use stage::{Controller, Decision, Stage};
#[cfg(seda_model)]
pub use testing::modelled;
#[cfg(feature = "simulation")]
pub use worker::Begun;
pub use worker::context::Context;
pub use worker::{
    Batch, DeferError, Each, FactoryError, Handler, Held, Pending, Turn, Worker, each,
};
