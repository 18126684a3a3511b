//! The resources of a graph: each has a demand, a number of servers, and a load.

use crate::monitor::report::diagnosis::flow::Flows;
use crate::monitor::report::diagnosis::holding::Held;
use crate::monitor::report::{BottleneckKind, LockReport, NextBottleneck, Report, StageReport};
use std::collections::BTreeMap;

/// A stage that takes at least this part of a shared pool makes it its own.
const OWN: f64 = 0.999;
/// A stage is blocked, and not busy on a core, if this part of its holding time is blocked.
const MOSTLY: f64 = 0.5;
/// Samples of a lock that are enough to blame it.
const LOCK_SAMPLES: u64 = 25;
/// Places outside are full if this part of them is in use.
const FULL_PLACES: f64 = 0.9;
/// Replicas share their events evenly if the fullest is at most this factor above their mean.
const EVEN: f64 = 1.25;

/// What a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The workers of a pool.
    Pool,
    /// The workers that one stage may use of its pool.
    Cap,
    /// The one worker that may run a shard of a keyed stage.
    Shard,
    /// The places outside of a stage that defers.
    Places,
    /// The machine's cores, or the quota of the control group.
    Cores,
    /// A declared rate.
    Rate,
    /// The budget of events.
    Budget,
    /// A lock.
    Lock,
}

/// A resource under the offered load.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Resource {
    pub(super) what: What,
    pub(super) kind: BottleneckKind,
    pub(super) name: String,
    /// The stage with the largest part of the demand, by its place in the report.
    pub(super) stage: usize,
    /// The stages and what each needs of it, in servers.
    pub(super) parts: Vec<(usize, f64)>,
    /// The part of each stage's demand that is waiting for a core.
    pub(super) core_wait: f64,
    pub(super) servers: f64,
    /// The part of the servers that was really in use, 0 to 1.
    pub(super) used: f64,
    /// The relative standard error of the load.
    pub(super) error: f64,
}

impl Resource {
    /// Returns what is needed of it, in servers.
    pub(super) fn demand(&self) -> f64 {
        self.parts.iter().map(|(_, demand)| demand).sum()
    }

    /// Returns the part of it that the offered requests need.
    pub(super) fn load(&self) -> f64 {
        self.demand() / self.servers.max(f64::MIN_POSITIVE)
    }

    /// Returns the part of the demand that is waiting for a core, 0 to 1.
    pub(super) fn core_wait_share(&self) -> f64 {
        self.core_wait / self.demand().max(f64::MIN_POSITIVE)
    }

    /// Returns the load without the wait for cores.
    pub(super) fn own_load(&self) -> f64 {
        (self.demand() - self.core_wait) / self.servers.max(f64::MIN_POSITIVE)
    }

    pub(super) fn summary(&self, report: &Report) -> NextBottleneck {
        let stage = report.stages.get(self.stage).map(|stage| stage_name(self, stage));
        NextBottleneck { kind: self.kind, stage, resource: self.name.clone(), load: self.load() }
    }
}

/// Returns the stage that a resource names: the replicated stage if its replicas are one resource.
pub(super) fn stage_name(resource: &Resource, stage: &StageReport) -> String {
    let group = stage.limits.replica_of.clone();
    group.filter(|_| resource.parts.len() > 1).unwrap_or_else(|| stage.name.clone())
}

/// Everything that resources are made of.
struct Measured<'a> {
    report: &'a Report,
    flows: &'a Flows,
    held: &'a [Held],
}

/// Returns all resources of a graph that any request needs, the fullest first.
pub(super) fn resources(report: &Report, flows: &Flows, held: &[Held]) -> Vec<Resource> {
    let measured = Measured { report, flows, held };
    let mut all = measured.pools();
    for (place, stage) in report.stages.iter().enumerate() {
        all.extend(measured.cap(place, stage));
        all.extend(measured.shard(place, stage));
        all.extend(measured.places(place, stage));
        all.extend(measured.rate(place, stage));
    }
    all.extend(report.locks.iter().filter_map(|lock| measured.lock(lock)));
    all.extend(measured.budget());
    all.extend(measured.cores());
    all.retain(|resource| resource.demand() > 0.0 && resource.load().is_finite());
    all.sort_by(|a, b| b.load().total_cmp(&a.load()));
    all
}

