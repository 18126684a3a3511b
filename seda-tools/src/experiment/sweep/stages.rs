//! The stages of a seda server, read from `/_seda/report` before and after a load.

use super::report::StagePoint;
use crate::experiment::admin::{self, PageBounds};
use crate::load::address::ServerAddress;
use seda_core::Report;
use seda_core::report::StageReport;
use std::time::Duration;

/// The report of hundreds of stages has less, and a server answers from a ready snapshot: a slower
/// answer is not worth a delay of the benchmark.
const REPORT: PageBounds = PageBounds { within: Duration::from_millis(500), bytes: 4 << 20 };

/// Returns the report of the server at `address`; `None` if it is not a seda server.
pub(super) fn report(address: &ServerAddress, authority: &str) -> Option<Report> {
    let page = admin::page_at(address, authority, "/_seda/report", REPORT).ok()?;
    serde_json::from_slice(&page).ok()
}

/// Returns the work of the stages between two reports.
pub(super) fn between(before: &Report, after: &Report) -> Vec<StagePoint> {
    let stages = before.stages.iter().zip(&after.stages);
    stages.map(|(before, after)| StagePoint::between(before, after)).collect()
}

impl StagePoint {
    /// Counts are differences of the two reports; the rest is that of `after`.
    fn between(before: &StageReport, after: &StageReport) -> Self {
        let earlier = Self::of(before);
        let later = Self::of(after);
        Self {
            handled: later.handled.saturating_sub(earlier.handled),
            refused: later.refused.saturating_sub(earlier.refused),
            shed: later.shed.saturating_sub(earlier.shed),
            ..later
        }
    }
}
