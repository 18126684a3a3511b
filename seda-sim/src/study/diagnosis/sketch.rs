//! A graph by the load of its stages: the demands follow from it.

use super::draw::{Draw, Shape};
use crate::spec::capacity::Capacity;
use crate::spec::{Demand, RouteSpec, Spec, SpecError, StageSpec};
use seda_core::WorkerRange;
use std::time::Duration;

/// Events of the scarcest stage that a window of ten seconds holds at three quarters of the load,
/// for each unit of variance: the mean service is then known within 5 %.
const EVENTS: f64 = 400.0;
/// The length of the report's longest window, in seconds.
const WINDOW: f64 = 10.0;
/// The lowest load at which a bottleneck has to be named.
const LOWEST: f64 = 0.75;
/// The lowest rate, per second, at which a graph is full: its runs then have a thousand events
/// after some seconds.
const LOWEST_RATE: f64 = 120.0;

/// A stage of a sketch.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) spec: StageSpec,
    /// The load of its workers when the graph is full.
    pub(super) load: f64,
    pub(super) shape: Shape,
    pub(super) outside: Option<Places>,
}

/// The places outside of a stage that defers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) count: usize,
    /// The load of the places when the graph is full.
    pub(super) load: f64,
    pub(super) shape: Shape,
}

/// A graph by the load of its stages.
#[derive(Debug)]
pub(super) struct Sketch {
    pub(super) spec: Spec,
    pub(super) nodes: Vec<Node>,
    /// The variance of the arrivals in a long time, over their mean; 1 of Poisson arrivals.
    pub(super) dispersion: f64,
}

impl Sketch {
    /// Returns a sketch without stages.
    pub(super) fn new(name: String) -> Result<Self, SpecError> {
        let mut spec: Spec = BLANK.parse()?;
        spec.name = name;
        spec.stages.clear();
        Ok(Self { spec, nodes: Vec::new(), dispersion: 1.0 })
    }

    /// Adds a stage of this load, named `s0` and so on; returns its index.
    pub(super) fn add(&mut self, draw: &mut Draw, load: f64) -> usize {
        let index = self.nodes.len();
        let workers = draw.one_of(&[1, 1, 1, 2, 2, 4, 8]);
        let spec = StageSpec {
            name: format!("s{index}"),
            capacity: draw.whole(60, 300),
            workers: Some(WorkerRange::exactly(workers)),
            pool: None,
            batch: 1,
            weight: None,
            cap: None,
            replicas: None,
            balance: None,
            hot_key: None,
            outside: None,
            demand: Demand::Deterministic { mean: Duration::from_millis(1) },
            cpu_share: draw.one_of(&[1.0, 1.0, 0.2, 0.0]),
            routes: Vec::new(),
        };
        let shape = draw.shape();
        self.nodes.push(Node { spec, load, shape, outside: None });
        index
    }

    /// Adds `count` stages in a row with loads below that of a bottleneck; returns their indices.
    pub(super) fn add_line(&mut self, draw: &mut Draw, count: usize) -> Vec<usize> {
        let added: Vec<usize> = (0..count)
            .map(|_| {
                let load = draw.between(0.15, 0.85);
                self.add(draw, load)
            })
            .collect();
        added.windows(2).for_each(|pair| {
            if let [from, to] = pair {
                self.route(*from, *to, 1.0);
            }
        });
        added
    }

    /// Adds a route.
    pub(super) fn route(&mut self, from: usize, to: usize, share: f64) {
        if let Some(node) = self.nodes.get_mut(from) {
            node.spec.routes.push(RouteSpec { to: format!("s{to}"), share });
        }
    }

    /// Changes a stage.
    pub(super) fn at(&mut self, index: usize, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.nodes.get_mut(index) {
            change(node);
        }
    }

    /// Makes one of these stages the scarcest; returns its index.
    pub(super) fn fill_one(&mut self, draw: &mut Draw, of: &[usize]) -> usize {
        let index = draw.one_of(of);
        self.at(index, |node| node.load = 1.0);
        index
    }

    /// Returns the mean visits of a request to each stage.
    fn visits(&self) -> Vec<f64> {
        let mut spec = self.spec.clone();
        spec.stages = self.nodes.iter().map(|node| node.spec.clone()).collect();
        Capacity::of(&spec).visits
    }

    /// Returns the workers that a stage's load is of.
    fn servers(&self, stage: &StageSpec) -> f64 {
        if let Some(share) = stage.hot_key {
            return 1.0 / share;
        }
        let pool = self.spec.pools.iter().find(|pool| Some(&pool.name) == stage.pool.as_ref());
        let workers = match (stage.cap, pool, stage.workers) {
            (Some(cap), ..) => cap,
            (None, Some(pool), _) => pool.workers.max,
            (None, None, workers) => workers.map_or(1, |range| range.max),
        };
        (workers * stage.replicas.unwrap_or(1)) as f64
    }

    /// Returns the graph that is full at a drawn rate, with its demands, and this rate.
    pub(super) fn finish(mut self, draw: &mut Draw) -> (Spec, f64) {
        let visits = self.visits();
        // The rate: windows hold enough events of the scarcest stage.
        let scarcest = self.nodes.iter().zip(&visits).max_by(|a, b| a.0.load.total_cmp(&b.0.load));
        let events = scarcest.map_or(0.0, |(node, visits)| {
            EVENTS * (self.dispersion + node.shape.scv()) / visits.max(0.01)
        });
        let rate = (events / (WINDOW * LOWEST)).max(LOWEST_RATE) * draw.between(1.0, 1.6);
        // The demands at this rate.
        let means: Vec<f64> = self
            .nodes
            .iter()
            .zip(&visits)
            .map(|(node, visits)| node.load * self.servers(&node.spec) / (visits * rate))
            .collect();
        for ((node, mean), visits) in self.nodes.iter_mut().zip(means).zip(&visits) {
            node.spec.demand = node.shape.demand(mean);
            node.spec.outside = node.outside.map(|places| {
                places.shape.demand(places.load * places.count as f64 / (visits * rate))
            });
        }
        // Cores for all workers at once, unless the graph is about cores.
        if self.spec.cores == 0 {
            let own: usize = self.nodes.iter().map(|node| self.servers(&node.spec) as usize).sum();
            self.spec.cores = own.clamp(64, 1_024);
        }
        self.spec.stages = self.nodes.into_iter().map(|node| node.spec).collect();
        (self.spec, rate)
    }
}

/// The spec of a sketch before its stages. No cores: as many as there are workers.
const BLANK: &str = "
    arrivals = { rate = 1.0 }
    stage = [{ name = 's', capacity = 1, demand = { kind = 'deterministic', mean = '1ms' } }]
";
