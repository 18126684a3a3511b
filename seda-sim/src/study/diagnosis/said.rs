//! What a report says of its bottleneck.

use seda_core::Report;
use seda_core::report::RateEstimate;

/// What a report says of its bottleneck.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Said {
    /// The kind, as the report names it: `none` and `cannot_tell` are kinds.
    pub kind: String,
    /// The stage; `None` if no stage is meant.
    pub stage: Option<String>,
    /// Kinds and stages that are as full within the error.
    pub tied: Vec<(String, Option<String>)>,
    /// The load of the resource.
    pub load: f64,
    /// The rate at which it is full.
    pub max_rate: Option<RateEstimate>,
    /// What to do.
    pub action: String,
    /// The rate at which the graph is full after that.
    pub rate_after: Option<RateEstimate>,
}

impl Said {
    /// Returns what a report says.
    pub fn of(report: &Report) -> Self {
        let said = &report.bottleneck;
        let tied = said.tied.iter().map(|tied| (tied.kind.to_string(), tied.stage.clone()));
        Self {
            kind: said.kind.to_string(),
            stage: said.stage.clone(),
            tied: tied.collect(),
            load: said.load,
            max_rate: said.max_rate,
            action: said.action.clone(),
            rate_after: said.expected.map(|expected| expected.max_rate),
        }
    }

    /// Returns whether something is named.
    pub fn is_found(&self) -> bool {
        self.kind != "none" && self.kind != "cannot_tell"
    }
}
