//! Divides a plan among the generator's threads: each gets every n-th request of one schedule.

use super::engine::Engine;
use super::rules::Rules;
use super::source::{Clients, Schedule, Source};
use super::tally::series::MAX_BINS;
use super::tally::window::Window;
use super::tally::{Categories, Tally};
use crate::load::arrivals::{Arrivals, Part, Profile, ProfileError};
use crate::load::plan::{LoadPlan, Pace};
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use seda_core::Time;
use std::time::Duration;
use thiserror::Error;

/// The mix is drawn from another stream than the arrivals.
const MIX_STREAM: u64 = 0x6d69_7800;
/// The pauses of clients are drawn from a third stream.
const PAUSE_STREAM: u64 = 0x7061_7573;

/// Why a plan contradicts itself.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The profile is too long with warm-up and cool-down.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A closed loop needs a connection for each client.
    #[error(
        "{clients} clients need as many connections, but only {connections} are allowed: raise \
         --connections or lower --clients"
    )]
    TooFewConnections {
        /// Number of clients.
        clients: u32,
        /// Number of allowed connections.
        connections: usize,
    },
    /// The named setting must be at least one.
    #[error("{0} is 0; it must be 1 at least")]
    Zero(&'static str),
    /// Warm-up and cool-down take the whole of a recorded trace.
    #[error(
        "warm-up and cool-down take {edges:?}, and the arrivals last only {whole:?}: nothing is \
         left to measure"
    )]
    NothingLeft {
        /// The length of warm-up and cool-down together.
        edges: Duration,
        /// The length of the whole run.
        whole: Duration,
    },
    /// The time series has too many bins.
    #[error(
        "{bins} bins are too many for a time series (at most {MAX_BINS}): make the run shorter or \
         the bins wider"
    )]
    TooManyBins {
        /// Number of bins.
        bins: u128,
    },
    /// An SLO is longer than the deadline, so that every answer meets it.
    #[error(
        "an SLO of {slo:?} cannot be told apart from the deadline of {deadline:?}: set the SLO \
         below the deadline"
    )]
    SloBeyondDeadline {
        /// The SLO.
        slo: Duration,
        /// The deadline.
        deadline: Duration,
    },
}

/// Checks a plan and returns the categories of its counts.
pub(super) fn categories(plan: &LoadPlan) -> Result<Categories, PlanError> {
    // 1. Settings that must be above zero, or fit each other.
    if plan.connections == 0 {
        return Err(PlanError::Zero("--connections"));
    }
    if plan.threads == 0 {
        return Err(PlanError::Zero("--threads"));
    }
    if let Pace::Closed { clients, .. } = &plan.pace {
        if *clients == 0 {
            return Err(PlanError::Zero("--clients"));
        }
        if *clients as usize > plan.connections {
            let connections = plan.connections;
            return Err(PlanError::TooFewConnections { clients: *clients, connections });
        }
    }
    if let Some(slo) = plan.slos.iter().find(|slo| **slo > plan.deadline) {
        return Err(PlanError::SloBeyondDeadline { slo: *slo, deadline: plan.deadline });
    }
    // 2. The windows, and the bins of the time series over them.
    let windows = windows(plan)?;
    let length = windows.last().map_or(Duration::ZERO, |last| last.to.since(Time::ZERO));
    if let Some(width) = plan.bin {
        let bins = length.as_nanos().div_ceil(width.as_nanos().max(1));
        if bins > MAX_BINS as u128 {
            return Err(PlanError::TooManyBins { bins });
        }
    }
    Ok(Categories {
        windows,
        slos: plan.slos.clone(),
        labels: plan.workload.labels.len(),
        clients: match &plan.pace {
            Pace::Closed { clients, .. } => *clients as usize,
            _ => 0,
        },
        bin: plan.bin,
        is_open_ended: false,
    })
}

/// Returns the engine of one thread.
pub(super) fn engine(
    plan: &LoadPlan,
    categories: &Categories,
    thread: usize,
) -> Result<Engine, PlanError> {
    let end = categories.windows.last().map_or(Time::ZERO, |last| last.to);
    let rules = Rules {
        slo: plan.slos.first().copied(),
        deadline: plan.deadline,
        retry: plan.retry,
        last_retry: end.after(plan.deadline),
        expected: plan.expected.clone(),
    };
    let targets = plan.workload.sequence(plan.seed ^ MIX_STREAM);
    let source = match &plan.pace {
        Pace::Open { process, profile } => {
            let arrivals = Arrivals::drawn(*process, &with_edges(plan, profile)?, plan.seed);
            let all = arrivals.zip(targets);
            Source::Open(Schedule::new(all.skip(thread).step_by(plan.threads)))
        }
        Pace::Recorded { times, speed } => {
            let all = Arrivals::recorded(times.clone(), *speed).zip(targets);
            Source::Open(Schedule::new(all.skip(thread).step_by(plan.threads)))
        }
        Pace::Closed { clients, think, .. } => {
            let numbers: Vec<u32> = (0..*clients).skip(thread).step_by(plan.threads).collect();
            let mine = targets.skip(thread).step_by(plan.threads);
            Source::Closed(Clients::new(numbers.into_iter(), *think, end, mine))
        }
    };
    let rng = Xoshiro256PlusPlus::seed_from_u64(plan.seed ^ PAUSE_STREAM ^ thread as u64);
    let tally = Tally::new(categories);
    Ok(Engine::new(source, plan.workload.targets.clone(), rules, tally, rng))
}

/// Returns the profile with a warm-up at the rate of its first part and a cool-down at that of its
/// last part.
fn with_edges(plan: &LoadPlan, profile: &Profile) -> Result<Profile, ProfileError> {
    let mut parts = profile.parts().to_vec();
    if let Some(first) = profile.parts().first()
        && !plan.warm_up.is_zero()
    {
        parts.insert(0, Part { rate: first.rate, duration: plan.warm_up });
    }
    if let Some(last) = profile.parts().last()
        && !plan.cool_down.is_zero()
    {
        parts.push(Part { rate: last.rate, duration: plan.cool_down });
    }
    Profile::new(parts)
}

/// Returns the windows of a run: warm-up, the measured parts, cool-down.
fn windows(plan: &LoadPlan) -> Result<Vec<Window>, PlanError> {
    let mut windows = Vec::new();
    add_window(&mut windows, "warm-up".to_owned(), plan.warm_up, false);
    match &plan.pace {
        Pace::Open { profile, .. } => {
            for part in profile.parts() {
                add_window(&mut windows, part.to_string(), part.duration, true);
            }
        }
        // Warm-up and cool-down are the first and the last part of a trace.
        Pace::Recorded { .. } => {
            let (whole, edges) = (plan.pace.duration(), plan.warm_up + plan.cool_down);
            let left = whole.saturating_sub(edges);
            if left.is_zero() {
                return Err(PlanError::NothingLeft { edges, whole });
            }
            add_window(&mut windows, "trace".to_owned(), left, true);
        }
        Pace::Closed { duration, .. } => {
            add_window(&mut windows, "clients".to_owned(), *duration, true);
        }
    }
    add_window(&mut windows, "cool-down".to_owned(), plan.cool_down, false);
    Ok(windows)
}

/// Adds a window behind the last one, unless it has no length.
fn add_window(windows: &mut Vec<Window>, name: String, length: Duration, measured: bool) {
    let from = windows.last().map_or(Time::ZERO, |last| last.to);
    if !length.is_zero() {
        windows.push(Window { name, from, to: from.after(length), measured });
    }
}
