//! The check that a report's ledgers balance.

use crate::monitor::report::{BudgetReport, EventLedger, Report, RequestLedger, StageReport};
use thiserror::Error;

/// A violated equation of a report, with its figures.
///
/// Its `Display` names the place, the equation and both sides.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {fault}")]
pub struct Imbalance {
    place: String,
    fault: String,
}

impl Imbalance {
    /// Returns the part of the report: "stage `name`", "events", "requests" or "budget".
    pub fn place(&self) -> &str {
        &self.place
    }
}

/// Returns the equations of the ledgers that `report` violates. A graph's own report violates none,
/// at any moment:
///
/// - per stage and in total: accepted = handled + shed + failed + queued + in hand + pending, and
///   offered = accepted + refused;
/// - per stage: offered = sent over its edges + refused, and depth ≤ capacity;
/// - requests: admitted = answered + lost + open;
/// - events and bytes inside ≤ budget used ≤ budget limit.
///
/// ```
/// use seda_core::testing::{Stepped, imbalances, probe};
/// use seda_core::{Graph, GraphError};
///
/// # fn main() -> Result<(), GraphError> {
/// let mut graph = Graph::new("one stage");
/// let (stage, _kept) = probe::<u32>(&mut graph, "s", 4)?;
/// let numbers = graph.source(stage)?;
/// let test = Stepped::start(graph)?;
/// numbers.send(1).unwrap();
/// let mut report = test.report();
/// assert!(imbalances(&report).is_empty());
/// report.stages[0].queued = 0;
/// assert!(!imbalances(&report).is_empty());
/// # Ok(())
/// # }
/// ```
pub fn imbalances(report: &Report) -> Vec<Imbalance> {
    let mut found = Found::default();
    for stage in &report.stages {
        found.place = format!("stage `{}`", stage.name);
        found.check_stage(stage, report);
    }
    found.place = "events".to_owned();
    found.check_events(&report.events);
    found.place = "requests".to_owned();
    found.check_requests(&report.requests);
    found.place = "budget".to_owned();
    found.check_budget(&report.budget, &report.events);
    found.check_bytes(report);
    found.all
}

/// Asserts that `report` balances.
///
/// # Panics
/// If it violates an equation; the message has all violated equations and the report. See
/// [`imbalances`].
#[track_caller]
pub fn assert_balanced(report: &Report) {
    let found = imbalances(report);
    let list: Vec<String> = found.iter().map(Imbalance::to_string).collect();
    assert!(found.is_empty(), "the ledgers do not balance:\n  {}\n{report}", list.join("\n  "));
}

/// The imbalances found so far, and the part of the report that is checked now.
#[derive(Default)]
struct Found {
    place: String,
    all: Vec<Imbalance>,
}

impl Found {
    fn check_stage(&mut self, stage: &StageReport, report: &Report) {
        let shed = stage.shed.values().sum();
        let ended = [("handled", stage.handled), ("shed", shed), ("failed", stage.failed)];
        let inside =
            [("queued", stage.queued), ("in hand", stage.in_hand), ("pending", stage.pending)];
        self.sum(("accepted", stage.accepted), &[ended, inside].concat());
        let refused = stage.refused.values().sum();
        self.sum(("offered", stage.offered), &[("accepted", stage.accepted), ("refused", refused)]);
        let edges: Vec<_> = report.edges.iter().filter(|edge| edge.to == stage.name).collect();
        let sent = edges.iter().map(|edge| edge.sent).sum();
        let refused = edges.iter().map(|edge| edge.refused).sum();
        self.sum(("offered", stage.offered), &[("sent over edges", sent), ("refused", refused)]);
        if stage.queue.depth as u64 != stage.queued {
            self.add(format!("depth is {}, but queued is {}", stage.queue.depth, stage.queued));
        }
        self.bound(("depth", stage.queue.depth), ("capacity", stage.queue.capacity));
        let detached = stage.held + stage.delayed;
        if detached > stage.pending {
            self.add(format!("{detached} are held or delayed, but pending is {}", stage.pending));
        }
    }

