//! The control plane: reads statistics, writes settings, and keeps a journal of both.
//!
//! - [`PoolSizePolicy`]: how many workers a pool should have; pure, replaceable.
//! - [`BatchSizePolicy`]: how many events a worker should take at once; pure, replaceable.
//! - [`AdmissionLaw`]: how many requests may be under way for a stage; pure, replaceable.
//! - [`Hotspot`]: which stage is hot, not for a moment and not one that is cooling already.
//! - [`OverloadPolicy`]: who gives way when the graph's budget is reached; the valve acts on it.
//! - [`Journal`]: every decision, with what was seen and what it changed.
//!
//! Each controller is `on`, `observe` (decides and journals, changes nothing) or `off`.

pub(crate) mod admission;
mod aqm;
pub(crate) mod batch_size;
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
