//! What limits a generated graph, known by intervention.

use super::action::follow;
use super::cause::Cause;
use super::change::Change;
use super::saturation::saturation;
use super::subject::Subject;
use crate::model::error::SimError;

/// Changes that gain this share of the best gain are right, too.
const AS_GOOD: f64 = 0.8;
/// Below this gain the next resource is as full as the first one: a tie.
const TIE: f64 = 0.05;

/// What limits a graph: the changes, and what each of them gains.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Truth {
    /// Requests per second at which something is full.
    pub saturation: f64,
    /// Every change with its gain, as a share of `saturation`.
    pub gains: Vec<(Change, f64)>,
    /// The stages that may be named.
    pub stages: Vec<String>,
    /// The causes that may be named.
    pub causes: Vec<Cause>,
    /// The replica to be cured, if that gains as much as anything; no other one is right then.
    pub slow_replica: Option<String>,
    /// Whether the second resource is nearly as full as the first.
    pub is_tie: bool,
}

impl Truth {
    /// Makes each change of a graph, with the same seed, and compares the rates at which it is
    /// full.
    ///
    /// # Errors
    /// The spec is invalid.
    pub fn of(subject: &Subject) -> Result<Self, SimError> {
        let spec = &subject.spec;
        let before = saturation(spec)?;
        let mut gains = Vec::new();
        for change in Change::all(spec) {
            let after = saturation(&change.apply(spec))?;
            gains.push((change, after / before - 1.0));
        }
        let (halved, widened): (Vec<_>, Vec<_>) =
            gains.iter().cloned().partition(|(change, _)| matches!(change, Change::Halve(_)));
        let best = best(&widened);
        let as_good: Vec<Change> = as_good(&widened);
        let mut causes: Vec<Cause> =
            as_good.iter().flat_map(|change| Cause::of(change, spec)).collect();
        causes.sort();
        causes.dedup();
        Ok(Self {
            saturation: before,
            stages: stages(&halved, &as_good),
            slow_replica: as_good.iter().find_map(|change| match change {
                Change::Cure(replica) => Some(replica.clone()),
                _ => None,
            }),
            causes,
            is_tie: best < TIE,
            gains,
        })
    }

    /// Returns the best gain of half the demand of one stage.
    pub(super) fn best_gain(&self) -> f64 {
        let halved = self.gains.iter().filter(|(change, _)| matches!(change, Change::Halve(_)));
        halved.map(|(_, gain)| *gain).fold(0.0, f64::max)
    }

    /// Returns the gain of a change; `None` if the graph does not allow it.
    pub fn gain(&self, change: &Change) -> Option<f64> {
        self.gains.iter().find(|(known, _)| known == change).map(|(_, gain)| *gain)
    }

    /// Returns the rate at which the graph is full after the action that a report names; `None` if
    /// no spec can follow it.
    ///
    /// # Errors
    /// The changed spec is invalid.
    pub fn rate_after(&self, subject: &Subject, action: &str) -> Result<Option<f64>, SimError> {
        follow(action, &subject.spec).map(|spec| saturation(&spec)).transpose()
    }

    /// Returns whether a stage may be named. A replica counts as its stage, unless one is slow.
    pub fn is_right(&self, stage: &str) -> bool {
        if let Some(slow) = &self.slow_replica {
            return stage == slow || self.stages.iter().any(|right| right == stage);
        }
        self.stages.iter().any(|right| {
            let replica = stage.strip_prefix(right.as_str()).and_then(|end| end.strip_prefix('-'));
            stage == right || replica.is_some_and(|number| number.parse::<usize>().is_ok())
        })
    }
}

fn best(gains: &[(Change, f64)]) -> f64 {
    gains.iter().map(|(_, gain)| *gain).fold(0.0, f64::max)
}

/// Returns the changes that gain nearly as much as the best.
fn as_good(gains: &[(Change, f64)]) -> Vec<Change> {
    let least = best(gains) * AS_GOOD;
    let good = gains.iter().filter(|(_, gain)| *gain >= least);
    good.map(|(change, _)| change.clone()).collect()
}

/// Returns the stages that may be named: those that gain most when their demand is halved. Where
/// none gains, the bound's own.
fn stages(halved: &[(Change, f64)], widened: &[Change]) -> Vec<String> {
    let right = if best(halved) < TIE { widened.to_vec() } else { as_good(halved) };
    right.iter().filter_map(|change| change.stage()).map(str::to_owned).collect()
}
