//! The action for a full resource, and its effect: the loads computed again after the change.

use crate::monitor::report::diagnosis::flow::Flows;
use crate::monitor::report::diagnosis::holding::Held;
use crate::monitor::report::diagnosis::predict::Model;
use crate::monitor::report::diagnosis::resource::{Resource, What, pool_size, stage_name};
use crate::monitor::report::{BottleneckKind, Expected, RateEstimate, Report};

/// The load that a change of servers aims at.
const TARGET: f64 = 0.8;
/// More workers help if the graph is then full at a rate higher by this factor.
const HELPS: f64 = 1.05;
/// Two standard errors are at least this part of a rate: holding times depend on the load.
const LEAST_ERROR: f64 = 0.04;

/// The graph under the offered load, with its resources, the fullest first.
pub(super) struct Analysis<'a> {
    pub(super) report: &'a Report,
    pub(super) flows: &'a Flows,
    pub(super) held: &'a [Held],
    pub(super) model: &'a Model,
    pub(super) ranked: &'a [Resource],
}

/// An action and its effect.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Advice {
    pub(super) action: String,
    pub(super) expected: Option<Expected>,
    /// The rate at which the graph is full with one more worker or core.
    pub(super) one_more: Option<f64>,
}

/// A change to the graph.
#[derive(Clone, Copy)]
enum Change {
    /// The first resource gets this number of servers.
    Servers(f64),
    /// Events of a stage take half of their time on a core.
    HalfCpu(usize),
    /// The part of the first resource's demand that is its stage's is halved.
    HalfDemand,
}

/// Returns a rate with its interval of two standard errors.
pub(super) fn estimate(per_second: f64, error: f64) -> RateEstimate {
    let error = (2.0 * error).max(LEAST_ERROR);
    RateEstimate {
        per_second,
        low: per_second * (1.0 - error).max(0.0),
        high: per_second * (1.0 + error),
    }
}

