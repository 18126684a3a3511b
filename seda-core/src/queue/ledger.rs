//! The counts of a stage, by class: accepted = handled + shed + failed + queued + in hand +
//! pending, and offered = accepted + refused.
//!
//! Each figure is counted where it happens and none is derived from the others, so that the
//! equations can be checked and do not hold by construction. All of it changes only under the
//! stage's lock, so the equations hold exactly in every cut through the stage.

use crate::config::{Class, PerClass};
use crate::event::{LossCounts, LossReason, RefusalCounts, RefusalReason};

/// The counts of one class. The figures that every batch touches share one cache line.
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
    pub(crate) refused: RefusalCounts,
    pub(crate) shed: LossCounts,
}

impl ClassLedger {
    /// Returns the number of events that have left the stage: handled, failed and shed.
    #[cfg(test)]
    pub(crate) fn ended(&self) -> u64 {
        self.handled + self.failed + self.shed.total()
    }

    /// Returns the number of events that handlers have ended: handled and failed.
    pub(crate) fn served(&self) -> u64 {
        self.handled + self.failed
    }

    /// Returns whether both equations hold.
    #[cfg(test)]
    pub(crate) fn balances(&self) -> bool {
        let inside = self.queued + self.in_hand + self.pending;
        self.accepted == self.ended() + inside
            && self.offered == self.accepted + self.refused.total()
    }

    pub(crate) fn add(&mut self, other: &ClassLedger) {
        self.offered += other.offered;
        self.accepted += other.accepted;
        self.handled += other.handled;
        self.failed += other.failed;
        self.queued += other.queued;
        self.in_hand += other.in_hand;
        self.pending += other.pending;
        self.refused.add_all(&other.refused);
        self.shed.add_all(&other.shed);
    }
}

/// The outcome of events in the hand of a worker.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) handled: PerClass<u32>,
    pub(crate) failed: PerClass<u32>,
    /// Bytes of these events, where the stage weighs them.
    pub(crate) bytes: u64,
    /// Whether anything was counted; an empty outcome needs no lock.
    pub(crate) any: bool,
}

impl Outcome {
    #[inline]
    pub(crate) fn handle(&mut self, class: Class) {
        self.any = true;
        self.handled[class] += 1;
    }

    #[inline]
    pub(crate) fn fail(&mut self, class: Class) {
        self.any = true;
        self.failed[class] += 1;
    }
}

/// The sends over one edge into the stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EdgeLedger {
    pub(crate) sent: u64,
    pub(crate) refused: u64,
}

/// The counts of a stage by class, and by the edges into it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// On the heap: together they take over a kilobyte, and a queue is moved while it is made.
    classes: Box<PerClass<ClassLedger>>,
    edges: Vec<EdgeLedger>,
}

impl Ledger {
    /// Adds an edge into the stage and returns its number.
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

    fn edge(&mut self, edge: usize) -> Option<&mut EdgeLedger> {
        debug_assert!(edge < self.edges.len(), "edge {edge} was never added");
        self.edges.get_mut(edge)
    }

    /// Counts events accepted over one edge into the queue.
    pub(crate) fn accept(&mut self, counts: &PerClass<u32>, edge: usize) {
        let mut sent = 0;
        for (ledger, n) in self.classes.iter_mut().zip(counts) {
            if *n > 0 {
                let n = u64::from(*n);
                ledger.offered += n;
                ledger.accepted += n;
                ledger.queued += n;
                sent += n;
            }
        }
        if let Some(edge) = self.edge(edge) {
            edge.sent += sent;
        }
    }

    /// Counts `n` events refused to one edge.
    pub(crate) fn refuse(&mut self, class: Class, edge: usize, reason: RefusalReason, n: u64) {
        let ledger = &mut self.classes[class];
        ledger.offered += n;
        ledger.refused.add(reason, n);
        if let Some(edge) = self.edge(edge) {
            edge.refused += n;
        }
    }

    /// Counts an event accepted over one edge for a later time.
    pub(crate) fn accept_timed(&mut self, class: Class, edge: usize) {
        let ledger = &mut self.classes[class];
        ledger.offered += 1;
        ledger.accepted += 1;
        ledger.pending += 1;
        if let Some(edge) = self.edge(edge) {
            edge.sent += 1;
        }
    }

