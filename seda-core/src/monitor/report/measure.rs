//! Figures over the last second and the last ten seconds, and what is declared beside them.

use crate::config::{Position, StageIndex};
use crate::event::RefusalCounts;
use crate::monitor::report::declared::{MachineReport, StageLimits};
use crate::monitor::report::window::{
    BlockedIn, BlockedWait, BurstFigures, EdgeWindow, Holding, LockReport, StageWindow, WindowTimes,
};
use crate::monitor::{
    BlockedCause, BlockedFigures, Edge, Monitor, PARKED, Sample, StageSums, Topology, Window,
    between,
};
use crate::platform::descriptor_target;
use crate::stats::Quantiles;
use std::collections::BTreeMap;

/// The measured graph.
#[derive(Clone, Copy)]
pub(super) struct Measure<'a> {
    pub(super) topology: &'a Topology,
    pub(super) monitor: &'a Monitor,
    /// What busy workers were blocked in, in the last ten seconds.
    pub(super) blocked: &'a BlockedFigures,
}

/// Fewer samples than this say nothing about the share of a wait.
const FEW_SAMPLES: u64 = 25;

impl Measure<'_> {
    /// Returns the figures of a stage over a window; all zero without one.
    pub(super) fn stage(self, index: StageIndex, window: Option<Window<'_>>) -> StageWindow {
        let Some(window) = window else { return StageWindow::default() };
        let (now, then) = (&self.monitor.now.stages[index], &window.start.stages[index]);
        let figures = window.figures(index, &self.monitor.tick);
        let seconds = self.seconds(window.start);
        let ticks = now.windowed.ticks.since(then.windowed.ticks);
        let deferred = now.deferred.times.since(then.deferred.times);
        let workers = now.workers - then.workers;
        StageWindow {
            seconds,
            offered: now.ledger.offered - then.ledger.offered,
            accepted: now.ledger.accepted - then.ledger.accepted,
            served: now.ledger.handled - then.ledger.handled,
            failed: now.ledger.failed - then.ledger.failed,
            shed: now.ledger.shed.total() - then.ledger.shed.total(),
            refused: refused(&now.ledger.refused, &then.ledger.refused),
            turned_away: turned_away(now).saturating_sub(turned_away(then)),
            wait: times(&figures.wait),
            service: times(&figures.service),
            utilization: share(now.busy - then.busy, workers),
            busy_workers: per_second((now.busy - then.busy) as f64 / 1e9, seconds),
            holding: self.without_locks(index, holding(now, then)),
            outside_seconds: deferred.mean_seconds(),
            outside: per_second(deferred.nanos as f64 / 1e9, seconds),
            occupancy: per_second(
                (now.windowed.occupancy - then.windowed.occupancy) as f64 / 1e9,
                seconds,
            ),
            dispersion: ticks.dispersion(),
            bursts: ticks.persistence().map(|persistence| BurstFigures {
                tick_seconds: seconds / ticks.ticks.max(1) as f64,
                persistence,
            }),
            parallelism: ticks.parallelism(),
            busiest_shard_share: busiest_shard(&now.windowed.shards, &then.windowed.shards),
        }
    }

    /// Returns the counts of an edge over a window.
    pub(super) fn edge(self, edge: &Edge, window: Option<Window<'_>>) -> EdgeWindow {
        let counts =
            |sample: &Sample| sample.stages[edge.target()].windowed.edges.get(edge.number).copied();
        let (sent, refused) = counts(&self.monitor.now).unwrap_or_default();
        let (sent_before, refused_before) =
            window.and_then(|window| counts(window.start)).unwrap_or_default();
        EdgeWindow { sent: sent - sent_before, refused: refused - refused_before }
    }

    /// Returns the declared bounds of a stage.
    pub(super) fn limits(self, index: StageIndex) -> StageLimits {
        let settings = self.topology.settings();
        let Some(set) = settings.stages.get(index.get()) else {
            return StageLimits::default();
        };
        let declared = self.topology.declared.stages.get(index.get());
        StageLimits {
            cap: set.cap,
            rate_per_second: set.rate.map(|rate| rate.per_second),
            rate_burst: set.rate.map(|rate| rate.burst),
            weight: set.weight,
            pending: set.pending,
            replica_of: declared.and_then(|stage| Some(stage.group.as_ref()?.name.clone())),
            keyed: declared.is_some_and(|stage| stage.keyed),
            hosted: self.topology.pool_of(index).core.hosted,
            sized: settings.control.pool_size.acts(),
        }
    }

    /// Returns the machine's figures over the last ten seconds.
    pub(super) fn machine(self) -> MachineReport {
        let monitor = self.monitor;
        let start = monitor.recent.seconds.last_ten().map(|window| window.start);
        let hosts = self.topology.pools.iter().any(|pool| pool.core.hosted);
        let mut report = MachineReport {
            cores: self.topology.core.cores(),
            quota: monitor.recent.group.quota,
            ..MachineReport::default()
        };
        if let Some(start) = start.filter(|_| hosts && !self.topology.core.is_stepped()) {
            let nanos = monitor.now.reactors - start.reactors;
            report.reactors = Some(per_second(nanos as f64 / 1e9, self.seconds(start)));
        }
        let Some((then, now, seconds)) = monitor.recent.seconds.machine() else { return report };
        let cores = |then, now| Some(between(then, now)? as f64 / 1e9 / seconds);
        report.process = cores(then.process, now.process);
        report.busy = cores(then.busy, now.busy);
        report.steal = cores(then.steal, now.steal);
        report.throttled = cores(then.throttled, now.throttled).map(|share| share.min(1.0));
        let others = report.busy.zip(report.process);
        report.others = others.map(|(busy, process)| (busy - process).max(0.0));
        report
    }

    /// Returns a holding time with the wait for locks apart from other blocked time.
    fn without_locks(self, index: StageIndex, held: Holding) -> Holding {
        let samples = &self.blocked.stages[index];
        let is_lock = |(cause, _): &(&BlockedCause, &u64)| matches!(cause, BlockedCause::Lock(_));
        let locked: u64 = samples.blocked.iter().filter(is_lock).map(|(_, n)| n).sum();
        let Some((blocked, total)) = held.blocked.zip(held.total) else { return held };
        if samples.busy < FEW_SAMPLES {
            return held;
        }
        let lock_wait = (total * locked as f64 / samples.busy as f64).min(blocked);
        Holding { lock_wait, blocked: Some(blocked - lock_wait), ..held }
    }

    /// Returns what the workers of a stage were blocked in, the most frequent first.
    pub(super) fn blocked_in(self, index: StageIndex) -> Vec<BlockedIn> {
        let samples = &self.blocked.stages[index];
        let waits = samples.blocked.iter().map(|(cause, n)| {
            let (wait, object) = wait_of(*cause);
            let holder = match cause {
                BlockedCause::Lock(address) => self.holder(*address),
                _ => None,
            };
            let share = *n as f64 / samples.busy.max(1) as f64;
            BlockedIn { wait, object, holder, samples: *n, share }
        });
        let mut waits: Vec<BlockedIn> = waits.collect();
        waits.sort_by_key(|wait| std::cmp::Reverse(wait.samples));
        waits
    }

    /// Returns the stage whose workers hold a lock most of the time.
    fn holder(self, address: u64) -> Option<String> {
        let lock = self.blocked.locks.iter().find(|lock| lock.address == address)?;
        let stages = self.topology.stages.indices().zip(&lock.holding);
        let (holder, held) = stages.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        (*held > 0.0).then(|| self.name(holder))
    }

    /// Returns the locks that workers waited for, the most contended first.
    pub(super) fn locks(self) -> Vec<LockReport> {
        let looks = self.blocked.looks.max(1) as f64;
        let locks = self.blocked.locks.iter().map(|lock| {
            let raised = (looks / lock.contended.max(1) as f64).sqrt();
            let stages = || self.topology.stages.indices();
            let held = stages().zip(&lock.holding).filter(|(_, held)| **held > 0.0);
            let waiting = stages().zip(&lock.waiting).filter(|(_, n)| **n > 0);
            LockReport {
                address: (lock.address != PARKED).then(|| format!("{:#x}", lock.address)),
                looks: self.blocked.looks,
                contended: lock.contended,
                held: held.map(|(n, held)| (self.name(n), held * raised / looks)).collect(),
                waiting: waiting.map(|(n, count)| (self.name(n), *count as f64 / looks)).collect(),
            }
        });
        locks.collect()
    }

    fn name(self, stage: StageIndex) -> String {
        self.topology.stages[stage].core.name().to_string()
    }

    fn seconds(self, start: &Sample) -> f64 {
        self.monitor.now.at.since(start.at).as_secs_f64()
    }
}

