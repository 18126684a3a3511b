//! Costs.

/// The costs of requests that a stage has served, each once, written down together with what their
/// service took. Exact: a request of the highest cost hides none of the lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServedCosts {
    pub(crate) requests: u64,
    pub(crate) cost: u128,
    /// Of the squares.
    pub(crate) squares: u128,
}

impl ServedCosts {
    /// A request more.
    pub(crate) fn count(&mut self, cost: u32) {
        self.requests += 1;
        self.cost += u128::from(cost);
        self.squares += u128::from(cost) * u128::from(cost);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.cost += other.cost;
        self.squares += other.squares;
    }
}
