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

mod admission;
mod batch_size;
mod byte_room;
mod config;
mod evictions;
mod hotspot;
mod journal;
mod overload;
mod pool_size;
mod trial;
mod worker_budget;

pub(crate) use admission::Prospect;
pub(crate) use worker_budget::{Claim, share_out};

pub use admission::{AdmissionLaw, AdmissionObservation, Aimd, Credits, DrainRate, Gradient, Law};
pub use batch_size::{BatchObservation, BatchSizePolicy, SmallestBatch};
pub use config::{ControlConfig, Mode, UnknownController};
pub use hotspot::{Hotspot, HotspotChange, HotspotConfig};
pub use journal::{Controller, Decision, Journal};
pub use overload::OverloadPolicy;
pub(crate) use overload::{Arrival, Valve};
pub use pool_size::{LittlesLaw, PoolObservation, PoolSizePolicy};
