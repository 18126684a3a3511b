//! What a spec does, by closed forms: an answer beside the simulated one.
//!
//! Loads are exact (the utilization law). Waits are those of G/G/c queues, one by one (Allen &
//! Cunneen), and carry the variance of arrivals from stage to stage (Whitt 1983). Cores are
//! shared by all: a burst on c cores is stretched as in M/M/c with processor sharing.

use crate::laws::closed::{Center, solve};
use crate::laws::wait::{departures, erlang_c, mean_wait, thinned};
use crate::spec::capacity::{Capacity, Resource, ResourceKind, Visited, visited};
use crate::spec::{Process, Spec};
use serde::{Deserialize, Serialize};

/// Rounds in which variances settle around circles.
const ROUNDS: usize = 20;

/// What a graph does, by closed forms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Analysis {
    /// Requests per second at which the first resource is full; `None` if none ever is.
    pub full_at: Option<f64>,
    /// Requests per second that are served: those offered, up to `full_at`; of a closed loop by
    /// mean value analysis.
    pub throughput: f64,
    /// Mean response time in seconds. `None` where some queue only grows, and where requests end
    /// with the last of several copies.
    pub response: Option<f64>,
    /// The stages, in order of declaration.
    pub stages: Vec<StageAnalysis>,
}

/// One stage, by closed forms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StageAnalysis {
    /// Its name.
    pub name: String,
    /// The load of its workers: of all that its pool runs. 1 is full.
    pub load: f64,
    /// Mean wait in its queue, in seconds; `None` where the queue only grows.
    pub wait: Option<f64>,
    /// Mean time in service, waits for a core included, in seconds.
    pub service: f64,
}

impl Analysis {
    /// Analyses a spec at its own rate, or with its own clients.
    ///
    /// ```
    /// use seda_sim::{Spec, plan::Analysis};
    ///
    /// let spec: Spec = r#"
    ///     arrivals = { rate = 50.0 }
    ///     [[stage]]
    ///     name = "serve"
    ///     capacity = 1000
    ///     demand = { kind = "exponential", mean = "10ms" }
    /// "#.parse()?;
    /// let analysis = Analysis::of(&spec);
    /// // M/M/1 at a half: 10 ms of wait, and 10 ms of service.
    /// assert!((analysis.response.unwrap() - 0.020).abs() < 1e-6);
    /// assert_eq!(analysis.full_at.map(f64::round), Some(100.0));
    /// # Ok::<(), seda_sim::SpecError>(())
    /// ```
    pub fn of(spec: &Spec) -> Self {
        let resources = Capacity::resources(spec);
        let full_at = resources.iter().map(Resource::full_at).fold(f64::INFINITY, f64::min);
        let rate = spec.mean_rate();
        if spec.client.clients > 0 {
            return Self::closed(spec, &resources, full_at);
        }
        let stages = Stations::new(spec, &resources, rate).solve(rate);
        let has_copies = spec.stages.iter().any(|s| s.routes.iter().any(|route| route.copies));
        let visits = visited(spec);
        let inside: Option<f64> = stages
            .iter()
            .zip(&visits)
            .map(|(stage, visited)| Some(visited.visits * (stage.wait? + stage.service)))
            .sum();
        let outside = spec.client.latency.as_secs_f64();
        Self {
            full_at: full_at.is_finite().then_some(full_at),
            throughput: rate.min(full_at),
            response: inside.filter(|_| !has_copies).map(|inside| inside + outside),
            stages,
        }
    }

    /// Analyses a closed loop. Its pools are centers; the cores bound the throughput of all.
    fn closed(spec: &Spec, resources: &[Resource], full_at: f64) -> Self {
        let is_center = |resource: &&Resource| {
            matches!(
                resource.kind,
                ResourceKind::Workers | ResourceKind::Pool | ResourceKind::Outside
            )
        };
        let centers: Vec<Center> = resources
            .iter()
            .filter(is_center)
            .map(|resource| Center::new(resource.demand, resource.servers - resource.taken))
            .collect();
        let think = spec.client.think.as_secs_f64() + spec.client.latency.as_secs_f64();
        let clients = spec.client.clients;
        let free = solve(&centers, clients, think);
        let throughput = free.throughput.min(full_at);
        let cycle = f64::from(clients) / throughput;
        let stages = Stations::new(spec, resources, throughput).solve(throughput);
        Self {
            full_at: full_at.is_finite().then_some(full_at),
            throughput,
            response: (throughput > 0.0).then_some(cycle - spec.client.think.as_secs_f64()),
            stages,
        }
    }
}

/// The stages as stations of a queueing network.
struct Stations<'a> {
    spec: &'a Spec,
    resources: &'a [Resource],
    visited: Vec<Visited<'a>>,
    /// The factor by which shared cores stretch a burst.
    stretch: f64,
}

