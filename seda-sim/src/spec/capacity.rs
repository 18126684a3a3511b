//! The capacity of a spec's graph by the operational laws: visits, demands, and the load at which
//! each resource is full.

use super::Spec;
use super::stage::StageSpec;
use seda_core::{Mode, SHARDS};

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

/// A thing that requests need and that there is a limited number of.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Resource {
    /// Its kind.
    pub kind: ResourceKind,
    /// The stage or the pool; `the cores` for those.
    pub name: String,
    /// The stage with the largest part of the demand; `None` if no stage needs the resource.
    pub stage: Option<String>,
    /// The number of servers; of a rate its events per second.
    pub servers: f64,
    /// Server-seconds that a request needs, over all its visits.
    pub demand: f64,
    /// Servers that are busy without any request, on average: with the events of timers.
    pub taken: f64,
}

/// The kind of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceKind {
    /// The workers of a stage's own pool.
    Workers,
    /// The workers of a shared pool.
    Pool,
    /// The most workers of a shared pool that run one stage.
    Cap,
    /// The machine's cores.
    Cores,
    /// The places outside of a stage that defers.
    Outside,
    /// The shard of a keyed stage's hottest key.
    Key,
    /// A declared rate.
    Rate,
}

impl Resource {
    /// Returns the share of the resource that is needed at `rate` requests per second.
    pub fn load(&self, rate: f64) -> f64 {
        let needed = rate * self.demand + self.taken;
        if needed > 0.0 { needed / self.servers } else { 0.0 }
    }

    /// Returns its name in [`Capacity::limit`].
    fn limit(&self) -> String {
        match self.kind {
            ResourceKind::Key => format!("the hot key of {}", self.name),
            ResourceKind::Outside => format!("the places outside of {}", self.name),
            _ => self.name.clone(),
        }
    }

    /// Returns the requests per second at which the resource is full; infinite if none need it.
    pub fn full_at(&self) -> f64 {
        (self.servers - self.taken).max(0.0) / self.demand
    }
}

/// What requests and timers do to one stage.
pub(crate) struct Visited<'a> {
    pub(crate) stage: &'a StageSpec,
    /// Mean visits of a request.
    pub(crate) visits: f64,
    /// Events per second of timers, and of their followers.
    pub(crate) timed: f64,
}

impl Visited<'_> {
    /// Returns a resource of this stage alone that each event needs for `seconds`.
    fn resource(&self, kind: ResourceKind, servers: f64, seconds: f64) -> Resource {
        Resource {
            kind,
            name: self.stage.name.clone(),
            stage: Some(self.stage.name.clone()),
            servers,
            demand: self.visits * seconds,
            taken: self.timed * seconds,
        }
    }
}

impl Capacity {
    /// Returns the capacity with all pools at their largest size, without faults, retries
    /// and refusals.
    pub fn of(spec: &Spec) -> Self {
        let resources = Self::resources(spec).into_iter();
        let least = resources.map(|resource| (resource.full_at(), resource.limit()));
        let least = least.min_by(|a, b| a.0.total_cmp(&b.0));
        let (per_second, limit) = least.unwrap_or_default();
        Self { per_second, limit, visits: visits(&spec.stages, 0) }
    }

    /// Returns every resource of a spec, the cores first.
    pub fn resources(spec: &Spec) -> Vec<Resource> {
        let visited = visited(spec);
        let mut resources = vec![cores(spec, &visited)];
        visited.iter().for_each(|visited| own_resources(visited, spec, &mut resources));
        for pool in &spec.pools {
            let members =
                visited.iter().filter(|visited| visited.stage.pool.as_ref() == Some(&pool.name));
            resources.push(sum(
                ResourceKind::Pool,
                &pool.name,
                pool.workers.max as f64,
                members,
                |stage| stage.demand.mean(),
            ));
        }
        resources
    }
}

/// Returns the stages with what requests and timers do to them.
pub(crate) fn visited(spec: &Spec) -> Vec<Visited<'_>> {
    let mut timed = vec![0.0; spec.stages.len()];
    for timer in &spec.arrivals.timers {
        if let Some(start) = spec.stages.iter().position(|stage| stage.name == timer.stage) {
            let followers = visits(&spec.stages, start);
            timed.iter_mut().zip(followers).for_each(|(sum, visits)| *sum += timer.rate * visits);
        }
    }
    let visits = visits(&spec.stages, 0);
    let stages = spec.stages.iter().zip(visits).zip(timed);
    stages.map(|((stage, visits), timed)| Visited { stage, visits, timed }).collect()
}

