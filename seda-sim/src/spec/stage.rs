//! Stages, pools, and the ways between them.

use super::check::SpecError;
use super::demand::Demand;
use seda_core::{Balance, WorkerRange};
use serde::{Deserialize, Serialize};

/// A stage: a queue, and what its handler does with an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StageSpec {
    /// Its name.
    pub name: String,
    /// Bound of its queue.
    pub capacity: usize,
    /// Workers of its own pool. With replicas: of each.
    #[serde(default)]
    pub workers: Option<WorkerRange>,
    /// The pool that it shares, instead.
    #[serde(default)]
    pub pool: Option<String>,
    /// The most events that a worker takes at once.
    #[serde(default = "one")]
    pub batch: usize,
    /// Its share of a shared pool.
    #[serde(default)]
    pub weight: Option<u32>,
    /// The most workers of a shared pool that run it at once.
    #[serde(default)]
    pub cap: Option<usize>,
    /// How many copies there are, each with a queue and a worker: named `NAME-1` and so on.
    #[serde(default)]
    pub replicas: Option<usize>,
    /// How one of them is chosen.
    #[serde(default)]
    pub balance: Option<Balance>,
    /// What an event asks for.
    pub demand: Demand,
    /// How much of that is work for a core, 0 to 1; the rest is waiting for something outside.
    #[serde(default = "whole")]
    pub cpu_share: f64,
    /// Where an event goes next; with the rest of the probability it is answered.
    #[serde(default)]
    pub routes: Vec<RouteSpec>,
}

/// A way to another stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RouteSpec {
    /// The stage.
    pub to: String,
    /// How many go there: above 0, up to 1.
    #[serde(default = "whole")]
    pub share: f64,
}

/// A pool that stages share.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PoolSpec {
    /// Its name.
    pub name: String,
    /// Its workers.
    pub workers: WorkerRange,
}

/// As a simulation's batch ends as one, that is what is nearest to a real worker.
fn one() -> usize {
    1
}

fn whole() -> f64 {
    1.0
}

impl StageSpec {
    pub(super) fn check(&self) -> Result<(), SpecError> {
        let key = |name: &str| format!("stage.{}.{name}", self.name);
        if !(0.0..=1.0).contains(&self.cpu_share) {
            return Err(SpecError::value(key("cpu_share"), self.cpu_share, "0 to 1"));
        }
        let is_share = |share: f64| share > 0.0 && share <= 1.0;
        if let Some(bad) = self.routes.iter().find(|route| !is_share(route.share)) {
            return Err(SpecError::value(key("routes.share"), bad.share, "above 0, up to 1"));
        }
        let sum: f64 = self.routes.iter().map(|route| route.share).sum();
        if sum > 1.0 + 1e-9 {
            return Err(SpecError::value(key("routes"), sum, "shares that add up to 1 at most"));
        }
        if self.pool.is_some() && self.workers.is_some() {
            return Err(SpecError::value(key("workers"), "set", "either `workers` or `pool`"));
        }
        if self.pool.is_none() && self.weight.is_some() {
            return Err(SpecError::value(key("weight"), "set", "with a `pool` that it shares"));
        }
        if self.pool.is_none() && self.cap.is_some() {
            return Err(SpecError::value(key("cap"), "set", "with a `pool` that it shares"));
        }
        if self.replicas.is_none() && self.balance.is_some() {
            return Err(SpecError::value(key("balance"), "set", "with `replicas`"));
        }
        if self.batch == 0 {
            return Err(SpecError::value(key("batch"), 0, "1 and more"));
        }
        self.demand.check(&self.name)
    }
}