impl<'a> Stations<'a> {
    fn new(spec: &'a Spec, resources: &'a [Resource], rate: f64) -> Self {
        let cores = resources.iter().find(|resource| resource.kind == ResourceKind::Cores);
        let stretch = cores.map_or(1.0, |cores| {
            let load = cores.load(rate);
            let stretch =
                1.0 + erlang_c(cores.servers, load) / (cores.servers * (1.0 - load)).max(0.0);
            // With all workers on the cores at once, each has its part of them.
            stretch.min((workers(spec, resources) / cores.servers).max(1.0))
        });
        Self { spec, resources, visited: visited(spec), stretch }
    }

    /// Returns all stages at `rate` requests per second.
    fn solve(&self, rate: f64) -> Vec<StageAnalysis> {
        let flows: Vec<f64> =
            self.visited.iter().map(|visited| rate * visited.visits + visited.timed).collect();
        let variations = self.variations(&flows, rate);
        let stages = self.visited.iter().zip(&variations).enumerate();
        stages.map(|(n, (visited, variation))| self.stage(n, visited, *variation, &flows)).collect()
    }

    /// Returns the time that an event holds a worker, waits for a core included.
    fn held(&self, visited: &Visited<'_>) -> f64 {
        let share = visited.stage.cpu_share;
        // Without work for a core there is nothing to stretch, also at full cores.
        let stretched = if share > 0.0 { share * self.stretch } else { 0.0 };
        visited.stage.demand.mean() * (stretched + 1.0 - share)
    }

    fn stage(
        &self,
        index: usize,
        visited: &Visited<'_>,
        arrivals: f64,
        flows: &[f64],
    ) -> StageAnalysis {
        let held = self.held(visited);
        let flow = flows.get(index).copied().unwrap_or(0.0);
        let (servers, load) = self.pool(visited, flows);
        let services = variation(visited);
        let mut wait = mean_wait(servers, load, held, arrivals, services);
        if let Some(cap) = visited.stage.cap {
            let load = flow * held / cap as f64;
            wait = wait.max(mean_wait(cap as f64, load, held, arrivals, services));
        }
        if let Some(hot) = visited.stage.hot_key {
            let behind = mean_wait(1.0, flow * hot * held, held, arrivals, services);
            wait += if hot > 0.0 { hot * behind } else { 0.0 };
        }
        let mut service = held;
        if let Some(outside) = &visited.stage.outside {
            let places = self.resources.iter().find(|resource| {
                resource.kind == ResourceKind::Outside && resource.name == visited.stage.name
            });
            let places = places.map_or(1.0, |resource| resource.servers);
            let away = outside.mean();
            wait += mean_wait(places, flow * away / places, away, arrivals, services);
            service += away;
        }
        let is_steady = wait.is_finite() && service.is_finite();
        StageAnalysis {
            name: visited.stage.name.clone(),
            load,
            wait: is_steady.then_some(wait),
            service,
        }
    }

    /// Returns the workers of the pool that runs a stage, and their load.
    fn pool(&self, visited: &Visited<'_>, flows: &[f64]) -> (f64, f64) {
        let stage = visited.stage;
        let (name, kind) = match &stage.pool {
            Some(pool) => (pool, ResourceKind::Pool),
            None => (&stage.name, ResourceKind::Workers),
        };
        let found = self.resources.iter().find(|r| r.kind == kind && r.name == *name);
        let servers = found.map_or(1.0, |resource| resource.servers);
        let members = self.visited.iter().zip(flows).filter(|(member, _)| match &stage.pool {
            Some(_) => member.stage.pool == stage.pool,
            None => member.stage.name == stage.name,
        });
        let busy: f64 = members
            .map(|(member, flow)| if *flow > 0.0 { flow * self.held(member) } else { 0.0 })
            .sum();
        (servers, busy / servers)
    }

    /// Returns the squared coefficient of variation of the gaps between arrivals, by stage.
    fn variations(&self, flows: &[f64], rate: f64) -> Vec<f64> {
        let entering = bursts(self.spec);
        let mut variations = vec![1.0; self.visited.len()];
        for _ in 0..ROUNDS {
            let mut sums = vec![0.0; self.visited.len()];
            let mut weights = vec![0.0; self.visited.len()];
            add(&mut sums, &mut weights, 0, rate, entering);
            for (visited, (flow, arrivals)) in
                self.visited.iter().zip(flows.iter().zip(&variations))
            {
                let (servers, load) = self.pool(visited, flows);
                let leaving = departures(servers, load, *arrivals, variation(visited));
                for route in &visited.stage.routes {
                    let to = self.visited.iter().position(|next| next.stage.name == route.to);
                    if let Some(to) = to {
                        let gaps = thinned(leaving, route.share.min(1.0));
                        add(&mut sums, &mut weights, to, flow * route.share, gaps);
                    }
                }
            }
            for (variation, (sum, weight)) in variations.iter_mut().zip(sums.iter().zip(&weights)) {
                // Timers have exponential gaps.
                *variation = if *weight > 0.0 { sum / weight } else { 1.0 };
            }
        }
        variations
    }
}

