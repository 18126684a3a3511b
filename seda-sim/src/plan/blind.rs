//! What a forecast cannot know, from the evidence of the report.

use crate::spec::{Process, Spec};
use seda_core::Report;
use seda_core::report::{BlockedWait, StageReport};

/// Below this share of a time, or of a core, a cause is left out.
const SMALL: f64 = 0.05;

/// Returns what a forecast cannot know about a measured graph, one sentence each: locks,
/// neighbours, remote sides, and what of the graph is simulated by something like it.
pub fn blind_spots(report: &Report, spec: &Spec) -> Vec<String> {
    let mut spots = Vec::new();
    for stage in &report.stages {
        spots.extend(lock(stage));
        spots.extend(remote(stage));
        spots.extend(replica(stage));
    }
    spots.extend(neighbours(report));
    spots.extend(edges(report));
    spots.extend(arrivals(spec));
    if !report.heaviest_tenants.is_empty() {
        spots.push("Requests have tenants; the model has none, so no share of each.".into());
    }
    spots
}

/// Returns what the stage waits in for a lock.
fn lock(stage: &StageReport) -> Option<String> {
    let holding = &stage.last_ten_seconds.holding;
    let total = holding.total.filter(|total| *total > 0.0)?;
    let sampled = stage.blocked_in.iter().filter(|blocked| blocked.wait == BlockedWait::Lock);
    let sampled: f64 = sampled.map(|blocked| blocked.share).sum();
    let share = (holding.lock_wait / total).max(sampled);
    if share < SMALL {
        return None;
    }
    let holder = stage.blocked_in.iter().find_map(|blocked| blocked.holder.as_ref());
    let holder = holder.map_or_else(String::new, |holder| format!(" that `{holder}` holds"));
    Some(format!(
        "`{}` waits {:.0} % of its service for a lock{holder}: the model keeps this wait, but with \
         more workers or a higher rate it grows.",
        stage.name,
        share * 100.0
    ))
}

/// Returns what the stage waits for outside of the process.
fn remote(stage: &StageReport) -> Option<String> {
    let window = &stage.last_ten_seconds;
    if let Some(outside) = window.outside_seconds {
        return Some(format!(
            "The remote side of `{}` took {:.1} ms with {:.1} events outside: the model has it take \
             that with any number, up to its own limit.",
            stage.name,
            outside * 1e3,
            window.outside
        ));
    }
    let holding = &window.holding;
    let (total, blocked) = (holding.total?, holding.blocked?);
    (blocked > SMALL * total && total > 0.0).then(|| {
        format!(
            "`{}` is blocked {:.0} % of its service, in I/O, sleep or a lock: the model keeps this \
             time, whatever the other side can bear.",
            stage.name,
            blocked / total * 100.0
        )
    })
}

fn replica(stage: &StageReport) -> Option<String> {
    let group = stage.limits.replica_of.as_ref()?;
    (stage.last_ten_seconds.served > 0).then(|| {
        format!(
            "`{}` is a replica of `{group}`: the model sends it its measured share, and passes no \
             full replica over.",
            stage.name
        )
    })
}

/// Returns what else used the machine.
fn neighbours(report: &Report) -> Vec<String> {
    let machine = &report.machine;
    let mut spots = Vec::new();
    if let Some(others) = machine.others.filter(|others| *others > SMALL) {
        spots.push(format!(
            "Other processes used {others:.2} cores: the model keeps their part of the waits for a \
             core, and it does not grow."
        ));
    }
    if let Some(steal) = machine.steal.filter(|steal| *steal > SMALL) {
        spots.push(format!("The hypervisor took {steal:.2} cores away: the model has them."));
    }
    if let Some(quota) = machine.quota.filter(|quota| *quota < machine.cores as f64) {
        spots.push(format!(
            "A quota of {quota:.2} cores holds for the process: the model has {} whole ones.",
            machine.cores
        ));
    }
    if machine.process.is_none() {
        spots.push("The report has no CPU times: all service counts as time on a core.".into());
    }
    spots
}

/// Returns the edges that are simulated by something like them.
fn edges(report: &Report) -> Vec<String> {
    let waiting = report.edges.iter().filter(|edge| edge.waits && edge.sent > 0);
    waiting
        .map(|edge| {
            format!(
                "Sends from `{}` to `{}` wait for room: the model has a longer queue there.",
                edge.from.as_deref().unwrap_or("outside"),
                edge.to
            )
        })
        .collect()
}

/// Returns how the arrivals were taken.
fn arrivals(spec: &Spec) -> Vec<String> {
    let mut spots = Vec::new();
    if spec.arrivals.process == Process::OnOff {
        spots.push("Arrivals come in bursts: the model has a source that is on and off.".into());
        if spec.classes.len() > 1 {
            spots.push("The classes have bursts of their own: together they are smaller.".into());
        }
    }
    for timer in &spec.arrivals.timers {
        spots.push(format!(
            "`{}` feeds itself: the model has a timer of {:.0} events/s, at any load.",
            timer.stage, timer.rate
        ));
    }
    if spec.stages.iter().any(|stage| stage.routes.iter().any(|route| route.copies)) {
        spots.push(
            "A stage sends several events for one: the model answers with the last of them.".into(),
        );
    }
    spots
}
