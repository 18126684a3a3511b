//! The stages at which requests enter.

use super::flow::Flow;
use crate::spec::error::SpecError;
use seda_core::Report;
use std::collections::BTreeMap;

/// The fewest requests that a model is made of: below it a rate is off by a fifth, by chance.
const FEWEST: u64 = 30;

/// A stage at which requests enter.
pub(super) struct Entry<'a> {
    pub(super) stage: &'a str,
    /// Requests offered to it from outside in the last ten seconds.
    pub(super) offered: u64,
    /// The same per second.
    pub(super) rate: f64,
}

/// Returns the stages at which requests enter, by name: those that any event from outside was ever
/// offered to. The events that begin a circle without end are no requests.
pub(super) fn of<'a>(report: &'a Report, flow: &Flow) -> Vec<Entry<'a>> {
    let mut offered = BTreeMap::new();
    for edge in report.edges.iter().filter(|edge| edge.from.is_none()) {
        let is_used = edge.sent + edge.refused > 0;
        if is_used && flow.timers.iter().all(|timer| timer.stage != edge.to) {
            let lately = edge.last_ten_seconds.sent + edge.last_ten_seconds.refused;
            *offered.entry(edge.to.as_str()).or_insert(0) += lately;
        }
    }
    let seconds = flow.seconds;
    let entry = |(stage, offered)| Entry { stage, offered, rate: offered as f64 / seconds };
    offered.into_iter().map(entry).collect()
}

/// Returns the requests per second at all entries.
///
/// # Errors
/// Too few requests have entered.
pub(super) fn checked_rate(report: &Report, entries: &[Entry<'_>]) -> Result<f64, SpecError> {
    if entries.is_empty() {
        let value = "none from outside that was ever used";
        let allowed = "one at least; take the report when requests have come";
        return Err(SpecError::value("edges", value, allowed));
    }
    let offered: u64 = entries.iter().map(|entry| entry.offered).sum();
    if offered < FEWEST {
        let names: Vec<&str> = entries.iter().map(|entry| entry.stage).collect();
        let seconds = report.stages.first().map_or(0.0, |stage| stage.last_ten_seconds.seconds);
        let value = format!("{offered} requests at {} in {seconds:.0} s", names.join(", "));
        let allowed = "30 at least; take the report while requests come";
        return Err(SpecError::value("edges.last_ten_seconds", value, allowed));
    }
    Ok(entries.iter().map(|entry| entry.rate).sum())
}
