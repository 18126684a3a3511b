//! A trial: one seed, with the trigger and without.

use crate::model::error::SimError;
use crate::report::{SimReport, Slice};
use crate::run::run;
use crate::spec::Spec;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Length of a slice: recovery is known to half a second.
const SLICE: Duration = Duration::from_millis(500);
/// Slices in five seconds. Two are ample for a server that recovers, and retries of the trigger
/// end within 3.3 s.
const SETTLING: usize = 10;
/// Slices that are compared after that: up to half a minute behind the trigger.
const COMPARED: usize = 50;
/// Slices of a sliding look for the moment of recovery: two seconds.
const LOOK: usize = 4;
/// The share of the good answers without the trigger below which a server is stuck.
const UPRIGHT: f64 = 0.9;

/// What happened after the trigger in a run, beside the same run without it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trial {
    /// The seed of both runs.
    pub seed: u64,
    /// Good answers to the requests that start from 5 to 30 s after the trigger, as a share of
    /// those without it.
    pub goodput: f64,
    /// The share of the requests in this time that have a good answer without the trigger. A low
    /// one is a server that needs no trigger to go down; `goodput` then says little.
    pub untriggered: f64,
    /// From the end of the trigger to the first two seconds with 90 % of the good answers; `None`
    /// if there are none.
    pub back_seconds: Option<f64>,
    /// Attempts per request from 5 to 30 s after the trigger, as a multiple of those without it.
    pub amplification: f64,
}

impl Trial {
    /// Runs a spec. Its faults are the trigger and end with its warm-up.
    ///
    /// # Errors
    /// The spec is invalid.
    pub fn run(spec: &Spec, seed: u64) -> Result<Self, SimError> {
        let mut with = spec.clone();
        with.window = SLICE * (SETTLING + COMPARED) as u32;
        with.slice = Some(SLICE);
        with.seed = seed;
        let mut without = with.clone();
        without.faults.clear();
        Ok(Self::compare(&run(&with, seed)?, &run(&without, seed)?))
    }

    fn compare(with: &SimReport, without: &SimReport) -> Self {
        let (with_after, without_after) = (after(with), after(without));
        let back = (0..=SETTLING + COMPARED - LOOK)
            .find(|from| share(window(with, *from), window(without, *from)) >= UPRIGHT);
        Self {
            seed: with.seed,
            goodput: share(with_after, without_after),
            untriggered: good(without_after) as f64 / scheduled(without_after).max(1) as f64,
            back_seconds: back.map(|slices| slices as f64 * SLICE.as_secs_f64()),
            amplification: amplification(with_after) / amplification(without_after),
        }
    }

    /// Returns whether the server is stuck: it has less than 90 % of the good answers that it has
    /// without the trigger.
    pub fn is_stuck(&self) -> bool {
        self.goodput < UPRIGHT
    }
}

/// Returns the slices from 5 to 30 s after the trigger.
fn after(report: &SimReport) -> &[Slice] {
    report.slices.get(SETTLING..).unwrap_or_default()
}

/// Returns the slices of two seconds.
fn window(report: &SimReport, from: usize) -> &[Slice] {
    let slices = report.slices.get(from..).unwrap_or_default();
    slices.get(..LOOK).unwrap_or(slices)
}

/// Returns the good answers as a share of those without the trigger. 1 if there are none without.
fn share(with: &[Slice], without: &[Slice]) -> f64 {
    match good(without) {
        0 => 1.0,
        all => good(with) as f64 / all as f64,
    }
}

fn good(slices: &[Slice]) -> u64 {
    slices.iter().map(|slice| slice.ends.good).sum()
}

fn scheduled(slices: &[Slice]) -> u64 {
    slices.iter().map(|slice| slice.ends.scheduled).sum()
}

/// Returns the attempts per request; 1 if there are none.
fn amplification(slices: &[Slice]) -> f64 {
    let attempts: u64 = slices.iter().map(|slice| slice.attempts).sum();
    match scheduled(slices) {
        0 => 1.0,
        requests => attempts as f64 / requests as f64,
    }
}
