//! What a report says of its bottleneck.

use seda_core::Report;

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
    pub load: Option<f64>,
    /// The rate at which it is full: the estimate, its lower and its upper end.
    pub max_rate: Option<[f64; 3]>,
}

impl Said {
    /// Returns what a report says.
    pub fn of(report: &Report) -> Self {
        match &report.bottleneck {
            None => Self { kind: "none".to_owned(), ..Self::default() },
            Some(bottleneck) => Self {
                kind: "unknown".to_owned(),
                stage: Some(bottleneck.stage.clone()),
                ..Self::default()
            },
        }
    }

    /// Returns whether something is named.
    pub fn is_found(&self) -> bool {
        self.kind != "none" && self.kind != "cannot_tell"
    }

    /// Returns the kind, or `None` if the report has none.
    pub fn known_kind(&self) -> Option<&str> {
        Some(self.kind.as_str()).filter(|kind| *kind != "unknown")
    }
}
