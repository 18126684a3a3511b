//! The end of a graph.
//!
//! A drain takes these steps. Steps 1 to 4 stop at its limit; the others always run.
//!
//! 1. **Close the entries.** Sources are refused as `Closed`, and delayed events are cancelled,
//!    because they may be due in an hour.
//! 2. **Wait until quiescent**: all places of the budget in use belong to events that handlers hold
//!    (`Budget::wait_quiescent`). Counting needs no order, so cyclic graphs end too.
//! 3. **Advance the finish barrier** and wake all workers. A worker finishes its handlers once its
//!    queues are empty, and records the epoch. Handlers send the events that they hold.
//! 4. **Repeat** 2 and 3 until an epoch finishes no handler and the budget is empty.
//! 5. **Close the stages** and shed their queues. A retiring worker finds no further event.
//! 6. **Stop the workers** and wait for their threads. A thread stuck in user code is left behind.
//! 7. **End the graph**, then shed the queues once more. An event that a worker sent before the end
//!    is shed here; a later sender sees the end and sheds its event itself. Flaws:
//!    `EmptiedBeforeTheEnd` sheds too early, `EndUnseen` ignores the end.
//! 8. **Stop the services**: the control thread and the thread that notifies owners.
//! 9. **Report** the graph's whole life, with the events that were shed and the work left over.
//!
//! [`Manual`](crate::runtime::Manual) takes the same steps without threads, so without 8.

use crate::control::ControlPlane;
use crate::event::LossReason;
use crate::monitor::report::{Report, StageReport};
use crate::platform::Deadline;
use crate::platform::sync::{Arc, Flaw, is_seeded, pause};
use crate::runtime::threads::Threads;
use crate::stage::{Controller, Decision};
use serde::Serialize;
use std::time::Duration;

/// The longest pause between two looks at the workers, which do not announce their progress.
const SLICE: Duration = Duration::from_millis(5);

/// The least time that a drain waits for its services, even past its limit. Both may be in user
/// code for a moment.
const SERVICES_LIMIT: Duration = Duration::from_millis(100);

/// The result of a drain or a shutdown.
///
/// ```
/// use seda_core::Graph;
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("pages");
/// let render = graph.stage::<u32>("render", 64);
/// graph.attach_each(render, |_wire| |_page, _cx| {})?;
/// let pages = graph.source(render)?;
/// let running = graph.start()?;
/// pages.send(1)?;
/// let drained = running.drain(Duration::from_secs(5));
/// assert!(drained.complete);
/// assert_eq!(drained.report.events.handled, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Drained {
    /// True if all events inside ended, and all handlers finished, within the limit.
    pub complete: bool,
    /// Number of events shed at the limit: queued, or taken and not begun.
    pub given_up: u64,
    /// Stages with events in hand or pending at the end.
    pub left: Vec<LeftOver>,
    /// Number of delayed events
    /// ([`Context::send_after`](crate::worker::context::Context::send_after)) that were cancelled.
    pub cancelled: u64,
    /// The last report. Its rates are over the graph's whole life.
    pub report: Report,
}

/// The unfinished work of one stage at the end of a drain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeftOver {
    /// Name of the stage.
    pub stage: String,
    /// Number of events in handlers that did not return.
    pub in_hand: u64,
    /// Number of deferred events that were not completed.
    pub pending: u64,
}

/// Drains a graph within `limit`: steps 1 to 9.
pub(super) fn drain(plane: &ControlPlane, threads: &Threads, limit: Duration) -> Drained {
    let limit = Deadline::after(limit);
    finish_all(plane, &limit);
    end(plane, threads, limit.left().max(SLICE))
}

/// Steps 1 to 4: lets the events inside end and the handlers finish.
pub(crate) fn finish_all(plane: &ControlPlane, limit: &Deadline) {
    let core = &plane.topology.core;
    // 1. Close the entries.
    core.close_entries();
    cancel_timers(plane);
    while !limit.is_over() {
        // 2. Wait until quiescent.
        if !core.budget.wait_quiescent(limit.left().min(SLICE)) {
            continue;
        }
        // 3. Advance the finish barrier.
        let epoch = core.calls.finish_barrier.advance();
        wake_all(plane);
        // 4. Repeat until an epoch changes nothing.
        if wait_finished(plane, epoch, limit)
            && core.calls.finish_barrier.finished() == 0
            && core.budget.used() == 0
        {
            break;
        }
    }
}

