//! Hotspot.

mod controller;
mod detector;

pub use detector::{Hotspot, HotspotChange};
