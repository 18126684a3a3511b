//! Looks at a generated graph under a load.

use super::said::Said;
use super::subject::Subject;
use super::truth::Truth;
use super::verdict::Verdict;
use crate::model::error::SimError;
use crate::run::watch;
use crate::spec::Spec;
use seda_core::SloConfig;
use std::time::Duration;

/// The loads of the looks, as shares of the rate at which something is full.
pub const LOADS: [f64; 6] = [0.3, 0.6, 0.75, 0.9, 1.0, 1.3];

/// Load before the first look: pools have their sizes, and windows of ten seconds are even.
const WARM_UP: Duration = Duration::from_secs(14);
/// From the first look to the last.
const WATCHED: Duration = Duration::from_secs(8);
const EVERY: Duration = Duration::from_secs(1);
/// Looks from one judged look to the next: five seconds.
const APART: usize = 5;
/// The share of the requests that an SLO costs, from which on it may be named.
const COST: f64 = 0.02;
/// It may be named if its removal gains this share of what half the demand gains.
const AS_GOOD: f64 = 0.8;

/// A graph under a load, and what its report says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Look {
    /// The load, as a share of the rate at which something is full.
    pub load: f64,
    /// Whether an SLO is in force.
    pub has_slo: bool,
    /// The graph under this load.
    pub spec: Spec,
    /// The answers at the end, and five seconds before.
    pub said: Vec<Said>,
    /// The verdicts on it.
    pub verdicts: Vec<Verdict>,
    /// The share of all looks, one a second, that name what the last one names.
    pub same: f64,
    /// Requests answered per second.
    pub answered_per_second: f64,
}

impl Look {
    /// Runs a graph at `load` times the rate at which it is full, without an SLO and with one.
    ///
    /// # Errors
    /// The spec is invalid.
    pub fn pair(subject: &Subject, truth: &Truth, load: f64) -> Result<[Self; 2], SimError> {
        let free = Self::at(subject, truth, load, None)?;
        let bound = Self::at(subject, truth, load, Some(&free))?;
        Ok([free, bound])
    }

    /// Runs a graph at a load; with an SLO beside a run without one, `free`.
    fn at(
        subject: &Subject,
        truth: &Truth,
        load: f64,
        free: Option<&Self>,
    ) -> Result<Self, SimError> {
        let has_slo = free.is_some();
        let mut spec = subject.spec.at_rate(truth.saturation * load)?;
        spec.name = format!("{}-{load}{}", spec.name, if has_slo { "-slo" } else { "" });
        (spec.warm_up, spec.window, spec.cool_down) = (WARM_UP, WATCHED, Duration::ZERO);
        if has_slo {
            spec.graph.slo = SloConfig::new(subject.slo);
        }
        let mut all = Vec::new();
        let report = watch(&spec, spec.seed, EVERY, |_, report| all.push(Said::of(report)))?;
        let said: Vec<Said> = all.iter().rev().step_by(APART).take(2).rev().cloned().collect();
        // The gains of a run without the SLO, and of half the demand under it.
        let is_cut = free.is_some_and(|free| {
            let (full, answered) = (truth.saturation, report.throughput_per_second);
            let gain = free.answered_per_second - answered;
            let kept = answered / free.answered_per_second;
            let halved = load.min(1.0 + truth.best_gain()) * full * kept - answered;
            gain > COST * full && gain >= AS_GOOD * halved
        });
        let verdicts = said.iter().map(|said| Verdict::of(said, truth, load, is_cut)).collect();
        let same = all.last().map_or(1.0, |last| {
            let same =
                all.iter().filter(|one| (&one.kind, &one.stage) == (&last.kind, &last.stage));
            same.count() as f64 / all.len() as f64
        });
        let answered_per_second = report.throughput_per_second;
        Ok(Self { load, has_slo, spec, said, verdicts, same, answered_per_second })
    }
}
