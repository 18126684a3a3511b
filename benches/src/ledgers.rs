//! The equations that every report must fulfil.

use seda_core::Report;

/// Both ledgers' equations and the bounds; the first that does not hold is the error.
///
/// # Errors
/// Which one, and the figures.
pub fn check(report: &Report) -> Result<(), String> {
    for stage in &report.stages {
        let shed: u64 = stage.shed.values().sum();
        let inside = stage.queued + stage.in_hand + stage.pending;
        let refused: u64 = stage.refused.values().sum();
        let over_edges = report.edges.iter().filter(|edge| edge.to == stage.name);
        let over_edges: u64 = over_edges.map(|edge| edge.sent + edge.refused).sum();
        let equations = [
            (stage.accepted == stage.handled + shed + stage.failed + inside, "accepted"),
            (stage.offered == stage.accepted + refused, "offered"),
            (stage.offered == over_edges, "its edges"),
            (stage.queue.depth as u64 == stage.queued, "depth"),
            (stage.queue.depth <= stage.queue.capacity, "capacity"),
            (stage.held <= stage.pending, "held"),
        ];
        if let Some((_, what)) = equations.iter().find(|(holds, _)| !holds) {
            return Err(format!("{}: {what} does not add up: {stage:?}", stage.name));
        }
    }
    let (events, requests, budget) = (&report.events, &report.requests, &report.budget);
    let lost: u64 = requests.lost.values().sum();
    if requests.admitted != requests.answered + lost + requests.open {
        return Err(format!("requests do not add up: {requests:?}"));
    }
    let inside = (events.queued + events.in_hand + events.pending) as usize;
    if inside > budget.used || budget.used > budget.limit || budget.bytes_used > budget.bytes_limit
    {
        return Err(format!("{inside} inside, budget {budget:?}"));
    }
    Ok(())
}
