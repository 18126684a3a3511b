//! Sums over the costs of served requests.

/// The costs of the requests that a stage served, each counted once, together with its service
/// time. The sums are exact: a request of the highest cost hides none of the lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServedCosts {
    pub(crate) requests: u64,
    /// The sum of the costs.
    pub(crate) cost: u128,
    /// The sum of the squares of the costs.
    pub(crate) squares: u128,
}

impl ServedCosts {
    /// Counts one request.
    pub(crate) fn count(&mut self, cost: u32) {
        self.requests += 1;
        self.cost += u128::from(cost);
        self.squares += u128::from(cost) * u128::from(cost);
    }

    /// Adds the sums of `other`.
    pub(crate) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.cost += other.cost;
        self.squares += other.squares;
    }
}
