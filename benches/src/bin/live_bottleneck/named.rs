//! The bottleneck as a report names it.

use seda_core::Report;

/// The parts of a report that are judged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Named {
    /// The kind in the report's words; `none` and `cannot_tell` are kinds.
    pub(crate) kind: String,
    pub(crate) stage: Option<String>,
    /// Stages that the report says tie with it.
    pub(crate) tied: Vec<String>,
    /// The rate at which the graph is full, with its interval.
    pub(crate) max_rate: Option<Predicted>,
    /// The stage that holds the most contended lock.
    pub(crate) holder: Option<Holder>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Predicted {
    pub(crate) rate: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Holder {
    pub(crate) stage: String,
    /// The looks at which a worker waited for the lock.
    pub(crate) samples: u64,
}

impl Named {
    pub(crate) fn of(report: &Report) -> Self {
        let bottleneck = &report.bottleneck;
        let max_rate = bottleneck.max_rate.map(|rate| Predicted {
            rate: rate.per_second,
            low: rate.low,
            high: rate.high,
        });
        Self {
            kind: bottleneck.kind.to_string(),
            stage: bottleneck.stage.clone(),
            tied: bottleneck.tied.iter().filter_map(|tied| tied.stage.clone()).collect(),
            max_rate,
            holder: report.locks.first().and_then(|lock| {
                let (stage, _) = lock.held.iter().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
                Some(Holder { stage: stage.clone(), samples: lock.contended })
            }),
        }
    }

    /// True if it names something that limits the graph.
    pub(crate) fn is_found(&self) -> bool {
        !matches!(self.kind.as_str(), "none" | "cannot_tell")
    }
}
