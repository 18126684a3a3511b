//! The limits of a gate, before classes get their guaranteed shares.

use crate::config::{PerClass, Position, StageIndex};
use crate::gate::{Limits, UNLIMITED};
use crate::monitor::Topology;

/// The limits of one gate, which belongs to one stage or to several replicas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct GateLimits {
    pub(crate) requests: Amounts,
    /// The limits in declared cost; `None` before the first declaration.
    pub(crate) costs: Option<Amounts>,
    /// Units of cost per second of service.
    pub(crate) pace: f64,
    /// Requests served at once at that pace.
    pub(crate) parallelism: f64,
}

/// By class, the amount admitted, the amount admitted if the class were alone, and the amount that
/// can be answered in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amounts {
    most: PerClass<u64>,
    alone: PerClass<u64>,
    in_time: PerClass<u64>,
}

impl Amounts {
    /// Returns whole requests, at least one.
    pub(crate) fn in_requests(limits: &PerClass<ClassLimit>) -> Self {
        // A float beyond `u64` saturates in the cast.
        let whole = |limit: f64| (limit as u64).clamp(1, UNLIMITED - 1);
        Self::map(limits, |limit| if limit.is_finite() { whole(limit) } else { UNLIMITED })
    }

    pub(crate) fn map(limits: &PerClass<ClassLimit>, amount: impl Fn(f64) -> u64) -> Self {
        Self {
            most: limits.map(|limit| amount(limit.most)),
            alone: limits.map(|limit| amount(limit.alone)),
            in_time: limits.map(|limit| amount(limit.in_time)),
        }
    }

    fn plus(self, other: Self) -> Self {
        let add = |a: PerClass<u64>, b: PerClass<u64>| {
            let mut sum = a;
            sum.iter_mut().zip(b).for_each(|(sum, b)| *sum = sum.saturating_add(b));
            sum
        };
        Self {
            most: add(self.most, other.most),
            alone: add(self.alone, other.alone),
            in_time: add(self.in_time, other.in_time),
        }
    }

    fn shared(&self, shares: &[u32]) -> Limits {
        Limits { in_time: self.in_time, ..Limits::shared(self.most, self.alone, shares) }
    }
}

/// The limit of a class in requests and parts of one; infinite without a limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClassLimit {
    pub(crate) most: f64,
    pub(crate) alone: f64,
    /// The requests that can be answered in time; infinite before the first service.
    pub(crate) in_time: f64,
}

impl GateLimits {
    /// Returns the limits of two replicas together, because a request visits either of them. A
    /// replica that has served no request counts as equal to the other.
    pub(crate) fn joined(self, other: Self) -> Self {
        let either = self.costs.or(other.costs);
        Self {
            requests: self.requests.plus(other.requests),
            costs: either
                .map(|either| self.costs.unwrap_or(either).plus(other.costs.unwrap_or(either))),
            pace: match (self.pace > 0.0, other.pace > 0.0) {
                (true, true) => (self.pace + other.pace) / 2.0,
                _ => self.pace.max(other.pace),
            },
            parallelism: self.parallelism + other.parallelism,
        }
    }

    /// Returns the limits in requests and in declared cost, each class with its guaranteed share.
    pub(crate) fn shared(&self, shares: &[u32]) -> (Limits, Limits) {
        let costs = self.costs.map_or(Limits::NONE, |costs| costs.shared(shares));
        (self.requests.shared(shares), costs)
    }
}

/// Returns the stage whose gate `stage` uses: itself, or the first of its replicas.
pub(super) fn gate_of(topology: &Topology, stage: StageIndex) -> StageIndex {
    let number = topology.core.admission.gate_number(stage.get());
    number.map_or(stage, StageIndex::declared)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(amount: u64) -> Amounts {
        let amount = PerClass::splat(amount);
        Amounts { most: amount, alone: amount, in_time: amount }
    }

    /// The limits of a gate that serves all of its requests at once.
    fn limits(requests: u64, costs: Option<u64>, pace: f64) -> GateLimits {
        GateLimits {
            requests: all(requests),
            costs: costs.map(all),
            pace,
            parallelism: requests as f64,
        }
    }

    #[test]
    fn the_limits_of_replicas_add_up() {
        let joined = limits(3, Some(300), 10.0).joined(limits(4, Some(500), 30.0));
        assert_eq!(joined, limits(7, Some(800), 20.0));
        assert_eq!(limits(3, None, 0.0).joined(limits(3, None, 0.0)), limits(6, None, 0.0));
    }

    #[test]
    fn a_replica_that_has_served_nothing_counts_as_equal_to_the_other() {
        let joined = limits(13, None, 0.0).joined(limits(3, Some(300), 10.0));
        assert_eq!(joined, limits(16, Some(600), 10.0));
        let unlimited = limits(UNLIMITED, None, 0.0).joined(limits(3, None, 0.0));
        assert_eq!(unlimited.requests, all(UNLIMITED));
    }
}
