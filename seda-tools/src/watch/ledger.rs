//! CPU time of processes that come and go, each tick counted once.
//!
//! A process' own line includes its threads that ended. When it ends itself, its ticks, and those
//! of the children it had waited for, move to its parent's `reaped` the moment the parent waits for
//! it: the sum over the family stays. Two cases are not so plain:
//!
//! - **Nobody waits.** A parent that ignores SIGCHLD has its children buried without a word, and an
//!   orphan is waited for by a process outside the family. Their ticks are in no line any more, so
//!   the ledger keeps what they were last seen with.
//! - **The parent is read first**, the child then ends, is waited for, and is not found. At that
//!   moment it looks as if nobody had waited; at the next reading its ticks are in `reaped`.
//!
//! So what a lost process was last seen with is **owed**, and what the family's `reaped` grow by
//! pays that off first. The sum never goes back, and never has more than was used. It is exact if
//! every parent waits (or none does, for what was seen). Where one parent waits for children that
//! were never seen and another ignores its own, some of it is missing.

use super::process::{CpuTicks, ProcessStat, ProcessId};
use std::collections::{BTreeMap, BTreeSet};

/// What a family of processes used since each of them began.
#[derive(Debug, Default)]
pub(super) struct CpuLedger {
    latest: BTreeMap<ProcessId, ProcessStat>,
    /// Last seen with processes that are gone; may yet turn up in a parent's `reaped`.
    owed: CpuTicks,
    /// Last seen with orphans that are gone: nobody in the family can wait for them.
    orphaned: CpuTicks,
}

impl CpuLedger {
    /// Takes in the lines of all processes that are there, each parent read before its children;
    /// returns the sum.
    pub(super) fn update(&mut self, family: &[ProcessStat]) -> CpuTicks {
        let now: BTreeMap<ProcessId, ProcessStat> =
            family.iter().map(|process| (process.id, process.clone())).collect();
        let pids: BTreeSet<u32> = self.latest.keys().map(|id| id.pid).collect();
        for (_, lost) in self.latest.iter().filter(|(id, _)| !now.contains_key(id)) {
            let has_parent = pids.contains(&lost.parent);
            let account = if has_parent { &mut self.owed } else { &mut self.orphaned };
            *account += lost.own;
            *account += lost.reaped;
        }
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

    /// The processes of the last posting, by number.
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
    fn a_child_that_was_waited_for_is_counted_once() {
        let mut ledger = CpuLedger::default();
        assert_eq!(ledger.update(&[process(1, 0, 5, 0), process(2, 1, 30, 0)]).user, 35);
        // It used 4 more before it ended.
        assert_eq!(ledger.update(&[process(1, 0, 6, 34)]).user, 40);
    }

    #[test]
    fn a_child_that_nobody_waits_for_stays_in_the_sum() {
        let mut ledger = CpuLedger::default();
        ledger.update(&[process(1, 0, 5, 0), process(2, 1, 30, 0)]);
        assert_eq!(ledger.update(&[process(1, 0, 5, 0)]).user, 35);
        assert_eq!(ledger.update(&[process(1, 0, 7, 0)]).user, 37);
    }

    #[test]
    fn a_child_that_ends_between_two_lines_of_one_reading_is_counted_once() {
        let mut ledger = CpuLedger::default();
        ledger.update(&[process(1, 0, 5, 0), process(2, 1, 30, 0)]);
        // The parent's line is from before, and the child is not found.
        assert_eq!(ledger.update(&[process(1, 0, 5, 0)]).user, 35);
        assert_eq!(ledger.update(&[process(1, 0, 5, 31)]).user, 36);
    }

    #[test]
    fn a_grandchild_may_go_the_whole_way_up_between_two_readings() {
        let mut ledger = CpuLedger::default();
        ledger.update(&[process(1, 0, 5, 0), process(2, 1, 30, 0), process(3, 2, 400, 0)]);
        assert_eq!(ledger.update(&[process(1, 0, 5, 430)]).user, 435);
    }

    #[test]
    fn what_a_lost_child_had_waited_for_stays_too() {
        let mut ledger = CpuLedger::default();
        ledger.update(&[process(1, 0, 5, 0), process(2, 1, 30, 400)]);
        assert_eq!(ledger.update(&[process(1, 0, 5, 0)]).user, 435);
        // And an orphan's.
        ledger.update(&[process(1, 0, 5, 0), process(3, 999, 2, 50)]);
        assert_eq!(ledger.update(&[process(1, 0, 5, 0)]).user, 487);
    }

    #[test]
    fn an_orphan_is_followed_and_its_end_changes_nothing() {
        let mut ledger = CpuLedger::default();
        ledger.update(&[process(1, 0, 0, 0), process(2, 1, 30, 0), process(3, 2, 400, 0)]);
        // The child ended, and the grandchild was handed to a process outside.
        assert_eq!(ledger.update(&[process(1, 0, 0, 30), process(3, 999, 500, 0)]).user, 530);
        assert_eq!(ledger.update(&[process(1, 0, 0, 30)]).user, 530);
        // Another child, never seen, is no orphan's time.
        assert_eq!(ledger.update(&[process(1, 0, 0, 37)]).user, 537);
    }

    /// What may happen in a family, among processes picked by a number.
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

    /// The kernel's side: processes, parents first, and all ticks that were ever used.
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

        /// Ends any but the first; its children become orphans. `waits` says which parents wait.
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
        fn the_sum_never_goes_back_and_never_exceeds_what_was_used(
            operations in prop::collection::vec(operation(), 0..60),
            ignoring in 0..4u32,
        ) {
            // 0: every parent waits, as in nearly all servers. 1: none does.
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
