//! A started graph with its clock, as a test holds it.
#![expect(clippy::panic, reason = "an assertion fails by panicking")]

use crate::config::GraphError;
use crate::event::request::ResponseReceiver;
use crate::event::{LossReason, RefusalReason};
use crate::graph::Graph;
use crate::monitor::report::{Report, StageReport};
use crate::platform::sync::Arc;
use crate::platform::{ManualClock, Time};
use crate::runtime::{Drained, Manual};
use crate::testing::balance::assert_balanced;
use crate::testing::timeline::Timeline;
use std::time::Duration;

/// How many events may begin before a graph counts as one that sends in circles: more than a test
/// needs, and two seconds' work without optimization, so that such a test fails and does not hang.
const CIRCLES: usize = 250_000;

/// A graph without threads and the clock it lives by. Nothing happens but in calls to it, so
/// every figure is exact and every run the same.
///
/// See [`crate::testing`] for a test that uses it.
#[derive(Debug)]
pub struct Stepped {
    manual: Manual,
    timeline: Timeline,
}

impl Stepped {
    /// Starts `graph` on a clock that stands at its origin.
    ///
    /// # Errors
    /// What is wrong with the graph, by name.
    pub fn start(graph: Graph) -> Result<Self, GraphError> {
        Self::start_on(graph, &Timeline::new())
    }

    /// Starts `graph` on a timeline that its handlers, or the test, put actions on.
    ///
    /// # Errors
    /// What is wrong with the graph, by name.
    pub fn start_on(graph: Graph, timeline: &Timeline) -> Result<Self, GraphError> {
        let manual = graph.start_manual(timeline.clock())?;
        Ok(Self { manual, timeline: timeline.clone() })
    }

    /// Lets time pass while the graph works: what is queued is worked off now, then each action on
    /// the timeline runs at its moment, each event that was sent for later comes at its own, the
    /// graph works off what they bring, and so again at the end. Nothing ever waits in a queue for longer than a handler takes; for that there is
    /// [`Stepped::stall`]. Controllers act only in [`Stepped::tick`]. Returns how many events
    /// were begun.
    ///
    /// # Panics
    /// As [`Stepped::run_until_idle`].
    #[track_caller]
    pub fn advance(&mut self, time: Duration) -> usize {
        let end = self.now().after(time);
        let mut begun = self.run_until_idle();
        loop {
            let due = self.manual.next_due().filter(|due| *due <= end);
            if !self.timeline.run_next(due.unwrap_or(end)) {
                let Some(due) = due else { break };
                self.timeline.clock().advance_to(due);
            }
            begun += self.run_until_idle();
        }
        self.timeline.clock().advance_to(end);
        begun + self.run_until_idle()
    }

    /// Lets time pass while no worker does anything, as if all of them were busy: what is queued
    /// waits, and expires if its deadline passes. Actions on the timeline run at their moments.
    pub fn stall(&mut self, time: Duration) {
        let end = self.now().after(time);
        while self.timeline.run_next(end) {}
        self.timeline.clock().advance_to(end);
    }

    /// Gives every worker one turn, which is one batch; returns how many events were begun.
    pub fn step(&mut self) -> usize {
        self.manual.step()
    }

    /// Steps until no worker finds anything to do, at the present moment; returns how many
    /// events were begun.
    ///
    /// # Panics
    /// After 250,000 events: the graph sends in circles. [`Stepped::step`] it instead, or say how
    /// many are to be expected with [`Manual::run`].
    #[track_caller]
    pub fn run_until_idle(&mut self) -> usize {
        let begun = self.manual.run(CIRCLES);
        let circles = begun >= CIRCLES;
        assert!(!circles, "no rest after {begun} events: the graph sends in circles; step it");
        begun
    }

    /// One tick of the controllers, at the present moment.
    pub fn tick(&mut self) {
        self.manual.tick();
    }

    /// The present moment.
    pub fn now(&self) -> Time {
        self.timeline.now()
    }

    /// The clock.
    pub fn clock(&self) -> Arc<ManualClock> {
        self.timeline.clock()
    }

