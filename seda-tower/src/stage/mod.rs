//! Stages and services: a stage as a service, and a service inside a stage.
//!
//! - `call`: the event, a request with its responder;
//! - `service`: a stage as a service of tower;
//! - `answer`: the future of an answer, and why there may be none;
//! - `blocking`: a stage for closures that block;
//! - `handler`: a service inside a deferring stage.

mod answer;
mod blocking;
mod call;
mod handler;
mod service;

pub use answer::{Answer, StageError};
pub use blocking::Blocking;
pub use call::Call;
pub use handler::{ServiceHandler, Task, stage};
pub use service::StageService;
