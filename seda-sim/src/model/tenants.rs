//! Chooses the tenant of each request.

use crate::base::rng::{Purpose, Rng};
use crate::base::time::nanos;
use crate::spec::{NewKeys, Spec};

/// The tenant of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tenant {
    pub(crate) key: u64,
    /// Its index by rank; one behind the last for all new keys.
    pub(crate) index: u32,
}

/// Draws tenants by their rates.
#[derive(Debug)]
pub(crate) struct TenantChoice {
    /// Cumulative shares of the tenants, by rank.
    until: Vec<f64>,
    new_keys: Option<NewKeys>,
    /// New keys so far.
    made_up: u64,
    rng: Rng,
}

impl TenantChoice {
    /// Returns the choice among the tenants of a spec; `None` if it has none.
    pub(crate) fn of(spec: &Spec, seed: u64) -> Option<Self> {
        let tenants = spec.tenants.as_ref()?;
        let weights = tenants.weights();
        let all: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let until = weights.iter().map(|weight| {
            sum += weight / all;
            sum
        });
        Some(Self {
            until: until.collect(),
            new_keys: tenants.new_keys,
            made_up: 0,
            rng: Rng::new(seed, Purpose::Tenants),
        })
    }

    /// Draws the tenant of a request at `now`.
    pub(crate) fn draw(&mut self, now: u64) -> Tenant {
        let count = self.until.len();
        let new = self.new_keys.filter(|new| now >= nanos(new.from));
        if new.is_some_and(|new| self.rng.unit() < new.share) {
            self.made_up += 1;
            return Tenant { key: count as u64 + self.made_up, index: count as u32 };
        }
        let drawn = self.rng.unit();
        // Rounding may leave the sum a little below 1.
        let index = self.until.partition_point(|until| *until <= drawn).min(count - 1);
        Tenant { key: index as u64, index: index as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_are_drawn_by_their_rates_and_new_keys_are_never_the_same() {
        let text = "arrivals.rate = 1.0\n[tenants]\ncount = 3\nheavy = { rank = 3, times = 10.0 }\n\
                    new_keys = { share = 0.5, from = '1s' }\n[[stage]]\nname = 'a'\ncapacity = 1\n\
                    demand = { kind = 'deterministic', mean = '1ms' }";
        let mut choice = TenantChoice::of(&text.parse().unwrap(), 1).unwrap();
        let mut drawn = [0.0; 4];
        (0..29_000).for_each(|_| drawn[choice.draw(0).index as usize] += 1.0);
        let expected: [f64; 4] = [6_000.0, 3_000.0, 20_000.0, 0.0];
        assert!(drawn.iter().zip(expected).all(|(n, e)| (n - e).abs() <= 0.05 * e), "{drawn:?}");
        let later: Vec<_> = (0..1_000).map(|_| choice.draw(1_000_000_000)).collect();
        let mut new: Vec<_> = later.iter().filter(|t| t.index == 3).map(|t| t.key).collect();
        new.dedup();
        assert!((400..600).contains(&new.len()) && new.iter().all(|key| *key > 2), "{new:?}");
    }
}
