//! Which resource is named, its kind, and the evidence.

use crate::config::units::{Percent, Seconds};
use crate::monitor::report::diagnosis::admission::{self, Bound};
use crate::monitor::report::diagnosis::advice::{Advice, Analysis, estimate};
use crate::monitor::report::diagnosis::flow::Flows;
use crate::monitor::report::diagnosis::holding::Held;
use crate::monitor::report::diagnosis::predict::Model;
use crate::monitor::report::diagnosis::resource::{Resource, What, resources, stage_name};
use crate::monitor::report::{
    Bottleneck, BottleneckKind, NextBottleneck, Report, StageReport, StageWindow,
};

/// The load from which a resource is named: half a load must say none, and 70 % a name.
const BUSY: f64 = 0.62;
/// Fewer events than this in ten seconds say nothing.
const FEW_EVENTS: u64 = 30;
/// A pool whose workers wait for a core for this part of their time is not what is scarce.
const STARVED: f64 = 0.4;
/// The cores are scarce, too, if they are this near to the pool whose workers wait for them.
const NEAR: f64 = 0.85;
/// The least load of the cores at which workers wait for them because of the graph's own work.
const CORES_BUSY: f64 = 0.5;
/// Two loads within one standard error of each other tie, but never if they are further apart.
const TIE: f64 = 0.045;
/// A stage whose workers wait for room for this part of their time is held up by the next one.
const HELD_UP: f64 = 0.5;

/// Finds what limits the graph.
pub(super) fn find(report: &Report) -> Bottleneck {
    let flows = Flows::of(report);
    let held: Vec<Held> = report.stages.iter().map(Held::of).collect();
    let model = Model::of(report, &flows, &held);
    let ranked = ranked(resources(report, &flows, &held));
    let analysis = Analysis { report, flows: &flows, held: &held, model: &model, ranked: &ranked };
    let verdict = Verdict { analysis };
    verdict.find()
}

struct Verdict<'a> {
    analysis: Analysis<'a>,
}

/// Returns the resources, the one to be named first. Where workers mostly wait for cores, that is
/// the cores, and the others count without that wait.
fn ranked(mut all: Vec<Resource>) -> Vec<Resource> {
    let Some(first) = all.first() else { return all };
    let cores = all.iter().find(|resource| resource.what == What::Cores);
    let is_scarce = cores.is_some_and(|cores| {
        let starved = first.core_wait_share() > STARVED && cores.load() >= CORES_BUSY;
        let near = cores.load() >= NEAR * first.load() && cores.load() > first.own_load();
        starved || (near && first.core_wait_share() > 0.1)
    });
    if !is_scarce && first.what != What::Cores {
        return all;
    }
    for resource in &mut all {
        let own = 1.0 - resource.core_wait_share();
        resource.parts.iter_mut().for_each(|(_, demand)| *demand *= own);
        resource.core_wait = 0.0;
    }
    all.sort_by(|a, b| {
        let is_cores = |resource: &Resource| resource.what == What::Cores;
        is_cores(b).cmp(&is_cores(a)).then(b.load().total_cmp(&a.load()))
    });
    all
}

