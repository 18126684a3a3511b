//! Hotspot.

mod controller;
mod detector;

pub(in crate::control) use controller::HotspotController;
