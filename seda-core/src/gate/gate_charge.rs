//! The charge of a request at the gates on its route.

use crate::config::Class;
use crate::gate::route::RouteIndex;

/// The charge of a request at the gates on its route, from its entry to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GateCharge {
    /// `None` for a request that passes no gate.
    pub(crate) route: Option<RouteIndex>,
    pub(crate) class: Class,
    /// The declared cost, or the measured demand of its route; 0 if the request is only counted.
    pub(crate) cost: u32,
    /// Whether the cost was declared.
    pub(crate) declared: bool,
    /// The key of its tenant; `None` for the tenant of all requests without a key.
    pub(crate) tenant: Option<u64>,
}

/// The refusal by a closed gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GateClosed {
    /// The stage of the gate.
    pub(crate) stage: usize,
}