fn cores(spec: &Spec, visited: &[Visited<'_>]) -> Resource {
    let cpu = |stage: &StageSpec| stage.demand.mean() * stage.cpu_share;
    let servers = spec.cores as f64;
    let mut cores = sum(ResourceKind::Cores, "the cores", servers, visited.iter(), cpu);
    cores.demand += spec.arrivals.cpu.as_secs_f64();
    cores
}

/// Adds the resources of one stage: its workers or its cap, its places, its hottest shard, its
/// rate.
fn own_resources(visited: &Visited<'_>, spec: &Spec, resources: &mut Vec<Resource>) {
    let stage = visited.stage;
    let config = spec.graph.stages.get(&stage.name);
    let held = stage.demand.mean();
    if stage.pool.is_none() {
        let workers = stage.replicas.unwrap_or(1) as f64 * own_workers(stage, spec);
        resources.push(visited.resource(ResourceKind::Workers, workers, held));
    } else if let Some(cap) = stage.cap {
        resources.push(visited.resource(ResourceKind::Cap, cap as f64, held));
    }
    if let Some(outside) = &stage.outside {
        // A controller may raise the places up to `pending`.
        let places = config.and_then(|config| match config.outstanding {
            Some(_) if spec.graph.control.outstanding == Mode::On => {
                config.pending.or(config.outstanding)
            }
            outstanding => outstanding.or(config.pending),
        });
        let places = places.unwrap_or(DEFAULT_PLACES);
        resources.push(visited.resource(ResourceKind::Outside, places as f64, outside.mean()));
    }
    if let Some(hot) = stage.hot_key {
        // A deferred event keeps its shard.
        let kept = held + stage.outside.as_ref().map_or(0.0, |outside| outside.mean());
        let share = hot + (1.0 - hot) / SHARDS as f64;
        resources.push(visited.resource(ResourceKind::Key, 1.0, share * kept));
    }
    if let Some(rate) = config.and_then(|config| config.rate) {
        resources.push(visited.resource(ResourceKind::Rate, rate.per_second, 1.0));
    }
}

/// The places outside where neither `outstanding` nor `pending` is set: the default of `pending`.
const DEFAULT_PLACES: usize = 1_024;

/// Returns a resource that several stages need, each for the seconds that `held` gives.
fn sum<'a>(
    kind: ResourceKind,
    name: &str,
    servers: f64,
    members: impl Iterator<Item = &'a Visited<'a>>,
    held: impl Fn(&StageSpec) -> f64,
) -> Resource {
    let mut resource =
        Resource { kind, name: name.to_owned(), stage: None, servers, demand: 0.0, taken: 0.0 };
    let mut most = 0.0;
    for member in members {
        let demand = member.visits * held(member.stage);
        if demand > most {
            (most, resource.stage) = (demand, Some(member.stage.name.clone()));
        }
        resource.demand += demand;
        resource.taken += member.timed * held(member.stage);
    }
    resource
}

/// Returns the largest number of workers of a stage's own pool.
fn own_workers(stage: &StageSpec, spec: &Spec) -> f64 {
    let configured = spec.graph.stages.get(&stage.name).and_then(|config| config.workers);
    configured.or(stage.workers).map_or(1.0, |range| range.max as f64)
}

/// Returns the mean visits to each stage of an event that enters at the stage `start`: the sum of
/// the powers of the routing matrix, applied to one event there.
pub(crate) fn visits(stages: &[StageSpec], start: usize) -> Vec<f64> {
    let mut here = vec![0.0; stages.len()];
    if let Some(first) = here.get_mut(start) {
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
        if here.iter().all(|visits| *visits <= 0.0) {
            break;
        }
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

    #[test]
    fn every_bound_is_a_resource_and_timers_take_a_part_of_it() {
        let spec: Spec = r#"
            arrivals = { rate = 10.0, timers = [{ stage = "ask", rate = 5.0 }] }
            [[pool]]
            name = "shared"
            workers = 4
            [[stage]]
            name = "ask"
            capacity = 10
            pool = "shared"
            cap = 2
            hot_key = 0.5
            demand = { kind = "deterministic", mean = "1ms" }
            outside = { kind = "exponential", mean = "100ms" }
            [graph.stages.ask]
            outstanding = 8
            pending = 16
            rate = { per_second = 50.0, burst = 1 }
            [graph.control]
            outstanding = "off"
        "#
        .parse()
        .unwrap();
        let kinds: Vec<_> = Capacity::resources(&spec)
            .into_iter()
            .map(|resource| (resource.kind, resource.servers, resource.demand, resource.taken))
            .collect();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let expected = [
            (ResourceKind::Cores, 64.0, 0.001, 0.005),
            (ResourceKind::Cap, 2.0, 0.001, 0.005),
            (ResourceKind::Outside, 8.0, 0.1, 0.5),
            (ResourceKind::Key, 1.0, 0.101 * (0.5 + 0.5 / 256.0), 0.505 * (0.5 + 0.5 / 256.0)),
            (ResourceKind::Rate, 50.0, 1.0, 5.0),
            (ResourceKind::Pool, 4.0, 0.001, 0.005),
        ];
        assert_eq!(kinds.len(), expected.len(), "{kinds:?}");
        for (found, expected) in kinds.iter().zip(expected) {
            assert!(found.0 == expected.0 && found.1 == expected.1, "{found:?}");
            assert!(near(found.2, expected.2) && near(found.3, expected.3), "{found:?}");
        }
        // The shard of the hottest key is full first.
        assert_eq!(Capacity::of(&spec).limit, "the hot key of ask");
    }
}
