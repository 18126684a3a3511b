//! The tenants that requests are sent for.

use crate::spec::bounds::{TIME, check_duration, check_share};
use crate::spec::error::SpecError;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The largest number of tenants, because each is counted.
const MAX_TENANTS: u32 = 1_000_000;

/// The tenants of a spec. The entry gets the key of each request's tenant
/// ([`seda_core::SendOptions::tenant`]).
///
/// ```
/// use seda_sim::spec::TenantsSpec;
///
/// let tenants: TenantsSpec = toml::from_str("count = 2\nheavy = { rank = 2, times = 10.0 }")?;
/// assert_eq!(tenants.weights(), [1.0, 5.0]);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TenantsSpec {
    /// The number of tenants, 1 to 1,000,000.
    pub count: u32,
    /// The exponent of Zipf's law, 0 to 10: the tenant of rank k sends k^-zipf times the requests
    /// of the first one. 0: all tenants send the same.
    #[serde(default = "default_zipf")]
    pub zipf: f64,
    /// A tenant that sends a multiple of its requests. `None`: no tenant does.
    #[serde(default)]
    pub heavy: Option<HeavyTenant>,
    /// Requests with a new key each. `None`: there are none.
    #[serde(default)]
    pub new_keys: Option<NewKeys>,
}

/// A tenant that sends a multiple of its requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeavyTenant {
    /// Its rank, from 1 to the number of tenants.
    pub rank: u32,
    /// The multiple, 0 to 1,000,000.
    pub times: f64,
}

/// Requests that have a new key each, as of a client that makes up its keys.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKeys {
    /// Their share of all requests, 0 to 1.
    pub share: f64,
    /// The time at which they begin, from the beginning of the run, 0 to 100 days.
    #[serde(default, with = "humantime_serde")]
    pub from: Duration,
}

/// Zipf's law as it is usually found.
fn default_zipf() -> f64 {
    1.0
}

impl TenantsSpec {
    /// Returns the relative rate of each tenant, by rank.
    pub fn weights(&self) -> Vec<f64> {
        let heavy = |rank: u32| match self.heavy {
            Some(heavy) if heavy.rank == rank => heavy.times,
            _ => 1.0,
        };
        (1..=self.count).map(|rank| heavy(rank) * f64::from(rank).powf(-self.zipf)).collect()
    }

    pub(in crate::spec) fn check(&self) -> Result<(), SpecError> {
        if !(1..=MAX_TENANTS).contains(&self.count) {
            return Err(SpecError::value("tenants.count", self.count, "1 to 1000000"));
        }
        check_share("tenants.zipf", self.zipf, 10.0)?;
        if let Some(heavy) = self.heavy {
            if !(1..=self.count).contains(&heavy.rank) {
                let allowed = format!("1 to {}, the number of tenants", self.count);
                return Err(SpecError::value("tenants.heavy.rank", heavy.rank, allowed));
            }
            check_share("tenants.heavy.times", heavy.times, 1e6)?;
        }
        if self.weights().iter().sum::<f64>() <= 0.0 {
            let allowed = "above 0 for the only tenant";
            return Err(SpecError::value("tenants.heavy.times", 0, allowed));
        }
        match self.new_keys {
            Some(new) => {
                check_share("tenants.new_keys.share", new.share, 1.0)?;
                check_duration("tenants.new_keys.from", new.from, TIME)
            }
            None => Ok(()),
        }
    }
}
