//! Hotspot.

mod controller;
mod detector;

pub(crate) use detector::Hotspot;