    fn check_events(&mut self, events: &EventLedger) {
        let ended = [("handled", events.handled), ("shed", events.shed), ("failed", events.failed)];
        let inside =
            [("queued", events.queued), ("in hand", events.in_hand), ("pending", events.pending)];
        self.sum(("accepted", events.accepted), &[ended, inside].concat());
        let parts = [("accepted", events.accepted), ("refused", events.refused)];
        self.sum(("offered", events.offered), &parts);
    }

    fn check_requests(&mut self, requests: &RequestLedger) {
        let lost = requests.lost.values().sum();
        let parts = [("answered", requests.answered), ("lost", lost), ("open", requests.open)];
        self.sum(("admitted", requests.admitted), &parts);
    }

    fn check_budget(&mut self, budget: &BudgetReport, events: &EventLedger) {
        let inside = events.queued + events.in_hand + events.pending;
        let inside = usize::try_from(inside).unwrap_or(usize::MAX);
        self.bound(("queued, in hand and pending", inside), ("used", budget.used));
        self.bound(("used", budget.used), ("the limit", budget.limit));
    }

    fn check_bytes(&mut self, report: &Report) {
        let (used, limit) = (report.budget.bytes_used, report.budget.bytes_limit);
        let inside: u64 = report.stages.iter().filter_map(|stage| stage.bytes).sum();
        if inside > used || used > limit {
            self.add(format!("{inside} bytes are inside, {used} in use, {limit} allowed"));
        }
    }

    fn sum(&mut self, (whole, n): (&str, u64), parts: &[(&str, u64)]) {
        let sum: u64 = parts.iter().map(|(_, part)| part).sum();
        if n != sum {
            let parts: Vec<String> = parts.iter().map(|(name, n)| format!("{name} {n}")).collect();
            self.add(format!("{whole} is {n}, but {} is {sum}", parts.join(" + ")));
        }
    }

    fn bound(&mut self, (name, n): (&str, usize), (bound, most): (&str, usize)) {
        if n > most {
            self.add(format!("{name}: {n}, more than {bound}: {most}"));
        }
    }

    fn add(&mut self, fault: String) {
        self.all.push(Imbalance { place: self.place.clone(), fault });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::testing::probe;
    use crate::testing::stepped::Stepped;

    fn report() -> Report {
        let mut graph = Graph::new("balance");
        let (stage, _kept) = probe::<u32>(&mut graph, "s", 4).unwrap();
        let source = graph.source(stage).unwrap();
        let mut test = Stepped::start(graph).unwrap();
        source.send_all(vec![1, 2, 3]).unwrap();
        assert!(source.send_all(vec![4, 5]).is_err());
        test.run_until_idle();
        test.report()
    }

    #[test]
    fn a_graphs_own_report_balances() {
        assert_eq!(imbalances(&report()), []);
    }

    #[test]
    fn each_violated_equation_is_named_with_its_figures() {
        type Violation = fn(&mut Report);
        let violations: [(Violation, &str); 8] = [
            (|r| r.stages[0].handled = 2, "accepted is 3, but handled 2 + shed 0 + failed 0"),
            (|r| r.stages[0].refused.clear(), "offered is 5, but accepted 3 + refused 0"),
            (|r| r.edges[0].sent = 4, "offered is 5, but sent over edges 4 + refused 2 is 6"),
            (|r| r.stages[0].queue.depth = 1, "depth is 1, but queued is 0"),
            (|r| r.stages[0].queue.depth = 9, "depth: 9, more than capacity: 4"),
            (|r| r.events.failed = 1, "events: accepted is 3, but handled 3 + shed 0 + failed 1"),
            (|r| r.requests.open = 1, "requests: admitted is 0, but answered 0 + lost 0 + open 1"),
            (|r| r.budget.used = 99, "budget: used: 99, more than the limit: 4"),
        ];
        for (violate, fault) in violations {
            let mut report = report();
            violate(&mut report);
            let found = imbalances(&report);
            assert!(found.iter().any(|one| one.to_string().contains(fault)), "{found:?}");
        }
    }
}