impl Measured<'_> {
    fn flow(&self, place: usize) -> f64 {
        self.flows.per_second.get(place).copied().unwrap_or(0.0)
    }

    fn held(&self, place: usize) -> Held {
        self.held.get(place).copied().unwrap_or_default()
    }

    fn busy(&self, place: usize) -> f64 {
        let stage = self.report.stages.get(place);
        stage.map_or(0.0, |stage| busy_without_room(stage, &self.held(place)))
    }

    /// Returns the pools; evenly used replicas with pools of their own are one.
    fn pools(&self) -> Vec<Resource> {
        let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, stage) in self.report.stages.iter().enumerate() {
            members.entry(&stage.pool).or_default().push(place);
        }
        let pools = members.iter().filter_map(|(name, stages)| self.pool(name, stages));
        let (replicas, mut pools): (Vec<Resource>, Vec<Resource>) =
            pools.partition(|pool| pool.parts.len() == 1 && self.group(pool.stage).is_some());
        let mut groups: BTreeMap<&str, Vec<Resource>> = BTreeMap::new();
        for replica in replicas {
            if let Some(group) = self.group(replica.stage) {
                groups.entry(group).or_default().push(replica);
            }
        }
        for (name, replicas) in groups {
            pools.extend(join_even(name, replicas));
        }
        pools
    }

    fn group(&self, place: usize) -> Option<&str> {
        self.report.stages.get(place)?.limits.replica_of.as_deref()
    }

    fn pool(&self, name: &str, stages: &[usize]) -> Option<Resource> {
        let first = self.report.stages.get(*stages.first()?)?;
        let mut parts: Vec<(usize, f64)> =
            stages.iter().map(|n| (*n, self.flow(*n) * self.held(*n).worker())).collect();
        let all: f64 = parts.iter().map(|(_, demand)| demand).sum();
        let (stage, largest) = largest(&parts)?;
        let kind = if first.limits.hosted {
            BottleneckKind::Reactor
        } else if largest < OWN * all {
            BottleneckKind::PoolLimit
        } else {
            self.busy_kind(stage)
        };
        let used = stages.iter().map(|n| self.busy(*n));
        let mut used: f64 = used.sum();
        if let Some(reactors) = self.report.machine.reactors.filter(|_| first.limits.hosted) {
            // The sockets are served by the same threads.
            parts.push((stage, reactors));
            used += reactors;
        }
        let servers = pool_size(first);
        let core_wait = stages.iter().map(|n| self.flow(*n) * self.held(*n).core_wait()).sum();
        let error = self.error(&parts);
        let name = format!("pool {name}");
        let used = used / servers;
        Some(Resource {
            what: What::Pool,
            kind,
            name,
            stage,
            parts,
            core_wait,
            servers,
            used,
            error,
        })
    }

    /// Returns whether a stage's own workers are busy or blocked.
    fn busy_kind(&self, place: usize) -> BottleneckKind {
        let held = self.held(place);
        let is_blocked = held.blocked() > MOSTLY * held.worker();
        if is_blocked { BottleneckKind::Blocked } else { BottleneckKind::Cpu }
    }

    fn cap(&self, place: usize, stage: &StageReport) -> Option<Resource> {
        let cap = stage.limits.cap.filter(|cap| (*cap as f64) < pool_size(stage))?;
        let name = format!("cap of {}", stage.name);
        let used = self.busy(place) / cap as f64;
        let demand = self.flow(place) * self.held(place).worker();
        let one = self.of_one(What::Cap, BottleneckKind::PoolLimit, name, (place, demand));
        let core_wait = self.flow(place) * self.held(place).core_wait();
        Some(Resource { servers: cap as f64, used, core_wait, ..one })
    }

    fn shard(&self, place: usize, stage: &StageReport) -> Option<Resource> {
        let share = stage.last_ten_seconds.busiest_shard_share?;
        let name = format!("shard of {}", stage.name);
        let demand = self.flow(place) * share * (self.held(place).worker() + self.outside(place));
        let one = self.of_one(What::Shard, BottleneckKind::Key, name, (place, demand));
        let served = stage.last_ten_seconds.served as f64 / self.flows.seconds.max(1e-9);
        let used = (served * share * self.held(place).worker()).min(1.0);
        Some(Resource { used, ..one })
    }

    /// Returns the mean time outside of an event of a stage that defers.
    fn outside(&self, place: usize) -> f64 {
        self.held(place).outside
    }

    fn places(&self, place: usize, stage: &StageReport) -> Option<Resource> {
        let outside = Some(self.outside(place)).filter(|seconds| *seconds > 0.0)?;
        let now = stage.outstanding.unwrap_or(stage.limits.pending);
        // The places in force that are full for ten seconds are all that the controller gives: with
        // more of them the remote side answers no faster.
        let is_full = stage.last_ten_seconds.outside >= FULL_PLACES * now as f64;
        // Places that the threads bound are no bound of their own: the cores are.
        let follows_threads = self.held(place).parts.outside_cpu.is_some();
        let can_grow = stage.limits.sized && (!is_full || follows_threads);
        let places = if can_grow { stage.limits.pending.max(now) } else { now };
        let name = format!("places outside of {}", stage.name);
        let demand = self.flow(place) * outside;
        let one = self.of_one(What::Places, BottleneckKind::Outside, name, (place, demand));
        let used = stage.last_ten_seconds.outside / places.max(1) as f64;
        Some(Resource { servers: places.max(1) as f64, used, ..one })
    }

    fn rate(&self, place: usize, stage: &StageReport) -> Option<Resource> {
        let rate = stage.limits.rate_per_second.filter(|rate| *rate > 0.0)?;
        let name = format!("rate of {}", stage.name);
        let flow = (place, self.flow(place));
        let one = self.of_one(What::Rate, BottleneckKind::Admission, name, flow);
        let accepted = stage.last_ten_seconds.accepted as f64 / self.flows.seconds.max(1e-9);
        Some(Resource { servers: rate, used: accepted / rate, error: 0.0, ..one })
    }

    /// Returns the budget. What is needed of it is the events in service and outside: a queue would
    /// fill any budget.
    fn budget(&self) -> Option<Resource> {
        let parts: Vec<(usize, f64)> = (0..self.report.stages.len())
            .map(|n| (n, self.flow(n) * self.held(n).worker().max(self.outside(n))))
            .collect();
        let (stage, _) = largest(&parts)?;
        let error = self.error(&parts);
        let inside: f64 =
            self.report.stages.iter().map(|stage| stage.last_ten_seconds.occupancy).sum();
        let servers = self.report.budget.limit.max(1) as f64;
        Some(Resource {
            what: What::Budget,
            kind: BottleneckKind::Admission,
            name: "budget".to_owned(),
            stage,
            parts,
            core_wait: 0.0,
            servers,
            used: inside / servers,
            error,
        })
    }

    /// Returns a lock that was seen often enough. Its demand is the time that it is held, raised
    /// from the events that were served to those that are offered.
    fn lock(&self, lock: &LockReport) -> Option<Resource> {
        if lock.contended < LOCK_SAMPLES {
            return None;
        }
        let stages = self.report.stages.iter().enumerate();
        let parts = stages.filter_map(|(place, stage)| {
            let held = lock.held.get(&stage.name)?;
            let served = stage.last_ten_seconds.served as f64 / self.flows.seconds.max(1e-9);
            (served > 0.0).then(|| (place, held * self.flow(place) / served))
        });
        let parts: Vec<(usize, f64)> = parts.collect();
        let (stage, _) = largest(&parts)?;
        let name = format!("lock of {}", self.report.stages.get(stage)?.name);
        let kind = BottleneckKind::Lock;
        // The error of a share of looks; that of its square root is half of it.
        let missed = 1.0 - lock.contended as f64 / lock.looks.max(lock.contended) as f64;
        let error = (missed / lock.contended as f64).sqrt() / 2.0;
        let used = lock.held.values().sum();
        let (core_wait, servers) = (0.0, 1.0);
        Some(Resource {
            what: What::Lock,
            kind,
            name,
            stage,
            parts,
            core_wait,
            servers,
            used,
            error,
        })
    }

    fn cores(&self) -> Option<Resource> {
        let machine = &self.report.machine;
        let cores = machine.cores as f64;
        if cores <= 0.0 {
            return None;
        }
        // What runs beside requests: other processes, and stages that no request needs.
        let beside = self.report.stages.iter().enumerate().filter(|(n, _)| self.flow(*n) <= 0.0);
        let beside: f64 = beside.map(|(n, stage)| stage_cores(stage, &self.held(n))).sum();
        let taken = machine.others.unwrap_or(0.0) + machine.steal.unwrap_or(0.0) + beside;
        let left = (cores - taken).max(0.1 * cores);
        let quota = machine.quota.filter(|quota| *quota - beside < left);
        let (servers, kind) = match quota {
            Some(quota) => ((quota - beside).max(0.1 * quota), BottleneckKind::Quota),
            None => (left, BottleneckKind::Cores),
        };
        let mut parts: Vec<(usize, f64)> = (0..self.report.stages.len())
            .map(|n| (n, self.flow(n) * self.held(n).known_cpu()))
            .collect();
        let (stage, _) = largest(&parts)?;
        if let Some(reactors) = machine.reactors.filter(|cores| *cores > 0.0) {
            parts.push((stage, reactors));
        }
        let used = self.report.stages.iter().enumerate();
        let used: f64 = used.map(|(n, stage)| stage_cores(stage, &self.held(n))).sum();
        let used = machine.process.unwrap_or(used) / (servers + beside);
        let error = self.error(&parts);
        let name = if kind == BottleneckKind::Quota { "quota" } else { "cores" }.to_owned();
        Some(Resource {
            what: What::Cores,
            kind,
            name,
            stage,
            parts,
            core_wait: 0.0,
            servers,
            used,
            error,
        })
    }

    /// Returns a resource with one server that one stage uses.
    fn of_one(
        &self,
        what: What,
        kind: BottleneckKind,
        name: String,
        (stage, demand): (usize, f64),
    ) -> Resource {
        let parts = vec![(stage, demand)];
        let error = self.error(&parts);
        let used = demand.min(1.0);
        Resource { what, kind, name, stage, parts, core_wait: 0.0, servers: 1.0, used, error }
    }

    /// Returns the relative standard error of a demand: of the holding times, and of the routes
    /// that few of the requests take.
    fn error(&self, parts: &[(usize, f64)]) -> f64 {
        let all: f64 = parts.iter().map(|(_, demand)| demand).sum();
        let squares = parts.iter().map(|(place, demand)| {
            let visits = self.flow(*place) / self.flows.entering.max(f64::MIN_POSITIVE);
            let seen = (self.flows.entered as f64 * visits).max(1.0);
            let routed = (1.0 - visits).max(0.0) / seen;
            (demand * demand) * (self.held(*place).error().powi(2) + routed)
        });
        squares.sum::<f64>().sqrt() / all.max(f64::MIN_POSITIVE)
    }
}

