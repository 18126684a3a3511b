//! One generator thread: connects an engine with its sockets until every request has ended.

use super::attempt::Ended;
use super::engine::Engine;
use super::precision::{EarlyEnd, Snapshot};
use super::sockets::{SocketCounts, Sockets};
use super::stop::Stop;
use super::tally::Tally;
use crate::report::outcome::Outcomes;
use seda_core::stats::Quantiles;
use seda_core::{Clock, Time};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

/// The interval at which a thread reports its progress and checks whether to stop.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// The interval at which a thread gives what it has measured, if the run ends by its precision.
const SNAPSHOT_INTERVAL: Duration = Duration::from_secs(1);
/// Requests that are started before the sockets are read again, so that answers do not wait for the
/// end of a burst.
const STARTS_PER_TURN: usize = 64;
/// The time that requests under way get after the run is asked to stop.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// The share of one thread in a run.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) engine: Engine,
    pub(super) sockets: Sockets,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stop: Stop,
    /// The end of the measured part, if the run may end before its time.
    pub(super) early_end: Option<EarlyEnd>,
    pub(super) reports: Sender<ThreadProgress>,
}

/// The progress of a thread.
#[derive(Clone, Debug, Default)]
pub(super) struct ThreadProgress {
    pub(super) thread: usize,
    pub(super) outcomes: Outcomes,
    pub(super) under_way: usize,
    /// Response times of right answers in the current window.
    pub(super) response: Quantiles,
    /// Response times of right answers since the run began.
    pub(super) answered: Quantiles,
    /// Delays of the starts since the run began.
    pub(super) lag: Quantiles,
    /// What was measured so far; `None` in most reports.
    pub(super) snapshot: Option<Snapshot>,
}

/// The result of a thread.
#[derive(Debug)]
pub(super) struct Driven {
    pub(super) tally: Tally,
    pub(super) sockets: SocketCounts,
    pub(super) cpu: Duration,
    /// When the thread ended.
    pub(super) ended: Time,
    /// When the thread stopped starting requests; `None` if it completed the schedule.
    pub(super) interrupted: Option<Time>,
}

impl Driven {
    /// Returns the thread's CPU time over its wall time: 0 to 1.
    pub(super) fn cpu_share(&self) -> f64 {
        let wall = self.ended.as_secs_f64();
        if wall > 0.0 { self.cpu.as_secs_f64() / wall } else { 0.0 }
    }
}

impl Driver {
    /// Runs until every request has ended; `thread` is the number of this thread.
    pub(super) fn drive(mut self, thread: usize) -> io::Result<Driven> {
        let cpu_before = thread_cpu();
        let mut ended = Vec::new();
        let mut interrupted = None;
        let mut report_at = Time::ZERO.after(PROGRESS_INTERVAL);
        let mut snapshot_at = Time::ZERO.after(SNAPSHOT_INTERVAL);
        while !self.engine.is_done() {
            // 1. Start the requests that are due.
            for _ in 0..STARTS_PER_TURN {
                let now = self.clock.now();
                if !self.engine.start_one(now, &mut self.sockets) {
                    break;
                }
            }
            // 2. Abandon the attempts after their deadline.
            self.engine.expire(self.clock.now(), &mut self.sockets);
            // 3. Report progress, and stop if asked to.
            let now = self.clock.now();
            if now >= report_at {
                report_at = now.after(PROGRESS_INTERVAL);
                self.interrupt(&mut interrupted, now);
                self.shorten();
                let is_due = self.early_end.is_some() && now >= snapshot_at;
                if is_due {
                    snapshot_at = now.after(SNAPSHOT_INTERVAL);
                }
                let snapshot = is_due.then(|| self.snapshot(now));
                self.report_progress(thread, snapshot);
            }
            // 4. Wait for the sockets until the next request, deadline or report is due.
            let next = [self.engine.next_at(), self.sockets.next_at()].into_iter().flatten();
            let next = next.fold(report_at, Time::min);
            self.sockets.turn(next.since(self.clock.now()))?;
            // 5. Pass the ends of attempts to the engine.
            self.sockets.take_ended(&mut ended);
            for Ended { attempt, end, at } in ended.drain(..) {
                self.engine.ended(attempt, end, at);
            }
        }
        Ok(Driven {
            sockets: self.sockets.counts(),
            cpu: thread_cpu().saturating_sub(cpu_before),
            ended: self.clock.now(),
            interrupted,
            tally: self.engine.into_tally(),
        })
    }

    /// Ends the run early, if asked to: first no request starts, then requests under way are
    /// dropped.
    fn interrupt(&mut self, since: &mut Option<Time>, now: Time) {
        match since {
            None if self.stop.is_wanted() => {
                *since = Some(now);
                self.engine.stop(now);
            }
            Some(since) if now.since(*since) >= STOP_GRACE || self.stop.is_urgent() => {
                self.engine.abort(now);
            }
            _ => {}
        }
    }

    /// Ends the measured part where the run is to end, once that is known.
    fn shorten(&mut self) {
        if let Some(end) = self.early_end.as_ref().and_then(EarlyEnd::get) {
            self.engine.shorten(end);
            self.early_end = None;
        }
    }

    fn snapshot(&self, at: Time) -> Snapshot {
        Snapshot { at, batches: self.engine.tally().batches.clone() }
    }

    fn report_progress(&self, thread: usize, snapshot: Option<Snapshot>) {
        let tally = self.engine.tally();
        let mut outcomes = Outcomes::default();
        let mut answered = Quantiles::default();
        for window in &tally.windows {
            outcomes.add(&window.outcomes);
            answered.add(&window.response);
        }
        let mut latest_first = tally.windows.iter().rev();
        let current = latest_first.find(|window| window.outcomes.scheduled > 0);
        let response = current.map(|window| window.response.clone()).unwrap_or_default();
        let under_way = self.engine.under_way();
        let lag = tally.punctuality.lag.clone();
        // The receiver may have gone.
        let _ = self.reports.send(ThreadProgress {
            thread,
            outcomes,
            under_way,
            response,
            answered,
            lag,
            snapshot,
        });
    }
}

/// Returns the CPU time of the calling thread.
fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    // The kernel's CPU clocks count from 0 and keep nanoseconds below a second.
    Duration::try_from(time).unwrap_or_default()
}
