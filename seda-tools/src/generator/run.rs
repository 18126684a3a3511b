//! Carries a plan out: starts the threads, tells how they are getting on, adds up what they saw.

use super::driver::{Driven, Driver, Pulse};
use super::loaded::Loaded;
use super::observer::{Observer, Progress};
use super::shares::{self, PlanError};
use super::sockets::Sockets;
use super::stop::Stop;
use super::summary;
use crate::load::plan::LoadPlan;
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

/// Descriptors a generator needs beside its connections: polls, timers, files, standard streams.
const OTHER_DESCRIPTORS: u64 = 64;

/// Why a run could not be carried out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The plan is at odds with itself.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A closed loop needs a connection for each client.
    #[error(
        "{clients} clients need as many connections, but this process may have only {connections}: raise `ulimit -n`, or lower --clients"
    )]
    TooFewDescriptors {
        /// Clients.
        clients: usize,
        /// Connections that can be had.
        connections: usize,
    },
    /// A thread or a poll could not be had.
    #[error(
        "a generator thread cannot go on ({0}); the machine may be short of threads or descriptors"
    )]
    Thread(#[from] io::Error),
    /// A thread panicked.
    #[error("a generator thread panicked; that is a fault of this program, please report it")]
    Panicked,
}

/// Carries a plan out and returns when every request has ended, or when `stop` asks for it.
///
/// # Errors
/// The plan is at odds with itself, or this machine has no threads or descriptors to spare. A
/// server that does not answer is no error: the report says so.
pub fn run(plan: &LoadPlan, stop: &Stop, observer: &mut dyn Observer) -> Result<Loaded, LoadError> {
    let categories = shares::categories(plan)?;
    let connections = raise_descriptor_limit(plan.connections);
    if categories.clients > connections {
        return Err(LoadError::TooFewDescriptors { clients: categories.clients, connections });
    }
    let clock: Arc<dyn Clock> = Arc::new(MonotonicClock::new());
    let (pulses, pulsed) = channel();
    let mut threads = Vec::with_capacity(plan.threads);
    for number in 0..plan.threads {
        let limit = connections.div_ceil(plan.threads);
        let targets = plan.workload.targets.clone();
        let driver = Driver {
            engine: shares::engine(plan, &categories, number)?,
            sockets: Sockets::new(plan.address, targets, limit, clock.clone())?,
            clock: clock.clone(),
            stop: stop.clone(),
            pulses: pulses.clone(),
        };
        let thread = thread::Builder::new().name(format!("load-{number}"));
        threads.push(thread.spawn(move || driver.drive(number))?);
    }
    drop(pulses);
    let measured = categories.windows.iter().filter(|window| window.measured);
    let ends = measured.clone().map(|window| window.to).max().unwrap_or_default();
    let begins = measured.map(|window| window.from).min().unwrap_or_default();
    tell(observer, &pulsed, clock.as_ref(), begins, ends);
    let mut driven: Vec<Driven> = Vec::with_capacity(threads.len());
    for thread in threads {
        driven.push(thread.join().map_err(|_| LoadError::Panicked)??);
    }
    let mut loaded = summary::loaded(plan, driven);
    loaded.report.generator.connections_allowed = connections as u64;
    Ok(loaded)
}

/// Tells the observer what the threads say, until all of them have ended.
fn tell(
    observer: &mut dyn Observer,
    pulsed: &Receiver<Pulse>,
    clock: &dyn Clock,
    begins: Time,
    ends: Time,
) {
    let mut latest: BTreeMap<usize, Pulse> = BTreeMap::new();
    let mut marks = [(begins, false), (ends, true)].into_iter().peekable();
    loop {
        let now = clock.now();
        while let Some((_, is_end)) = marks.next_if(|(at, _)| *at <= now) {
            if is_end { observer.measured() } else { observer.measuring() }
        }
        let wait = marks.peek().map_or(Duration::MAX, |(at, _)| at.since(now));
        match pulsed.recv_timeout(wait.min(Duration::from_secs(1))) {
            Ok(pulse) => {
                let is_last = latest.len() <= pulse.thread + 1;
                latest.insert(pulse.thread, pulse);
                if is_last {
                    observer.progress(&progress(&latest, clock.now()));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    for (_, is_end) in marks {
        if is_end { observer.measured() } else { observer.measuring() }
    }
}

fn progress(latest: &BTreeMap<usize, Pulse>, now: Time) -> Progress {
    let mut outcomes = Outcomes::default();
    let mut response = Quantiles::default();
    for pulse in latest.values() {
        outcomes.add(&pulse.outcomes);
        response.add(&pulse.response);
    }
    Progress {
        elapsed: now.since(Time::ZERO),
        outcomes,
        under_way: latest.values().map(|pulse| pulse.under_way).sum(),
        p99: response.quantile_seconds(0.99),
    }
}

/// Asks the kernel for as many descriptors as the connections need; returns how many connections
/// can be had.
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
    connections.min(usize::try_from(allowed).unwrap_or(usize::MAX))
}
