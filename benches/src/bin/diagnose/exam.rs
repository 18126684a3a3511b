//! A generated graph, its truth, and all looks at it.

use crate::DiagnoseError;
use seda_sim::study::diagnosis::{Change, Kind, LOADS, Look, Subject, Truth, Verdict};
use std::collections::BTreeMap;
use std::fmt;

/// A generated graph, its truth, and all looks at it.
#[derive(Debug)]
pub(crate) struct Exam {
    pub(crate) subject: Subject,
    pub(crate) truth: Truth,
    pub(crate) looks: Vec<Look>,
    /// The gains of the actions that are named for the right stage.
    pub(crate) gains: Vec<Gain>,
}

/// The gain of an action, as a share of the rate at which the graph is full.
#[derive(Debug)]
pub(crate) struct Gain {
    /// The look that names the action.
    pub(crate) name: String,
    pub(crate) action: String,
    pub(crate) expected: f64,
    pub(crate) had: f64,
}

/// An expected gain may differ by this share from the gain had, or by [`POINTS`].
const SHARE: f64 = 0.15;
const POINTS: f64 = 0.02;

impl Gain {
    /// Returns whether the expected gain is near the gain had.
    pub(crate) fn is_met(&self) -> bool {
        let error = (self.expected - self.had).abs();
        error <= POINTS || error <= SHARE * self.had.abs()
    }
}

impl Exam {
    /// Generates a graph and looks at it under every load, with an SLO and without.
    pub(crate) fn take(kind: Kind, seed: u64) -> Result<Self, DiagnoseError> {
        let subject = Subject::generate(kind, seed)?;
        let truth = Truth::of(&subject)?;
        let mut looks = Vec::new();
        for load in LOADS {
            looks.extend(Look::pair(&subject, &truth, load)?);
        }
        let gains = gains(&subject, &truth, &looks)?;
        Ok(Self { subject, truth, looks, gains })
    }
}

impl fmt::Display for Gain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, action, expected, had } = self;
        write!(f, "{name}.toml: a gain of {expected:.3} expected, {had:.3} had: {action}")
    }
}

/// Makes each action that is named for the right stage.
fn gains(subject: &Subject, truth: &Truth, looks: &[Look]) -> Result<Vec<Gain>, DiagnoseError> {
    let mut made: BTreeMap<&str, Option<f64>> = BTreeMap::new();
    let mut gains = Vec::new();
    for look in looks.iter().filter(|look| look.verdicts.last() == Some(&Verdict::Right)) {
        let Some(said) = look.said.last() else { continue };
        let Some((before, after)) = said.max_rate.zip(said.rate_after) else { continue };
        let had = match made.get(said.action.as_str()) {
            Some(known) => *known,
            None => truth.rate_after(subject, &said.action)?,
        };
        made.insert(&said.action, had);
        gains.extend(had.map(|had| Gain {
            name: look.spec.name.clone(),
            action: said.action.clone(),
            expected: after.per_second / before.per_second - 1.0,
            had: had / truth.saturation - 1.0,
        }));
    }
    Ok(gains)
}

impl fmt::Display for Exam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Truth { saturation, stages, causes, is_tie, gains, .. } = &self.truth;
        let causes: Vec<&str> = causes.iter().map(|cause| cause.as_str()).collect();
        write!(
            f,
            "{}-{}: {} stages, full at {saturation:.1}/s: {} by {}{}",
            self.subject.kind,
            self.subject.seed,
            self.subject.spec.stages.len(),
            stages.join(", "),
            causes.join(", "),
            if *is_tie { ", a tie" } else { "" }
        )?;
        let mut best: Vec<&(Change, f64)> = gains.iter().collect();
        best.sort_by(|a, b| b.1.total_cmp(&a.1));
        for (change, gain) in best.into_iter().take(4) {
            write!(f, "; {change} {:+.0} %", gain * 100.0)?;
        }
        Ok(())
    }
}
