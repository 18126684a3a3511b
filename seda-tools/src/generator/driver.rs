//! One generator thread: drives an engine against its sockets until everything has ended.

use super::attempt::{Attempt, End};
use super::engine::Engine;
use super::sockets::{SocketFigures, Sockets};
use super::stop::Stop;
use super::tally::Tally;
use crate::report::outcome::Outcomes;
use seda_core::stats::Quantiles;
use seda_core::{Clock, Time};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

/// How often a thread says how it is getting on, and looks whether it is to stop.
const PULSE: Duration = Duration::from_millis(100);
/// So many requests are started before sockets are looked at again, so that answers are not left
/// lying while a burst is sent.
const STARTS_PER_TURN: usize = 64;
/// What requests under way get when the run is ended before its time.
const LAST_MOMENTS: Duration = Duration::from_secs(1);

/// One thread's share of a run.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) engine: Engine,
    pub(super) sockets: Sockets,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stop: Stop,
    pub(super) pulses: Sender<Pulse>,
}

/// What a thread has done so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Pulse {
    pub(super) thread: usize,
    pub(super) outcomes: Outcomes,
    pub(super) under_way: usize,
    /// Of the right answers of the part of the run that is under way.
    pub(super) response: Quantiles,
}

/// What a thread has done when it is through.
#[derive(Debug)]
pub(super) struct Driven {
    pub(super) tally: Tally,
    pub(super) sockets: SocketFigures,
    pub(super) cpu: Duration,
    /// When it was through.
    pub(super) ended: Time,
    /// When it stopped starting requests, if that was before the schedule's end.
    pub(super) interrupted: Option<Time>,
}

impl Driver {
    /// Runs to the end; `thread` is its number.
    pub(super) fn drive(mut self, thread: usize) -> io::Result<Driven> {
        let cpu_before = thread_cpu();
        let mut ended: Vec<(Attempt, End, Time)> = Vec::new();
        let mut interrupted = None;
        let mut pulse_at = Time::ZERO.after(PULSE);
        while !self.engine.is_done() {
            for _ in 0..STARTS_PER_TURN {
                let now = self.clock.now();
                if !self.engine.start_one(now, &mut self.sockets) {
                    break;
                }
            }
            self.engine.expire(self.clock.now(), &mut self.sockets);
            let now = self.clock.now();
            if now >= pulse_at {
                pulse_at = now.after(PULSE);
                self.interrupt(&mut interrupted, now);
                self.pulse(thread);
            }
            let next = [self.engine.next_at(), self.sockets.next_at()].into_iter().flatten();
            let next = next.fold(pulse_at, Time::min);
            self.sockets.turn(next.since(self.clock.now()))?;
            self.sockets.take_ended(&mut ended);
            for (attempt, end, at) in ended.drain(..) {
                self.engine.ended(attempt, end, at);
            }
        }
        Ok(Driven {
            sockets: self.sockets.figures(),
            cpu: thread_cpu().saturating_sub(cpu_before),
            ended: self.clock.now(),
            interrupted,
            tally: self.engine.into_tally(),
        })
    }

    /// Ends the run before its time, if that is wanted: nothing new first, then nothing at all.
    fn interrupt(&mut self, since: &mut Option<Time>, now: Time) {
        match since {
            None if self.stop.is_wanted() => {
                *since = Some(now);
                self.engine.stop();
            }
            Some(since) if now.since(*since) >= LAST_MOMENTS || self.stop.is_urgent() => {
                self.engine.give_up(now);
            }
            _ => {}
        }
    }

    fn pulse(&self, thread: usize) {
        let tally = self.engine.tally();
        let mut outcomes = Outcomes::default();
        tally.windows.iter().for_each(|window| outcomes.add(&window.outcomes));
        let begun = |window: &&super::window::WindowTally| window.outcomes.scheduled > 0;
        let response = tally.windows.iter().rev().find(begun);
        let response = response.map(|window| window.response.clone()).unwrap_or_default();
        let under_way = self.engine.under_way();
        // Nobody may want to know.
        let _ = self.pulses.send(Pulse { thread, outcomes, under_way, response });
    }
}

/// CPU time of the calling thread.
fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}
