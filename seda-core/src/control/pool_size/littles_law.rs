//! The policy of pool sizes, by Little's law.

use crate::config::ControlConfig;
use crate::config::units::{Millis, Percent};
use crate::control::pool_size::capacity::Capacity;
use crate::control::pool_size::observation::PoolObservation;
use crate::control::pool_size::trial::{Trial, TrialTick};
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
/// The time, in seconds, in which added workers have to clear a standing queue of short services: a
/// queue before a remote side without more capacity must not fill it with workers.
const DRAIN_SECONDS: f64 = 1.0;
/// Services are long from this part of a tick on: a worker begins few of them until the next one.
const LONG_PART: f64 = 0.25;
/// The workers that a growth adds at most for each event that is queued or was refused: one for it,
/// and one for another that comes until the next tick. The arrivals of one tick vary too much to
/// size a pool by them alone.
const EVENTS_AHEAD: f64 = 2.0;
/// The least part by which a pool grows: the effect of less could not be told from noise.
const LEAST_GROWTH: f64 = 0.1;

/// Grows at once to the size that Little's law (N = λ·R) predicts when a queue stands. Reverts the
/// growth if it did not help, and shrinks by one worker after a while without need.
///
/// It reads four signals:
///
/// - The wait in the queue against a target, because samples of the queue length miss bursts: the
///   wait of the events that were taken, and that of the oldest event that no worker could take.
/// - The queue length, for events that no worker has taken yet.
/// - Refusals, because a full queue or a closed gate hides the demand.
/// - The share of time that workers wait for a core. It tells a pool short of workers from a
///   machine short of cores.
#[derive(Debug)]
pub(crate) struct LittlesLaw {
    wait_target: f64,
    idle_after: Duration,
    /// Seconds for which the pool has had a worker to spare.
    spare: f64,
    /// The share of busy time on a core, as measured last: a new worker's first tick has none.
    cpu_share: Option<f64>,
    capacity: Capacity,
    trial: Trial,
}

impl LittlesLaw {
    /// Returns the policy with the targets of `config`.
    pub(crate) fn new(config: &ControlConfig) -> Self {
        Self {
            wait_target: config.wait_target.as_secs_f64(),
            idle_after: config.idle_after,
            spare: 0.0,
            cpu_share: None,
            capacity: Capacity::default(),
            trial: Trial::default(),
        }
    }

    /// Returns how many workers serve the offered events and clear the queue in time: at least a
    /// tenth more than now.
    ///
    /// In time is within a tick if an event still waits a tick after workers could have been added
    /// for it, and within a service if long services meet the smallest pool. A slower growth would
    /// make events expire beside idle cores. The result is no more than the workers that the events
    /// without one can occupy, and no more than fill the cores.
    fn needed(&self, seen: &PoolObservation) -> usize {
        let least = seen.workers + ((seen.workers as f64 * LEAST_GROWTH) as usize).max(1);
        let Some(service) = service_seconds(seen).filter(|_| !self.trial.doubts()) else {
            return least;
        };
        let overdue = seen.oldest_seconds > self.wait_target + seen.seconds;
        // Beyond the smallest pool a long service may be the wait of a remote side that is full.
        let is_long = service >= LONG_PART * seen.seconds && seen.workers <= seen.min;
        let drain = match is_long {
            true => service.min(seen.seconds),
            false if overdue || !ends_enough(seen) => seen.seconds,
            false => DRAIN_SECONDS,
        };
        let drain = drain.min(DRAIN_SECONDS);
        let load = (offered_per_second(seen) + seen.queued as f64 / drain) * service;
        let unserved = seen.queued as f64 + refused(seen) as f64;
        let by_events = seen.workers as f64 + EVENTS_AHEAD * unserved;
        let on_core = self.cpu_share.map(|share| share / own_time(seen).max(share));
        let by_cores = on_core.map_or(f64::INFINITY, |share| seen.cores as f64 / share.max(1e-9));
        let load = load.min(by_cores) / TARGET_UTILIZATION;
        // A float beyond `usize` saturates in the cast.
        (load.min(by_events).ceil() as usize).max(least)
    }

