//! Stages, the routes between them, and the pools that they share.

use super::bounds::check_share;
use super::demand::Demand;
use super::error::SpecError;
use seda_core::{Balance, WorkerRange};
use serde::{Deserialize, Serialize};

/// A stage: a queue, and the service demand of its events.
///
/// ```
/// use seda_sim::spec::StageSpec;
///
/// let text = "name = 'query'\ncapacity = 100\nworkers = '1..32'\ncpu_share = 0.1
///     demand = { kind = 'lognormal', mean = '8ms', sigma = 0.8 }
///     routes = [{ to = 'render', share = 0.5 }]";
/// let stage: StageSpec = toml::from_str(text)?;
/// assert_eq!((stage.batch, stage.routes[0].to.as_str()), (1, "render"));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StageSpec {
    /// The name, different from that of every other stage and replica.
    pub name: String,
    /// The bound of the queue, in events.
    pub capacity: usize,
    /// Workers of the stage's own pool; with `replicas`, of each replica. `None`: one.
    #[serde(default)]
    pub workers: Option<WorkerRange>,
    /// The shared pool that runs the stage, in place of `workers`.
    #[serde(default)]
    pub pool: Option<String>,
    /// The most events that a worker takes at once, 1 and more. A simulated batch ends as a whole,
    /// so 1 is nearest to a real worker.
    #[serde(default = "default_batch")]
    pub batch: usize,
    /// The weight of the stage in its shared pool. `None`: the graph's default.
    #[serde(default)]
    pub weight: Option<u32>,
    /// The most workers of a shared pool that run the stage at once. `None`: all of them.
    #[serde(default)]
    pub cap: Option<usize>,
    /// The number of replicas, each with a queue and a worker, named `NAME-1` and so on. `None`: a
    /// plain stage.
    #[serde(default)]
    pub replicas: Option<usize>,
    /// How a replica is chosen for an event.
    #[serde(default)]
    pub balance: Option<Balance>,
    /// The service demand of an event.
    pub demand: Demand,
    /// Share of the demand that is work for a core, 0 to 1. For the rest the worker is blocked.
    #[serde(default = "default_share")]
    pub cpu_share: f64,
    /// Makes the stage defer its events: the time that an event is outside, behind its service. No
    /// worker waits for it. `outstanding` and `pending` in `[graph.stages.NAME]` bound the number
    /// of events outside. `None`: events go on at once.
    #[serde(default)]
    pub outside: Option<Demand>,
    /// Makes the stage keyed, which serves the events of a key one after the other: the share of
    /// its events that have one and the same key, 0 to 1. Every other event has a key of its own.
    /// `None`: the stage is not keyed.
    #[serde(default)]
    pub hot_key: Option<f64>,
    /// The routes to the next stage. Shares add up to 1 at most, without copies; with the rest of
    /// the probability the event is answered.
    #[serde(default)]
    pub routes: Vec<RouteSpec>,
}

/// A route to another stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RouteSpec {
    /// The name of the next stage.
    pub to: String,
    /// The probability that an event takes the route: above 0, up to 1. Of copies their mean number
    /// for each event, above 0, up to 1,000.
    #[serde(default = "default_share")]
    pub share: f64,
    /// Whether copies of an event take the route, beside the event itself. A request is answered
    /// when all its copies have ended, too.
    #[serde(default)]
    pub copies: bool,
}

/// A pool that stages share.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PoolSpec {
    /// The name, different from that of every other pool.
    pub name: String,
    /// The range of the number of workers.
    pub workers: WorkerRange,
}

fn default_batch() -> usize {
    1
}

fn default_share() -> f64 {
    1.0
}

/// The most by which rounding lifts shares that add up to 1.
const ROUNDING: f64 = 1e-9;

impl StageSpec {
    /// Returns the names of the stage's queues, which are also those of its own pools. Only
    /// replicas with a queue each have names of their own.
    pub(crate) fn queue_names(&self) -> Vec<String> {
        match self.replicas {
            Some(count) if self.balance.unwrap_or_default() != Balance::Central => {
                (1..=count).map(|n| format!("{}-{n}", self.name)).collect()
            }
            _ => vec![self.name.clone()],
        }
    }

    /// Returns the probability that an event takes any route itself.
    pub(super) fn onward(&self) -> f64 {
        self.routes.iter().filter(|route| !route.copies).map(|route| route.share).sum()
    }

    pub(super) fn check(&self) -> Result<(), SpecError> {
        if !(0.0..=1.0).contains(&self.cpu_share) {
            return Err(SpecError::value(self.key("cpu_share"), self.cpu_share, "0 to 1"));
        }
        if let Some(bad) = self.routes.iter().find(|route| !route.has_share()) {
            let allowed = if bad.copies { "above 0, up to 1000" } else { "above 0, up to 1" };
            return Err(SpecError::value(self.key("routes.share"), bad.share, allowed));
        }
        let sum = self.onward();
        if sum > 1.0 + ROUNDING {
            let allowed = "shares that add up to 1 at most, where the routes are not of copies";
            return Err(SpecError::value(self.key("routes"), sum, allowed));
        }
        self.check_effects()?;
        check_share(self.key("hot_key"), self.hot_key.unwrap_or(0.0), 1.0)?;
        if self.batch == 0 {
            return Err(SpecError::value(self.key("batch"), 0, "1 and more"));
        }
        self.check_outside()?;
        self.demand.check(&self.name)
    }

    /// Checks that the time outside depends on nothing inside.
    fn check_outside(&self) -> Result<(), SpecError> {
        let Some(outside) = &self.outside else {
            return Ok(());
        };
        if outside.is_cached() || outside.is_contended() || outside.is_traced() {
            let allowed = "a distribution; a cache, contention and a trace are of `demand` alone";
            return Err(SpecError::value(self.key("outside.kind"), "set", allowed));
        }
        outside.check(&format!("{}.outside", self.name))
    }

    /// Checks that every setting has an effect.
    fn check_effects(&self) -> Result<(), SpecError> {
        if self.pool.is_some() && self.workers.is_some() {
            return Err(SpecError::value(self.key("workers"), "set", "either `workers` or `pool`"));
        }
        if self.pool.is_none() && self.weight.is_some() {
            return Err(SpecError::value(
                self.key("weight"),
                "set",
                "with a `pool` that it shares",
            ));
        }
        if self.pool.is_none() && self.cap.is_some() {
            return Err(SpecError::value(self.key("cap"), "set", "with a `pool` that it shares"));
        }
        if self.replicas.is_none() && self.balance.is_some() {
            return Err(SpecError::value(self.key("balance"), "set", "with `replicas`"));
        }
        if self.replicas.is_some() && self.hot_key.is_some() {
            let allowed = "without `replicas`, whose balance chooses for an event";
            return Err(SpecError::value(self.key("hot_key"), "set", allowed));
        }
        Ok(())
    }

    /// Returns the key of a setting in errors.
    pub(super) fn key(&self, name: &str) -> String {
        format!("stage.{}.{name}", self.name)
    }
}

/// The most copies of an event, on average. A larger number is a slip: no queue would hold them.
const MOST_COPIES: f64 = 1_000.0;

impl RouteSpec {
    /// Returns the route to a stage that an event takes with this probability.
    pub fn new(to: &str, share: f64) -> Self {
        Self { to: to.to_owned(), share, copies: false }
    }

    fn has_share(&self) -> bool {
        self.share > 0.0 && self.share <= if self.copies { MOST_COPIES } else { 1.0 }
    }
}
