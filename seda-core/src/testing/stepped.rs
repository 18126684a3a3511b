//! A started graph and its clock, stepped by a test.
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

/// The most events of one run; a graph that begins more is taken to send in an endless cycle. No
/// test needs this many. They take two seconds in a debug build, so the test fails instead of
/// hanging.
const CIRCLES: usize = 250_000;

/// A started graph without threads, and its clock.
///
/// The graph works only inside calls to it, so every figure is exact and every run is the same.
/// See [`crate::testing`] for a test that uses it.
#[derive(Debug)]
pub struct Stepped {
    manual: Manual,
    timeline: Timeline,
}

impl Stepped {
    /// Starts `graph` on a new timeline, at its clock's origin.
    ///
    /// # Errors
    /// As [`Graph::start_manual`].
    pub fn start(graph: Graph) -> Result<Self, GraphError> {
        Self::start_on(graph, &Timeline::new())
    }

    /// Starts `graph` on `timeline`, which its handlers and the test share.
    ///
    /// # Errors
    /// As [`Graph::start_manual`].
    pub fn start_on(graph: Graph, timeline: &Timeline) -> Result<Self, GraphError> {
        let manual = graph.start_manual(timeline.clock())?;
        Ok(Self { manual, timeline: timeline.clone() })
    }

    /// Advances the clock by `time` while the graph works. Returns the number of events begun.
    ///
    /// The graph first handles all queued events. Then each action on the timeline and each delayed
    /// event gets its turn at its moment, and the graph handles the events that follow from it. So
    /// no event waits in a queue; [`Stepped::stall`] makes events wait. Controllers act only in
    /// [`Stepped::tick`].
    ///
    /// # Panics
    /// As [`Stepped::run_until_idle`].
    #[track_caller]
    pub fn advance(&mut self, time: Duration) -> usize {
        let end = self.now().after(time);
        // Events that are queued now.
        let mut begun = self.run_until_idle();
        // Actions and delayed events, at their moments.
        loop {
            let due = self.manual.next_due().filter(|due| *due <= end);
            if !self.timeline.run_next(due.unwrap_or(end)) {
                let Some(due) = due else { break };
                self.timeline.clock().advance_to(due);
            }
            begun += self.run_until_idle();
        }
        // The end of the span.
        self.timeline.clock().advance_to(end);
        begun + self.run_until_idle()
    }

    /// Advances the clock by `time` without a turn of any worker, as if all workers were busy.
    /// Queued events wait, and expire if their deadlines pass. Actions on the timeline run at their
    /// moments.
    pub fn stall(&mut self, time: Duration) {
        let end = self.now().after(time);
        while self.timeline.run_next(end) {}
        self.timeline.clock().advance_to(end);
    }

    /// Gives every worker one turn, of one batch each. Returns the number of events begun.
    pub fn step(&mut self) -> usize {
        self.manual.step()
    }

    /// Steps until no worker finds work at the present moment. Returns the number of events begun.
    ///
    /// # Panics
    /// After 250,000 events, which suggest an endless cycle of sends. Use [`Stepped::step`]
    /// instead, or set a bound with [`Manual::run`].
    #[track_caller]
    pub fn run_until_idle(&mut self) -> usize {
        let begun = self.manual.run(CIRCLES);
        assert!(
            begun < CIRCLES,
            "{begun} events begun without a rest: the graph sends in an endless cycle; use `step`"
        );
        begun
    }

    /// Runs one tick of the controllers at the present moment.
    pub fn tick(&mut self) {
        self.manual.tick();
    }

    /// Returns the present moment.
    pub fn now(&self) -> Time {
        self.timeline.now()
    }

    /// Returns the clock.
    pub fn clock(&self) -> Arc<ManualClock> {
        self.timeline.clock()
    }

    /// Returns the timeline. Its actions run in [`Stepped::advance`] and [`Stepped::stall`].
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Returns the graph below, for its journal, workers and capacities.
    pub fn manual(&mut self) -> &mut Manual {
        &mut self.manual
    }

    /// Returns a report of the whole graph.
    pub fn report(&self) -> Report {
        self.manual.report()
    }

    /// Returns the report of one stage.
    ///
    /// # Panics
    /// If there is no such stage; the message lists the names of all stages.
    #[track_caller]
    pub fn stage(&self, name: &str) -> StageReport {
        let stages = self.report().stages;
        let names: Vec<_> = stages.iter().map(|stage| format!("`{}`", stage.name)).collect();
        let stage = stages.into_iter().find(|stage| stage.name == name);
        stage.unwrap_or_else(|| panic!("no stage `{name}`; the stages are {}", names.join(", ")))
    }

    /// Returns the number of events that a stage refused for `reason`.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn refused(&self, stage: &str, reason: RefusalReason) -> u64 {
        self.stage(stage).refused.get(reason.as_str()).copied().unwrap_or(0)
    }

    /// Returns the number of accepted events that a stage shed for `reason`.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn shed(&self, stage: &str, reason: LossReason) -> u64 {
        self.stage(stage).shed.get(reason.as_str()).copied().unwrap_or(0)
    }

    /// Runs until idle and returns the answer to a request.
    ///
    /// # Panics
    /// If the request was lost or has no answer; the message has the reason and the report.
    #[track_caller]
    pub fn answer<R: Send + 'static>(&mut self, receiver: &ResponseReceiver<R>) -> R {
        match self.outcome(receiver) {
            Ok(answer) => answer,
            Err(reason) => panic!("the request was lost: {reason}\n{}", self.report()),
        }
    }

    /// Runs until idle and returns the reason why a request was lost.
    ///
    /// # Panics
    /// If the request was answered or is still open.
    #[track_caller]
    pub fn loss<R: Send + 'static>(&mut self, receiver: &ResponseReceiver<R>) -> LossReason {
        match self.outcome(receiver) {
            Ok(_) => panic!("the request was answered\n{}", self.report()),
            Err(reason) => reason,
        }
    }

    #[track_caller]
    fn outcome<R: Send + 'static>(
        &mut self,
        receiver: &ResponseReceiver<R>,
    ) -> Result<R, LossReason> {
        self.run_until_idle();
        let open = "the request is still open, or its outcome was taken before";
        receiver.try_take().unwrap_or_else(|| panic!("{open}\n{}", self.report()))
    }

    /// Asserts that the ledgers balance; see [`super::imbalances`].
    ///
    /// # Panics
    /// If they do not; the message has all violated equations.
    #[track_caller]
    pub fn assert_balanced(&self) {
        assert_balanced(&self.report());
    }

    /// Runs until idle and asserts that the graph is empty and its ledgers balance.
    ///
    /// # Panics
    /// If an event is queued or pending, a place is held, a request is open, or a ledger does not
    /// balance. The message has the remains.
    #[track_caller]
    pub fn assert_finished(&mut self) {
        self.run_until_idle();
        let report = self.report();
        assert_balanced(&report);
        let stages = report.stages.iter().flat_map(|stage| {
            let left = [("queued", stage.queued), ("pending", stage.pending)];
            let left = left.into_iter().filter(|(_, n)| *n > 0);
            left.map(|(state, n)| format!("{n} {state} in `{}`", stage.name))
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

    /// Drains the graph at the present moment: refuses new events, handles those inside, finishes
    /// the handlers, and sheds the remains. Actions on the timeline do not run;
    /// [`advance`](Stepped::advance) beyond them first.
    pub fn drain(self) -> Drained {
        self.manual.drain(usize::MAX)
    }
}
