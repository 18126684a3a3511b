//! The fairness among tenants: their served requests against the water level.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The requests of one tenant, or of all new keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TenantTally {
    pub(crate) offered: u64,
    pub(crate) served: u64,
    pub(crate) refused: u64,
}

/// How the requests of the window were served, by tenant.
///
/// The *water level* is the number of requests per tenant that makes the max-min fair division of
/// all served requests: a tenant that asked for less was to be served in full, and each other
/// tenant was to get the level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TenantFairness {
    /// The water level, in requests per second.
    pub level_per_second: f64,
    /// The tenants that asked for no more than the level.
    pub below: BelowLevel,
    /// The tenants that asked for more.
    pub above: AboveLevel,
    /// The served requests with a new key each, as a share of the level. `None` without any.
    pub new_keys: Option<f64>,
}

/// The tenants that asked for no more than the water level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BelowLevel {
    /// Their number.
    pub tenants: u64,
    /// Their requests.
    pub requests: u64,
    /// The share of these requests that was refused, 0 to 1.
    pub refused_share: f64,
}

/// The tenants that asked for more than the water level. Their served requests are shares of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AboveLevel {
    /// Their number.
    pub tenants: u64,
    /// Of the tenant that was served least.
    pub least: f64,
    /// The mean.
    pub mean: f64,
    /// Of the tenant that was served most.
    pub most: f64,
    /// Of the tenant that asked for most.
    pub heaviest: f64,
}

impl TenantFairness {
    /// Returns the fairness of a window; `None` without tenants. The last tally is that of all new
    /// keys.
    pub(crate) fn of(tenants: &[TenantTally], seconds: f64) -> Option<Self> {
        let (new, known) = tenants.split_last()?;
        let level = level(tenants);
        let mut below = BelowLevel::default();
        let mut above = AboveLevel { least: f64::INFINITY, ..AboveLevel::default() };
        let (mut refused, mut most_offered) = (0, 0);
        for tenant in known.iter().filter(|tenant| tenant.offered > 0) {
            if tenant.offered as f64 <= level {
                below.tenants += 1;
                below.requests += tenant.offered;
                refused += tenant.refused;
                continue;
            }
            let share = tenant.served as f64 / level;
            above.tenants += 1;
            above.mean += share;
            above.least = above.least.min(share);
            above.most = above.most.max(share);
            if tenant.offered > most_offered {
                (most_offered, above.heaviest) = (tenant.offered, share);
            }
        }
        if above.tenants == 0 {
            above.least = 0.0;
        }
        above.mean /= above.tenants.max(1) as f64;
        below.refused_share = refused as f64 / below.requests.max(1) as f64;
        let new_keys = (new.offered > 0).then(|| new.served as f64 / level);
        Some(Self { level_per_second: level / seconds, below, above, new_keys })
    }
}

/// Returns the level at which all tenants together, each with no more than it asked for, get the
/// requests that were served.
fn level(tenants: &[TenantTally]) -> f64 {
    let mut left = tenants.iter().map(|tenant| tenant.served).sum::<u64>() as f64;
    let mut offered: Vec<u64> = tenants.iter().map(|tenant| tenant.offered).collect();
    offered.sort_unstable();
    let mut sharing = offered.len() as f64;
    for offered in offered {
        let share = left / sharing;
        if offered as f64 > share {
            return share;
        }
        left -= offered as f64;
        sharing -= 1.0;
    }
    f64::INFINITY
}

impl fmt::Display for TenantFairness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { level_per_second, below, above, new_keys } = self;
        let refused = below.refused_share * 100.0;
        write!(
            f,
            "water level {level_per_second:.2}/s; {} below it, {refused:.3} % refused; {} above \
             it, served {:.3} to {:.3} of it, mean {:.3}, heaviest {:.3}",
            below.tenants, above.tenants, above.least, above.most, above.mean, above.heaviest
        )?;
        match new_keys {
            Some(share) => write!(f, "; all new keys {share:.3}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(offered: u64, served: u64) -> TenantTally {
        TenantTally { offered, served, refused: offered - served }
    }

    #[test]
    fn the_level_divides_the_served_requests_max_min_fairly() {
        let tenants = [tally(10, 10), tally(20, 18), tally(100, 40), tally(900, 36), tally(0, 0)];
        let fair = TenantFairness::of(&tenants, 10.0).unwrap();
        // 104 were served: 10 and 20 for the small ones, and 37 for each of the others.
        assert_eq!(fair.level_per_second, 3.7);
        assert_eq!((fair.below.tenants, fair.below.requests), (2, 30));
        assert_eq!(fair.below.refused_share, 2.0 / 30.0);
        assert_eq!((fair.above.tenants, fair.above.most), (2, 40.0 / 37.0));
        assert_eq!((fair.above.least, fair.above.heaviest), (36.0 / 37.0, 36.0 / 37.0));
        assert_eq!(fair.new_keys, None);
    }

    #[test]
    fn all_new_keys_together_are_one_tenant_of_the_level() {
        let tenants = [tally(10, 10), tally(100, 45), tally(1_000_000, 45)];
        let fair = TenantFairness::of(&tenants, 1.0).unwrap();
        assert_eq!((fair.level_per_second, fair.new_keys), (45.0, Some(1.0)));
    }

    #[test]
    fn without_refusals_every_tenant_is_below_the_level() {
        let fair = TenantFairness::of(&[tally(10, 10), tally(3, 3), tally(0, 0)], 1.0).unwrap();
        assert_eq!((fair.below.tenants, fair.above), (2, AboveLevel::default()));
        assert_eq!(TenantFairness::of(&[], 1.0), None);
    }
}
