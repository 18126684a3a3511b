//! Admission.

mod controller;
mod estimator;
mod feasibility;
mod gate_limits;
mod law;
pub(crate) mod laws;
mod limiter;
mod observation;
mod slo_check;

pub(in crate::control) use controller::AdmissionController;
pub(crate) use controller::MakeLaw;
pub use law::{AdmissionLaw, AdmissionObservation};
pub(in crate::control) use law::{FIRST_QUEUE, MOST, bounded};
