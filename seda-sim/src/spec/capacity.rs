//! The capacity of a spec's graph by the operational laws: visits, demands, and the load at which
//! the first resource is full.

use super::Spec;
use super::stage::StageSpec;

/// Powers of the routing matrix that are summed. After 500 visits, a request that circles with
/// probability 0.9 counts less than 1e-20.
const ROUNDS: usize = 500;

/// The load at which a graph is full, and the resource that is full then.
///
/// ```
/// use seda_sim::{Capacity, Spec};
///
/// let spec: Spec = r#"
///     cores = 1
///     arrivals = { rate = 1.0 }
///     [[stage]]
///     name = "serve"
///     capacity = 10
///     workers = 4
///     demand = { kind = "exponential", mean = "2ms" }
/// "#.parse()?;
/// let capacity = Capacity::of(&spec);
/// assert_eq!((capacity.limit.as_str(), capacity.per_second), ("the cores", 500.0));
/// # Ok::<(), seda_sim::SpecError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Capacity {
    /// Requests per second at which the graph is full.
    pub per_second: f64,
    /// The pool or stage that is full then, `the hot key of` or `the places
    /// outside of` one, or `the cores`.
    pub limit: String,
    /// Mean visits of a request to each stage, in order of declaration.
    pub visits: Vec<f64>,
}

impl Capacity {
    /// Returns the capacity with all pools at their largest size, without faults, retries
    /// and refusals.
    pub fn of(spec: &Spec) -> Self {
        let visits = visits(&spec.stages);
        let cpu: f64 = spec
            .stages
            .iter()
            .zip(&visits)
            .map(|(stage, visits)| demand(stage, *visits) * stage.cpu_share)
            .sum();
        let mut resources = vec![("the cores".to_owned(), spec.cores as f64 / cpu)];
        // Own pools, and the caps of stages in shared pools.
        for (stage, visits) in spec.stages.iter().zip(&visits) {
            if stage.pool.is_none() {
                let servers = stage.replicas.unwrap_or(1) as f64 * own_workers(stage, spec);
                resources.push((stage.name.clone(), servers / demand(stage, *visits)));
            } else if let Some(cap) = stage.cap {
                resources.push((stage.name.clone(), cap as f64 / demand(stage, *visits)));
            }
        }
        // The shard of a hot key has one worker at a time.
        for (stage, visits) in spec.stages.iter().zip(&visits) {
            let share = stage.hot_key.filter(|share| *share > 0.0);
            resources.extend(share.map(|share| {
                let shard = format!("the hot key of {}", stage.name);
                (shard, 1.0 / (share * demand(stage, *visits)))
            }));
        }
        // The places outside.
        for (stage, visits) in spec.stages.iter().zip(&visits) {
            let places = spec.graph.stages.get(&stage.name);
            let places = places.and_then(|config| config.pending.or(config.outstanding));
            resources.extend(stage.outside.as_ref().zip(places).map(|(outside, places)| {
                let name = format!("the places outside of {}", stage.name);
                (name, places as f64 / (visits * outside.mean()))
            }));
        }
        // Shared pools.
        for pool in &spec.pools {
            let members = spec.stages.iter().zip(&visits);
            let members = members.filter(|(stage, _)| stage.pool.as_ref() == Some(&pool.name));
            let demand: f64 = members.map(|(stage, visits)| demand(stage, *visits)).sum();
            resources.push((pool.name.clone(), pool.workers.max as f64 / demand));
        }
        let least = resources.into_iter().min_by(|a, b| a.1.total_cmp(&b.1));
        let (limit, per_second) = least.unwrap_or_default();
        Self { per_second, limit, visits }
    }
}

/// Returns the demand of a request at a stage over all its visits, in seconds.
fn demand(stage: &StageSpec, visits: f64) -> f64 {
    visits * stage.demand.mean()
}

/// Returns the largest number of workers of a stage's own pool.
fn own_workers(stage: &StageSpec, spec: &Spec) -> f64 {
    let configured = spec.graph.stages.get(&stage.name).and_then(|config| config.workers);
    configured.or(stage.workers).map_or(1.0, |range| range.max as f64)
}

/// Returns the mean visits of a request to each stage: the sum of the powers of the routing matrix,
/// applied to one request at the first stage.
fn visits(stages: &[StageSpec]) -> Vec<f64> {
    let mut here = vec![0.0; stages.len()];
    if let Some(first) = here.first_mut() {
        *first = 1.0;
    }
    let mut sum = here.clone();
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; stages.len()];
        for (stage, visits) in stages.iter().zip(&here) {
            for route in &stage.routes {
                let to = stages.iter().position(|stage| stage.name == route.to);
                if let Some(to) = to.and_then(|to| next.get_mut(to)) {
                    *to += visits * route.share;
                }
            }
        }
        here = next;
        sum.iter_mut().zip(&here).for_each(|(sum, more)| *sum += more);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_capacity_is_that_of_the_resource_that_is_full_first() {
        let spec: Spec = r#"
            arrivals = { rate = 1.0 }
            [[stage]]
            name = "parse"
            capacity = 10
            workers = 1
            demand = { kind = "deterministic", mean = "1ms" }
            routes = [{ to = "read", share = 0.5 }]
            [[stage]]
            name = "read"
            capacity = 10
            workers = 2
            demand = { kind = "exponential", mean = "8ms" }
            routes = [{ to = "read", share = 0.2 }]
        "#
        .parse()
        .unwrap();
        let capacity = Capacity::of(&spec);
        assert_eq!(capacity.limit, "read");
        assert!((capacity.per_second - 2.0 / (0.625 * 0.008)).abs() < 1e-6);
    }
}