impl Verdict<'_> {
    fn find(&self) -> Bottleneck {
        let Analysis { report, flows, held, ranked, .. } = &self.analysis;
        let first = ranked.first();
        // Handlers that do not return.
        if let Some(stage) = report.stages.iter().find(|stage| is_stuck(stage)) {
            return stuck(stage);
        }
        if flows.entered < FEW_EVENTS {
            return cannot_tell(flows.entered, "came from outside", flows.seconds);
        }
        // A bound that refuses while there is room.
        if let Some(bound) = admission::find(report, flows, held, first, BUSY) {
            return self.bounded(&bound);
        }
        let Some(first) = first else { return self.idle() };
        // A resource that is near its limit.
        if first.load() < BUSY {
            return self.held_up().unwrap_or_else(|| self.none(first));
        }
        let events = held.get(first.stage).map_or(0, |held| held.events);
        if events < FEW_EVENTS && first.what != What::Rate {
            let stage = report.stages.get(first.stage);
            let name = stage.map(|stage| stage.name.as_str()).unwrap_or_default();
            return cannot_tell(events, &format!("ended at `{name}`"), flows.seconds);
        }
        self.named(first)
    }

    /// Names a full resource.
    fn named(&self, first: &Resource) -> Bottleneck {
        let Advice { action, expected, one_more } = self.analysis.advise();
        Bottleneck {
            evidence: self.evidence(first),
            action,
            expected,
            one_more_max_rate: one_more,
            kind: first.kind,
            tied: self.tied(first),
            ..self.of(first)
        }
    }

    /// Nothing is near its limit; the fullest resource is told.
    fn none(&self, first: &Resource) -> Bottleneck {
        Bottleneck { evidence: self.bursts(), kind: BottleneckKind::None, ..self.of(first) }
    }

    /// No resource is used at all.
    fn idle(&self) -> Bottleneck {
        let kind = BottleneckKind::None;
        Bottleneck { kind, evidence: self.bursts(), ..Bottleneck::default() }
    }

    /// Returns what is the same for every kind.
    fn of(&self, first: &Resource) -> Bottleneck {
        let Analysis { report, model, ranked, .. } = &self.analysis;
        let stage = report.stages.get(first.stage).map(|stage| stage_name(first, stage));
        let max = self.analysis.entering_at(first.load());
        let slo = report.classes.iter().filter_map(|class| class.promised_seconds);
        let slo = slo.min_by(f64::total_cmp);
        Bottleneck {
            stage,
            resource: first.name.clone(),
            load: first.load(),
            max_rate: max.map(|rate| estimate(rate, first.error)),
            next: ranked.get(1).map(|next| next.summary(report)),
            slo_max_rate: slo.and_then(|slo| model.rate_within(slo)),
            ..Bottleneck::default()
        }
    }

    /// Returns the resources of other stages whose loads are the same within the error.
    fn tied(&self, first: &Resource) -> Vec<NextBottleneck> {
        let Analysis { report, ranked, .. } = &self.analysis;
        let others = ranked.iter().skip(1).filter(|other| {
            let error = first.error.hypot(other.error).min(TIE);
            other.stage != first.stage && other.load() >= first.load() * (1.0 - error)
        });
        others.map(|other| other.summary(report)).collect()
    }

    /// A bound refuses requests while every resource has room.
    fn bounded(&self, bound: &Bound) -> Bottleneck {
        let Analysis { report, flows, ranked, .. } = &self.analysis;
        let stage = bound.stage.and_then(|n| report.stages.get(n)).map(|s| s.name.clone());
        let refused = format!(
            "{} refuses {} of {:.1} requests/s",
            bound.name,
            Percent(bound.refused),
            flows.entering
        );
        let first = ranked.first();
        let room = first.map(|first| {
            format!("{}, the fullest resource, is used to {}", first.name, Percent(first.used))
        });
        let action = match &stage {
            Some(stage) if report.classes.iter().any(|c| c.promised_seconds.is_some()) => {
                format!("Relax the SLO, or make an event of `{stage}` take less time.")
            }
            Some(stage) => format!("Look at the limit of the gate of `{stage}`."),
            None => {
                let limit = report.budget.limit as f64;
                let wanted = (limit * bound.load() * 1.5).ceil();
                format!("Raise the budget from {limit} to {wanted} events.")
            }
        };
        let max = flows.entering * (1.0 - bound.refused);
        Bottleneck {
            kind: BottleneckKind::Admission,
            stage,
            resource: bound.name.clone(),
            load: bound.load(),
            max_rate: Some(estimate(max, 0.0)),
            evidence: std::iter::once(refused).chain(room).collect(),
            next: first.map(|first| first.summary(report)),
            action,
            ..Bottleneck::default()
        }
    }

    /// Returns the stage behind senders that wait for room all the time, if no load explains it.
    fn held_up(&self) -> Option<Bottleneck> {
        let report = self.analysis.report;
        let sender = report.stages.iter().find(|stage| {
            let window = &stage.last_ten_seconds;
            window.utilization >= 0.9 && room_share(window) > HELD_UP
        })?;
        let behind = report.edges.iter().filter(|edge| edge.from.as_ref() == Some(&sender.name));
        let behind = behind.filter(|edge| edge.waits).max_by_key(|edge| edge.last_ten_seconds.sent);
        let stage = behind.map(|edge| edge.to.clone())?;
        Some(Bottleneck {
            kind: BottleneckKind::Downstream,
            resource: format!("room of {stage}"),
            load: 1.0,
            evidence: vec![format!(
                "`{}` waits for room in `{stage}` for {} of its time",
                sender.name,
                Percent(room_share(&sender.last_ten_seconds))
            )],
            action: format!("Look at what `{stage}` waits for."),
            stage: Some(stage),
            ..Bottleneck::default()
        })
    }

    /// Returns what was measured about a full resource.
    fn evidence(&self, first: &Resource) -> Vec<String> {
        let report = self.analysis.report;
        let mut evidence = vec![self.need(first)];
        let Some(stage) = report.stages.get(first.stage) else { return evidence };
        let Some(held) = self.analysis.held.get(first.stage) else { return evidence };
        evidence.extend(self.changed(held));
        evidence.extend(parts(held, &stage.name));
        evidence.extend(outcome(held.window(stage)));
        let locked = report.stages.iter().filter(|s| lock_share(s) > 0.1);
        evidence.extend(locked.map(|waiter| {
            format!("`{}` waits for a lock for {}", waiter.name, Percent(lock_share(waiter)))
        }));
        if first.kind == BottleneckKind::Blocked {
            let waits = stage.blocked_in.iter().filter(|wait| wait.share > 0.1);
            evidence.extend(waits.map(|wait| {
                let share = Percent(wait.share);
                format!("blocked in {} for {share} of the samples", wait.name())
            }));
        }
        let waiting = report.stages.iter().filter(|s| room_share(&s.last_ten_seconds) > 0.1);
        evidence.extend(waiting.map(|sender| {
            let share = Percent(room_share(&sender.last_ten_seconds));
            format!("`{}` waits for room for {share} of its time", sender.name)
        }));
        if let (What::Cores, Some(others)) = (first.what, report.machine.others)
            && others > 0.1
        {
            evidence.push(format!("other processes use {others:.1} cores"));
        }
        evidence
    }

    /// Returns what the requests need of a resource, and how much of it there is.
    fn need(&self, first: &Resource) -> String {
        let (demand, servers) = (first.demand(), first.servers);
        let name = self.analysis.report.stages.get(first.stage);
        let name = name.map(|stage| stage_name(first, stage)).unwrap_or_default();
        let own = first.parts.iter().find(|(stage, _)| *stage == first.stage);
        let share = Percent(own.map_or(1.0, |(_, own)| own / demand.max(f64::MIN_POSITIVE)));
        match first.what {
            What::Rate => {
                format!("{demand:.1} events/s are sent to `{name}`, {servers:.1} may enter")
            }
            What::Cores => {
                format!("{demand:.2} of {servers:.2} cores are needed, {share} for `{name}`")
            }
            What::Budget => {
                format!(
                    "{demand:.1} events are in service, {share} in `{name}`, {servers} may be inside"
                )
            }
            What::Places => format!("{demand:.1} of {servers} places outside are needed"),
            What::Shard => {
                format!("the busiest shard of `{name}` needs {demand:.2} workers and can have one")
            }
            What::Lock => {
                format!(
                    "the lock is held for {} of the time, {share} by `{name}`",
                    Percent(first.used)
                )
            }
            What::Pool | What::Cap if first.kind == BottleneckKind::PoolLimit => {
                format!("{demand:.2} of {servers} workers are needed, {share} for `{name}`")
            }
            What::Pool | What::Cap => format!("{demand:.2} of {servers} workers are needed"),
        }
    }

    fn changed(&self, held: &Held) -> Option<String> {
        let before = held.before?;
        let now = held.parts.total?;
        Some(format!(
            "an event takes {} since a second, and {} over ten",
            Seconds(now),
            Seconds(before)
        ))
    }

    /// Returns the stages where events wait long although nothing is near its limit.
    fn bursts(&self) -> Vec<String> {
        let stages = self.analysis.report.stages.iter().filter_map(|stage| {
            let window = &stage.last_ten_seconds;
            let (wait, service) = (window.wait.p99?, window.service.mean?);
            let dispersion = window.dispersion.filter(|dispersion| *dispersion > 2.0)?;
            (wait > 4.0 * service && window.wait.count >= FEW_EVENTS).then(|| {
                format!(
                    "bursts: events wait for `{}` up to {} (p99), dispersion {dispersion:.1}",
                    stage.name,
                    Seconds(wait)
                )
            })
        });
        stages.collect()
    }
}

