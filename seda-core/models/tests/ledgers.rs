//! The counts of the models of whole graphs, and the equations that must hold.

use seda_core::Report;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A count of the model itself. It is part of no protocol, so the checker ignores it.
#[derive(Debug, Default)]
pub struct Count(AtomicUsize);

impl Count {
    pub fn add(&self, n: usize) {
        self.0.fetch_add(n, Ordering::SeqCst);
    }

    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Asserts that no event is left and that every accepted event ended exactly once.
pub fn assert_ended(report: &Report) {
    assert_balanced(report);
    let events = &report.events;
    let inside = events.queued + events.in_hand + events.pending;
    assert_eq!((inside, report.budget.used), (0, 0), "events are stranded: {events:?}");
}

/// Asserts the equations of both ledgers, as in `tests/support` of seda-core.
pub fn assert_balanced(report: &Report) {
    for stage in &report.stages {
        let shed: u64 = stage.shed.values().sum();
        let inside = stage.queued + stage.in_hand + stage.pending;
        let refused: u64 = stage.refused.values().sum();
        let ended = stage.handled + shed + stage.failed;
        assert_eq!(stage.accepted, ended + inside, "ledger of {}", stage.name);
        assert_eq!(stage.offered, stage.accepted + refused, "ledger of {}", stage.name);
        assert_eq!(stage.queue.depth as u64, stage.queued, "depth of {}", stage.name);
        assert!(stage.queue.depth <= stage.queue.capacity, "capacity of {}", stage.name);
    }
    let events = &report.events;
    let inside = (events.queued + events.in_hand + events.pending) as usize;
    let budget = report.budget;
    let covered = inside <= budget.used && budget.used <= budget.limit;
    assert!(covered, "the budget does not cover the events inside: {inside}, {budget:?}");
}