/// Returns the kind of a wait and the thing waited for.
fn wait_of(cause: BlockedCause) -> (BlockedWait, String) {
    match cause {
        BlockedCause::Lock(PARKED) => (BlockedWait::Lock, "each thread parks by itself".to_owned()),
        BlockedCause::Lock(address) => (BlockedWait::Lock, format!("futex {address:#x}")),
        BlockedCause::Wake => (BlockedWait::Wake, String::new()),
        BlockedCause::Sleep => (BlockedWait::Sleep, String::new()),
        BlockedCause::Io(descriptor) => {
            let target = descriptor_target(descriptor);
            let target = target.map(|target| format!(" ({target})")).unwrap_or_default();
            (BlockedWait::Descriptor, format!("descriptor {descriptor}{target}"))
        }
        BlockedCause::Poll => (BlockedWait::Descriptor, "a poll".to_owned()),
        BlockedCause::Fault => (BlockedWait::Unknown, "a page fault".to_owned()),
        BlockedCause::Other | BlockedCause::Unknown => (BlockedWait::Unknown, String::new()),
    }
}

pub(super) fn times(times: &Quantiles) -> WindowTimes {
    WindowTimes {
        count: times.count(),
        mean: times.mean_seconds(),
        p50: times.quantile_seconds(0.5),
        p99: times.quantile_seconds(0.99),
        p999: times.quantile_seconds(0.999),
        variation: times.variation(),
    }
}

