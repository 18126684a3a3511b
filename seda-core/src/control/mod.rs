//! The control plane: it reads statistics, writes settings, and journals every decision.
//!
//! A program can replace three policies, each pure and called once per tick:
//!
//! - [`PoolSizePolicy`] sets the number of workers of a pool.
//! - [`BatchSizePolicy`] sets how many events a worker takes at once.
//! - [`AdmissionLaw`] sets how many requests may be inside for a stage.
//!
//! Each controller is `on`, `observe` (it decides and journals but changes nothing) or `off`.
//
// A folder or file for each controller; `plane` calls them in order. This room imports the monitor
// and the data plane. It is not on the path of events: code that runs once per event belongs below.

pub(crate) mod admission;
mod aqm;
pub(crate) mod batch_size;
mod expiry;
pub(crate) mod hotspot;
mod outstanding;
mod plane;
pub(crate) mod pool_size;
mod reconfigure;
mod tick;
mod valve;
mod watch;

pub(crate) use admission::MakeLaw;
pub(crate) use plane::{ControlPlane, Policies};

pub use admission::{AdmissionLaw, AdmissionObservation};
pub use batch_size::{BatchObservation, BatchSizePolicy};
pub use pool_size::{PoolObservation, PoolSizePolicy};
