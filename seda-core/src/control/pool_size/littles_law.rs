//! The policy of pool sizes, by Little's law.

use crate::config::ControlConfig;
use crate::config::units::{Millis, Percent};
use crate::control::pool_size::observation::PoolObservation;
use crate::control::pool_size::trial::Trial;
use std::time::Duration;

/// Decides on a pool's size once per tick. Pure: the same observations give the same answers.
///
/// ```
/// use seda_core::Graph;
/// use seda_core::control::{PoolObservation, PoolSizePolicy};
///
/// /// One worker, and one more for each hundred queued events.
/// struct ByQueue;
///
/// impl PoolSizePolicy for ByQueue {
///     fn decide(&mut self, seen: &PoolObservation) -> Option<(usize, String)> {
///         let wanted = 1 + seen.queued / 100;
///         (wanted != seen.workers).then(|| (wanted, format!("{} queued", seen.queued)))
///     }
/// }
///
/// let mut graph = Graph::new("pages");
/// graph.pool_size_policy(|_pool| ByQueue);
/// ```
pub trait PoolSizePolicy: Send {
    /// Returns how many workers the pool should have, and the reason for the journal. `None` keeps
    /// the present size.
    fn decide(&mut self, seen: &PoolObservation) -> Option<(usize, String)>;
}

/// Workers that use this share of all cores leave no room for another worker.
const FILLED: f64 = 0.9;
/// The utilization to size for. At 80 % an M/M/1 system holds four events on average; beyond, it
/// grows steeply.
const TARGET_UTILIZATION: f64 = 0.8;
/// A pool shrinks if one worker less would still be below this utilization. It is far below the
/// target, so that growing and shrinking do not alternate.
const SHRINK_UTILIZATION: f64 = 0.5;
/// The time, in seconds, in which added workers have to clear a standing queue.
const DRAIN_SECONDS: f64 = 1.0;

/// Grows at once to the size that Little's law (N = λ·R) predicts when a queue stands. Reverts the
/// growth if it did not help, and shrinks by one worker after a while without need.
///
/// It reads three signals:
///
/// - The wait in the queue against a target, because samples of the queue length miss bursts.
/// - The queue length, for events that no worker has taken yet.
/// - The share of time that workers wait for a core. It tells a pool short of workers from a
///   machine short of cores.
#[derive(Debug)]
pub(crate) struct LittlesLaw {
    wait_target: Duration,
    idle_after: Duration,
    /// Seconds for which the pool has had a worker to spare.
    spare: f64,
    trial: Trial,
}

impl LittlesLaw {
    /// Returns the policy with the targets of `config`.
    pub(crate) fn new(config: &ControlConfig) -> Self {
        Self {
            wait_target: config.wait_target,
            idle_after: config.idle_after,
            spare: 0.0,
            trial: Trial::default(),
        }
    }

    /// Returns how many workers serve the arrivals and clear the queue in time.
    fn needed(seen: &PoolObservation) -> usize {
        let Some(service) = seen.service_seconds else {
            return seen.workers + 1;
        };
        // The service time without the wait for a core, which a worker on a core of its own does
        // not have.
        let service = service * (1.0 - seen.run_queue_share.unwrap_or(0.0)).clamp(0.0, 1.0);
        let arrivals = seen.arrived as f64 / seen.seconds.max(1e-9);
        let load = (arrivals + seen.queued as f64 / DRAIN_SECONDS) * service / TARGET_UTILIZATION;
        // A float beyond `usize` saturates in the cast.
        (load.ceil() as usize).max(seen.workers + 1)
    }

    /// Returns whether the queue stands: events wait longer than in a burst.
    fn queue_stands(&self, seen: &PoolObservation) -> bool {
        seen.wait_seconds > self.wait_target.as_secs_f64() && seen.queued > 0
    }

    fn grow(&self, seen: &PoolObservation) -> Option<(usize, String)> {
        let queue_stands = self.queue_stands(seen);
        // All workers are busy for the whole tick, and take nothing.
        let saturated = seen.queued > seen.workers && seen.utilization >= 1.0;
        let short_of_cores =
            seen.run_queue_share.is_some_and(|share| share > PoolObservation::OVERSUBSCRIBED)
                && seen.workers >= seen.cores;
        let on_cores = seen.cpu_share.map(|share| share * seen.workers as f64);
        let cores_are_full = on_cores.is_some_and(|busy| busy >= FILLED * seen.cores as f64);
        let no_core_free = short_of_cores || cores_are_full;
        if !(queue_stands || saturated) || seen.workers >= seen.max || no_core_free {
            return None;
        }
        let target = Self::needed(seen).min(seen.max);
        let why = format!(
            "{} queued, waiting {}, utilization {}",
            seen.queued,
            Millis(seen.wait_seconds),
            Percent(seen.utilization)
        );
        Some((target, why))
    }

