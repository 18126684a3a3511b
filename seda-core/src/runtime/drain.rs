//! Ending a graph.
//!
//! A drain closes the entries, waits until the budget counts nothing (so cyclic graphs end as
//! well), then calls on all handlers to finish. What they had held back goes on through the
//! graph, so it waits and calls again until a call finds no handler left to finish. All within
//! the limit; what is left then is given up, told to its owners, and named in the result.

use crate::control::ControlPlane;
use crate::event::LossReason;
use crate::monitor::report::{Report, StageReport};
use crate::platform::sync::{Arc, Flaw, is_seeded, pause};
use crate::platform::{Clock, MonotonicClock, Time};
use crate::runtime::threads::Threads;
use crate::stage::{Controller, Decision};
use serde::Serialize;
use std::time::Duration;

/// How long a drain sleeps at most before it looks again at workers that report to nobody.
const SLICE: Duration = Duration::from_millis(5);

/// How long a drain waits for the controller and for owners being told, even past its limit.
const SERVICES_LIMIT: Duration = Duration::from_millis(100);

/// How a graph ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Drained {
    /// Whether everything inside was finished within the limit.
    pub complete: bool,
    /// How many events were given up: queued, or taken and not begun.
    pub given_up: u64,
    /// Stages that still had events in hand or pending at the limit.
    pub left: Vec<LeftOver>,
    /// Events that were to be sent later ([`crate::worker::context::Context::send_after`]) and were cancelled.
    pub cancelled: u64,
    /// The last report; its rates are over the graph's whole life.
    pub report: Report,
}

/// A stage whose work did not end within a drain's limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeftOver {
    /// The stage.
    pub stage: String,
    /// Events in the hands of workers that did not return.
    pub in_hand: u64,
    /// Events deferred and not completed.
    pub pending: u64,
}

/// The time left of a limit, by the machine's clock: a drain ends whatever clock the graph has.
pub(super) struct Limit {
    clock: MonotonicClock,
    limit: Duration,
}

impl Limit {
    pub(super) fn new(limit: Duration) -> Self {
        Self { clock: MonotonicClock::new(), limit }
    }

    fn left(&self) -> Duration {
        self.limit.saturating_sub(self.clock.now().since(Time::ZERO))
    }

    fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}

pub(super) fn drain(plane: &ControlPlane, threads: &Threads, limit: Duration) -> Drained {
    let limit = Limit::new(limit);
    finish_all(plane, &limit);
    end(plane, threads, limit.left().max(SLICE))
}

/// Lets everything inside come to its end, within the limit.
pub(super) fn finish_all(plane: &ControlPlane, limit: &Limit) {
    plane.topology.core.close_entries();
    cancel_timers(plane);
    while !limit.is_over() {
        if !plane.topology.core.budget.wait_quiescent(limit.left().min(SLICE)) {
            continue;
        }
        let call = plane.topology.core.finish_barrier.advance();
        wake_all(plane);
        if wait_finished(plane, call, limit)
            && plane.topology.core.finish_barrier.finished() == 0
            && plane.topology.core.budget.used() == 0
        {
            break;
        }
    }
}

/// Ends the workers and gives up what is left.
pub(super) fn end(plane: &ControlPlane, threads: &Threads, limit: Duration) -> Drained {
    let limit = Limit::new(limit);
    plane.topology.core.close_entries();
    cancel_timers(plane);
    let complete = plane.topology.core.budget.used() == 0;
    give_up(plane);
    plane.collect();
    plane.topology.pools.iter().for_each(|pool| pool.core.stop());
    while plane.topology.pools.iter().any(|pool| pool.core.live() > 0) && !limit.is_over() {
        wake_all(plane);
        threads.wait_for_exit(limit.left().min(SLICE));
    }
    threads.release_workers();
    leave(plane);
    threads.stop_services(plane, limit.left().max(SERVICES_LIMIT));
    conclude(plane, complete)
}

/// What was to be sent later is cancelled when the end begins: it may be due in an hour.
pub(super) fn cancel_timers(plane: &ControlPlane) {
    let cancelled: usize =
        plane.topology.stages.iter().map(|stage| stage.core.cancel_timers()).sum();
    if cancelled > 0 {
        plane.topology.core.journal.record(
            Decision::by(Controller::Drain, plane.topology.now())
                .seen(format!("{cancelled} events that were to be sent later"))
                .action("cancelled them")
                .changed("running → draining"),
        );
    }
}

/// The end, once no worker looks at the queues any more. What a worker that was still running
/// sent meanwhile is given up here, and what comes later by whoever sends it.
pub(super) fn leave(plane: &ControlPlane) {
    plane.topology.core.end();
    if !is_seeded(Flaw::EmptiedBeforeTheEnd) {
        give_up(plane);
    }
}

pub(super) fn give_up(plane: &ControlPlane) {
    for stage in &plane.topology.stages {
        stage.core.close();
        Arc::clone(&stage.core).shed_all(LossReason::Drain);
    }
}

pub(super) fn conclude(plane: &ControlPlane, complete: bool) -> Drained {
    let report = plane.final_report();
    let shed = |stage: &StageReport, reason: LossReason| stage.shed.get(reason.as_str()).copied();
    let lost = |stage: &StageReport| shed(stage, LossReason::Drain);
    let cancelled = |stage: &StageReport| shed(stage, LossReason::Cancelled);
    let cancelled: u64 = report.stages.iter().filter_map(cancelled).sum();
    let given_up: u64 = report.stages.iter().filter_map(lost).sum();
    let unfinished = report.stages.iter().filter(|stage| stage.in_hand + stage.pending > 0);
    let left: Vec<LeftOver> = unfinished
        .map(|stage| LeftOver {
            stage: stage.name.clone(),
            in_hand: stage.in_hand,
            pending: stage.pending,
        })
        .collect();
    if given_up > 0 || !left.is_empty() {
        let late =
            |stage: &&StageReport| stage.in_hand + stage.pending > 0 || lost(stage).is_some();
        let names: Vec<&str> =
            report.stages.iter().filter(late).map(|stage| stage.name.as_str()).collect();
        let decision = Decision::by(Controller::Drain, plane.topology.now())
            .seen(format!("work that did not end in time in: {}", names.join(", ")))
            .action(format!("gave up {given_up} events"))
            .changed("draining → ended");
        let stage = names.first().map(|name| (*name).to_owned());
        plane.topology.core.journal.record(Decision { stage, ..decision });
    }
    let report = Report { journal: plane.topology.core.journal.entries(), ..report };
    let complete = complete && left.is_empty() && given_up == 0;
    Drained { complete, given_up, cancelled, left, report }
}

/// Waits until every worker that can has followed the call.
fn wait_finished(plane: &ControlPlane, call: usize, limit: &Limit) -> bool {
    let called = || {
        let books = plane.topology.pools.iter().flat_map(|pool| pool.core.workers());
        books
            .filter(|book| !book.is_gone() && !book.is_marked_stuck())
            .all(|book| book.has_reached(call))
    };
    while !called() {
        if limit.is_over() {
            return false;
        }
        wake_all(plane);
        // Nobody announces this, and a drain waits for it only once or twice.
        pause(SLICE.min(limit.left()));
    }
    true
}

fn wake_all(plane: &ControlPlane) {
    plane.topology.pools.iter().for_each(|pool| pool.core.idle.wake_all());
}
