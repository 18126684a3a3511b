//! The trial of a growth: workers that certainly do not help are taken back.
//!
//! A trial compares the events served with two predictions: that of the workers before the growth,
//! and that of workers which all serve as much as those before. A growth is reverted only if chance
//! does not explain why so little was served. Until there is a verdict the pool may grow further,
//! because a worker that is missing costs more than one that waits.

use crate::control::pool_size::capacity::Throughput;
use std::fmt;

/// Workers help if throughput rises by this part at least; less is noise. The thesis of SEDA (Welsh
/// 2002, section 4.3) reverts only 20 % below the best throughput, so a pool that gains nothing
/// creeps up.
const GAIN: f64 = 0.05;
/// The variance of a number of events served, relative to that number: 1 for exponential service
/// times, 2 allows for longer tails.
const VARIANCE: f64 = 2.0;
/// Throughput is a gain if it is above by this many standard deviations.
const GAINED: f64 = 2.0;
/// A growth did not help if throughput is below that of helping workers by this many standard
/// deviations. It is more than above, because the test is made at every tick.
const MISSED: f64 = 3.0;
/// Throughput is compared if each worker has served this many events: with less, the events in
/// service weigh too much.
const COMPARABLE: f64 = 3.0;
/// A trial without a verdict ends after this time, in seconds. The next growth is compared with the
/// throughput by then.
const LONGEST: f64 = 5.0;
/// The pause after a growth that did not help, in seconds. Then conditions may have changed.
const REST: f64 = 5.0;

/// The state of a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Trial {
    /// No growth is on trial.
    #[default]
    None,
    /// Workers were added.
    Grown(Growth),
    /// The last growth did not help and was reverted.
    Resting {
        /// Seconds left of the pause.
        left: f64,
    },
}

/// A growth on trial, perhaps in several steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Growth {
    /// Workers before, and what all of them serve.
    from: usize,
    before: Throughput,
    /// Workers before the last step, and the seconds since. They alone can have ended events until
    /// a service time has passed.
    stepped_from: usize,
    since_step: f64,
    /// Events served, and seconds, since the first step.
    served: f64,
    passed: f64,
    /// Events that as many helping workers would have served.
    predicted: f64,
}

/// A tick of a pool on trial.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrialTick {
    pub(super) seconds: f64,
    pub(super) workers: usize,
    /// Events served.
    pub(super) completed: u64,
    /// The service time, in seconds, as far as it is known.
    pub(super) service: Option<f64>,
    /// Whether the pool is short of workers still.
    pub(super) is_short: bool,
}

/// A growth that did not help.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NoHelp {
    pub(super) back_to: usize,
    before: f64,
    after: f64,
}

impl Trial {
    /// Begins a trial, or another step of one: workers are added to `workers`, which together serve
    /// `before`.
    pub(super) fn begin(&mut self, workers: usize, before: Throughput) {
        let first = Growth {
            from: workers,
            before,
            stepped_from: workers,
            since_step: 0.0,
            served: 0.0,
            passed: 0.0,
            predicted: 0.0,
        };
        *self = Trial::Grown(match self {
            Trial::Grown(grown) if grown.is_comparable() => {
                Growth { stepped_from: workers, since_step: 0.0, ..*grown }
            }
            _ => first,
        });
    }

    /// Returns whether a growth may begin.
    pub(super) fn may_grow(&self) -> bool {
        !matches!(self, Trial::Resting { .. })
    }

    /// Returns whether the growth on trial helped less than half as much as it could. A further
    /// step should then be a small one.
    pub(super) fn doubts(&self) -> bool {
        matches!(self, Trial::Grown(grown) if grown.is_comparable()
            && grown.served < (grown.before.per_second * grown.passed + grown.predicted) / 2.0)
    }

    /// Advances the trial by a tick. Returns the growth on trial if it did not help.
    pub(super) fn pass(&mut self, tick: TrialTick) -> Option<NoHelp> {
        match self {
            Trial::None => None,
            Trial::Resting { left } => {
                *left -= tick.seconds;
                if *left <= 0.0 {
                    *self = Trial::None;
                }
                None
            }
            // The workers have cleared the queue: the growth helped.
            Trial::Grown(_) if !tick.is_short => {
                *self = Trial::None;
                None
            }
            Trial::Grown(grown) => {
                grown.add(tick);
                let grown = *grown;
                if grown.certainly_gained() || grown.passed >= LONGEST {
                    *self = Trial::None;
                }
                if !grown.certainly_missed() {
                    return None;
                }
                *self = Trial::Resting { left: REST };
                let after = grown.served / grown.passed.max(1e-9);
                Some(NoHelp { back_to: grown.from, before: grown.before.per_second, after })
            }
        }
    }
}