/// Steps 5 to 9: ends the workers and sheds the remains.
pub(super) fn end(plane: &ControlPlane, threads: &Threads, limit: Duration) -> Drained {
    let limit = Deadline::after(limit);
    let topology = &plane.topology;
    // A shutdown begins here, so the entries may be open.
    topology.core.close_entries();
    cancel_timers(plane);
    let complete = topology.core.budget.used() == 0;
    // 5. Close the stages.
    shed_queues(plane);
    plane.collect();
    // 6. Stop the workers.
    topology.pools.iter().for_each(|pool| pool.core.stop());
    while topology.pools.iter().any(|pool| pool.core.live() > 0) && !limit.is_over() {
        wake_all(plane);
        threads.wait_for_exit(limit.left().min(SLICE));
    }
    threads.release_workers();
    // 7. End the graph.
    end_graph(plane);
    // 8. Stop the services.
    threads.stop_services(plane, limit.left().max(SERVICES_LIMIT));
    // 9. Report.
    conclude(plane, complete)
}

/// Cancels all delayed events and journals their number.
pub(super) fn cancel_timers(plane: &ControlPlane) {
    let stages = &plane.topology.stages;
    let cancelled: usize = stages.iter().map(|stage| stage.core.cancel_timers()).sum();
    if cancelled > 0 {
        plane.topology.core.journal.record(
            Decision::by(Controller::Drain, plane.topology.now())
                .seen(format!("{cancelled} delayed events"))
                .action("cancelled them")
                .changed("running → draining"),
        );
    }
}

/// Step 7: ends the graph, then sheds the events that running workers sent meanwhile.
pub(crate) fn end_graph(plane: &ControlPlane) {
    plane.topology.core.end();
    if !is_seeded(Flaw::EmptiedBeforeTheEnd) {
        shed_queues(plane);
    }
}

/// Closes all stages and sheds their queues.
pub(crate) fn shed_queues(plane: &ControlPlane) {
    for stage in &plane.topology.stages {
        stage.core.close();
        Arc::clone(&stage.core).shed_all(LossReason::Drain);
    }
}

/// Step 9: the result, with a journal entry if work was left over. `complete` is true if the budget
/// was empty before step 5.
pub(crate) fn conclude(plane: &ControlPlane, complete: bool) -> Drained {
    let report = plane.final_report();
    let cancelled = report.stages.iter().map(|stage| shed(stage, LossReason::Cancelled)).sum();
    let given_up = report.stages.iter().map(|stage| shed(stage, LossReason::Drain)).sum();
    let left: Vec<LeftOver> = report.stages.iter().filter_map(left_over).collect();
    if given_up > 0 || !left.is_empty() {
        journal_left_over(plane, &report, given_up);
    }
    let report = Report { journal: plane.topology.core.journal.entries(), ..report };
    let complete = complete && left.is_empty() && given_up == 0;
    Drained { complete, given_up, cancelled, left, report }
}

/// Returns the number of events that a stage shed for `reason`.
fn shed(stage: &StageReport, reason: LossReason) -> u64 {
    stage.shed.get(reason.as_str()).copied().unwrap_or(0)
}

/// Returns the unfinished work of a stage; `None` if there is none.
fn left_over(stage: &StageReport) -> Option<LeftOver> {
    let left =
        LeftOver { stage: stage.name.clone(), in_hand: stage.in_hand, pending: stage.pending };
    (left.in_hand + left.pending > 0).then_some(left)
}

fn journal_left_over(plane: &ControlPlane, report: &Report, given_up: u64) {
    let unfinished = report.stages.iter().filter(|stage| {
        left_over(stage).is_some() || stage.shed.contains_key(LossReason::Drain.as_str())
    });
    let names: Vec<&str> = unfinished.map(|stage| stage.name.as_str()).collect();
    let decision = Decision::by(Controller::Drain, plane.topology.now())
        .seen(format!("unfinished work at the limit, in: {}", names.join(", ")))
        .action(format!("shed {given_up} events"))
        .changed("draining → ended");
    let stage = names.first().map(|name| (*name).to_owned());
    plane.topology.core.journal.record(Decision { stage, ..decision });
}

/// Waits until all workers that are not stuck have reached `epoch`; false at the limit.
fn wait_finished(plane: &ControlPlane, epoch: usize, limit: &Deadline) -> bool {
    while !have_reached(plane, epoch) {
        if limit.is_over() {
            return false;
        }
        wake_all(plane);
        // A poll is enough: a drain waits here once or twice.
        pause(SLICE.min(limit.left()));
    }
    true
}

fn have_reached(plane: &ControlPlane, epoch: usize) -> bool {
    let workers = plane.topology.pools.iter().flat_map(|pool| pool.core.workers());
    workers
        .filter(|worker| !worker.is_gone() && !worker.is_marked_stuck())
        .all(|worker| worker.has_reached(epoch))
}

fn wake_all(plane: &ControlPlane) {
    plane.topology.pools.iter().for_each(|pool| pool.core.idle.wake_all());
}
