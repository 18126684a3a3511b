//! The result of a run.

use super::tally::series::Series;
use crate::report::LoadReport;

/// The result of a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// The report.
    pub report: LoadReport,
    /// The time series with its histograms, which can be pooled with those of other runs; `None` if
    /// the plan asks for none.
    pub series: Option<Series>,
}
