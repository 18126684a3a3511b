//! Runs a plan: starts the threads, passes their progress on, and adds up their results.

use super::driver::{Driven, Driver, ThreadProgress};
use super::loaded::Loaded;
use super::observer::{Observer, Progress};
use super::precision::PrecisionCheck;
use super::shares::{self, PlanError};
use super::sockets::Sockets;
use super::stop::Stop;
use super::summary;
use super::tally::Categories;
use super::tally::window::{Window, before};
use crate::load::plan::LoadPlan;
use crate::report::Until;
use crate::report::outcome::Outcomes;
use seda_core::stats::Quantiles;
use seda_core::{Clock, MonotonicClock, Time};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;
use thiserror::Error;

/// Descriptors that a generator needs beside its connections: polls, timers, files, standard
/// streams.
const OTHER_DESCRIPTORS: u64 = 64;

/// Why a plan could not be run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The plan contradicts itself.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A closed loop needs a connection for each client.
    #[error(
        "{clients} clients need as many connections, but this process may have only \
         {connections}: raise `ulimit -n`, or lower --clients"
    )]
    TooFewDescriptors {
        /// Number of clients.
        clients: usize,
        /// Number of connections that the descriptors allow.
        connections: usize,
    },
    /// A thread or a poll could not be created, or failed.
    #[error(
        "a generator thread cannot go on ({0}); the machine may be short of threads or descriptors"
    )]
    Thread(#[from] io::Error),
    /// A generator thread panicked.
    #[error("a generator thread panicked; that is a fault of this program, please report it")]
    Panicked,
}

/// Checks a plan without sending anything.
///
/// # Errors
/// The plan contradicts itself.
pub fn check(plan: &LoadPlan) -> Result<(), LoadError> {
    Ok(shares::categories(plan).map(drop)?)
}

/// Runs a plan. Returns when every request has ended, or when `stop` ends the run early.
///
/// # Errors
/// The plan contradicts itself, or this machine lacks threads or descriptors. A server that does
/// not answer is not an error: the report tells.
pub fn run(plan: &LoadPlan, stop: &Stop, observer: &mut dyn Observer) -> Result<Loaded, LoadError> {
    run_until(plan, None, stop, observer)
}

/// Runs a plan as [`run`] does. With a precision, the measured part ends once the figure is known
/// within it, at the end of the plan at the latest; the report is that of a plan of this length. It
/// is judged once a second, and not before two seconds are measured. A profile of several parts has
/// no intervals, and runs to its end.
///
/// # Errors
/// As [`run`].
pub fn run_until(
    plan: &LoadPlan,
    until: Option<Until>,
    stop: &Stop,
    observer: &mut dyn Observer,
) -> Result<Loaded, LoadError> {
    let categories = Categories { is_open_ended: until.is_some(), ..shares::categories(plan)? };
    let connections = raise_descriptor_limit(plan.connections);
    if categories.clients > connections {
        return Err(LoadError::TooFewDescriptors { clients: categories.clients, connections });
    }
    // 1. Start the threads.
    let mut check = until.map(|until| PrecisionCheck::new(until, plan.threads));
    let clock: Arc<dyn Clock> = Arc::new(MonotonicClock::new());
    let (reports, received) = channel();
    let mut threads = Vec::with_capacity(plan.threads);
    for number in 0..plan.threads {
        let limit = connections.div_ceil(plan.threads);
        let targets = plan.workload.targets.clone();
        let driver = Driver {
            engine: shares::engine(plan, &categories, number)?,
            sockets: Sockets::new(plan.address.clone(), targets, limit, clock.clone())?,
            clock: clock.clone(),
            stop: stop.clone(),
            early_end: check.as_ref().map(PrecisionCheck::early_end),
            reports: reports.clone(),
        };
        let thread = thread::Builder::new().name(format!("load-{number}"));
        threads.push(thread.spawn(move || driver.drive(number))?);
    }
    drop(reports);
    // 2. Pass on their progress until all have ended.
    let marks = Marks::of(&categories.windows);
    pass_on_progress(observer, &received, clock.as_ref(), marks, check.as_mut());
    // 3. Add up their results.
    let mut driven: Vec<Driven> = Vec::with_capacity(threads.len());
    for thread in threads {
        driven.push(thread.join().map_err(|_| LoadError::Panicked)??);
    }
    let mut loaded = summary::loaded(plan, driven);
    loaded.report.generator.connections_allowed = connections as u64;
    loaded.report.intervals.until = check.map(|check| check.report());
    Ok(loaded)
}