impl Growth {
    fn add(&mut self, tick: TrialTick) {
        self.served += tick.completed as f64;
        self.passed += tick.seconds;
        // A worker ends its first event a service time after its start.
        let started = tick.service.is_some_and(|service| self.since_step >= service);
        let serving = if started { tick.workers } else { self.stepped_from };
        self.since_step += tick.seconds;
        let grown_by = serving as f64 / self.from.max(1) as f64;
        self.predicted += self.before.per_second * grown_by * tick.seconds;
    }

    /// Returns whether more was served than chance explains without help.
    fn certainly_gained(&self) -> bool {
        let gained = self.served / (self.least_gain()).max(1e-9);
        gained.ln() > GAINED * self.deviation()
    }

    /// Returns whether the throughput before was measured on enough events. While most of them are
    /// in service, those that ended are the short ones.
    fn is_comparable(&self) -> bool {
        self.before.events >= COMPARABLE * self.from as f64
    }

    /// Returns whether less was served than chance explains if all workers help, and no more than
    /// before.
    fn certainly_missed(&self) -> bool {
        let missed = self.predicted / self.served.max(1.0);
        self.is_comparable()
            && self.served <= self.least_gain()
            && missed.ln() > MISSED * self.deviation()
    }

    fn least_gain(&self) -> f64 {
        self.before.per_second * (1.0 + GAIN) * self.passed
    }

    /// Returns the standard deviation of the logarithm of a ratio: events served to those
    /// predicted.
    fn deviation(&self) -> f64 {
        (VARIANCE * (1.0 / self.served.max(1.0) + 1.0 / self.before.events.max(1.0))).sqrt()
    }
}

impl fmt::Display for NoHelp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, after, .. } = self;
        write!(f, "more workers did not help: {after:.1} events/s, {before:.1} before")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two workers that served 100 events a second become four.
    fn grown() -> Trial {
        let mut trial = Trial::default();
        trial.begin(2, Throughput { per_second: 100.0, events: 100.0 });
        trial
    }

    fn tick(completed: u64) -> TrialTick {
        let service = Some(0.02);
        TrialTick { seconds: 0.125, workers: 4, completed, service, is_short: true }
    }

    #[test]
    fn a_growth_that_gains_nothing_is_reverted_and_not_tried_again_for_five_seconds() {
        let mut trial = grown();
        let verdicts: Vec<_> = (0..40)
            .map_while(|_| {
                let verdict = trial.pass(tick(13));
                (!matches!(trial, Trial::Resting { .. }) || verdict.is_some()).then_some(verdict)
            })
            .collect();
        let (last, before) = verdicts.split_last().unwrap();
        assert!(before.iter().all(Option::is_none) && before.len() < 16, "{verdicts:?}");
        assert_eq!(last.map(|no_help| no_help.back_to), Some(2));
        assert!(!trial.may_grow());
        assert_eq!((0..40).filter(|_| trial.pass(tick(13)).is_some()).count(), 0);
        assert!(trial.may_grow());
    }

    #[test]
    fn a_growth_that_gains_or_clears_the_queue_stays() {
        let mut trial = grown();
        assert!((0..4).all(|_| trial.pass(tick(25)).is_none()));
        assert_eq!(trial, Trial::None);
        let mut trial = grown();
        assert!(trial.pass(TrialTick { is_short: false, ..tick(0) }).is_none());
        assert_eq!(trial, Trial::None);
    }

    #[test]
    fn a_gain_that_chance_could_hide_is_no_reason_to_revert() {
        // A tenth more workers, a fiftieth more events: chance, or no help.
        let mut trial = Trial::default();
        trial.begin(10, Throughput { per_second: 100.0, events: 100.0 });
        let seen = TrialTick { workers: 11, ..tick(13) };
        assert!((0..100).all(|_| trial.pass(seen).is_none() && trial.may_grow()));
        assert_eq!(trial, Trial::None);
    }

    #[test]
    fn steps_of_one_growth_are_judged_together() {
        // Each step is small, and none helps.
        let (mut trial, mut workers) = (Trial::default(), 10);
        let verdict = (0..100).find_map(|_| {
            let before = Throughput { per_second: 1_000.0, events: 1_000.0 };
            trial.begin(workers, before);
            workers += 1;
            trial.pass(TrialTick { workers, ..tick(125) })
        });
        assert_eq!(verdict.map(|no_help| no_help.back_to), Some(10));
    }

    #[test]
    fn workers_that_cannot_have_ended_an_event_yet_are_not_missed() {
        let mut trial = grown();
        let slow = TrialTick { service: Some(4.0), ..tick(12) };
        assert!((0..31).all(|_| trial.pass(slow).is_none()));
    }

    #[test]
    fn a_throughput_that_was_hardly_measured_is_no_reason_to_revert() {
        // Ten events began 50 ms ago; two were short.
        let mut trial = Trial::default();
        trial.begin(10, Throughput { per_second: 200.0, events: 2.0 });
        let seen = TrialTick { workers: 60, ..tick(1) };
        assert!((0..100).all(|_| trial.pass(seen).is_none()));
    }
}