impl Analysis<'_> {
    /// Returns what to do about the first resource.
    pub(super) fn advise(&self) -> Advice {
        let Some(first) = self.ranked.first() else { return Advice::default() };
        let one_more = self.max_rate(Change::Servers(first.servers + 1.0));
        let has_servers = matches!(first.what, What::Pool | What::Cap | What::Cores);
        let (action, change) = self.action(first);
        Advice {
            action,
            expected: change.and_then(|change| self.expected(first, change)),
            one_more: one_more.filter(|_| has_servers),
        }
    }

    fn action(&self, first: &Resource) -> (String, Option<Change>) {
        let stage = self.report.stages.get(first.stage);
        let name = stage.map(|stage| stage_name(first, stage)).unwrap_or_default();
        let wanted = self.wanted(first);
        let now = first.servers;
        match first.what {
            What::Pool | What::Cap => self.more_workers(first, &name, wanted),
            What::Cores => {
                let action = format!("Make an event of `{name}` take less time on a core.");
                (action, Some(Change::HalfCpu(first.stage)))
            }
            What::Shard => {
                let action = format!("Spread the hot key of `{name}` over two keys.");
                (action, Some(Change::HalfDemand))
            }
            What::Places => {
                let action = format!(
                    "Raise `pending` of `{name}` from {now} to {wanted}, if its remote side can \
                     do more at once."
                );
                (action, Some(Change::Servers(wanted)))
            }
            What::Rate => {
                let wanted = (first.demand() / TARGET).ceil();
                let action =
                    format!("Raise the rate of `{name}` from {now} to {wanted} per second.");
                (action, Some(Change::Servers(wanted)))
            }
            What::Budget => {
                let action = format!("Raise the budget from {now} to {wanted} events.");
                (action, Some(Change::Servers(wanted)))
            }
            What::Lock => {
                let action = format!("Hold the lock in `{name}` for a shorter time.");
                (action, Some(Change::HalfDemand))
            }
        }
    }

    /// Returns the number of servers at which the first resource is no longer the fullest, or has
    /// room.
    fn wanted(&self, first: &Resource) -> f64 {
        let next = self.ranked.get(1).map_or(0.0, Resource::load);
        let wanted = (first.demand() / next.max(TARGET)).ceil();
        wanted.max(first.servers + 1.0)
    }

    fn more_workers(&self, first: &Resource, name: &str, wanted: f64) -> (String, Option<Change>) {
        let now = self.entering_at(first.load());
        let change = Change::Servers(wanted);
        let helps = self.max_rate(change).zip(now).is_some_and(|(new, now)| new > now * HELPS);
        if !helps {
            let action = format!("Make an event of `{name}` take less time on a core.");
            return (action, Some(Change::HalfCpu(first.stage)));
        }
        let servers = first.servers;
        let stage = self.report.stages.get(first.stage);
        let action = match (first.what, first.kind) {
            (What::Cap, _) => format!("Raise the cap of `{name}` from {servers} to {wanted}."),
            (_, BottleneckKind::PoolLimit | BottleneckKind::Reactor) => {
                let pool = stage.map(|stage| stage.pool.as_str()).unwrap_or_default();
                format!("Raise the workers of the pool `{pool}` from {servers} to {wanted}.")
            }
            _ if first.parts.len() > 1 => {
                format!("Raise the replicas of `{name}` from {servers} to {wanted}.")
            }
            _ => format!("Raise the workers of `{name}` from {servers} to {wanted}."),
        };
        (action, Some(change))
    }

    /// Returns the rate at which a resource of that load is full.
    pub(super) fn entering_at(&self, load: f64) -> Option<f64> {
        (load > 0.0).then(|| self.flows.entering / load)
    }

    /// Returns the load of a resource after a change; the first one has place 0.
    fn load_after(&self, place: usize, resource: &Resource, change: Change) -> f64 {
        match change {
            Change::Servers(servers) if place == 0 => resource.demand() / servers,
            Change::HalfDemand if place == 0 => {
                let parts = resource.parts.iter();
                let own = parts.filter(|(stage, _)| *stage == resource.stage).map(|(_, d)| d);
                (resource.demand() - own.sum::<f64>() / 2.0) / resource.servers
            }
            Change::HalfCpu(stage) => {
                let cpu = self.flows.per_second.get(stage).copied().unwrap_or(0.0)
                    * self.held.get(stage).map_or(0.0, Held::cpu);
                let part = resource.parts.iter().find(|(part, _)| *part == stage);
                let saved = part.map_or(0.0, |(_, demand)| (cpu / 2.0).min(*demand));
                (resource.demand() - saved) / resource.servers
            }
            Change::Servers(_) | Change::HalfDemand => resource.load(),
        }
    }

    fn max_rate(&self, change: Change) -> Option<f64> {
        let loads = self.ranked.iter().enumerate();
        let loads = loads.map(|(place, resource)| self.load_after(place, resource, change));
        self.entering_at(loads.fold(0.0, f64::max))
    }

    fn expected(&self, first: &Resource, change: Change) -> Option<Expected> {
        let max = self.max_rate(change)?;
        let max_rate = estimate(max, first.error);
        let offered = self.flows.entering;
        let throughput = RateEstimate {
            per_second: offered.min(max_rate.per_second),
            low: offered.min(max_rate.low),
            high: offered.min(max_rate.high),
        };
        Some(Expected { max_rate, throughput, p99_seconds: self.p99_after(first, change) })
    }

    /// Returns the predicted 99th percentile of the response after a change.
    fn p99_after(&self, first: &Resource, change: Change) -> Option<f64> {
        let mut model = self.model.clone();
        let pool = &self.report.stages.get(first.stage)?.pool;
        for ((place, queue), stage) in model.queues.iter_mut().enumerate().zip(&self.report.stages)
        {
            let is_in_pool = stage.pool == *pool;
            match change {
                Change::Servers(servers) if is_in_pool && first.what == What::Pool => {
                    // Of replicas with pools of their own, each gets its part.
                    queue.workers = pool_size(stage) * servers / first.servers;
                }
                Change::Servers(servers) if place == first.stage && first.what == What::Cap => {
                    queue.workers = servers;
                }
                Change::HalfCpu(stage) => {
                    let cpu = self.held.get(stage).map_or(0.0, Held::cpu);
                    if place == stage {
                        queue.service -= cpu / 2.0;
                    }
                    if is_in_pool {
                        queue.pool_demand -= self.visits(stage) * cpu / 2.0;
                    }
                }
                Change::Servers(_) | Change::HalfDemand => {}
            }
        }
        model.p99(self.flows.entering)
    }

    fn visits(&self, stage: usize) -> f64 {
        self.model.queues.get(stage).map_or(0.0, |queue| queue.visits)
    }
}