    fn shrink(&mut self, seen: &PoolObservation) -> Option<(usize, String)> {
        let one_less = (seen.workers.saturating_sub(1)).max(1) as f64;
        let load = seen.utilization * seen.workers as f64;
        let spare = seen.workers > seen.min && load < SHRINK_UTILIZATION * one_less;
        self.spare = if spare { self.spare + seen.seconds } else { 0.0 };
        if self.spare < self.idle_after.as_secs_f64() {
            return None;
        }
        let seconds = std::mem::take(&mut self.spare);
        let why = format!(
            "utilization {} of {} workers, one to spare for {seconds:.1} s",
            Percent(seen.utilization),
            seen.workers
        );
        Some((seen.workers - 1, why))
    }
}

impl PoolSizePolicy for LittlesLaw {
    fn decide(&mut self, seen: &PoolObservation) -> Option<(usize, String)> {
        if let Some(no_help) =
            self.trial.pass(seen.completed, seen.seconds, self.queue_stands(seen))
            && no_help.back_to < seen.workers
        {
            return Some((no_help.back_to.max(seen.min), no_help.to_string()));
        }
        let grown = self.grow(seen).filter(|_| self.trial.may_grow());
        if grown.is_some() {
            self.spare = 0.0;
            self.trial.begin(seen.workers, seen.completed as f64 / seen.seconds.max(1e-9));
            return grown;
        }
        self.shrink(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> LittlesLaw {
        LittlesLaw::new(&ControlConfig::default())
    }

    fn busy(workers: usize) -> PoolObservation {
        PoolObservation {
            seconds: 0.1,
            workers,
            min: 1,
            max: 16,
            cores: 2,
            queued: 20,
            arrived: 40,
            completed: 40,
            wait_seconds: 0.030,
            service_seconds: Some(0.010),
            utilization: 1.0,
            cpu_share: Some(0.1),
            run_queue_share: Some(0.0),
        }
    }

    #[test]
    fn a_standing_queue_makes_the_pool_jump_to_what_littles_law_predicts() {
        // 400 arrive per second and 20 are queued, 10 ms each, at 80 % utilization: 5.25.
        assert_eq!(policy().decide(&busy(1)).unwrap().0, 6);
    }

    #[test]
    fn workers_that_do_not_help_are_removed_and_not_added_again_at_once() {
        let mut policy = policy();
        assert_eq!(policy.decide(&busy(1)).unwrap().0, 6);
        let ticks: Vec<_> = (0..20).filter_map(|_| policy.decide(&busy(6))).collect();
        assert_eq!(ticks.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [1]);
        assert!(ticks[0].1.contains("did not help"), "{}", ticks[0].1);
    }

    #[test]
    fn workers_that_help_stay_and_more_may_be_added() {
        let mut policy = policy();
        policy.decide(&busy(1)).unwrap();
        let seen = PoolObservation { completed: 240, arrived: 900, ..busy(6) };
        assert!(policy.decide(&seen).unwrap().0 > 6);
    }

    #[test]
    fn a_burst_that_does_not_wait_changes_nothing() {
        let seen = PoolObservation { wait_seconds: 0.001, utilization: 0.7, ..busy(1) };
        assert_eq!(policy().decide(&seen), None);
    }

    #[test]
    fn events_that_no_worker_takes_count_although_they_have_no_wait_yet() {
        let seen = PoolObservation { wait_seconds: 0.0, service_seconds: None, ..busy(1) };
        assert_eq!(policy().decide(&seen).unwrap().0, 2);
    }

    #[test]
    fn a_pool_that_fills_the_cores_does_not_grow() {
        let seen = PoolObservation { cpu_share: Some(0.95), ..busy(2) };
        assert_eq!(policy().decide(&seen), None);
        let seen = PoolObservation { cpu_share: Some(0.95), ..busy(1) };
        assert!(policy().decide(&seen).is_some());
    }

    #[test]
    fn a_pool_whose_workers_wait_for_a_core_does_not_grow() {
        let seen = PoolObservation { run_queue_share: Some(0.5), ..busy(2) };
        assert_eq!(policy().decide(&seen), None);
        let seen = PoolObservation { run_queue_share: None, ..busy(2) };
        assert!(policy().decide(&seen).is_some());
    }

    #[test]
    fn the_range_is_kept() {
        let seen = PoolObservation { arrived: 1_000_000, ..busy(4) };
        assert_eq!(policy().decide(&seen).unwrap().0, 16);
        assert_eq!(policy().decide(&busy(16)), None);
    }

    #[test]
    fn a_pool_shrinks_by_one_after_five_seconds_without_need_and_never_below_its_minimum() {
        let idle = PoolObservation {
            // An exact binary fraction.
            seconds: 0.125,
            queued: 0,
            arrived: 0,
            wait_seconds: 0.0,
            utilization: 0.0,
            ..busy(3)
        };
        let mut policy = policy();
        let decisions: Vec<_> = (0..80).filter_map(|_| policy.decide(&idle)).collect();
        assert_eq!(decisions.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [2, 2]);
        let smallest = PoolObservation { workers: 1, ..idle };
        assert!((0..200).all(|_| policy.decide(&smallest).is_none()));
    }
}
