//! The admission controller: it limits the requests inside the graph, so that each class keeps its
//! SLO.
//!
//! The pipeline of a tick, from the measurements to the gates:
//!
//! 1. `observation`: a stage over the last tick.
//! 2. `estimator`: estimates of the stage, smoothed, with outliers left out.
//! 3. `law` and `laws`: the limit of one class.
//! 4. `limiter`: the limits of all classes of a stage, with reserves for higher ones.
//! 5. `gate_limits`: the limits of a gate, which replicas share.
//! 6. `in_time`: what can be answered in time, which is the room for bursts of small tenants.
//! 7. `controller`: sets both, and journals changes.
//!
//! Beside it, `slo_check` and `feasibility` report SLOs that no setting can meet.

mod controller;
mod estimator;
mod feasibility;
mod gate_limits;
mod in_time;
mod law;
pub(crate) mod laws;
mod limiter;
mod observation;
mod slo_check;

pub(in crate::control) use controller::AdmissionController;
pub(crate) use controller::MakeLaw;
pub use law::{AdmissionLaw, AdmissionObservation};
pub(in crate::control) use law::{FIRST_QUEUE, MOST, bounded};
