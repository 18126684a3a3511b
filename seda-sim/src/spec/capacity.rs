//! What the spec's graph can do, by the laws of operational analysis: visits, demands, and the
//! load at which the first thing is full.

use crate::spec::{Spec, StageSpec};

/// Powers of the routing matrix that are summed up; what is left then of a request that circles
/// with probability 0.9 is below 1e-20.
const ROUNDS: usize = 500;

/// What limits a graph, and at which load.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Capacity {
    /// Requests per second at which it is full.
    pub per_second: f64,
    /// The pool, stage or machine that is.
    pub limit: String,
    /// How often a request visits each stage, in order of declaration.
    pub visits: Vec<f64>,
}

impl Capacity {
    /// Of a spec whose pools have their largest size, without faults, retries and refusals.
    pub fn of(spec: &Spec) -> Self {
        let visits = visits(&spec.stages);
        let demand = |stage: &StageSpec, visits: f64| visits * stage.demand.mean();
        let cpu: f64 =
            spec.stages.iter().zip(&visits).map(|(s, v)| demand(s, *v) * s.cpu_share).sum();
        let mut full = vec![("the cores".to_owned(), spec.cores as f64 / cpu)];
        for (stage, visits) in spec.stages.iter().zip(&visits) {
            if stage.pool.is_none() {
                let servers = stage.replicas.unwrap_or(1) as f64 * own_workers(stage, spec);
                full.push((stage.name.clone(), servers / demand(stage, *visits)));
            } else if let Some(cap) = stage.cap {
                full.push((stage.name.clone(), cap as f64 / demand(stage, *visits)));
            }
        }
        for pool in &spec.pools {
            let members = spec.stages.iter().zip(&visits);
            let members = members.filter(|(stage, _)| stage.pool.as_ref() == Some(&pool.name));
            let demand: f64 = members.map(|(stage, visits)| demand(stage, *visits)).sum();
            full.push((pool.name.clone(), pool.workers.max as f64 / demand));
        }
        let least = full.into_iter().min_by(|a, b| a.1.total_cmp(&b.1));
        let (limit, per_second) = least.unwrap_or_default();
        Self { per_second, limit, visits }
    }
}

/// The most workers of a stage's own pool.
pub(crate) fn own_workers(stage: &StageSpec, spec: &Spec) -> f64 {
    let said = spec.graph.stages.get(&stage.name).and_then(|config| config.workers);
    said.or(stage.workers).map_or(1.0, |range| range.max as f64)
}

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
    fn the_capacity_is_that_of_what_is_full_first() {
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
