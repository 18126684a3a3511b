//! Gate charge.

use crate::config::Class;

/// What a request counts as at the gates on its route, from its entry to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GateCharge {
    pub(crate) route: u16,
    pub(crate) class: Class,
    /// What it declared to cost, or its route was measured to take; 0 if it is only counted.
    pub(crate) cost: u32,
    /// Whether it declared that.
    pub(crate) declared: bool,
}

/// A shut gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GateClosed {
    /// Whose it is.
    pub(crate) stage: usize,
}
