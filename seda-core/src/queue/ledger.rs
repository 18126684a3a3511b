//! A stage's counts, per class: accepted = handled + shed + failed + queued + in hand + pending,
//! and offered = accepted + refused.
//!
//! Each figure is counted where it happens and none is derived from the others, so that the
//! equations can be checked and not merely hold by construction. All of it is touched only under
//! the stage's lock: in every cut through one stage the equations hold exactly.

use crate::config::{Class, PerClass};
use crate::event::{LossReason, RefusalReason};

/// In this order, and from a cache line's beginning: what every batch touches is one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C, align(64))]
pub(crate) struct ClassLedger {
    pub(crate) offered: u64,
    pub(crate) accepted: u64,
    pub(crate) queued: u64,
    pub(crate) in_hand: u64,
    pub(crate) handled: u64,
    pub(crate) failed: u64,
    pub(crate) pending: u64,
    pub(crate) refused: [u64; RefusalReason::ALL.len()],
    pub(crate) shed: [u64; LossReason::ALL.len()],
}

impl ClassLedger {
    /// Events that have left the stage, however they ended.
    pub(crate) fn ended(&self) -> u64 {
        self.handled + self.failed + self.shed.iter().sum::<u64>()
    }

    /// Whether both equations hold.
    #[cfg(test)]
    pub(crate) fn balances(&self) -> bool {
        let shed: u64 = self.shed.iter().sum();
        let ended = self.handled + shed + self.failed;
        let inside = self.queued + self.in_hand + self.pending;
        let refused: u64 = self.refused.iter().sum();
        self.accepted == ended + inside && self.offered == self.accepted + refused
    }

    pub(crate) fn add(&mut self, other: &ClassLedger) {
        self.offered += other.offered;
        self.accepted += other.accepted;
        self.handled += other.handled;
        self.failed += other.failed;
        self.queued += other.queued;
        self.in_hand += other.in_hand;
        self.pending += other.pending;
        for (sum, n) in self.refused.iter_mut().zip(other.refused) {
            *sum += n;
        }
        for (sum, n) in self.shed.iter_mut().zip(other.shed) {
            *sum += n;
        }
    }
}

/// What became of the events a worker had in hand, by class.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) handled: PerClass<u32>,
    pub(crate) failed: PerClass<u32>,
    /// What they weighed, where the stage weighs.
    pub(crate) bytes: u64,
    /// Whether anything was counted: an empty outcome needs no lock.
    pub(crate) any: bool,
}

impl Outcome {
    #[inline]
    pub(crate) fn handle(&mut self, class: Class) {
        self.any = true;
        if let Some(count) = self.handled.get_mut(class.index()) {
            *count += 1;
        }
    }

    #[inline]
    pub(crate) fn fail(&mut self, class: Class) {
        self.any = true;
        if let Some(count) = self.failed.get_mut(class.index()) {
            *count += 1;
        }
    }
}

/// Sends over one edge into this stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EdgeLedger {
    pub(crate) sent: u64,
    pub(crate) refused: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    classes: PerClass<ClassLedger>,
    edges: Vec<EdgeLedger>,
}

impl Ledger {
    /// Makes room for one more edge into this stage and returns its number.
    pub(crate) fn add_edge(&mut self) -> usize {
        self.edges.push(EdgeLedger::default());
        self.edges.len() - 1
    }

    pub(crate) fn edges(&self) -> &[EdgeLedger] {
        &self.edges
    }

    pub(crate) fn classes(&self) -> &PerClass<ClassLedger> {
        &self.classes
    }

    fn class(&mut self, class: Class) -> &mut ClassLedger {
        let last = self.classes.len() - 1;
        // In bounds by the `min`; classes are clamped at the entry already.
        #[expect(clippy::indexing_slicing, reason = "bounded by the line itself")]
        &mut self.classes[class.index().min(last)]
    }

    /// So many events of each class were taken in over one edge.
    pub(crate) fn accept(&mut self, counts: &PerClass<u32>, edge: usize) {
        let mut sent = 0;
        for (ledger, n) in self.classes.iter_mut().zip(counts).filter(|(_, n)| **n > 0) {
            let n = u64::from(*n);
            ledger.offered += n;
            ledger.accepted += n;
            ledger.queued += n;
            sent += n;
        }
        if let Some(edge) = self.edges.get_mut(edge) {
            edge.sent += sent;
        }
    }

