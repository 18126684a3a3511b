//! The choice of a replica, without stages: queue lengths in, an index out.

use crate::config::{Balance, MAX_REPLICAS};
use crate::platform::rng::{GOLDEN, mix};
use crate::platform::sync::{Arc, AtomicU64, Ordering};
use std::fmt;

/// Chooses one of n replicas by a [`Balance`], as the sinks and sources of a replicated stage do.
/// For simulations, and for programs that spread work over servers that are not stages.
///
/// A sequence of choices depends on the seed and on the lengths only. Each clone is a sender of
/// its own: it begins its round robin at the next replica, and draws other random numbers.
///
/// ```
/// use seda_core::{Balance, Balancer};
///
/// let present = [3, 1, 2];
/// let shortest = Balancer::new(Balance::ShortestQueue, present.len(), 0);
/// assert_eq!(shortest.choose(|replica| present[replica]), 1);
/// ```
pub struct Balancer {
    balance: Balance,
    count: usize,
    /// The number of senders so far, which tells them apart.
    senders: Arc<AtomicU64>,
    seed: u64,
    turn: AtomicU64,
}

impl Balancer {
    /// Returns a balancer of `count` replicas; clamped to 1 to 64.
    pub fn new(balance: Balance, count: usize, seed: u64) -> Self {
        let count = count.clamp(1, MAX_REPLICAS);
        let senders = Arc::new(AtomicU64::new(1));
        Self { balance, count, senders, seed: mix(seed), turn: AtomicU64::new(0) }
    }

    /// Returns the replica for the next event, below `count`. `length` returns the number of events
    /// at a replica, in service included: a busy server with an empty queue is not free.
    pub fn choose(&self, length: impl FnMut(usize) -> usize) -> usize {
        self.pick(self.next_turn(), Untried::all(self.count), length).unwrap_or(0)
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Returns the number of one send; all its picks use it.
    pub(super) fn next_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns the number of the next send.
    pub(super) fn turn(&self) -> u64 {
        self.turn.load(Ordering::Relaxed)
    }

    /// Chooses among the untried replicas; `None` if all were tried.
    pub(super) fn pick(
        &self,
        turn: u64,
        untried: Untried,
        mut length: impl FnMut(usize) -> usize,
    ) -> Option<usize> {
        match self.balance {
            Balance::Central => untried.nth(0),
            Balance::RoundRobin => self.from(turn).find(|replica| untried.contains(*replica)),
            // The search starts at the replica in turn, so ties rotate.
            Balance::ShortestQueue => self
                .from(turn)
                .filter(|replica| untried.contains(*replica))
                .min_by_key(|replica| length(*replica)),
            Balance::TwoChoices => {
                let n = untried.len();
                let random = mix(self.seed ^ turn.wrapping_mul(GOLDEN));
                let first = below(n, random >> 32);
                // Drawn among the others, so that the two differ.
                let second = first + 1 + below(n.saturating_sub(1), random & 0xFFFF_FFFF);
                let first = untried.nth(first)?;
                let second = untried.nth(second % n)?;
                Some(if length(second) < length(first) { second } else { first })
            }
        }
    }

    /// Returns all replicas, beginning at `turn` modulo their number.
    fn from(&self, turn: u64) -> impl Iterator<Item = usize> + '_ {
        // Below `count`, which is 64 at most.
        let start = (turn % self.count as u64) as usize;
        (start..self.count).chain(0..start)
    }
}

impl Clone for Balancer {
    fn clone(&self) -> Self {
        let sender = self.senders.fetch_add(1, Ordering::Relaxed);
        Self {
            balance: self.balance,
            count: self.count,
            senders: Arc::clone(&self.senders),
            seed: mix(self.seed.wrapping_add(sender)),
            turn: AtomicU64::new(sender),
        }
    }
}

impl fmt::Debug for Balancer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Balancer")
            .field("balance", &self.balance)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// The set of replicas that a send has not asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Untried(u64);

impl Untried {
    pub(super) fn all(count: usize) -> Self {
        Self(u64::MAX >> (MAX_REPLICAS - count.clamp(1, MAX_REPLICAS)))
    }

    pub(super) fn remove(&mut self, replica: usize) {
        self.0 &= !(1 << (replica % MAX_REPLICAS));
    }

