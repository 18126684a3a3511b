//! The replicas of a stage, as one sender sees them.

use crate::config::Balance;
use crate::event::RefusalReason;
use crate::platform::sync::{Arc, AtomicUsize, Ordering};
use crate::stage::replicas::balancer::{Balancer, Untried};

/// All replicas of a stage, and the choice among them. Every clone is a sender of its own, so that
/// workers write to no shared cache line.
pub(crate) struct ReplicaSet<T> {
    name: Arc<str>,
    balancer: Balancer,
    members: Arc<Members<T>>,
    /// The index of the member that refuses on behalf of all.
    refusing: AtomicUsize,
}

struct Members<T> {
    first: T,
    others: Vec<T>,
}

impl<T> ReplicaSet<T> {
    /// Returns `None` without members.
    pub(crate) fn new(name: &str, balance: Balance, members: Vec<T>, seed: u64) -> Option<Self> {
        let balancer = Balancer::new(balance, members.len(), seed);
        let mut members = members.into_iter();
        let members = Arc::new(Members { first: members.next()?, others: members.collect() });
        Some(Self { name: name.into(), balancer, members, refusing: AtomicUsize::new(0) })
    }

    /// Returns the name of the replicated stage.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn count(&self) -> usize {
        self.balancer.count()
    }

    pub(crate) fn first(&self) -> &T {
        &self.members.first
    }

    /// Returns the member that refused on behalf of all in the last failed send.
    pub(crate) fn refusing(&self) -> &T {
        self.member(self.refusing.load(Ordering::Relaxed))
    }

    /// Asks the members in the order of the balance until one agrees, or until one refuses for a
    /// reason that all share. If all refuse, the first transient refusal counts, because waiting
    /// may help; without one, the first refusal.
    pub(crate) fn ask<C, R>(
        &self,
        asker: &mut C,
        length: impl Fn(&C, &T) -> usize,
        attempt: impl FnMut(&mut C, &T) -> Result<R, RefusalReason>,
    ) -> (&T, Result<R, RefusalReason>) {
        self.ask_at(self.balancer.next_turn(), asker, length, attempt)
    }

    /// Asks the members as [`ReplicaSet::ask`] would, and takes no turn: the next event goes where
    /// it would have gone.
    pub(crate) fn probe(
        &self,
        length: impl Fn(&T) -> usize,
        mut attempt: impl FnMut(&T) -> Result<(), RefusalReason>,
    ) -> Result<(), RefusalReason> {
        let turn = self.balancer.turn();
        self.ask_at(turn, &mut (), |(), to| length(to), |(), to| attempt(to)).1
    }

    fn ask_at<C, R>(
        &self,
        turn: u64,
        asker: &mut C,
        length: impl Fn(&C, &T) -> usize,
        mut attempt: impl FnMut(&mut C, &T) -> Result<R, RefusalReason>,
    ) -> (&T, Result<R, RefusalReason>) {
        let mut untried = Untried::all(self.count());
        let mut refused: Option<(usize, RefusalReason)> = None;
        while let Some(index) =
            self.balancer.pick(turn, untried, |index| length(asker, self.member(index)))
        {
            let member = self.member(index);
            let reason = match attempt(asker, member) {
                Ok(agreed) => return (member, Ok(agreed)),
                Err(reason) => reason,
            };
            if refused.is_none_or(|(_, before)| !before.is_transient() && reason.is_transient()) {
                refused = Some((index, reason));
            }
            if !is_per_replica(reason) {
                break;
            }
            untried.remove(index);
        }
        debug_assert!(refused.is_some(), "a replica set has a member to ask");
        let (index, reason) = refused.unwrap_or((0, RefusalReason::Closed));
        self.refusing.store(index, Ordering::Relaxed);
        (self.member(index), Err(reason))
    }

    fn member(&self, index: usize) -> &T {
        let others = index.checked_sub(1).and_then(|index| self.members.others.get(index));
        others.unwrap_or(&self.members.first)
    }
}

/// True if another replica may give another answer.
fn is_per_replica(reason: RefusalReason) -> bool {
    match reason {
        RefusalReason::Full
        | RefusalReason::Closed
        | RefusalReason::TooLarge
        | RefusalReason::Stuck => true,
        RefusalReason::Budget | RefusalReason::Admission | RefusalReason::Expired => false,
    }
}

impl<T> Clone for ReplicaSet<T> {
    fn clone(&self) -> Self {
        Self {
            name: Arc::clone(&self.name),
            balancer: self.balancer.clone(),
            members: Arc::clone(&self.members),
            refusing: AtomicUsize::new(0),
        }
    }
}