    pub(crate) fn refuse(&mut self, class: Class, edge: usize, reason: RefusalReason, n: u64) {
        let ledger = self.class(class);
        ledger.offered += n;
        if let Some(count) = ledger.refused.get_mut(reason as usize) {
            *count += n;
        }
        if let Some(edge) = self.edges.get_mut(edge) {
            edge.refused += n;
        }
    }

    /// An event was taken in over one edge, for a later time.
    pub(crate) fn accept_timed(&mut self, class: Class, edge: usize) {
        let ledger = self.class(class);
        ledger.offered += 1;
        ledger.accepted += 1;
        ledger.pending += 1;
        if let Some(edge) = self.edges.get_mut(edge) {
            edge.sent += 1;
        }
    }

    /// The time of an accepted event has come.
    pub(crate) fn fire(&mut self, class: Class) {
        let ledger = self.class(class);
        ledger.pending -= 1;
        ledger.queued += 1;
    }

    /// An accepted event is given up before its time has come.
    pub(crate) fn cancel(&mut self, class: Class, reason: LossReason) {
        let ledger = self.class(class);
        ledger.pending -= 1;
        if let Some(count) = ledger.shed.get_mut(reason as usize) {
            *count += 1;
        }
    }

    /// A worker took so many events of each class.
    pub(crate) fn take(&mut self, counts: &PerClass<u32>) {
        for (ledger, n) in self.classes.iter_mut().zip(counts).filter(|(_, n)| **n > 0) {
            ledger.queued -= u64::from(*n);
            ledger.in_hand += u64::from(*n);
        }
    }

    /// A queued event is given up.
    pub(crate) fn shed(&mut self, class: Class, reason: LossReason) {
        let ledger = self.class(class);
        ledger.queued -= 1;
        if let Some(count) = ledger.shed.get_mut(reason as usize) {
            *count += 1;
        }
    }

    /// An event in hand is given up.
    pub(crate) fn shed_in_hand(&mut self, class: Class, reason: LossReason) {
        let ledger = self.class(class);
        ledger.in_hand -= 1;
        if let Some(count) = ledger.shed.get_mut(reason as usize) {
            *count += 1;
        }
    }

    pub(crate) fn settle(&mut self, outcome: &Outcome) {
        let ended = outcome.handled.iter().zip(&outcome.failed);
        let ended = self.classes.iter_mut().zip(ended);
        for (ledger, (handled, failed)) in ended.filter(|(_, (h, f))| **h + **f > 0) {
            ledger.handled += u64::from(*handled);
            ledger.failed += u64::from(*failed);
            ledger.in_hand -= u64::from(*handled) + u64::from(*failed);
        }
    }

    pub(crate) fn defer(&mut self, class: Class) {
        let ledger = self.class(class);
        ledger.in_hand -= 1;
        ledger.pending += 1;
    }

    pub(crate) fn complete(&mut self, class: Class, succeeded: bool) {
        let ledger = self.class(class);
        ledger.pending -= 1;
        if succeeded {
            ledger.handled += 1;
        } else {
            ledger.failed += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_an_event_keeps_both_equations() {
        let class = Class::HIGHEST;
        let mut ledger = Ledger::default();
        let edge = ledger.add_edge();
        let check = |ledger: &Ledger| assert!(ledger.classes().iter().all(ClassLedger::balances));
        let count = |n: u32| {
            let mut counts = PerClass::default();
            counts[class.index()] = n;
            counts
        };
        ledger.accept(&count(6), edge);
        ledger.refuse(class, edge, RefusalReason::Full, 2);
        check(&ledger);
        ledger.shed(class, LossReason::Valve);
        ledger.take(&count(5));
        check(&ledger);
        ledger.shed_in_hand(class, LossReason::Closed);
        ledger.defer(class);
        ledger.defer(class);
        check(&ledger);
        ledger.complete(class, true);
        ledger.complete(class, false);
        let mut outcome = Outcome { any: true, ..Outcome::default() };
        (outcome.handled[0], outcome.failed[0]) = (1, 1);
        ledger.settle(&outcome);
        check(&ledger);
        assert_eq!(ledger.edges(), [EdgeLedger { sent: 6, refused: 2 }]);
        let sum = &ledger.classes()[0];
        assert_eq!((sum.handled, sum.failed, sum.queued, sum.in_hand), (2, 2, 0, 0));
    }

    #[test]
    fn an_event_that_vanishes_is_seen() {
        let mut ledger = Ledger::default();
        ledger.accept(&[1, 0, 0, 0, 0, 0, 0, 0], 0);
        ledger.classes[0].queued -= 1;
        assert!(!ledger.classes()[0].balances());
    }
}
