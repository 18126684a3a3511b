//! The properties that hold after every step.

use crate::conservation::build::number;
use crate::conservation::plan::Plan;
use crate::conservation::world::{Count, Counts, STAGES, World};
use crate::support::check_ledgers;
use seda_core::Report;
use seda_core::report::StageReport;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Returns the first violated property as the error.
pub(crate) fn check(report: &Report, world: &World, plan: &Plan) -> Result<(), String> {
    check_ledgers(report)?;
    let counts = world.counts.lock();
    if let Some(fault) = &counts.fault {
        return Err(fault.clone());
    }
    for n in 0..plan.stages.len() {
        let replicas = report.stages.iter().filter(|stage| number(&stage.name) == Some(n));
        let stage = together(replicas).ok_or("a stage is not in the report")?;
        check_stage(n, &stage, world, &counts).map_err(|e| format!("stage {}: {e}", stage.name))?;
    }
    check_edges(report, plan, &counts)?;
    check_budget(report, world, &counts)?;
    drop(counts);
    check_requests(report, world)
}

fn check_stage(
    n: usize,
    stage: &StageReport,
    world: &World,
    counts: &Counts,
) -> Result<(), String> {
    let by_class = counts.by_class(n);
    let sum = |of: fn(&Count) -> u64| by_class.iter().map(of).sum::<u64>();
    same("accepted", stage.accepted, sum(|count| count.accepted))?;
    same("refused", stage.refused.values().sum(), sum(|count| count.refused))?;
    same("handled", stage.handled, sum(|count| count.handled))?;
    same("failed", stage.failed, sum(|count| count.failed))?;
    let inside = stage.queued + stage.in_hand + stage.pending;
    same("jobs that are alive", inside, sum(|count| count.alive))?;
    let outside = world.outside.lock().iter().filter(|outside| outside.stage == n).count() as u64;
    let own = counts.stages[n];
    same("held", stage.held, own.held)?;
    let begun = stage.handled + stage.failed + outside + own.held;
    same("begun", begun, sum(|count| count.begun))?;
    check_shed(stage, world.facts(n).notified, by_class)?;
    same("pending", stage.pending, outside + own.held + stage.delayed)?;
    if stage.delayed > own.timed {
        return Err(format!("{} delayed, {own:?}", stage.delayed));
    }
    let places = stage.queued + stage.delayed + world.places(n) as u64;
    if places > stage.queue.capacity as u64 {
        return Err(format!("{places} places of {} are taken", stage.queue.capacity));
    }
    same("bytes", stage.bytes, world.facts(n).weighs.then_some(own.bytes))
}

/// Adds replicas up to one stage, because the choice of a replica is not checked here.
fn together<'a>(mut replicas: impl Iterator<Item = &'a StageReport>) -> Option<StageReport> {
    let mut sum = replicas.next()?.clone();
    for stage in replicas {
        let add = |sum: &mut BTreeMap<String, u64>, more: &BTreeMap<String, u64>| {
            more.iter().for_each(|(reason, n)| *sum.entry(reason.clone()).or_default() += n);
        };
        add(&mut sum.refused, &stage.refused);
        add(&mut sum.shed, &stage.shed);
        sum.accepted += stage.accepted;
        sum.handled += stage.handled;
        sum.failed += stage.failed;
        sum.queued += stage.queued;
        sum.in_hand += stage.in_hand;
        sum.pending += stage.pending;
        sum.held += stage.held;
        sum.delayed += stage.delayed;
        sum.queue.capacity += stage.queue.capacity;
        sum.bytes = sum.bytes.zip(stage.bytes).map(|(sum, bytes)| sum + bytes);
    }
    Some(sum)
}

fn check_shed(stage: &StageReport, notified: bool, by_class: &[Count]) -> Result<(), String> {
    let silent: u64 = by_class.iter().map(|count| count.silent).sum();
    if !notified {
        return same("shed", stage.shed.values().sum(), silent);
    }
    let mut lost = BTreeMap::new();
    for (reason, n) in by_class.iter().flat_map(|count| &count.lost) {
        *lost.entry((*reason).to_owned()).or_default() += n;
    }
    same("shed", &stage.shed, &lost)
}

fn check_edges(report: &Report, plan: &Plan, counts: &Counts) -> Result<(), String> {
    let mut seen = [[(0, 0); STAGES]; STAGES + 1];
    for edge in &report.edges {
        let from = edge.from.as_deref().and_then(number).unwrap_or(STAGES);
        let to = number(&edge.to).ok_or("an edge into nowhere")?;
        seen[from][to].0 += edge.sent;
        seen[from][to].1 += edge.refused;
    }
    for from in (0..=STAGES).filter(|from| seen[*from] != counts.edges[*from]) {
        same(&format!("sent and refused, from {from}"), seen[from], counts.edges[from])?;
    }
    let members = |stage: usize| {
        let plan = &plan.stages[stage];
        plan.replicas.filter(|_| plan.is_split()).map_or(1, |replicas| replicas.count)
    };
    let mut known: Vec<_> = plan.edges.iter().map(|edge| (edge.from, edge.to)).collect();
    known.sort_unstable();
    known.dedup();
    let inside: usize = known.iter().map(|(from, to)| members(*from) * members(*to)).sum();
    let outside: usize = (0..plan.stages.len()).map(members).sum();
    same("edges", report.edges.len(), inside + outside)
}

fn check_budget(report: &Report, world: &World, counts: &Counts) -> Result<(), String> {
    let (events, budget) = (&report.events, &report.budget);
    let inside = (events.queued + events.in_hand + events.pending) as usize;
    let places: usize = world.permits.lock().iter().map(|placed| placed.permits.left()).sum();
    same("budget", budget.used, inside + places)?;
    let bytes: u64 = counts.stages.iter().map(|stage| stage.bytes).sum();
    same("bytes", budget.bytes_used, bytes)?;
    let within = budget.used <= budget.limit && budget.bytes_used <= budget.bytes_limit;
    if within { Ok(()) } else { Err(format!("over the budget: {budget:?}")) }
}

fn check_requests(report: &Report, world: &World) -> Result<(), String> {
    let sums = world.clients.lock().sums()?;
    let requests = &report.requests;
    same("admitted", requests.admitted, sums.admitted)?;
    same("answered", requests.answered, sums.answered)?;
    same("lost", &requests.lost, &sums.lost)?;
    same("open", requests.open, sums.open)
}

pub(crate) fn same<T: PartialEq + Debug>(what: &str, seen: T, known: T) -> Result<(), String> {
    if seen == known { Ok(()) } else { Err(format!("{what}: {seen:?} reported, {known:?} known")) }
}