/// Returns the stage with the largest part.
fn largest(parts: &[(usize, f64)]) -> Option<(usize, f64)> {
    parts.iter().copied().max_by(|(_, a), (_, b)| a.total_cmp(b))
}

/// Returns how many workers a pool can have: its maximum if a controller adds them.
pub(super) fn pool_size(stage: &StageReport) -> f64 {
    let workers = &stage.workers;
    let most = if stage.limits.sized && !stage.limits.hosted { workers.max } else { workers.now };
    most.max(workers.now).max(1) as f64
}

/// Returns the mean number of workers that ran a stage and waited neither for room nor for a lock,
/// over the window of the holding time.
fn busy_without_room(stage: &StageReport, held: &Held) -> f64 {
    let window = held.window(stage);
    let total = window.holding.total.unwrap_or(0.0);
    let waits = window.holding.room_wait + window.holding.lock_wait;
    let own = if total > 0.0 { 1.0 - waits / total } else { 1.0 };
    window.busy_workers * own
}

/// Returns the mean number of cores that a stage used.
fn stage_cores(stage: &StageReport, held: &Held) -> f64 {
    let total = held.parts.total.unwrap_or(0.0);
    let share = if total > 0.0 { held.parts.cpu.unwrap_or(0.0) / total } else { 0.0 };
    stage.last_ten_seconds.busy_workers * share
}

/// Joins the pools of replicas into one if they are used evenly; a slow one stands out.
fn join_even(group: &str, mut replicas: Vec<Resource>) -> Vec<Resource> {
    let mean = replicas.iter().map(Resource::load).sum::<f64>() / replicas.len().max(1) as f64;
    let most = replicas.iter().map(Resource::load).fold(0.0, f64::max);
    if replicas.len() < 2 || most > EVEN * mean {
        return replicas;
    }
    let Some(mut joined) = replicas.pop() else { return Vec::new() };
    joined.name = format!("pool {group}");
    let mut squares = (joined.error * joined.demand()).powi(2);
    let mut used = joined.used * joined.servers;
    for replica in replicas {
        squares += (replica.error * replica.demand()).powi(2);
        used += replica.used * replica.servers;
        joined.servers += replica.servers;
        joined.core_wait += replica.core_wait;
        joined.parts.extend(replica.parts);
    }
    joined.error = squares.sqrt() / joined.demand().max(f64::MIN_POSITIVE);
    joined.used = used / joined.servers;
    vec![joined]
}
