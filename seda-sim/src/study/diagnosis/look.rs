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
/// Below this share of the served requests, an SLO itself is what limits the graph.
const KEPT: f64 = 0.88;

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
    /// What is said at the end, and five seconds before.
    pub said: Vec<Said>,
    /// The verdicts on it.
    pub verdicts: Vec<Verdict>,
    /// The share of all looks, one a second, that name what the last one names.
    pub same: f64,
    /// Requests answered per second.
    pub answered_per_second: f64,
}

impl Look {
    /// Runs a graph at `load` times the rate at which it is full.
    ///
    /// # Errors
    /// The spec is invalid.
    pub fn at(
        subject: &Subject,
        truth: &Truth,
        load: f64,
        has_slo: bool,
    ) -> Result<Self, SimError> {
        let mut spec = subject.spec.at_rate(truth.saturation * load)?;
        spec.name = format!("{}-{load}{}", spec.name, if has_slo { "-slo" } else { "" });
        (spec.warm_up, spec.window, spec.cool_down) = (WARM_UP, WATCHED, Duration::ZERO);
        if has_slo {
            spec.graph.slo = SloConfig::new(subject.slo);
        }
        let mut all = Vec::new();
        let report = watch(&spec, spec.seed, EVERY, |_, report| all.push(Said::of(report)))?;
        let said: Vec<Said> = all.iter().rev().step_by(APART).take(2).rev().cloned().collect();
        let is_cut =
            has_slo && report.throughput_per_second < KEPT * load.min(1.0) * truth.saturation;
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
