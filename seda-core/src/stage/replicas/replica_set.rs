//! The ways from one sender to the replicas of a stage.

use crate::config::Balance;
use crate::event::RefusalReason;
use crate::platform::sync::{Arc, AtomicUsize, Ordering};
use crate::stage::replicas::balancer::{Balancer, Untried};

/// The ways to all replicas of a stage, and the choice among them. Every clone is a sender of its
/// own, so that workers share nothing that they write to.
pub(crate) struct ReplicaSet<T> {
    name: Arc<str>,
    chooser: Balancer,
    members: Arc<Members<T>>,
    /// The member whose refusal stands for all.
    refusing: AtomicUsize,
}

struct Members<T> {
    first: T,
    others: Vec<T>,
}

impl<T> ReplicaSet<T> {
    /// `None` without members.
    pub(crate) fn new(name: &str, balance: Balance, members: Vec<T>, seed: u64) -> Option<Self> {
        let chooser = Balancer::new(balance, members.len(), seed);
        let mut members = members.into_iter();
        let members = Members { first: members.next()?, others: members.collect() };
        let (members, refusing) = (Arc::new(members), AtomicUsize::new(0));
        Some(Self { name: name.into(), chooser, members, refusing })
    }

    /// The name of the replicated stage.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn count(&self) -> usize {
        self.chooser.count()
    }

    pub(crate) fn first(&self) -> &T {
        &self.members.first
    }

    /// The member that the last refusal came from.
    pub(crate) fn refusing(&self) -> &T {
        self.member(self.refusing.load(Ordering::Relaxed))
    }

    /// Asks the members in the order of the balance until one agrees, or until one refuses for a
    /// reason that all would have. Of several refusals the first counts, but one for want of room
    /// before one of a member that is closed: waiting may help.
    pub(crate) fn ask<C, R>(
        &self,
        asker: &mut C,
        length: impl Fn(&C, &T) -> usize,
        mut attempt: impl FnMut(&mut C, &T) -> Result<R, RefusalReason>,
    ) -> (&T, Result<R, RefusalReason>) {
        let (turn, mut untried) = (self.chooser.next_turn(), Untried::all(self.count()));
        let mut refused: Option<(usize, RefusalReason)> = None;
        let lengths = |asker: &C, index: usize| length(asker, self.member(index));
        while let Some(index) = self.chooser.pick(turn, untried, |index| lengths(asker, index)) {
            let member = self.member(index);
            let reason = match attempt(asker, member) {
                Ok(agreed) => return (member, Ok(agreed)),
                Err(reason) => reason,
            };
            let better = |before: RefusalReason| !before.is_transient() && reason.is_transient();
            if refused.is_none_or(|(_, before)| better(before)) {
                refused = Some((index, reason));
            }
            if !is_per_replica(reason) {
                break;
            }
            untried.remove(index);
        }
        let (index, reason) = refused.unwrap_or((0, RefusalReason::Closed));
        self.refusing.store(index, Ordering::Relaxed);
        (self.member(index), Err(reason))
    }

    fn member(&self, index: usize) -> &T {
        let others = index.checked_sub(1).and_then(|index| self.members.others.get(index));
        others.unwrap_or(&self.members.first)
    }
}

/// Whether another replica may answer otherwise.
fn is_per_replica(reason: RefusalReason) -> bool {
    match reason {
        RefusalReason::Full | RefusalReason::Closed | RefusalReason::TooLarge => true,
        RefusalReason::Budget | RefusalReason::Admission | RefusalReason::Expired => false,
    }
}

impl<T> Clone for ReplicaSet<T> {
    fn clone(&self) -> Self {
        Self {
            name: Arc::clone(&self.name),
            chooser: self.chooser.clone(),
            members: Arc::clone(&self.members),
            refusing: AtomicUsize::new(0),
        }
    }
}