fn is_stuck(stage: &StageReport) -> bool {
    stage.workers.stuck > 0 && stage.workers.now == 0
}

fn stuck(stage: &StageReport) -> Bottleneck {
    let count = stage.workers.stuck;
    Bottleneck {
        kind: BottleneckKind::Stuck,
        stage: Some(stage.name.clone()),
        resource: format!("pool {}", stage.pool),
        load: 1.0,
        evidence: vec![format!("all {count} workers are in a handler that does not return")],
        action: format!("Find the call in the handler of `{}` that does not return.", stage.name),
        ..Bottleneck::default()
    }
}

fn cannot_tell(events: u64, what: &str, seconds: f64) -> Bottleneck {
    Bottleneck {
        kind: BottleneckKind::CannotTell,
        evidence: vec![format!("{events} events {what} in {seconds:.1} s")],
        ..Bottleneck::default()
    }
}

/// Returns the part of a stage's busy time that is spent waiting for room.
fn room_share(window: &StageWindow) -> f64 {
    let total = window.holding.total.unwrap_or(0.0);
    if total > 0.0 { window.holding.room_wait / total } else { 0.0 }
}

/// Returns the part of a stage's busy time that is spent waiting for locks.
fn lock_share(stage: &StageReport) -> f64 {
    let held = &stage.last_ten_seconds.holding;
    held.lock_wait / held.total.unwrap_or(0.0).max(f64::MIN_POSITIVE)
}

