//! The charge of a request at the gates on its route.

use crate::config::Class;
use crate::gate::cost::{Cost, CostUnit};
use crate::gate::per_gate::PerGate;
use crate::gate::route::RouteIndex;

/// The charge of a request at the gates on its route, from its entry to its end.
///
/// It keeps the gates and the costs of its entry, so that each gate is credited exactly, even if
/// costs and measured routes change meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GateCharge {
    /// `None` for a request that passes no gate.
    pub(crate) route: Option<RouteIndex>,
    pub(crate) class: Class,
    /// The gates that it passes.
    pub(crate) costs: PerGate<GateCost>,
    /// Whether its service is measured.
    pub(crate) measured: bool,
    /// Whether the stages that it visits are recorded, because its route is measured.
    pub(crate) learns: bool,
    /// Whether it has declared its cost.
    pub(crate) declared: bool,
    /// The key of its tenant; `None` for the tenant of all requests without a key.
    pub(crate) tenant: Option<u64>,
}

/// The cost of a request at one gate on its route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct GateCost {
    /// The stage of the gate.
    pub(crate) gate: usize,
    /// The place of the gate on the route.
    pub(crate) place: usize,
    pub(crate) cost: Cost,
}

impl GateCharge {
    /// Returns the charge of a request that passes no gate.
    pub(crate) fn none(class: Class) -> Self {
        Self {
            route: None,
            class,
            costs: PerGate::default(),
            measured: false,
            learns: false,
            declared: false,
            tenant: None,
        }
    }

    /// Returns the gates that the request passes.
    pub(crate) fn costs(&self) -> &[GateCost] {
        self.costs.as_slice()
    }

    /// Returns the number of a gate among those passed, and its cost; `None` if it is not passed.
    pub(crate) fn at(&self, gate: usize) -> Option<(usize, Cost)> {
        let mut costs = self.costs().iter().enumerate();
        costs.find_map(|(number, at)| (at.gate == gate).then_some((number, at.cost)))
    }

    /// Returns whether the request has declared its cost at a gate, in the unit of that gate.
    pub(crate) fn declares_at(&self, at: &GateCost) -> bool {
        self.declared && at.cost.unit == CostUnit::Declared
    }

    /// Returns whether the request has a cost at some gate.
    pub(crate) fn weighs(&self) -> bool {
        self.costs().iter().any(|at| at.cost.amount > 0)
    }
}

/// The refusal by a closed gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GateClosed {
    /// The stage of the gate.
    pub(crate) stage: usize,
}
