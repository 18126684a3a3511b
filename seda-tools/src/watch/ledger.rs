//! CPU time of processes that come and go; each tick counts once.
//!
//! The stat line of a process includes its ended threads. When the process ends and its parent
//! waits for it, its ticks, and those of the children it had waited for, move to the parent's
//! `reaped`: the sum over the tree stays the same. Two cases need more care:
//!
//! - **No parent waits.** The kernel discards the children of a parent that ignores SIGCHLD, and a
//!   process outside the tree waits for an orphan. Their ticks are in no line of the tree any more,
//!   so the ledger keeps their last known values.
//! - **The parent is read first**; then the child ends, is waited for, and is not found. The child
//!   looks as in the first case, but the next reading finds its ticks in `reaped`.
//!
//! Therefore the last known ticks of a lost process are **owed**, and growth of `reaped` in the
//! tree is taken from the owed ticks first. The sum never decreases, and never exceeds the used
//! ticks. It is exact if every parent waits, and for seen processes if none does. If one parent
//! waits for children that were never seen while another one ignores its children, some ticks are
//! missing.

use super::process::{CpuTicks, ProcessId, ProcessStat};
use std::collections::{BTreeMap, BTreeSet};

/// The CPU time of a process tree since each process began.
#[derive(Debug, Default)]
pub(super) struct CpuLedger {
    latest: BTreeMap<ProcessId, ProcessStat>,
    /// Last known ticks of lost processes, which may still appear in the `reaped` of a parent.
    owed: CpuTicks,
    /// Last known ticks of lost orphans, for which no process of the tree can wait.
    orphaned: CpuTicks,
}

impl CpuLedger {
    /// Updates the ledger with the lines of all present processes, each parent read before its
    /// children; returns the sum.
    pub(super) fn update(&mut self, family: &[ProcessStat]) -> CpuTicks {
        let now: BTreeMap<ProcessId, ProcessStat> =
            family.iter().map(|process| (process.id, process.clone())).collect();
        let pids: BTreeSet<u32> = self.latest.keys().map(|id| id.pid).collect();
        // 1. Keep the last known ticks of lost processes.
        for (_, lost) in self.latest.iter().filter(|(id, _)| !now.contains_key(id)) {
            let has_parent = pids.contains(&lost.parent);
            let account = if has_parent { &mut self.owed } else { &mut self.orphaned };
            *account += lost.own;
            *account += lost.reaped;
        }
        // 2. Add up the present ones, and pay off owed ticks with the growth of `reaped`.
        let mut sum = self.orphaned;
        for (id, process) in &now {
            sum += process.own;
            sum += process.reaped;
            if let Some(earlier) = self.latest.get(id) {
                self.owed = self.owed.beyond(process.reaped.beyond(earlier.reaped));
            }
        }
        sum += self.owed;
        self.latest = now;
        sum
    }

