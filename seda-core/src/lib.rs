//! Servers as graphs of typed stages that keep answering in time when they are overloaded.
//!
//! A program declares a [`Graph`]. Its nodes are [stages](Stage): a bounded queue and a
//! [`Handler`]. Events of any type enter through a [`Source`] and travel over declared, counted
//! edges, each a [`Sink`]. Workers of [pools](Pool) run the stages in batches. A [`Report`] says
//! where the time goes, and names the bottleneck.
//!
//! ```
//! use seda_core::Graph;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // 1. Declare the stages: a name, the type of its events, a capacity.
//! let mut graph = Graph::new("lengths");
//! let measure = graph.stage::<String>("measure", 64);
//! let print = graph.stage::<usize>("print", 64);
//!
//! // 2. Wire them: each sink is an edge, each closure a handler.
//! graph.attach_each(measure, |wire| {
//!     let print = wire.sink(print);
//!     move |line: String, cx| {
//!         if let Err(refused) = cx.send(&print, line.len()) {
//!             eprintln!("{refused}"); // The queue is full: the event comes back.
//!         }
//!     }
//! })?;
//! graph.attach_each(print, |_wire| |length, _cx| println!("{length}"))?;
//!
//! // 3. Start it, send events into it, drain it.
//! let lines = graph.source(measure)?;
//! let running = graph.start()?;
//! lines.send("four".to_owned())?;
//! let drained = running.drain(Duration::from_secs(5));
//! assert_eq!(drained.report.events.handled, 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - A send waits for a place only over a [`WaitingSink`] or in [`Source::send_within`], both with
//!   a limit. It is accepted, or the event comes back ([`Refused`]) with the reason.
//! - An accepted event is handled, fails, or is shed with a reason ([`LossReason`]), and is always
//!   counted.
//! - Memory and waits are bounded: each stage has a capacity, and the graph a budget.
//! - A panic costs one event or its batch; it never ends a worker.
//!
//! ```text
//!          refused                 shed
//!             ^                      ^
//!   Source ---+--> [ lanes | budget ]+--> worker: Handler --- Sink ---> next stage
//!                                               \--- Responder ---> ReplySink (answer)
//! ```
//!
//! The idea is SEDA (Welsh, Culler, Brewer, SOSP 2001). Later work adds three lessons: a stage is a
//! module boundary and a pool a concurrency boundary; a request is refused at the entry, before
//! work is spent on it; and the wait in a queue is a better signal than its length.
//!
//! # Where to go next
//!
//! | To | read |
//! | --- | --- |
//! | declare, wire and start a graph | [`Graph`], [`Wire`] |
//! | write a handler, with state or without | [`Handler`], [`each`], [`Context`] |
//! | send events from outside | [`Source`], [`SendOptions`] |
//! | answer requests | [`Request`], [`Responder`] |
//! | wait for a remote side without a thread | [`Context::defer`], [`Pending`] |
//! | set capacities, budgets, an SLO | [`GraphConfig`], [`StageConfig`], [`SloConfig`] |
//! | see the bottleneck | [`Report`], [`Running::report`] |
//! | test handlers without threads | [`testing`] |
//!
//! # The rooms of this crate
//!
//! A module imports its own room and lower ones. The control plane reads statistics and writes
//! settings; no event passes through it.
//!
//! ```text
//! testing    probes and stepped time for tests
//! graph      the builder
//! runtime    a graph that runs, is stepped, or drains
//! control    the controllers
//! monitor    topology, reports, metrics
//! ---------- control plane above, data plane below
//! worker     the worker loop and the handler's context
//! stage      a queue with its lock, ports, valve and replicas
//! pool       workers: their number, parking and slots
//! queue      lanes, ledgers, budgets, CoDel, token bucket
//! event      events, requests, refusals, losses
//! gate       admission at an entry
//! config     settings and errors
//! stats      quantiles and other statistics
//! platform   clock, synchronization, unwinding
//! ```
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
        BlockedIn, BlockedWait, Bottleneck, BottleneckKind, BudgetReport, BurstFigures,
        ClassCounts, ClassReport, EdgeReport, EdgeWindow, EventLedger, Expected, GateReport,
        GraphLoad, Holding, LockReport, MachineReport, NextBottleneck, QueueReport, RateEstimate,
        RequestLedger, Resolution, ResponseReport, ServiceReport, StageFlow, StageLimits,
        StageReport, StageWindow, WindowTimes, WorkersReport,
    };
}

/// The past seconds of a graph.
pub mod history {
    pub use crate::monitor::history::{
        ClassSecond, EdgeEnds, EdgeSecond, EventsSecond, History, RequestSecond, SecondDetail,
        SecondRecord, StageSecond, TimesSecond, WorkersSecond,
    };
}

// Unit tests name the crate as its users do.
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
    Lost, Outcome, ReplyAddress, ReplySink, Request, Responder, ResponseReceiver, StageVisit,
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
pub use stage::{Controller, CoreClaim, Decision, Stage};
#[cfg(seda_model)]
pub use testing::modelled;
#[cfg(feature = "simulation")]
pub use worker::Begun;
pub use worker::context::Context;
pub use worker::{
    Batch, DeferError, Each, FactoryError, Handler, Held, Pending, Turn, Worker, each,
};
