//! Response times by route, method, class and status.
//!
//! Each reactor writes series of its own, without a lock and without an atomic read-modify-write:
//! it is their only writer. A series is made at its first request, under the lock of the registry,
//! which readers share. The number of series is bounded; requests beyond it are counted together.
//!
//! ```text
//! head ─▶ Label ─┐
//! answer, status ┴▶ TimeRecorder: Series ◀── (registry) ── TimeRegistry::read ◀── metrics
//! ```
//!
//! | file | holds |
//! | --- | --- |
//! | `label` | `Label`: the route, the method and the class of a request, with its begin |
//! | `series` | `Series`: the times of the requests with one key |
//! | `registry` | `TimeRegistry`: all series of a server |
//! | `recorder` | `TimeRecorder`: the side of a reactor |
//! | `trace` | `ExchangeTrace`: the span of one request, and the times that its answer tells |

mod label;
mod recorder;
mod registry;
mod series;
mod trace;

pub(super) use label::{Label, RouteLabel};
pub(super) use recorder::TimeRecorder;
pub(super) use registry::TimeRegistry;
pub(super) use trace::ExchangeTrace;
