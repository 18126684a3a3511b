//! The control plane of seda around and inside services of tower: an axum, tonic or hyper server
//! keeps its throughput and its response times under overload.
//!
//! ```
//! use axum::{Router, routing::get};
//! use seda_tower::Admission;
//!
//! let app: Router = Router::new()
//!     .route("/", get(|| async { "hello" }))
//!     .layer(Admission::new()); // Nothing else has to be set.
//! # let _ = app;
//! ```
//!
//! # What there is
//!
//! | to | use |
//! | --- | --- |
//! | decide which requests get in, and how many run at once | [`Admission`], a layer |
//! | run closures that block or compute | [`Blocking`], in place of `spawn_blocking` |
//! | ask a stage from async code | [`StageService`], with events of type [`Call`] |
//! | run a service, a client or a router, inside a stage | [`stage()`] |
//! | see report, graph, metrics and history | [`AdminService`] |
//! | end a server: lame duck, stop, drain | [`Drain`] |
//!
//! # Runtimes
//!
//! The crate polls futures on any runtime. With the feature `tokio`, on by default, the layer
//! counts the threads of the runtime in which it starts, and lets that runtime look at its sockets
//! between two services. Without it the layer assumes a thread for each core. On a runtime of one
//! thread, start the layer on that runtime: [`Admission::start`].
//!
//! # The rooms of this crate
//!
//! A module imports its own room and lower ones.
//!
//! | room | holds |
//! | --- | --- |
//! | `drain` | the end of a server |
//! | `stage` | stages as services, services in stages |
//! | `admission` | the layer: its queue, its places, its refusals |
//! | `admin` | the admin side as a service |
//! | `slot` | the place of a value that a future waits for |
//! | `runtime` | what differs between runtimes |

#![forbid(unsafe_code)]

mod admin;
mod admission;
#[cfg(feature = "tokio")]
mod drain;
mod runtime;
mod slot;
mod stage;

pub use admin::{AdminFuture, AdminResponseBody, AdminService};
pub use admission::{
    Admission, AdmissionService, GrpcStatus, RequestHead, ResponseBody, ResponseFuture,
};
#[cfg(feature = "tokio")]
pub use drain::{Drain, Ended, Stop};
pub use stage::{Answer, Blocking, Call, ServiceHandler, StageError, StageService, Task, stage};