    /// Returns whether events wait longer than in a burst, or are refused beside busy workers.
    fn is_short_of_workers(&self, seen: &PoolObservation) -> bool {
        let all_busy = seen.busy >= seen.workers || seen.utilization >= 1.0;
        let stands = seen.queued > 0
            && (seen.wait_seconds > self.wait_target
                || all_busy && seen.oldest_seconds > self.wait_target);
        let refuses = refused(seen) > 0 && seen.utilization >= TARGET_UTILIZATION;
        // All workers are busy for the whole tick, and take nothing.
        let saturated = seen.queued > seen.workers && seen.utilization >= 1.0;
        stands || refuses || saturated
    }

    /// Returns whether another worker would only wait for a core.
    fn no_core_is_free(&self, seen: &PoolObservation) -> bool {
        let short_of_cores =
            seen.run_queue_share.is_some_and(|share| share > PoolObservation::OVERSUBSCRIBED)
                && seen.workers >= seen.cores;
        let on_cores = self.cpu_share.map(|share| share * seen.workers as f64);
        short_of_cores || on_cores.is_some_and(|busy| busy >= FILLED * seen.cores as f64)
    }

    fn grow(&self, seen: &PoolObservation) -> Option<(usize, String)> {
        let helps = seen.workers < seen.max && !self.no_core_is_free(seen);
        if !helps || !self.is_short_of_workers(seen) {
            return None;
        }
        let target = self.needed(seen).min(seen.max);
        let refused = match refused(seen) {
            0 => String::new(),
            n => format!(", {n} refused"),
        };
        let why = format!(
            "{} queued{refused}, waiting {}, utilization {}",
            seen.queued,
            Millis(seen.wait_seconds.max(seen.oldest_seconds)),
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
        self.cpu_share = seen.cpu_share.or(self.cpu_share);
        self.capacity.add(seen);
        // The trial of the last growth.
        let tick = TrialTick {
            seconds: seen.seconds,
            workers: seen.workers,
            completed: seen.completed,
            service: service_seconds(seen),
            is_short: self.is_short_of_workers(seen),
        };
        if let Some(no_help) = self.trial.pass(tick)
            && no_help.back_to < seen.workers
        {
            return Some((no_help.back_to.max(seen.min), no_help.to_string()));
        }
        // Another growth.
        let grown = self.grow(seen).filter(|_| self.trial.may_grow());
        if grown.is_some() {
            self.spare = 0.0;
            self.trial.begin(seen.workers, self.capacity.throughput());
            return grown;
        }
        self.shrink(seen)
    }
}

/// Returns the service time of an event; `None` before anything is known about it.
///
/// Where fewer events ended than are in service, the means of those that ended lag behind. The time
/// that the others have been in service is then a lower bound. The wait for a core does not count,
/// because a worker on a core of its own does not have it.
fn service_seconds(seen: &PoolObservation) -> Option<f64> {
    let so_far = (!ends_enough(seen) && seen.busy_seconds > 0.0).then_some(seen.busy_seconds);
    let known = seen.service_seconds.into_iter().chain(so_far).reduce(f64::max)?;
    Some(known * own_time(seen))
}

/// Returns whether at least as many events ended in the tick as are in service.
fn ends_enough(seen: &PoolObservation) -> bool {
    seen.completed >= seen.busy as u64 && seen.completed > 0
}

/// Returns the share of busy time without the wait for a core.
fn own_time(seen: &PoolObservation) -> f64 {
    (1.0 - seen.run_queue_share.unwrap_or(0.0)).clamp(0.0, 1.0)
}

/// Returns the events that were refused because the pool could not serve more of them.
fn refused(seen: &PoolObservation) -> u64 {
    seen.offered.saturating_sub(seen.arrived)
}

fn offered_per_second(seen: &PoolObservation) -> f64 {
    (seen.arrived + refused(seen)) as f64 / seen.seconds.max(1e-9)
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
            ..PoolObservation::default()
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
        // One more step before there is a verdict.
        assert_eq!(ticks.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [7, 1]);
        assert!(ticks[1].1.contains("did not help"), "{}", ticks[1].1);
    }

    #[test]
    fn workers_that_help_stay_and_more_may_be_added() {
        let mut policy = policy();
        policy.decide(&busy(1)).unwrap();
        let seen = PoolObservation { completed: 240, arrived: 900, ..busy(6) };
        assert!(policy.decide(&seen).unwrap().0 > 6);
    }

    /// A tick in which nothing ended: `in_service` workers have been in service since its
    /// beginning.
    fn stalled(workers: usize, in_service: usize, queued: usize) -> PoolObservation {
        PoolObservation {
            queued,
            arrived: queued as u64,
            offered: queued as u64,
            completed: 0,
            busy: in_service,
            busy_seconds: 0.1,
            wait_seconds: 0.0,
            oldest_seconds: 0.09,
            service_seconds: None,
            max: 64,
            cpu_share: Some(0.0),
            ..busy(workers)
        }
    }

