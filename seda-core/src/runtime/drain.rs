//! Ending a graph.
//!
//! A drain closes the entries, waits until the budget counts nothing (so cyclic graphs end as
//! well), then calls on all handlers to finish. What they had held back goes on through the
//! graph, so it waits and calls again until a call finds no handler left to finish. All within
//! the limit; what is left then is given up, told to its owners, and named in the result.

use crate::event::LossReason;
use crate::monitor::Engine;
use crate::monitor::report::{Report, StageReport};
use crate::platform::Deadline;
use crate::platform::sync::{Arc, Flaw, is_seeded, pause};
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

pub(super) fn drain(engine: &Engine, threads: &Threads, limit: Duration) -> Drained {
    let limit = Deadline::after(limit);
    finish_all(engine, &limit);
    end(engine, threads, limit.left().max(SLICE))
}

/// Lets everything inside come to its end, within the limit.
pub(super) fn finish_all(engine: &Engine, limit: &Deadline) {
    engine.core.close_entries();
    cancel_timers(engine);
    while !limit.is_over() {
        if !engine.core.budget.wait_quiet(limit.left().min(SLICE)) {
            continue;
        }
        let call = engine.core.finishing.call_again();
        wake_all(engine);
        if wait_finished(engine, call, limit)
            && engine.core.finishing.finished() == 0
            && engine.core.budget.used() == 0
        {
            break;
        }
    }
}

/// Ends the workers and gives up what is left.
pub(super) fn end(engine: &Engine, threads: &Threads, limit: Duration) -> Drained {
    let limit = Deadline::after(limit);
    engine.core.close_entries();
    cancel_timers(engine);
    let complete = engine.core.budget.used() == 0;
    give_up(engine);
    engine.collect();
    engine.pools.iter().for_each(|pool| pool.core.stop());
    while engine.pools.iter().any(|pool| pool.core.live() > 0) && !limit.is_over() {
        wake_all(engine);
        threads.wait_for_exit(limit.left().min(SLICE));
    }
    threads.release_workers();
    leave(engine);
    threads.stop_services(engine, limit.left().max(SERVICES_LIMIT));
    conclude(engine, complete)
}

/// What was to be sent later is cancelled when the end begins: it may be due in an hour.
pub(super) fn cancel_timers(engine: &Engine) {
    let cancelled: usize = engine.stages.iter().map(|stage| stage.core.cancel_timers()).sum();
    if cancelled > 0 {
        engine.core.journal.write(Decision {
            at_seconds: engine.now().as_secs_f64(),
            controller: Controller::Drain,
            stage: None,
            seen: format!("{cancelled} events that were to be sent later"),
            action: "cancelled them".to_owned(),
            changed: "running → draining".to_owned(),
            acted: true,
        });
    }
}

/// The end, once no worker looks at the queues any more. What a worker that was still running
/// sent meanwhile is given up here, and what comes later by whoever sends it.
pub(super) fn leave(engine: &Engine) {
    engine.core.end();
    if !is_seeded(Flaw::EmptiedBeforeTheEnd) {
        give_up(engine);
    }
}

pub(super) fn give_up(engine: &Engine) {
    for stage in &engine.stages {
        stage.core.close();
        Arc::clone(&stage.core).shed_all(LossReason::Drain);
    }
}

pub(super) fn conclude(engine: &Engine, complete: bool) -> Drained {
    let report = engine.final_report();
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
        engine.core.journal.write(Decision {
            at_seconds: engine.now().as_secs_f64(),
            controller: Controller::Drain,
            stage: names.first().map(|name| (*name).to_owned()),
            seen: format!("work that did not end in time in: {}", names.join(", ")),
            action: format!("gave up {given_up} events"),
            changed: "draining → ended".to_owned(),
            acted: true,
        });
    }
    let report = Report { journal: engine.core.journal.entries(), ..report };
    let complete = complete && left.is_empty() && given_up == 0;
    Drained { complete, given_up, cancelled, left, report }
}

/// Waits until every worker that can has followed the call.
fn wait_finished(engine: &Engine, call: usize, limit: &Deadline) -> bool {
    let called = || {
        let books = engine.pools.iter().flat_map(|pool| pool.core.books());
        books
            .filter(|book| !book.is_gone() && !book.is_marked_stuck())
            .all(|book| book.has_finished(call))
    };
    while !called() {
        if limit.is_over() {
            return false;
        }
        wake_all(engine);
        // Nobody announces this, and a drain waits for it only once or twice.
        pause(SLICE.min(limit.left()));
    }
    true
}

fn wake_all(engine: &Engine) {
    engine.pools.iter().for_each(|pool| pool.core.idle.wake_all());
}