/// Returns how long a worker was held per event that it ended between two readings.
fn holding(now: &StageSums, then: &StageSums) -> Holding {
    // Deferred events hold a worker until they go outside; events that were begun may end later.
    let deferred = now.deferred.times.since(then.deferred.times);
    let ended = now.service.since(then.service).count + deferred.count;
    if ended == 0 {
        return Holding::default();
    }
    let each = |nanos: u64| nanos as f64 / ended as f64 / 1e9;
    let busy = now.busy - then.busy;
    let total = each(busy);
    let room_wait = each((now.windowed.room_wait - then.windowed.room_wait).min(busy));
    // Only a part of the busy time is split: the shares of that part count for all of it.
    let split = now.split - then.split;
    let part = |then, now| Some(total * share(between(then, now)?, u128::from(split)));
    let parts = part(then.cpu, now.cpu).zip(part(then.run_queue, now.run_queue));
    let parts = parts.filter(|_| split > 0);
    let left = (total - room_wait).max(0.0);
    let cpu = parts.map(|(cpu, _)| cpu.min(left));
    let core_wait = parts.zip(cpu).map(|((_, wait), cpu)| wait.min(left - cpu));
    let blocked = cpu.zip(core_wait).map(|(cpu, wait)| (left - cpu - wait).max(0.0));
    let threads = now.deferred.threads.since(then.deferred.threads);
    Holding {
        total: Some(total),
        cpu,
        core_wait,
        room_wait,
        lock_wait: 0.0,
        blocked,
        outside_cpu: threads.mean_running_seconds(),
        outside_wait: threads.mean_waiting_seconds(),
    }
}

fn refused(now: &RefusalCounts, then: &RefusalCounts) -> BTreeMap<String, u64> {
    let counts = now.iter().zip(then.iter());
    let grown = counts.map(|((reason, now), (_, then))| (reason.to_string(), now - then));
    grown.filter(|(_, n)| *n > 0).collect()
}

fn turned_away(sums: &StageSums) -> u64 {
    sums.gate.turned_away.iter().sum()
}

/// Returns the share of the events that went to one shard between two readings, the largest of all;
/// `None` without events.
pub(super) fn busiest_shard(now: &[u64], then: &[u64]) -> Option<f64> {
    let before = then.iter().copied().chain(std::iter::repeat(0));
    let grown: Vec<u64> = now.iter().zip(before).map(|(now, then)| now - then).collect();
    let all: u64 = grown.iter().sum();
    let most = grown.iter().copied().max()?;
    (all > 0).then(|| most as f64 / all as f64)
}

fn share(part: u64, whole: u128) -> f64 {
    if whole > 0 { (part as f64 / whole as f64).min(1.0) } else { 0.0 }
}

/// Returns the rate of an amount; 0 in no time.
pub(super) fn per_second(amount: f64, seconds: f64) -> f64 {
    if seconds > 0.0 { amount / seconds } else { 0.0 }
}