/// Returns how an event's time is split.
fn parts(held: &Held, stage: &str) -> Option<String> {
    let total = held.parts.total.filter(|total| *total > 0.0)?;
    let share = |part: f64| Percent(part / total);
    let known = held.parts.cpu.zip(held.parts.core_wait).zip(held.parts.blocked);
    let split = known.map(|((cpu, wait), blocked)| {
        format!(
            ": {} on a core, {} waiting for one, {} blocked",
            share(cpu),
            share(wait),
            share(blocked + held.parts.lock_wait)
        )
    });
    let outside = held.parts.outside_cpu;
    let outside = outside.map(|cpu| format!(", and runs for {} outside", Seconds(cpu)));
    let (split, outside) = (split.unwrap_or_default(), outside.unwrap_or_default());
    Some(format!("an event of `{stage}` takes {}{split}{outside}", Seconds(total)))
}

/// Returns what became of the events that were sent to a stage.
fn outcome(window: &StageWindow) -> Option<String> {
    if window.seconds <= 0.0 {
        return None;
    }
    let rate = |n: u64| n as f64 / window.seconds;
    let refused = window.refused.values().sum::<u64>().max(window.turned_away);
    let wait = window.wait.mean.map(|wait| format!(", wait {}", Seconds(wait)));
    Some(format!(
        "{:.1}/s offered, {:.1}/s served, {:.1}/s refused, {:.1}/s shed{}",
        rate(window.offered),
        rate(window.served),
        rate(refused),
        rate(window.shed),
        wait.unwrap_or_default()
    ))
}