    /// Returns the processes of the last update, by number.
    pub(super) fn known(&self) -> impl Iterator<Item = ProcessId> {
        self.latest.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn process(pid: u32, parent: u32, own: u64, reaped: u64) -> ProcessStat {
        let ticks = |user| CpuTicks { user, system: 0 };
        ProcessStat {
            id: ProcessId { pid, began: 0 },
            name: String::new(),
            parent,
            ended: false,
            own: ticks(own),
            reaped: ticks(reaped),
        }
    }

    #[test]
    fn a_child_that_was_waited_for_counts_once() {
        let mut ledger = CpuLedger::default();
        assert_eq!(ledger.update(&[process(1, 0, 5, 0), process(2, 1, 30, 0)]).user, 35);
        // The child used 4 more ticks before it ended.
        assert_eq!(ledger.update(&[process(1, 0, 6, 34)]).user, 40);
    }

    #[test]
    fn a_child_without_a_wait_stays_in_the_sum() {
        let mut ledger = CpuLedger::default();
        ledger.update(&[process(1, 0, 5, 0), process(2, 1, 30, 0)]);
        assert_eq!(ledger.update(&[process(1, 0, 5, 0)]).user, 35);
        assert_eq!(ledger.update(&[process(1, 0, 7, 0)]).user, 37);
    }

    #[test]
    fn a_child_that_ends_between_two_lines_of_one_reading_counts_once() {
        let mut ledger = CpuLedger::default();
        ledger.update(&[process(1, 0, 5, 0), process(2, 1, 30, 0)]);
        // The line of the parent is older than the end of the child.
        assert_eq!(ledger.update(&[process(1, 0, 5, 0)]).user, 35);
        assert_eq!(ledger.update(&[process(1, 0, 5, 31)]).user, 36);
    }

    #[test]
    fn a_grandchild_may_be_reaped_twice_between_two_readings() {
        let mut ledger = CpuLedger::default();
        ledger.update(&[process(1, 0, 5, 0), process(2, 1, 30, 0), process(3, 2, 400, 0)]);
        assert_eq!(ledger.update(&[process(1, 0, 5, 430)]).user, 435);
    }

    #[test]
    fn ticks_that_a_lost_child_had_reaped_stay_in_the_sum() {
        let mut ledger = CpuLedger::default();
        ledger.update(&[process(1, 0, 5, 0), process(2, 1, 30, 400)]);
        assert_eq!(ledger.update(&[process(1, 0, 5, 0)]).user, 435);
        // The same holds for an orphan.
        ledger.update(&[process(1, 0, 5, 0), process(3, 999, 2, 50)]);
        assert_eq!(ledger.update(&[process(1, 0, 5, 0)]).user, 487);
    }

    #[test]
    fn an_orphan_is_followed_and_its_end_changes_nothing() {
        let mut ledger = CpuLedger::default();
        ledger.update(&[process(1, 0, 0, 0), process(2, 1, 30, 0), process(3, 2, 400, 0)]);
        // The child ended, and a process outside of the tree adopted the grandchild.
        assert_eq!(ledger.update(&[process(1, 0, 0, 30), process(3, 999, 500, 0)]).user, 530);
        assert_eq!(ledger.update(&[process(1, 0, 0, 30)]).user, 530);
        // The ticks of a child that was never seen do not replace those of the orphan.
        assert_eq!(ledger.update(&[process(1, 0, 0, 37)]).user, 537);
    }

    /// An operation in a process tree; a number picks the process.
    #[derive(Clone, Debug)]
    enum Operation {
        Work(usize, u64),
        Fork(usize),
        End(usize),
        Look,
    }

    fn operation() -> impl Strategy<Value = Operation> {
        prop_oneof![
            4 => (0..8usize, 1..100u64).prop_map(|(nth, ticks)| Operation::Work(nth, ticks)),
            2 => (0..8usize).prop_map(Operation::Fork),
            2 => (0..8usize).prop_map(Operation::End),
            3 => Just(Operation::Look),
        ]
    }

    /// The model of the kernel: processes, parents first, and the sum of all used ticks.
    struct ProcessTree {
        processes: Vec<ProcessStat>,
        used: u64,
        made: u32,
    }

    impl ProcessTree {
        fn work(&mut self, nth: usize, ticks: u64) {
            let there = self.processes.len();
            self.processes[nth % there].own.user += ticks;
            self.used += ticks;
        }

        fn fork(&mut self, nth: usize) {
            let parent = self.processes[nth % self.processes.len()].id.pid;
            self.made += 1;
            self.processes.push(process(self.made, parent, 0, 0));
        }

        /// Ends a process other than the first; its children become orphans. `waits` tells which
        /// parents wait.
        fn end(&mut self, nth: usize, waits: impl Fn(u32) -> bool) {
            if self.processes.len() < 2 {
                return;
            }
            let gone = self.processes.remove(1 + nth % (self.processes.len() - 1));
            for process in &mut self.processes {
                if process.id.pid == gone.parent && waits(process.id.pid) {
                    process.reaped += gone.own;
                    process.reaped += gone.reaped;
                }
                if process.parent == gone.id.pid {
                    process.parent = 999;
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_sum_never_decreases_and_never_exceeds_the_used_ticks(
            operations in prop::collection::vec(operation(), 0..60),
            ignoring in 0..4u32,
        ) {
            // 0: every parent waits, as in most servers. 1: none does.
            let waits = |pid: u32| !pid.is_multiple_of(ignoring);
            let mut family = ProcessTree { processes: vec![process(1, 0, 0, 0)], used: 0, made: 1 };
            let (mut ledger, mut before) = (CpuLedger::default(), 0);
            for operation in operations {
                match operation {
                    Operation::Work(nth, ticks) => family.work(nth, ticks),
                    Operation::Fork(nth) => family.fork(nth),
                    Operation::End(nth) => family.end(nth, waits),
                    Operation::Look => {
                        let sum = ledger.update(&family.processes).user;
                        prop_assert!(before <= sum && sum <= family.used);
                        before = sum;
                    }
                }
            }
        }

        #[test]
        fn the_sum_is_exact_while_parents_wait_and_end_after_their_children(
            operations in prop::collection::vec(operation(), 0..60),
        ) {
            let mut family = ProcessTree { processes: vec![process(1, 0, 0, 0)], used: 0, made: 1 };
            let mut ledger = CpuLedger::default();
            for operation in operations {
                match operation {
                    Operation::Work(nth, ticks) => family.work(nth, ticks),
                    Operation::Fork(nth) => family.fork(nth),
                    // The youngest has no children.
                    Operation::End(_) => family.end(family.processes.len().wrapping_sub(2), |_| true),
                    Operation::Look => {
                        prop_assert_eq!(ledger.update(&family.processes).user, family.used);
                    }
                }
            }
        }
    }
}
