//! A generated graph, its truth, and all looks at it.

use crate::DiagnoseError;
use seda_sim::study::diagnosis::{Change, Kind, LOADS, Look, Subject, Truth};
use std::fmt;

/// A generated graph, its truth, and all looks at it.
#[derive(Debug)]
pub(crate) struct Exam {
    pub(crate) subject: Subject,
    pub(crate) truth: Truth,
    pub(crate) looks: Vec<Look>,
}

impl Exam {
    /// Generates a graph and looks at it under every load, with an SLO and without.
    pub(crate) fn take(kind: Kind, seed: u64) -> Result<Self, DiagnoseError> {
        let subject = Subject::generate(kind, seed)?;
        let truth = Truth::of(&subject)?;
        let mut looks = Vec::new();
        for load in LOADS {
            for has_slo in [false, true] {
                looks.push(Look::at(&subject, &truth, load, has_slo)?);
            }
        }
        Ok(Self { subject, truth, looks })
    }
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