    /// The clock's agenda: what is put on it happens in [`Stepped::advance`].
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The graph below, for what is rarer: its journal, its workers, its capacities.
    pub fn manual(&mut self) -> &mut Manual {
        &mut self.manual
    }

    /// A snapshot of everything.
    pub fn report(&self) -> Report {
        self.manual.report()
    }

    /// A snapshot of one stage.
    ///
    /// # Panics
    /// If there is no such stage; the message has the names there are.
    #[track_caller]
    pub fn stage(&self, name: &str) -> StageReport {
        let stages = self.report().stages;
        let names: Vec<_> = stages.iter().map(|stage| format!("`{}`", stage.name)).collect();
        let stage = stages.into_iter().find(|stage| stage.name == name);
        stage.unwrap_or_else(|| panic!("no stage `{name}`; there are {}", names.join(", ")))
    }

    /// How many events a stage refused for a reason.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn refused(&self, stage: &str, reason: RefusalReason) -> u64 {
        self.stage(stage).refused.get(reason.as_str()).copied().unwrap_or(0)
    }

    /// How many accepted events a stage gave up for a reason.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn shed(&self, stage: &str, reason: LossReason) -> u64 {
        self.stage(stage).shed.get(reason.as_str()).copied().unwrap_or(0)
    }

    /// Runs until idle and takes the answer to a request.
    ///
    /// # Panics
    /// If the request was lost, or there is no answer, with the reason or the report.
    #[track_caller]
    pub fn answer<R: Send + 'static>(&mut self, ticket: &ResponseReceiver<R>) -> R {
        match self.outcome(ticket) {
            Ok(answer) => answer,
            Err(reason) => panic!("not answered but lost: {reason}\n{}", self.report()),
        }
    }

    /// Runs until idle and takes the reason why a request was lost.
    ///
    /// # Panics
    /// If the request was answered, or nothing has become of it yet.
    #[track_caller]
    pub fn loss<R: Send + 'static>(&mut self, ticket: &ResponseReceiver<R>) -> LossReason {
        match self.outcome(ticket) {
            Ok(_) => panic!("not lost but answered\n{}", self.report()),
            Err(reason) => reason,
        }
    }

    #[track_caller]
    fn outcome<R: Send + 'static>(
        &mut self,
        ticket: &ResponseReceiver<R>,
    ) -> Result<R, LossReason> {
        self.run_until_idle();
        let nothing = "nothing has become of the request (or its outcome was taken before)";
        ticket.try_take().unwrap_or_else(|| panic!("{nothing}\n{}", self.report()))
    }

    /// Panics if a ledger does not balance; see [`super::imbalances`].
    ///
    /// # Panics
    /// With every equation that does not hold.
    #[track_caller]
    pub fn assert_balanced(&self) {
        assert_balanced(&self.report());
    }

    /// Runs until idle, and panics if anything is left then: an event in a queue, in hand or
    /// pending, a place that is held, a request that is open; or if a ledger does not balance.
    ///
    /// # Panics
    /// With what is left.
    #[track_caller]
    pub fn assert_finished(&mut self) {
        self.run_until_idle();
        let report = self.report();
        assert_balanced(&report);
        let stages = report.stages.iter().flat_map(|stage| {
            let left = [("queued", stage.queued), ("pending", stage.pending)];
            let named = |(what, n)| (n > 0).then(|| format!("{n} {what} in `{}`", stage.name));
            left.map(named).into_iter().flatten()
        });
        let mut left: Vec<String> = stages.collect();
        if report.requests.open > 0 {
            left.push(format!("{} requests open", report.requests.open));
        }
        if left.is_empty() && report.budget.used > 0 {
            left.push(format!("{} places held", report.budget.used));
        }
        assert!(left.is_empty(), "not finished: {}\n{report}", left.join(", "));
    }

    /// Ends the graph as a drain does: refuses what comes, finishes what is there at the present
    /// moment, calls on the handlers to finish, and gives up what is left. Actions on the
    /// timeline do not run: [`advance`](Stepped::advance) beyond them first.
    pub fn drain(self) -> Drained {
        self.manual.drain(usize::MAX)
    }
}