/// The times of a run that its observer learns.
#[derive(Clone, Copy, Debug)]
struct Marks {
    /// The beginning and the end of the measured part.
    begins: Time,
    ends: Time,
    /// The end of the schedule.
    planned: Time,
    /// The number of them that the observer has learnt.
    told: u8,
}

impl Marks {
    fn of(windows: &[Window]) -> Self {
        let measured = windows.iter().filter(|window| window.measured);
        Self {
            begins: measured.clone().map(|window| window.from).min().unwrap_or_default(),
            ends: measured.map(|window| window.to).max().unwrap_or_default(),
            planned: windows.last().map(|last| last.to).unwrap_or_default(),
            told: 0,
        }
    }

    /// Returns when the observer has to be told next; `None` after the end.
    fn next_at(&self) -> Option<Time> {
        match self.told {
            0 => Some(self.begins),
            1 => Some(self.ends),
            _ => None,
        }
    }

    /// Tells the observer what has been due by `now`.
    fn tell(&mut self, observer: &mut dyn Observer, now: Time) {
        while self.next_at().is_some_and(|at| at <= now) {
            if self.told == 0 {
                observer.measuring()
            } else {
                observer.measured()
            }
            self.told += 1;
        }
    }

    /// Ends the measured part at `end`.
    fn shorten(&mut self, end: Time) {
        self.planned = before(self.planned, self.ends.since(end));
        self.ends = end;
    }
}

/// Passes the progress of the threads to the observer, until all threads have ended.
fn pass_on_progress(
    observer: &mut dyn Observer,
    received: &Receiver<ThreadProgress>,
    clock: &dyn Clock,
    mut marks: Marks,
    mut check: Option<&mut PrecisionCheck>,
) {
    let mut latest: BTreeMap<usize, ThreadProgress> = BTreeMap::new();
    loop {
        let now = clock.now();
        // The beginning and the end of the measured part are reported on time.
        marks.tell(observer, now);
        let wait = marks.next_at().map_or(Duration::MAX, |at| at.since(now));
        match received.recv_timeout(wait.min(Duration::from_secs(1))) {
            Ok(mut report) => {
                if let (Some(check), Some(snapshot)) = (&mut check, report.snapshot.take())
                    && let Some(end) = check.take(report.thread, snapshot, marks.ends)
                {
                    marks.shorten(end);
                }
                // One call for each round of reports: when that of the last thread arrives.
                let is_last = latest.len() <= report.thread + 1;
                latest.insert(report.thread, report);
                if is_last {
                    observer.progress(&progress(&latest, clock.now(), marks.planned));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    marks.tell(observer, Time::NEVER);
}

fn progress(latest: &BTreeMap<usize, ThreadProgress>, now: Time, planned: Time) -> Progress {
    let mut outcomes = Outcomes::default();
    let mut response = Quantiles::default();
    let (mut answered, mut lag) = (Quantiles::default(), Quantiles::default());
    for report in latest.values() {
        outcomes.add(&report.outcomes);
        response.add(&report.response);
        answered.add(&report.answered);
        lag.add(&report.lag);
    }
    Progress {
        elapsed: now.since(Time::ZERO),
        planned: planned.since(Time::ZERO),
        outcomes,
        under_way: latest.values().map(|report| report.under_way).sum(),
        p99: response.quantile_seconds(0.99),
        answered,
        lag,
    }
}

/// Raises the limit of descriptors to what the connections need; returns the number of connections
/// that the limit allows.
fn raise_descriptor_limit(connections: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = connections as u64 + OTHER_DESCRIPTORS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return connections;
    }
    let current = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = Rlimit { current: Some(current), maximum: limit.maximum };
    let allowed = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => current,
        Err(_) => limit.current.unwrap_or(current),
    };
    let allowed = allowed.saturating_sub(OTHER_DESCRIPTORS).max(1);
    usize::try_from(allowed).map_or(connections, |allowed| allowed.min(connections))
}