/// Returns the number of workers that may be on a core at once. What a request takes outside the
/// stages has no bound.
fn workers(spec: &Spec, resources: &[Resource]) -> f64 {
    if !spec.arrivals.cpu.is_zero() {
        return f64::INFINITY;
    }
    let pools = resources
        .iter()
        .filter(|resource| matches!(resource.kind, ResourceKind::Workers | ResourceKind::Pool));
    pools.map(|pool| pool.servers).sum()
}

/// Adds a stream to those that a stage receives, weighted by its rate.
fn add(sums: &mut [f64], weights: &mut [f64], to: usize, rate: f64, variation: f64) {
    if let (Some(sum), Some(weight)) = (sums.get_mut(to), weights.get_mut(to)) {
        *sum += rate * variation;
        *weight += rate;
    }
}

/// Returns the squared coefficient of variation of a stage's services.
fn variation(visited: &Visited<'_>) -> f64 {
    let moments = visited.stage.demand.moments();
    let square = moments.mean * moments.mean;
    if square > 0.0 { (moments.mean_square / square - 1.0).max(0.0) } else { 0.0 }
}

/// Returns the index of dispersion of the arrivals over a long time: 1 of Poisson arrivals.
fn bursts(spec: &Spec) -> f64 {
    let arrivals = &spec.arrivals;
    match (arrivals.process, arrivals.on, arrivals.off) {
        (Process::Uniform, ..) => 0.0,
        (Process::OnOff, Some(on), Some(off)) => {
            let (on, off) = (on.as_secs_f64(), off.as_secs_f64());
            let peak = arrivals.rate.unwrap_or(0.0);
            1.0 + 2.0 * (peak - arrivals.mean_rate()) * on * off / (on + off)
        }
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn analyse(text: &str) -> Analysis {
        let spec: Spec = text.parse().unwrap_or_else(|error| panic!("{error}"));
        Analysis::of(&spec)
    }

    #[track_caller]
    fn close(found: Option<f64>, expected: f64, share: f64) {
        let found = found.unwrap();
        assert!((found / expected - 1.0).abs() <= share, "{found} is not {expected}");
    }

    const LINE: &str = r#"
        cores = 64
        arrivals = { rate = 80.0 }
        [[stage]]
        name = "first"
        capacity = 10000
        workers = 2
        demand = { kind = "exponential", mean = "20ms" }
        routes = [{ to = "second" }]
        [[stage]]
        name = "second"
        capacity = 10000
        demand = { kind = "exponential", mean = "10ms" }
    "#;

    #[test]
    fn a_network_of_exponential_stages_has_the_product_form() {
        // Jackson 1963: M/M/2 and M/M/1, both at 0.8.
        let (first, second) = (0.020 / (1.0 - 0.64), 0.010 / 0.2);
        close(analyse(LINE).response, first + second, 1e-6);
        let over = analyse(&LINE.replace("rate = 80.0", "rate = 120.0"));
        assert_eq!((over.response, over.throughput.round()), (None, 100.0));
    }

    #[test]
    fn the_simulation_has_the_same_mean_response() {
        for (text, share) in [
            (LINE.to_owned(), 0.1),
            (LINE.replace("cores = 64", "cores = 3"), 0.2),
            (LINE.replace("kind = \"exponential\"", "kind = \"deterministic\""), 0.3),
        ] {
            let spec: Spec = format!("window = \"200s\"\n{text}{OFF}").parse().unwrap();
            let mean = crate::run(&spec, 1).unwrap().response_seconds.mean;
            close(Analysis::of(&spec).response, mean.unwrap(), share);
        }
    }

    const OFF: &str = "
        [graph.control]
        admission = 'off'
        pool_size = 'off'
        batch_size = 'off'
        valve = 'off'
    ";

    #[test]
    fn a_closed_loop_is_solved_by_mean_value_analysis() {
        let text = LINE.replace(
            "arrivals = { rate = 80.0 }",
            "client = { clients = 20, think = '100ms' }\nwindow = '200s'",
        );
        let spec: Spec = format!("{text}{OFF}").parse().unwrap();
        let run = crate::run(&spec, 1).unwrap();
        let analysis = Analysis::of(&spec);
        close(Some(analysis.throughput), run.throughput_per_second, 0.05);
        close(analysis.response, run.response_seconds.mean.unwrap(), 0.15);
    }
}