    /// Queues a delayed event at its time.
    pub(crate) fn fire(&mut self, class: Class) {
        let ledger = &mut self.classes[class];
        take_from(&mut ledger.pending, 1);
        ledger.queued += 1;
    }

    /// Sheds a delayed event before its time.
    pub(crate) fn cancel(&mut self, class: Class, reason: LossReason) {
        let ledger = &mut self.classes[class];
        take_from(&mut ledger.pending, 1);
        ledger.shed.add(reason, 1);
    }

    /// Moves queued events into the hand of a worker.
    pub(crate) fn take(&mut self, counts: &PerClass<u32>) {
        for (ledger, n) in self.classes.iter_mut().zip(counts) {
            if *n > 0 {
                take_from(&mut ledger.queued, u64::from(*n));
                ledger.in_hand += u64::from(*n);
            }
        }
    }

    /// Sheds a queued event.
    pub(crate) fn shed(&mut self, class: Class, reason: LossReason) {
        let ledger = &mut self.classes[class];
        take_from(&mut ledger.queued, 1);
        ledger.shed.add(reason, 1);
    }

    /// Sheds an event in hand.
    pub(crate) fn shed_in_hand(&mut self, class: Class, reason: LossReason) {
        let ledger = &mut self.classes[class];
        take_from(&mut ledger.in_hand, 1);
        ledger.shed.add(reason, 1);
    }

    /// Ends events in hand.
    pub(crate) fn settle(&mut self, outcome: &Outcome) {
        let ended = outcome.handled.iter().zip(&outcome.failed);
        for (ledger, (handled, failed)) in self.classes.iter_mut().zip(ended) {
            let (handled, failed) = (u64::from(*handled), u64::from(*failed));
            if handled + failed > 0 {
                ledger.handled += handled;
                ledger.failed += failed;
                take_from(&mut ledger.in_hand, handled + failed);
            }
        }
    }

    /// Makes an event in hand pending.
    pub(crate) fn defer(&mut self, class: Class) {
        let ledger = &mut self.classes[class];
        take_from(&mut ledger.in_hand, 1);
        ledger.pending += 1;
    }

    /// Ends a pending event.
    pub(crate) fn complete(&mut self, class: Class, succeeded: bool) {
        let ledger = &mut self.classes[class];
        take_from(&mut ledger.pending, 1);
        if succeeded {
            ledger.handled += 1;
        } else {
            ledger.failed += 1;
        }
    }
}

/// Subtracts events that move on from a count of present ones.
#[inline]
fn take_from(count: &mut u64, n: u64) {
    debug_assert!(n <= *count, "{n} events move on where {count} are counted");
    *count -= n;
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
            counts[class] = n;
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
        (outcome.handled[class], outcome.failed[class]) = (1, 1);
        ledger.settle(&outcome);
        check(&ledger);
        assert_eq!(ledger.edges(), [EdgeLedger { sent: 6, refused: 2 }]);
        let sum = &ledger.classes()[class];
        assert_eq!((sum.handled, sum.failed, sum.queued, sum.in_hand), (2, 2, 0, 0));
    }

    #[test]
    fn every_reason_is_counted() {
        let mut ledger = Ledger::default();
        let edge = ledger.add_edge();
        let class = Class::new(7);
        for reason in RefusalReason::ALL {
            ledger.refuse(class, edge, reason, 1);
        }
        for reason in LossReason::ALL {
            ledger.accept_timed(class, edge);
            ledger.cancel(class, reason);
        }
        let counts = &ledger.classes()[class];
        assert!(counts.balances());
        assert!(counts.refused.iter().all(|(_, n)| n == 1));
        assert!(counts.shed.iter().all(|(_, n)| n == 1));
    }

    #[test]
    fn a_lost_event_breaks_the_balance() {
        let mut ledger = Ledger::default();
        let edge = ledger.add_edge();
        ledger.accept(&PerClass::from([1, 0, 0, 0, 0, 0, 0, 0]), edge);
        ledger.classes[Class::HIGHEST].queued -= 1;
        assert!(!ledger.classes()[Class::HIGHEST].balances());
    }
}
