//! The hotspot controller: it flags pools of high and lasting utilization.

mod controller;
mod detector;

pub(in crate::control) use controller::HotspotController;
