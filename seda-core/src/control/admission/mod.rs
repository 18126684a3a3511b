//! The admission controller: it limits the requests inside the graph, so that bursts are served,
//! queues do not stand, and each class keeps its SLO.
//!
//! The pipeline of a tick, from the measurements to the gates:
//!
//! 1. `observation`: a stage over the last tick.
//! 2. `estimator`: estimates of the stage, smoothed, with outliers left out.
//! 3. `route_time`: the services and waits of the stages that a request visits together.
//! 4. `law` and `laws`: the limit of one class. `backlog` is the formula of the default law, and
//!    `burst` what may wait at most.
//! 5. `limiter`: the limits of all classes of a stage, with reserves for higher ones.
//! 6. `gate_limits`: the limits of a gate, which replicas share.
//! 7. `controller`: sets them, and journals changes.
//!
//! Beside it, `slo_check` and `feasibility` report SLOs that no setting can meet.

mod backlog;
mod burst;
mod controller;
mod estimator;
mod feasibility;
mod gate_limits;
mod law;
pub(crate) mod laws;
mod limiter;
mod observation;
mod route_time;
mod slo_check;

pub(in crate::control) use controller::AdmissionController;
pub(crate) use controller::MakeLaw;
pub use law::{AdmissionLaw, AdmissionObservation};
pub(in crate::control) use law::{FIRST_BURST, FIRST_QUEUE, HORIZON, MOST, bounded};