    fn contains(self, replica: usize) -> bool {
        self.0 >> (replica % MAX_REPLICAS) & 1 == 1
    }

    fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Returns the n-th of them.
    fn nth(self, n: usize) -> Option<usize> {
        let lower_gone = (0..n).fold(self.0, |left, _| left & left.wrapping_sub(1));
        (lower_gone != 0).then(|| lower_gone.trailing_zeros() as usize)
    }
}

/// Returns a number below `n` from 32 random bits; 0 if `n` is 0.
fn below(n: usize, bits: u64) -> usize {
    // `n` is 64 at most, so the product fits, and the bias is at most 2⁻²⁶.
    ((bits * n as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `n` choices with these lengths, which do not change.
    fn counts<const N: usize>(balance: Balance, lengths: [usize; N], n: usize) -> [usize; N] {
        let balancer = Balancer::new(balance, N, 7);
        let mut counts = [0; N];
        (0..n).for_each(|_| counts[balancer.choose(|replica| lengths[replica])] += 1);
        counts
    }

    #[test]
    fn round_robin_is_exact_and_ignores_lengths() {
        assert_eq!(counts(Balance::RoundRobin, [9, 0, 5], 30), [10, 10, 10]);
    }

    #[test]
    fn the_shortest_queue_is_joined_and_ties_go_round() {
        assert_eq!(counts(Balance::ShortestQueue, [2, 1, 3], 30), [0, 30, 0]);
        assert_eq!(counts(Balance::ShortestQueue, [4, 4, 4], 30), [10, 10, 10]);
    }

    #[test]
    fn two_choices_never_pick_the_longest_queue() {
        let [shortest, middle, longest] = counts(Balance::TwoChoices, [0, 1, 2], 30_000);
        // Two of three pairs contain the shortest; 30,000 draws vary by 82 (one sigma).
        assert!(longest == 0 && shortest.abs_diff(20_000) < 500, "{shortest} {middle} {longest}");
    }

    #[test]
    fn two_choices_draw_every_pair_equally_often() {
        let balancer = Balancer::new(Balance::TwoChoices, 4, 3);
        let mut pairs = std::collections::BTreeMap::new();
        for _ in 0..60_000 {
            let mut asked = Vec::new();
            balancer.choose(|replica| {
                asked.push(replica);
                0
            });
            asked.sort_unstable();
            *pairs.entry(asked).or_insert(0_usize) += 1;
        }
        assert_eq!(pairs.len(), 6, "{pairs:?}");
        assert!(pairs.values().all(|n| n.abs_diff(10_000) < 500), "{pairs:?}");
    }

    #[test]
    fn choices_repeat_with_their_seed_and_differ_between_senders() {
        let draw = |balancer: &Balancer| -> Vec<usize> {
            (0..64).map(|_| balancer.choose(|replica| replica)).collect()
        };
        let [one, same] = [0; 2].map(|_| Balancer::new(Balance::TwoChoices, 8, 5));
        let (clone, same_clone) = (one.clone(), same.clone());
        assert_eq!(draw(&one), draw(&same));
        let cloned = draw(&clone);
        assert_eq!(cloned, draw(&same_clone));
        assert_ne!(cloned, draw(&Balancer::new(Balance::TwoChoices, 8, 5)));
    }

    #[test]
    fn clones_that_send_once_each_go_round_all_replicas() {
        let source = Balancer::new(Balance::RoundRobin, 3, 0);
        let first = source.choose(|_| 0);
        let clones: Vec<usize> = (0..5).map(|_| source.clone().choose(|_| 0)).collect();
        assert_eq!((first, clones), (0, vec![1, 2, 0, 1, 2]));
    }

    #[test]
    fn every_balance_tries_each_replica_once() {
        for (balance, count) in Balance::ALL.into_iter().flat_map(|b| [(b, 1), (b, 5), (b, 64)]) {
            let balancer = Balancer::new(balance, count, 1);
            let (mut untried, mut tried) = (Untried::all(count), Vec::new());
            while let Some(replica) = balancer.pick(11, untried, |replica| replica) {
                untried.remove(replica);
                tried.push(replica);
            }
            tried.sort_unstable();
            assert_eq!(tried, (0..count).collect::<Vec<_>>(), "{balance}");
        }
    }
}