    #[test]
    fn one_event_behind_a_long_one_gets_a_worker_at_the_next_tick() {
        // One for it, and one for another that comes until the next tick.
        assert_eq!(policy().decide(&stalled(1, 1, 1)).unwrap().0, 3);
        // Four short ones behind four long ones, which are slower than any before.
        let seen = PoolObservation { service_seconds: Some(0.01), ..stalled(4, 4, 4) };
        assert_eq!(policy().decide(&seen).unwrap().0, 10);
    }

    #[test]
    fn an_event_that_a_free_worker_could_take_needs_no_other() {
        let seen = PoolObservation { utilization: 0.5, ..stalled(2, 1, 1) };
        assert_eq!(policy().decide(&seen), None);
        // No event that another worker could take has waited.
        let seen = PoolObservation { oldest_seconds: 0.0, ..stalled(2, 2, 1) };
        assert_eq!(policy().decide(&seen), None);
    }

    #[test]
    fn long_events_leave_none_waiting_for_more_than_two_ticks() {
        // No service ends, and one more event comes in every tick.
        let (mut policy, mut workers) = (policy(), 1);
        for tick in 1..60 {
            let queued = (tick + 1_usize).saturating_sub(workers);
            let seen = PoolObservation {
                arrived: 1,
                busy_seconds: 0.05 * tick as f64,
                oldest_seconds: if queued > 0 { 0.1 } else { 0.0 },
                ..stalled(workers, workers.min(tick + 1), queued)
            };
            workers = policy.decide(&seen).map_or(workers, |(target, _)| target);
            assert!(workers > tick, "{workers} workers at tick {tick}");
        }
    }

    #[test]
    fn refused_events_count_as_demand() {
        // 40 of 150 were let in: 1,500 a second of 100 ms.
        let seen = PoolObservation { offered: 150, ..stalled(1, 1, 40) };
        assert_eq!(policy().decide(&seen).unwrap().0, 64);
        // A short queue that is full keeps the wait short.
        let seen = PoolObservation { queued: 0, offered: 80, oldest_seconds: 0.0, ..busy(1) };
        assert!(policy().decide(&seen).unwrap().0 > 1);
        let idle = PoolObservation { utilization: 0.2, ..seen };
        assert_eq!(policy().decide(&idle), None);
    }

    #[test]
    fn a_growth_is_compared_with_what_was_served_and_not_with_what_expired() {
        // A worker of 100 ms serves ten a second; of the 140 that come, the others expire.
        let mut policy = policy();
        let before = PoolObservation {
            completed: 1,
            arrived: 14,
            busy: 1,
            service_seconds: Some(0.1),
            ..stalled(1, 1, 20)
        };
        let workers = policy.decide(&before).unwrap().0;
        assert!(workers > 10, "{workers}");
        // Its workers end their first events a tick later, and then serve ten times as many.
        let mut after =
            PoolObservation { workers, busy: workers, queued: 20, completed: 1, ..before };
        for _ in 0..20 {
            let decided = policy.decide(&after);
            assert!(decided.is_none_or(|(target, _)| target > workers));
            after.completed = workers as u64;
        }
    }

    #[test]
    fn a_growth_of_long_services_is_not_judged_before_they_can_end() {
        let (mut policy, mut workers) = (policy(), 4);
        for _ in 0..79 {
            let seen = stalled(workers, workers, 1);
            let seen = PoolObservation { service_seconds: Some(4.0), ..seen };
            let target = policy.decide(&seen).map_or(workers, |(target, _)| target);
            assert!(target >= workers);
            workers = target;
        }
    }

    #[test]
    fn a_growth_does_not_go_beyond_what_fills_the_cores() {
        // A worker that computes half of its time: two cores are full with four, and 80 % of five.
        let seen = PoolObservation { arrived: 400, cpu_share: Some(0.5), queued: 400, ..busy(1) };
        assert_eq!(policy().decide(&seen).unwrap().0, 5);
        // A tick without a reading does not make a computing pool a waiting one.
        let mut policy = policy();
        policy.decide(&PoolObservation { cpu_share: Some(1.0), queued: 0, ..busy(2) });
        assert_eq!(policy.decide(&PoolObservation { cpu_share: None, ..busy(2) }), None);
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
